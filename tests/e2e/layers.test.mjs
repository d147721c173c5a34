// What a browser really encodes and sends of a camera and a screen: simulcast by RID, SVC, and what
// publish_layers makes of it.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { firefoxPerson, launchFirefox } from './lib/bidi.mjs';
import { launchChromium } from './lib/chromium.mjs';
import { chromiumPerson } from './lib/chromium_tab.mjs';
import { attachTile, enterAs, isToldBy, layerRuns, layersSent, layerStands, styleTile, tileOf } from './lib/member.mjs';
import { PEOPLE } from './lib/people.mjs';
import { ownAddress, startWeir } from './lib/server.mjs';
import { eventually, expectThat } from './lib/wait.mjs';

// The smallest that is sent in three layers: many of these tests run on few cores.
const CAMERA = { width: 960, height: 540, fps: 10 };

let weir;
let chromium;
let firefox;

before(async () => {
  [weir, chromium, firefox] = await Promise.all([
    startWeir({ rtcAddress: ownAddress() }), launchChromium(), launchFirefox(PEOPLE[0]),
  ]);
}, { timeout: 60_000 });

after(async () => {
  await chromium?.close();
  await firefox?.close();
  await weir?.stop();
});

const step = (name, run) => test(name, { timeout: 120_000 }, run);

// A publisher and a watcher in a call of their own, by the library alone.
async function pair({ options = {}, devices = CAMERA, inFirefox = false, media } = {}) {
  const publisher = inFirefox ? firefoxPerson(firefox, PEOPLE[0], weir.url, devices) : chromiumPerson(chromium, PEOPLE[0], weir.url, devices);
  const people = await Promise.all([publisher, chromiumPerson(chromium, PEOPLE[1], weir.url, devices)]);
  const [ada, blaise] = await Promise.all(people.map((person) => person.signIn()));
  const callId = await ada.initiate([blaise]);
  await enterAs(ada, callId, { options, media });
  await enterAs(blaise, callId, { options: { codec: options.codec }, media: { audio: true } });
  return { ada, blaise, async end() {
    for (const { tab } of [ada, blaise]) {
      await tab.evaluate(() => window.client.leave());
      await tab.close();
    }
  } };
}

const allRun = (person, ...rids) => Promise.all(rids.map((rid) => layerRuns(person, rid)));

function isSeen(person, other, { width, frames = 10, within = 40_000 }) {
  return eventually(`${person.name} sees ${other.name} ${width} wide`, async () => {
    const seen = await tileOf(person, other);
    return expectThat(seen, seen.width === width && seen.frames >= frames);
  }, { within });
}

for (const codec of ['vp8', 'h264'])
  step(`Chromium sends a camera in three layers of ${codec} by RID, and they are seen`, async () => {
    const { ada, blaise, end } = await pair({ options: { codec } });
    await attachTile(blaise, ada, { width: 960, height: 540 });
    await allRun(ada, 'q', 'h', 'f');
    const { q, h, f } = await layersSent(ada);
    assert.deepEqual([q.width, h.width, f.width], [240, 480, 960]);
    assert.equal(new Set([q.ssrc, h.ssrc, f.ssrc]).size, 3);
    await isSeen(blaise, ada, { width: 960 });
    await end();
  });

for (const codec of ['vp9', 'av1'])
  step(`Chromium sends a camera in one scalable stream of ${codec}, and it is seen`, async () => {
    const { ada, blaise, end } = await pair({ options: { codec } });
    await attachTile(blaise, ada, { width: 960, height: 540 });
    await layerRuns(ada, '');
    const sent = await layersSent(ada);
    assert.deepEqual(Object.keys(sent), ['']);
    assert.equal(sent[''].mode, 'L3T3_KEY');
    // A busy machine lets the browser encode a smaller picture.
    await eventually('its highest layer is seen', async () => {
      const [{ '': { width } }, seen] = [await layersSent(ada), await tileOf(blaise, ada)];
      return expectThat({ width, seen }, seen.width === width && seen.frames > 10);
    }, { within: 40_000 });
    await end();
  });

step('Firefox sends a camera in three layers by RID, and they are seen', async () => {
  const { ada, blaise, end } = await pair({ inFirefox: true });
  await attachTile(blaise, ada, { width: 960, height: 540 });
  await allRun(ada, 'q', 'h', 'f');
  const { q, h, f } = await layersSent(ada);
  assert.deepEqual([q.width, h.width, f.width], [240, 480, 960]);
  await isSeen(blaise, ada, { width: 960 });
  await end();
});

step('Firefox without SVC sends VP9 in one layer that is seen', async () => {
  const { ada, blaise, end } = await pair({ inFirefox: true, options: { codec: 'vp9' } });
  await attachTile(blaise, ada, { width: 960, height: 540 });
  await layerRuns(ada, '');
  await eventually('the camera is seen', async () => expectThat(null, (await tileOf(blaise, ada)).frames > 10));
  await end();
});

step('a small camera is sent in one layer', async () => {
  const { ada, end } = await pair({ devices: { width: 320, height: 180, fps: 10 } });
  await layerRuns(ada, '');
  assert.deepEqual(Object.keys(await layersSent(ada)), ['']);
  await end();
});

step('a layer that nobody watches is encoded no more, and again when somebody does', async () => {
  const { ada, blaise, end } = await pair();
  await attachTile(blaise, ada, { width: 960, height: 540 });
  await allRun(ada, 'q', 'h', 'f');
  await isSeen(blaise, ada, { width: 960 });
  await styleTile(blaise, ada, { width: '200px', height: '112px' });
  // Half a second for the smaller wish, five of grace, one to tell.
  await isToldBy(ada, 'layers', ({ source, rids }) => source === 'camera' && rids.f === false && rids.q === true, { within: 10_000 });
  await Promise.all([layerStands(ada, 'f'), layerRuns(ada, 'q')]);
  await isSeen(blaise, ada, { width: 240 });
  await styleTile(blaise, ada, { width: '960px', height: '540px' });
  await layerRuns(ada, 'f');
  await isSeen(blaise, ada, { width: 960 });
  await end();
});

step('a camera that nobody watches is not encoded at all', async () => {
  const { ada, blaise, end } = await pair();
  await attachTile(blaise, ada, { width: 480, height: 270 });
  await layerRuns(ada, 'h');
  await styleTile(blaise, ada, { display: 'none' });
  await isToldBy(ada, 'layers', ({ active }) => !active, { within: 10_000 });
  await Promise.all(['q', 'h', 'f'].map((rid) => layerStands(ada, rid)));
  await styleTile(blaise, ada, { display: 'block' });
  await layerRuns(ada, 'h');
  await end();
});

step('a screen is sent in two layers beside the camera', async () => {
  const { ada, blaise, end } = await pair({ media: { audio: true } });
  await ada.tab.evaluate(() => window.client.startScreenShare());
  await attachTile(blaise, ada, { width: 960, height: 540, source: 'screen' });
  await allRun(ada, 'h', 'f');
  const { h, f } = await layersSent(ada);
  assert.deepEqual([h.width, f.width], [480, 960]);
  await eventually('the screen is seen', async () => {
    const seen = await tileOf(blaise, ada, 'screen');
    return expectThat(seen, seen.width === 960 && seen.frames > 10);
  }, { within: 40_000 });
  await end();
});

step('a screen in the camera\'s place needs no offer, and the camera comes back', async () => {
  const { ada, blaise, end } = await pair();
  await attachTile(blaise, ada, { width: 960, height: 540 });
  await isSeen(blaise, ada, { width: 960 });
  const before = await ada.negotiations();
  const state = await ada.tab.evaluate(async () => {
    await window.client.startScreenShare(undefined, { swap: true });
    return { ...window.client.local };
  });
  assert.deepEqual(state, { audio: true, video: true, screen: true });
  await blaise.isTold('screen_share_toggled', { user_id: ada.userId, is_sharing: true });
  const { frames } = await tileOf(blaise, ada);
  await isSeen(blaise, ada, { width: 960, frames: frames + 10 });
  await ada.tab.evaluate(() => window.client.stopScreenShare());
  await blaise.isTold('screen_share_toggled', { user_id: ada.userId, is_sharing: false });
  await layerRuns(ada, 'q');
  assert.deepEqual(await ada.negotiations(), before);
  await end();
});
