// Real Chromium behind bad networks, judged by its own decoders: what a viewer gets of a camera in
// layers when its link narrows, loses and breaks, and that the other viewer gets all of it.
//
// Times are those of the page that watches. What the machine itself held up (`stallMs`) is added to
// every bound on a picture that stands still, and frames are compared with those that were sent.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { launchChromium } from './lib/chromium.mjs';
import { chromiumPerson } from './lib/chromium_tab.mjs';
import { attachTile, enterAs, isToldBy, layersSent, watchLayer } from './lib/member.mjs';
import { PEOPLE } from './lib/people.mjs';
import { goBeforeOthers } from './lib/priority.mjs';
import { startWeir } from './lib/server.mjs';
import { relaysFor } from './lib/udp_relay.mjs';
import { seconds, summary, Watch } from './lib/watch.mjs';

const CAMERA = { width: 960, height: 540, fps: 15, grain: 0.25 };
const WIDE = { rateBps: 3_000_000, queueMs: 300, delayMs: 25, loss: 0 };

let weir;
let browser;
let ada;
let blaise;
let carl;
let uplink;
let downlink;
let bad; // What Blaise gets behind the bad network.
let good; // What Carl gets.

before(async () => {
  goBeforeOthers();
  weir = await startWeir();
  browser = await launchChromium();
  uplink = await relaysFor(weir);
  downlink = await relaysFor(weir, { ...WIDE, seed: 2026 });
  const relays = [uplink.ports, downlink.ports, null];
  const all = PEOPLE.slice(0, 3).map((who, i) => chromiumPerson(browser, who, weir.url, { ...CAMERA, relay: relays[i] }));
  [ada, blaise, carl] = await Promise.all((await Promise.all(all)).map((person) => person.signIn()));
  const callId = await ada.initiate([blaise, carl]);
  await enterAs(ada, callId);
  for (const viewer of [blaise, carl]) {
    await enterAs(viewer, callId, { media: null });
    await attachTile(viewer, ada, { width: CAMERA.width, height: CAMERA.height });
  }
  bad = await Watch.start(blaise, ada);
  good = await Watch.start(carl, ada);
}, { timeout: 60_000 });

after(async () => {
  await browser?.close();
  uplink?.close();
  downlink?.close();
  await weir?.stop();
});

const step = (name, run) => test(name, { timeout: 90_000 }, run);

// Both viewers get the highest layer, in motion, before anything is measured.
async function isWell() {
  uplink.set({ loss: 0 });
  downlink.set(WIDE);
  await Promise.all([bad, good].map((watch) => watch.untilFor('the highest layer', ({ height }) => height === CAMERA.height, { ms: 1_000, within: 40_000 })));
  await Promise.all([bad, good].map((watch) => watch.moves({ within: 10_000 })));
}

// What a watch says of so many seconds, and how many frames each layer had meanwhile.
async function during(t, watch, what, forSeconds) {
  const [from, before] = [await watch.now(), await layersSent(ada)];
  await sleep(forSeconds * 1_000);
  const now = await layersSent(ada);
  const sent = Math.min(...Object.keys(now).map((rid) => now[rid].frames - before[rid].frames).filter((count) => count > 0));
  const read = { ...summary(await watch.read({ from })), sent };
  t.diagnostic(`${what}: ${JSON.stringify(read)}`);
  return read;
}

function isUnbroken(read, longestMs = 1_000) {
  assert.ok(read.longestGapMs <= longestMs + read.stallMs, `the picture stood still: ${JSON.stringify(read)}`);
  assert.ok(read.frames >= read.sent * 0.7 - 5, `frames are missing: ${JSON.stringify(read)}`);
}

// Half a second is the aim. A machine that holds everything up, publisher and network too, measures
// itself: then again, twice at most, and the last time a second has to do.
async function inPeace(measure) {
  for (let tries = 1; ; tries++) {
    await isWell();
    const reads = await measure();
    if (tries === 3 || reads.every(({ stallMs, longestGapMs }) => stallMs < 150 && longestGapMs <= 500)) return reads;
  }
}

step('a link that narrows to a sixth costs one viewer its upper layers for as long, and the other nothing', async (t) => {
  await isWell();
  const from = await bad.now();
  const meanwhile = await good.now();
  const leftOut = await watchLayer(ada, 'f');
  const sentBefore = (await layersSent(ada)).f.frames;
  downlink.set({ rateBps: 500_000 });
  const lower = await bad.until('a lower layer', ({ height, at }) => at > from && height > 0 && height < CAMERA.height, { within: 6_000 });
  // A queue that is full tells before the estimate has fallen.
  await bad.until('the reason, and an estimate', ({ at, reason, bps }) => at > from && reason === 'bandwidth' && bps < 600_000, { within: 6_000 });
  await bad.moves({ within: 10_000 });
  await during(t, bad, 'narrow, after the change', 6);
  const fall = summary(await bad.read({ from }));
  t.diagnostic(`narrow in all: lower after ${seconds(lower.at - from)} s, ${JSON.stringify(fall)}`);
  assert.ok(fall.longestGapMs < 4_000 + fall.stallMs, 'it stood still for long');

  const got = await good.read({ from: meanwhile });
  const other = { ...summary(got), sent: (await layersSent(ada)).f.frames - sentBefore };
  const stands = await leftOut();
  t.diagnostic(`the other, meanwhile: ${JSON.stringify({ ...other, leftOut: stands.length })}`);
  isUnbroken(other);
  // While the publisher sends none of the highest layer, and until its keyframe has come, others do.
  const clock = Date.now() - (await good.now());
  const isLeftOut = (at) => stands.some((stand) => at > stand.from && at < stand.to + 3_000);
  const less = got.samples.filter(({ at, height }) => height < CAMERA.height && !isLeftOut(clock + at));
  // A busy machine delays packets as a queue would: for 0.8 s that was seen to cost the highest layer.
  assert.ok(less.length <= 8, JSON.stringify(less.map(({ at, height, reason }) => ({ at, height, reason }))));
  assert.equal(other.plis, 0);

  const wideAt = await bad.now();
  downlink.set(WIDE);
  const back = await bad.until('the highest layer again', ({ at, height }) => at > wideAt && height === CAMERA.height, { within: 15_000 });
  t.diagnostic(`wide again: highest layer after ${seconds(back.at - wideAt)} s`);
});

step('below the lowest layer the picture is paused, and said to be, until the link carries it', async (t) => {
  await isWell();
  const from = await bad.now();
  downlink.set({ rateBps: 90_000 });
  const isTold = (paused) => ({ at, userId, source, paused: told }) =>
    at > from && userId === ada.userId && source === 'camera' && told === paused;
  const paused = await isToldBy(blaise, 'tile', isTold('bandwidth'), { within: 15_000 });
  await bad.until('why: bandwidth', ({ reason, chosen }) => reason === 'bandwidth' && chosen === 0, { within: 8_000 });
  await sleep(1_000);
  const wideAt = await bad.now();
  downlink.set(WIDE);
  await bad.until('a picture again', ({ at, paused: still }) => at > wideAt && !still, { within: 30_000 });
  await bad.moves({ within: 5_000 });
  t.diagnostic(`paused after ${seconds(paused.at - from)} s, moving ${seconds((await bad.now()) - wideAt)} s after the link's return`);
});

for (const share of [0.05, 0.1])
  step(`${100 * share} % of the datagrams lost on the way down are not seen`, async (t) => {
    const [read] = await inPeace(() => {
      downlink.set({ down: { loss: share } });
      return Promise.all([during(t, bad, 'lossy', 6)]);
    });
    assert.ok(read.repaired > 5, 'nothing was repaired: is there any loss?');
    isUnbroken(read);
  });

step('10 % of the datagrams lost on the way up are not seen by anybody', async (t) => {
  const [one, other] = await inPeace(() => {
    uplink.set({ up: { loss: 0.1 } });
    return Promise.all([during(t, bad, 'the one', 6), during(t, good, 'the other', 6)]);
  });
  isUnbroken(one);
  isUnbroken(other);
});

step('an outage of 300 ms is over soon after the link is back', async (t) => {
  const [read] = await inPeace(() => {
    downlink.breakFor(300);
    return Promise.all([during(t, bad, 'broken', 3)]);
  });
  assert.ok(read.longestGapMs <= 300 + 1_000 + read.stallMs, JSON.stringify(read));
  assert.ok(read.plis <= 2, `${read.plis} keyframes were asked for`);
});

step('a quarter of the datagrams lost is hardly heard, with redundancy', async (t) => {
  await isWell();
  await blaise.tab.evaluate((id) => window.client.tile(id, 'microphone').attach(document.body.appendChild(document.createElement('audio'))) && null, ada.userId);
  const sound = await Watch.start(blaise, ada, { source: 'microphone' });
  await sound.until('sound', ({ samples }) => samples > 48_000, { within: 10_000 });
  downlink.set({ down: { loss: 0.25 } });
  await sleep(2_000); // Redundancy begins when the losses are known.
  const read = await during(t, sound, 'sound', 8);
  downlink.set({ down: { loss: 0 } });
  assert.ok(read.samplesPerS > 40_000, 'hardly any sound came');
  assert.ok(read.concealed < 0.1, `${(100 * read.concealed).toFixed(1)} % was made up`);
});

step('no page logged an error', () => {
  assert.deepEqual([ada, blaise, carl].map((person) => person.tab.errors), [[], [], []]);
});
