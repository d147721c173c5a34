// Other WebRTC stacks as WHIP publishers and WHEP players: GStreamer's webrtcbin, and libnice's agent with
// OpenSSL and libsrtp2.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launchChromium } from './lib/chromium.mjs';
import { signInPeople } from './lib/meeting.mjs';
import { NativeClient } from './lib/native_client.mjs';
import { PEOPLE, isColour } from './lib/people.mjs';
import { linesOf, playOffer, publishOffer, remoteOf } from './lib/sdp.mjs';
import { startWeir } from './lib/server.mjs';
import { eventually } from './lib/wait.mjs';
import { closeSession, newCallId, openSession } from './lib/whip.mjs';

const GCM = 'SRTP_AEAD_AES_128_GCM';
const SHA1 = 'SRTP_AES128_CM_SHA1_80';
const MINUTE = { timeout: 60_000 };

let weir;
before(async () => { weir = await startWeir(); }, MINUTE);
after(() => weir?.stop());

// A GStreamer client with its session; gone when the test ends.
async function gstreamer(t, endpoint, ...args) {
  const client = new NativeClient('gst_client', ...args);
  t.after(() => client.stop());
  const { offer } = await client.until('offers', (seen) => seen.offer);
  const session = await openSession(endpoint, offer);
  t.after(() => closeSession(session));
  client.send({ answer: session.answer });
  await client.until('connects', (seen) => seen.connection === 'connected');
  return { client, session };
}

async function libnice(t, endpoint, role, profiles) {
  const client = new NativeClient('nice_client', role, profiles);
  t.after(() => client.stop());
  const { local } = await client.until('gathers', (seen) => seen.local);
  const session = await openSession(endpoint, role === 'publish' ? publishOffer(local) : playOffer(local));
  t.after(() => closeSession(session));
  client.send({ remote: remoteOf(session.answer) });
  await client.until('has keys', (seen) => seen.profile);
  return { client, session };
}

const colourText = (identity) => identity.colour.join(',');

test('what GStreamer publishes by WHIP, GStreamer plays by WHEP', MINUTE, async (t) => {
  const call = newCallId();
  const [identity] = PEOPLE;
  await gstreamer(t, `${weir.url}/whip/${call}`, 'publish', colourText(identity), String(identity.toneHz));
  const { client: player } = await gstreamer(t, `${weir.url}/whep/${call}`, 'play');
  await player.until('decodes the picture and the tone', ({ frames, rgb, hz }) =>
    frames > 30 && isColour(rgb, identity.colour) && Math.abs(hz - identity.toneHz) < 15);
});

for (const [publishes, plays] of [[SHA1, GCM], [`${GCM}:${SHA1}`, SHA1]]) {
  test(`what libnice publishes (${publishes}), libnice plays (${plays}) byte for byte`, MINUTE, async (t) => {
    const call = newCallId();
    const { client: publisher } = await libnice(t, `${weir.url}/whip/${call}`, 'publish', publishes);
    await publisher.until('sends', (seen) => seen.sent?.video.count > 10);
    assert.equal(publisher.seen.profile, publishes.split(':')[0]);
    const { client: player, session } = await libnice(t, `${weir.url}/whep/${call}`, 'play', plays);
    assert.equal(player.seen.profile, plays);
    const { received } = await player.until('receives', (seen) =>
      seen.received?.video.count > 100 && seen.received.audio.count > 100);
    const promised = new Set(linesOf(session.answer, 'a=ssrc:').map((line) => Number(/\d+/.exec(line)[0])));
    for (const flow of [received.video, received.audio]) {
      assert.equal(flow.wrong, 0);
      assert.equal(flow.count, flow.last - flow.first + 1, 'every packet, once');
      assert.ok(promised.has(flow.ssrc), `SSRC ${flow.ssrc} is not in the answer`);
    }
  });
}

test('what GStreamer publishes by WHIP is seen and heard in a browser\'s call', MINUTE, async (t) => {
  const browser = await launchChromium();
  t.after(() => browser.close());
  const people = await signInPeople(browser, weir.url, 1);
  const call = await people[0].initiate([]);
  await people[0].enter(call);
  const identity = PEOPLE[3];
  const { session } = await gstreamer(t, `${weir.url}/whip/${call}`, 'publish', colourText(identity), String(identity.toneHz));
  const publisherId = await eventually('the page is told who publishes', () =>
    people[0].tab.evaluate(() => window.notes.messages.find((message) =>
      message.type === 'track_published' && message.source === 'camera' && !message.sent)?.user_id));
  const publisher = { ...identity, userId: publisherId };
  await eventually('the picture', async () => {
    const seen = await people[0].look(publisher);
    return seen?.on && seen.top && isColour(seen.top, identity.colour);
  });
  await people[0].hears(publisher);
  await closeSession(session);
  await people[0].missed(publisher);
});

test('what a browser publishes in a call, GStreamer plays by WHEP', MINUTE, async (t) => {
  const browser = await launchChromium();
  t.after(() => browser.close());
  const people = await signInPeople(browser, weir.url, 1);
  const call = await people[0].initiate([]);
  await people[0].enter(call);
  await eventually('the page is connected', () =>
    people[0].tab.evaluate(() => window.notes.connections.some((one) => one.connectionState === 'connected')));
  const { client: player } = await gstreamer(t, `${weir.url}/whep/${call}`, 'play');
  await player.until('decodes', ({ frames, hz }) => frames > 10 && Math.abs(hz - people[0].toneHz) < 15, 15_000);
});
