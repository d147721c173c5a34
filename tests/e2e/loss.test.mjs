// A call of three through a network that loses 5 % of the datagrams at random and delays each by
// 50 ms, both ways: hardly a packet is missing after retransmission, and no picture freezes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { launchChromium } from './lib/chromium.mjs';
import { allMeet, eachPair, signInPeople } from './lib/meeting.mjs';
import { sanitized, startWeir } from './lib/server.mjs';
import { relaysFor } from './lib/udp_relay.mjs';

const MEASURED_MS = 20_000;
const SETTLING_MS = 3_000;

const statsOf = (person) => person.tab.evaluate(() => window.senses.inboundStats());

// Of the packets that were sent to this receiver, those that never came: what RTP counts as lost, less
// what RTX brought after all. Chromium counts a retransmission as received, so `packetsLost` is that.
function sumUp(before, after) {
  const sum = { received: 0, lost: 0, repaired: 0, freezes: 0, freezeSeconds: 0 };
  for (const now of after) {
    const then = before.find((one) => one.id === now.id) ?? {};
    const grown = (key) => (now[key] ?? 0) - (then[key] ?? 0);
    sum.received += grown('packetsReceived');
    sum.lost += grown('packetsLost');
    sum.repaired += grown('retransmittedPacketsReceived');
    sum.freezes += grown('freezeCount');
    sum.freezeSeconds += grown('totalFreezesDuration');
  }
  return sum;
}

test('three people through 5 % loss and 50 ms of delay each way', { timeout: 120_000 }, async (t) => {
  const weir = await startWeir();
  t.after(() => weir.stop());
  const network = await relaysFor(weir, { loss: 0.05, delayMs: 50, seed: 2026 });
  t.after(() => network.close());
  const browser = await launchChromium();
  t.after(() => browser.close());
  const people = await signInPeople(browser, weir.url, 3, { devices: { relay: network.ports, fps: 15 } });
  const call = await people[0].initiate(people.slice(1));
  await Promise.all(people.map((person) => person.enter(call)));
  await allMeet(people, { within: 30_000 });
  await sleep(SETTLING_MS); // The congestion control finds its rate; that is not what is measured.
  const before = await Promise.all(people.map(statsOf));
  await eachPair(people, (one, other) =>
    one.tab.evaluate((userId) => window.senses.watchGaps(userId, 'camera'), other.userId));
  await sleep(MEASURED_MS);
  const gaps = await eachPair(people, async (one, other) => ({
    pair: `${other.name} to ${one.name}`,
    ...(await one.tab.evaluate((userId) => window.senses.longestGap(userId, 'camera'), other.userId)),
  }));
  const after = await Promise.all(people.map(statsOf));
  const total = { received: 0, lost: 0, repaired: 0, freezes: 0, freezeSeconds: 0 };
  people.forEach((person, index) => {
    const sum = sumUp(before[index], after[index]);
    for (const key of Object.keys(total)) total[key] += sum[key];
  });
  t.diagnostic(`${JSON.stringify(total)} relay lost ${network.relays.map((relay) => `${relay.lost} of ${relay.lost + relay.passed}`)}`);
  t.diagnostic(JSON.stringify(gaps));
  assert.ok(total.received > 1_000, `only ${total.received} packets`);
  assert.ok(total.repaired > 20, 'nothing was repaired: is the loss there?');
  const share = total.lost / (total.received + total.lost);
  assert.ok(share < 0.001, `${(share * 100).toFixed(3)} % of the packets never came`);
  const worst = gaps.reduce((most, gap) => (gap.longestMs > most.longestMs ? gap : most));
  assert.ok(worst.longestMs <= 500, `a picture stood still: ${JSON.stringify(worst)}`);
  for (const gap of gaps) assert.ok(gap.frames > (MEASURED_MS / 1000) * (sanitized ? 5 : 8), JSON.stringify(gap));
});
