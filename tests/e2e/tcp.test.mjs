// A call in which two of three people sit behind networks that let no UDP through: their media goes
// by TCP (RFC 6544), the third's by UDP, and nobody notices a difference.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launchChromium } from './lib/chromium.mjs';
import { allMeet, eachPair, signInPeople } from './lib/meeting.mjs';
import { linesOf } from './lib/sdp.mjs';
import { startWeir } from './lib/server.mjs';

let weir;
let browser;
let enclosed; // Who has only TCP.
let free;

before(async () => {
  weir = await startWeir();
  browser = await launchChromium();
  enclosed = await signInPeople(browser, weir.url, 2, { devices: { onlyTcp: true } });
  [free] = await signInPeople(browser, weir.url, 1, { first: 2 });
}, { timeout: 60_000 });

after(async () => {
  await browser?.close();
  await weir?.stop();
});

const step = (name, run) => test(name, { timeout: 60_000 }, run);

// In the page: the protocol of the candidate pair in use, of each connection.
async function protocolsInUse() {
  return Promise.all(window.notes.connections.map(async (connection) => {
    const stats = await connection.getStats();
    const transport = [...stats.values()].find((one) => one.type === 'transport');
    const pair = stats.get(transport.selectedCandidatePairId);
    return stats.get(pair.remoteCandidateId).protocol;
  }));
}

const answersOf = (person) => person.tab.evaluate(() =>
  window.notes.connections.map((connection) => connection.currentRemoteDescription.sdp));

step('people with TCP alone and with UDP see and hear each other', async () => {
  const people = [...enclosed, free];
  const call = await people[0].initiate(people.slice(1));
  await Promise.all(people.map((person) => person.enter(call)));
  await allMeet(people);
  for (const person of enclosed) assert.deepEqual(await person.tab.evaluate(protocolsInUse), ['tcp'], person.name);
  assert.deepEqual(await free.tab.evaluate(protocolsInUse), ['udp']);
});

step('each UDP candidate is followed by a passive TCP one at the same place', async () => {
  const [answer] = await answersOf(free);
  const candidates = linesOf(answer, 'a=candidate:').map((line) => line.split(' '));
  const place = (words) => words.slice(4, 6).join(':');
  assert.ok(candidates.length >= 2, answer);
  for (let i = 0; i < candidates.length; i += 2) {
    const [udp, tcp] = candidates.slice(i, i + 2);
    assert.equal(udp[2].toLowerCase(), 'udp');
    assert.match(tcp.join(' '), / tcp .* typ host tcptype passive/i);
    assert.equal(place(tcp), place(udp));
    assert.ok(Number(tcp[3]) < Number(udp[3]), 'UDP is preferred');
  }
});

step('pictures over TCP do not stand still', async () => {
  const people = [...enclosed, free];
  await eachPair(people, (one, other) =>
    one.tab.evaluate((userId) => window.senses.watchGaps(userId, 'camera'), other.userId));
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  await eachPair(people, async (one, other) => {
    const gap = await one.tab.evaluate((userId) => window.senses.longestGap(userId, 'camera'), other.userId);
    assert.ok(gap.longestMs <= 500, `${one.name} saw ${other.name} stand still: ${JSON.stringify(gap)}`);
  });
});

step('with --no-rtc-tcp an answer offers UDP alone', async () => {
  const other = await startWeir({ args: ['--no-rtc-tcp'] });
  try {
    const [person, peer] = await signInPeople(browser, other.url, 2, { first: 3 });
    const call = await person.initiate([peer]);
    await Promise.all([person.enter(call), peer.enter(call)]);
    await allMeet([person, peer]);
    const [answer] = await answersOf(person);
    assert.deepEqual(linesOf(answer, 'a=candidate:').filter((line) => / tcp /i.test(line)), []);
    await Promise.all([person.tab.close(), peer.tab.close()]);
  } finally {
    await other.stop();
  }
});
