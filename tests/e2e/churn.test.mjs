// A thousand joins and leaves through the API leave memory, file descriptors and everything the
// metrics count where they began.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { User } from './lib/api.mjs';
import { offer, playOffer, publishOffer } from './lib/sdp.mjs';
import { startWeir } from './lib/server.mjs';
import { eventually } from './lib/wait.mjs';
import { closeSession, newCallId, openSession } from './lib/whip.mjs';

const WARM_UP = 200;
const ROUNDS = 1_000;
const AT_A_TIME = 8;
const RSS_SLACK_KB = 4_096;
// AddressSanitizer holds back 256 MB of what was freed, which would look like a leak.
const SMALL_QUARANTINE = { ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}:quarantine_size_mb=1` };

const CALL_OFFER = offer([
  { kind: 'audio', direction: 'sendonly', ssrc: 0x22222222 }, { kind: 'video', direction: 'sendonly', ssrc: 0x11111111 },
  { kind: 'audio', direction: 'recvonly' }, { kind: 'video', direction: 'recvonly' }]);

let weir;
let users;
before(async () => {
  weir = await startWeir({ args: ['--max-requests-per-second', '0', '--log-level', 'warn'], env: SMALL_QUARANTINE });
  users = await Promise.all(Array.from({ length: AT_A_TIME }, (_, i) => User.signIn(weir.url, `User ${i}`)));
}, { timeout: 30_000 });
after(() => weir?.stop());

// `count` rounds spread over the people, each doing one at a time.
async function repeat(count, people, round) {
  let next = 0;
  await Promise.all(people.map(async (user) => {
    while (next++ < count) await round(user);
  }));
}

// What there is now, by the metrics: calls, sessions, tracks, slots, timers, connections and so on.
const levels = async () => Object.fromEntries(await weir.metrics('gauge'));

const now = async () => ({ files: weir.openFiles(), ...(await levels()) });

// Workers tell their figures once a second, and a connection that its client let go of may be counted a
// little longer: these are the figures once they stand still.
async function settled() {
  let last = null;
  return eventually('the figures stand still', async () => {
    const next = await now();
    const still = JSON.stringify(next) === JSON.stringify(last);
    last = next;
    return still && next;
  }, { within: 15_000, every: 1_500 });
}

const isBackAt = (before) => eventually('descriptors and metrics are as before', async () => {
  const grown = Object.entries(await now()).filter(([key, value]) => value > (before[key] ?? 0));
  if (grown.length) throw new Error(JSON.stringify(grown));
  return true;
}, { within: 15_000, every: 200 });

async function churn(people, round) {
  await repeat(WARM_UP, people, round);
  const before = await settled();
  for (const name of ['weir_sessions', 'weir_sfu_participants', 'weir_sfu_timers']) assert.ok(name in before, name);
  const rss = weir.rssKb();
  await repeat(ROUNDS, people, round);
  await isBackAt(before);
  const grown = weir.rssKb() - rss;
  assert.ok(grown < RSS_SLACK_KB, `memory grew by ${grown} KB over ${ROUNDS} rounds`);
  return grown;
}

test('joins and leaves by WebSocket', { timeout: 240_000 }, async (t) => {
  const call = await users[0].initiate(users.slice(1).map((user) => user.userId));
  const holder = await users[0].connect(call);
  holder.send({ type: 'join', media: 'sfu' });
  await holder.expect('welcome');
  const grown = await churn(users.slice(1), async (user) => {
    await user.post(`/calls/${call}/join/`);
    const line = await user.connect(call);
    line.send({ type: 'join', media: 'sfu' });
    await line.expect('welcome');
    line.send({ type: 'offer', offer: { type: 'offer', sdp: CALL_OFFER } });
    await line.expect('answer');
    await line.close();
    holder.messages.length = 0;
  });
  t.diagnostic(`memory grew by ${grown} KB`);
  await holder.close();
  await users[0].post(`/calls/${call}/leave/`);
});

test('sessions of WHIP and WHEP, everybody in a call of their own', { timeout: 240_000 }, async (t) => {
  const calls = new Map(users.map((user) => [user, newCallId()]));
  const grown = await churn(users, async (user) => {
    const call = calls.get(user);
    const published = await openSession(`${weir.url}/whip/${call}`, publishOffer());
    await closeSession(await openSession(`${weir.url}/whep/${call}`, playOffer()));
    await closeSession(published);
  });
  t.diagnostic(`memory grew by ${grown} KB`);
});

test('whole calls, initiated and ended', { timeout: 240_000 }, async (t) => {
  const grown = await churn(users, async (user) => {
    const call = await user.initiate();
    await user.post(`/calls/${call}/end/`);
  });
  t.diagnostic(`memory grew by ${grown} KB`);
});
