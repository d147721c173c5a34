// Each codec's layers, as a real browser sends them, over a link that narrows and widens again: the
// decoder gets lower ones, is told why, and gets the highest back.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { firefoxPerson, launchFirefox } from './lib/bidi.mjs';
import { launchChromium } from './lib/chromium.mjs';
import { chromiumPerson } from './lib/chromium_tab.mjs';
import { attachTile, enterAs } from './lib/member.mjs';
import { PEOPLE } from './lib/people.mjs';
import { goBeforeOthers } from './lib/priority.mjs';
import { ownAddress, startWeir } from './lib/server.mjs';
import { relaysFor } from './lib/udp_relay.mjs';
import { seconds, summary, Watch } from './lib/watch.mjs';
import { eventually } from './lib/wait.mjs';

const WIDE = { rateBps: 3_000_000, queueMs: 300, delayMs: 25 };

// Firefox sends three layers of the one; the other has two, and costs a processor less.
const LARGE = { width: 960, height: 540, fps: 12, grain: 0.25 };
const SMALL = { width: 640, height: 360, fps: 10, grain: 0.25 };

let weir;
let chromium;
let firefox;

before(async () => {
  goBeforeOthers();
  [weir, chromium, firefox] = await Promise.all([
    startWeir({ rtcAddress: ownAddress() }), launchChromium(), launchFirefox(PEOPLE[0]),
  ]);
}, { timeout: 60_000 });

after(async () => {
  await chromium?.close();
  await firefox?.close();
  await weir?.stop();
});

// Ada publishes without sound, which would take a part of the narrow link; Blaise watches.
async function watched({ codec, camera, inFirefox, network }) {
  const publisher = inFirefox ? firefoxPerson(firefox, PEOPLE[0], weir.url, camera) : chromiumPerson(chromium, PEOPLE[0], weir.url, camera);
  const people = await Promise.all([publisher, chromiumPerson(chromium, PEOPLE[1], weir.url, { ...camera, relay: network.ports })]);
  const [ada, blaise] = await Promise.all(people.map((person) => person.signIn()));
  const callId = await ada.initiate([blaise]);
  await enterAs(ada, callId, { options: { codec }, media: { video: true } });
  await enterAs(blaise, callId, { options: { codec }, media: null });
  await attachTile(blaise, ada, camera);
  return { watch: await Watch.start(blaise, ada), tabs: [ada.tab, blaise.tab] };
}

async function narrows(t, { codec, camera, narrowBps, inFirefox = false }) {
  const network = await relaysFor(weir, { ...WIDE, seed: 2026, host: ownAddress() });
  t.after(() => network.close());
  const { watch, tabs } = await watched({ codec, camera, inFirefox, network });
  // A busy machine lets the browser encode a smaller picture.
  const isBest = ({ height, wanted, reason }) => reason === 'wanted' && height >= wanted && height > camera.height / 2;
  const { height: full } = await watch.untilFor('the highest layer', isBest, { ms: 2_000, within: 60_000 });
  await watch.moves({ within: 10_000 });

  const from = await watch.now();
  network.set({ rateBps: narrowBps });
  const lower = await watch.until('a lower layer', ({ at, height }) => at > from && height < full, { within: 15_000 });
  await eventually('the reason is told', async () =>
    (await watch.read({ from })).samples.some(({ reason }) => reason === 'bandwidth'), { within: 15_000, every: 200 });
  await watch.moves({ within: 20_000 });
  await sleep(3_000);
  const fall = summary(await watch.read({ from }));

  const wideAt = await watch.now();
  network.set(WIDE);
  const back = await watch.until('the highest layer again', (now) => now.at > wideAt && isBest(now), { within: 30_000 });
  await watch.moves({ within: 8_000 });
  t.diagnostic(`lower after ${seconds(lower.at - from)} s, highest ${seconds(back.at - wideAt)} s after the return; ${JSON.stringify(fall)}`);
  assert.ok(fall.longestGapMs < 4_000 + fall.stallMs, 'it stood still for long');
  for (const tab of tabs) await tab.close();
}

const step = (name, given) => test(name, { timeout: 120_000 }, (t) => narrows(t, given));

step('H264 in layers', { codec: 'h264', camera: SMALL, narrowBps: 300_000 });
step('VP9 in scalable layers', { codec: 'vp9', camera: SMALL, narrowBps: 300_000 });
step('AV1 in scalable layers', { codec: 'av1', camera: SMALL, narrowBps: 500_000 });
step('VP8 in three layers of Firefox', { codec: 'vp8', camera: LARGE, narrowBps: 500_000, inFirefox: true });
