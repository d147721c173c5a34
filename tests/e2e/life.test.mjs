// What happens to a call when things break: a browser dies, a page closes, a WebSocket is cut, a
// client's address changes.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { killBrowser, launchChromium } from './lib/chromium.mjs';
import { allMeet, eachPair, signInPeople } from './lib/meeting.mjs';
import { startWeir } from './lib/server.mjs';
import { TcpProxy } from './lib/tcp_proxy.mjs';
import { relaysFor } from './lib/udp_relay.mjs';
import { eventually } from './lib/wait.mjs';

const TWO_MINUTES = { timeout: 120_000 };

let weir;
let browser;
before(async () => { [weir, browser] = await Promise.all([startWeir(), launchChromium()]); }, { timeout: 60_000 });
after(async () => {
  await browser?.close();
  await weir?.stop();
});

async function meet(people) {
  const call = await people[0].initiate(people.slice(1));
  await Promise.all(people.map((person) => person.enter(call)));
  await allMeet(people);
  return call;
}

const closeAll = (people) => Promise.all(people.map((person) => person.tab.close()));

const messagesOf = (person, type) => person.tab.evaluate((wanted) =>
  window.notes.messages.filter((message) => !message.sent && message.type === wanted).length, type);

const frozen = (person, other) => person.tab.evaluate((userId) => window.senses.longestGap(userId, 'camera'), other.userId);
const watch = (person, other) => person.tab.evaluate((userId) => window.senses.watchGaps(userId, 'camera'), other.userId);

test('a browser that is killed has left for the others within 35 s', TWO_MINUTES, async (t) => {
  const doomed = await launchChromium();
  const stay = await signInPeople(browser, weir.url, 2);
  const [victim] = await signInPeople(doomed, weir.url, 1, { first: 2 });
  await meet([...stay, victim]);
  await killBrowser(doomed);
  const began = performance.now();
  await Promise.all(stay.map((person) => person.isTold('user_left', { user_id: victim.userId }, { within: 35_000 })));
  await Promise.all(stay.map((person) => person.missed(victim)));
  t.diagnostic(`gone after ${Math.round(performance.now() - began)} ms`);
  await eachPair(stay, (one, other) => one.sees(other));
  await doomed.close().catch(() => {});
  await closeAll(stay);
});

test('a page that is closed has left for the others at once', TWO_MINUTES, async () => {
  const people = await signInPeople(browser, weir.url, 3);
  await meet(people);
  const [leaver, ...stay] = people;
  await leaver.tab.close();
  await Promise.all(stay.map((person) => person.isTold('user_left', { user_id: leaver.userId }, { within: 1_000 })));
  await Promise.all(stay.map((person) => person.missed(leaver)));
  await closeAll(stay);
});

test('a WebSocket that is cut leaves the media going, is resumed, and the others see nothing', TWO_MINUTES, async (t) => {
  const proxy = await TcpProxy.open(weir.port);
  t.after(() => proxy.close());
  const [stays] = await signInPeople(browser, weir.url, 1);
  const [cut] = await signInPeople(browser, proxy.url, 1, { first: 1 });
  await meet([stays, cut]);
  await Promise.all([watch(stays, cut), watch(cut, stays)]);
  const before = await cut.negotiations();
  const joinsBefore = await messagesOf(stays, 'user_joined'); // None, when the other one was here first.
  assert.equal(proxy.cutWebSockets(), 2, "the call's and the notifications'");
  await eventually('the page tries again, in vain', async () =>
    (await cut.tab.evaluate(() => window.notes.sockets.length)) >= 3, { within: 15_000 });
  await Promise.all([stays.sees(cut), cut.sees(stays), stays.hears(cut), cut.hears(stays)]);
  proxy.restore();
  await eventually('the client resumes', async () => (await messagesOf(cut, 'welcome')) === 2, { within: 15_000 });
  await cut.press('mic');
  await stays.isTold('audio_toggled', { user_id: cut.userId, enabled: false });
  assert.equal(await messagesOf(stays, 'user_left'), 0);
  assert.equal(await messagesOf(stays, 'user_joined'), joinsBefore);
  assert.equal(await messagesOf(stays, 'track_unpublished'), 0);
  const gaps = [await frozen(stays, cut), await frozen(cut, stays)];
  for (const gap of gaps) assert.ok(gap.longestMs < 1_000, JSON.stringify(gap));
  assert.deepEqual(await cut.negotiations(), before);
  await closeAll([stays, cut]);
});

// A client behind a NAT that forgets does not know it: the server learns the new address from its next
// check. Chromium sends one every 2.5 s at the latest; from that check on a second is allowed.
test('media go on within a second of a check from a new address', TWO_MINUTES, async (t) => {
  const network = await relaysFor(weir);
  t.after(() => network.close());
  const [stays] = await signInPeople(browser, weir.url, 1);
  const [moves] = await signInPeople(browser, weir.url, 1, { first: 1, devices: { relay: network.ports } });
  await meet([stays, moves]);
  await Promise.all([watch(stays, moves), watch(moves, stays)]);
  const framesBefore = [(await frozen(stays, moves)).frames, (await frozen(moves, stays)).frames];
  const paths = (await Promise.all(network.relays.map((relay) => relay.changeAddresses()))).flat();
  assert.ok(paths.length > 0, 'no media went through the relay');
  const changedAt = performance.now();
  const check = await eventually('a check from the new address', () => paths.find((path) => path.firstCheckAt), { within: 6_000, every: 5 });
  const checkedAfter = check.firstCheckAt - changedAt;
  await Promise.all([stays.sees(moves, { within: 1_000 }), moves.sees(stays, { within: 1_000 })]);
  t.diagnostic(`checked after ${Math.round(checkedAfter)} ms, both pictures moved ${Math.round(performance.now() - check.firstCheckAt)} ms later`);
  await Promise.all([stays.hears(moves, { within: 1_000 }), moves.hears(stays, { within: 1_000 })]);
  const gaps = [await frozen(stays, moves), await frozen(moves, stays)];
  t.diagnostic(JSON.stringify(gaps));
  gaps.forEach((gap, index) => assert.ok(gap.frames > framesBefore[index]));
  for (const gap of gaps) assert.ok(gap.longestMs < checkedAfter + 1_000, JSON.stringify(gap));
  assert.equal(await messagesOf(stays, 'user_left'), 0);
  await closeAll([stays, moves]);
});
