// A call of three through a network that loses 5 % of the datagrams at random and delays each by
// 50 ms, both ways: hardly a packet is missing after retransmission, and no picture freezes.
//
// What is missing for good is counted where the count is exact. Sound: Chromium's packetsLost, since
// Opus is repeated in its own stream. Pictures: packetsLost does not know what RTX brought, so frames
// are counted instead: a frame without one of its packets is never received. The cameras pause before
// and after, so that nothing is under way when sent and received frames are compared.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { launchChromium } from './lib/chromium.mjs';
import { allMeet, eachPair, signInPeople } from './lib/meeting.mjs';
import { sanitized, startWeir } from './lib/server.mjs';
import { relaysFor } from './lib/udp_relay.mjs';
import { eventually } from './lib/wait.mjs';

const MEASURED_MS = 20_000;
const FPS = 15;

// In the page: takes the camera's track off its sender, or puts it back.
async function pauseCamera(isPaused) {
  for (const connection of window.notes.connections) {
    for (const sender of connection.getSenders()) {
      if (isPaused && sender.track?.kind === 'video') {
        sender.heldTrack = sender.track;
        await sender.replaceTrack(null);
      } else if (!isPaused && sender.heldTrack) {
        await sender.replaceTrack(sender.heldTrack);
      }
    }
  }
}

async function readCounts(people) {
  const counts = { sent: {}, received: {}, sound: { received: 0, lost: 0 }, freezes: 0, repaired: 0 };
  for (const person of people) {
    counts.sent[person.name] = await person.tab.evaluate(() => window.senses.framesSent());
    for (const report of await person.tab.evaluate(() => window.senses.inboundStats())) {
      const from = people.find((other) => other.userId === report.userId);
      if (!from) continue;
      counts.repaired += report.retransmittedPacketsReceived ?? 0;
      if (report.kind === 'video') {
        counts.received[`${from.name} to ${person.name}`] = report.framesDecoded;
        counts.freezes += report.freezeCount ?? 0;
      } else {
        counts.sound.received += report.packetsReceived;
        counts.sound.lost += report.packetsLost;
      }
    }
  }
  return counts;
}

// Frames sent and missing for each pair, between two counts.
const missingFrames = (before, after) => Object.keys(after.received).map((pair) => {
  const [from] = pair.split(' ');
  const sent = after.sent[from] - before.sent[from];
  return { pair, sent, missing: sent - (after.received[pair] - before.received[pair]) };
});

const sum = (list, key) => list.reduce((total, one) => total + one[key], 0);

test('three people through 5 % loss and 50 ms of delay each way', { timeout: 120_000 }, async (t) => {
  const weir = await startWeir();
  t.after(() => weir.stop());
  const network = await relaysFor(weir, { loss: Number(process.env.LOSS ?? 0.05), delayMs: Number(process.env.DELAY ?? 50), seed: 2026 });
  t.after(() => network.close());
  const browser = await launchChromium();
  t.after(() => browser.close());
  const people = await signInPeople(browser, weir.url, 3, { devices: { relay: network.ports, fps: FPS } });
  const call = await people[0].initiate(people.slice(1));
  await Promise.all(people.map((person) => person.enter(call)));
  await allMeet(people, { within: 30_000 });

  const pauseAll = (isPaused) => Promise.all(people.map((person) => person.tab.evaluate(pauseCamera, isPaused)));
  await pauseAll(true);
  await sleep(1_000); // What is under way arrives, repairs included.
  const before = await readCounts(people);
  await pauseAll(false);
  await eachPair(people, (one, other) => one.sees(other));
  await eachPair(people, (one, other) =>
    one.tab.evaluate((userId) => window.senses.watchGaps(userId, 'camera'), other.userId));
  await sleep(MEASURED_MS);
  const gaps = await eachPair(people, async (one, other) => ({
    pair: `${other.name} to ${one.name}`,
    ...(await one.tab.evaluate((userId) => window.senses.longestGap(userId, 'camera'), other.userId)),
  }));
  await pauseAll(true);
  let after;
  await eventually('every frame has come', async () => {
    after = await readCounts(people);
    return sum(missingFrames(before, after), 'missing') === 0;
  }, { within: 2_000, every: 200 }).catch(() => {});

  for (const p of people) for (const r of await p.tab.evaluate(() => window.senses.inboundStats())) if (r.kind==='video') t.diagnostic('STAT ' + JSON.stringify({pr:r.packetsReceived, lost:r.packetsLost, rtx:r.retransmittedPacketsReceived, fr:r.framesDecoded, dec:r.framesDecoded, drop:r.framesDropped, key:r.keyFramesDecoded, nack:r.nackCount, pli:r.pliCount, disc:r.packetsDiscarded}));
  for (const p of people) t.diagnostic('OUT ' + JSON.stringify(await p.tab.evaluate(async () => { const out=[]; for (const c of window.notes.connections) for (const r of (await c.getStats()).values()) { if (r.type==='candidate-pair' && r.nominated) out.push({bwe:r.availableOutgoingBitrate, rtt:r.currentRoundTripTime, sent:r.bytesSent}); if (r.type==='outbound-rtp') out.push({k:r.kind, p:r.packetsSent, rp:r.retransmittedPacketsSent, rb:r.retransmittedBytesSent, b:r.bytesSent, nack:r.nackCount, tgt:r.targetBitrate}); } return out; })));
  const frames = missingFrames(before, after);
  const sound = { received: after.sound.received - before.sound.received, lost: after.sound.lost - before.sound.lost };
  t.diagnostic((await (await fetch(weir.url + '/metrics')).text()).split('\n').filter((l) => /nack|retrans|lost|keyframe|drop|rtp_/.test(l) && !l.startsWith('#')).join(' | '));
  t.diagnostic(`frames ${JSON.stringify(frames)}`);
  t.diagnostic(`sound ${JSON.stringify(sound)}, repaired ${after.repaired - before.repaired}, freezes ${after.freezes - before.freezes}`);
  t.diagnostic(`gaps ${JSON.stringify(gaps)}, the network lost ${sum(network.relays, 'lost')} of ${sum(network.relays, 'lost') + sum(network.relays, 'passed')}`);

  assert.equal(gaps.length, 6);
  for (const gap of gaps) {
    assert.ok(gap.longestMs <= 500, `a picture stood still: ${JSON.stringify(gap)}`);
    assert.ok(gap.frames > (MEASURED_MS / 1_000) * (sanitized ? 5 : FPS / 2), JSON.stringify(gap));
  }
  assert.ok(after.repaired - before.repaired > 20, 'nothing was repaired: is there any loss?');
  const lostFrames = sum(frames, 'missing') / sum(frames, 'sent');
  assert.ok(lostFrames < 0.001, `${(100 * lostFrames).toFixed(3)} % of the frames never came whole`);
  const lostSound = sound.lost / (sound.received + sound.lost);
  assert.ok(lostSound < 0.001, `${(100 * lostSound).toFixed(3)} % of the sound's packets never came`);
});
