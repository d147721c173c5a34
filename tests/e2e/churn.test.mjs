// A thousand joins and leaves through the API leave memory, file descriptors and everything the
// metrics count where they began.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { User } from './lib/api.mjs';
import { offer, playOffer, publishOffer } from './lib/sdp.mjs';
import { sanitized, startWeir } from './lib/server.mjs';
import { eventually } from './lib/wait.mjs';
import { closeSession, newCallId, openSession } from './lib/whip.mjs';

const WARM_UP = 200;
const ROUNDS = 1_000;
const AT_A_TIME = 8;
const RSS_SLACK_KB = 4_096;

// The metrics that say what is there now; they are to be as before.
const IS_A_LEVEL = /^weir_.*(participants|sessions_detached|tracks|slots|rooms|calls|websockets|transports|deadlines|timers|packets_in_use|connections)(\{.*\})?$/;

const CALL_OFFER = offer([
  { kind: 'audio', direction: 'sendonly', ssrc: 0x22222222 }, { kind: 'video', direction: 'sendonly', ssrc: 0x11111111 },
  { kind: 'audio', direction: 'recvonly' }, { kind: 'video', direction: 'recvonly' }]);

let weir;
let users;
before(async () => {
  weir = await startWeir({ args: ['--max-requests-per-second', '0', '--log-level', 'warn'] });
  users = await Promise.all(Array.from({ length: AT_A_TIME }, (_, i) => User.signIn(weir.url, `User ${i}`)));
}, { timeout: 30_000 });
after(() => weir?.stop());

// One of many at a time: `count` rounds spread over the users.
async function repeat(count, round) {
  let next = 0;
  await Promise.all(users.map(async (user) => {
    while (next++ < count) await round(user);
  }));
}

async function levels() {
  const all = await weir.metrics();
  return Object.fromEntries([...all].filter(([name]) => IS_A_LEVEL.test(name)));
}

// Connections that the clients have let go of may be counted a little longer.
const settle = (files, before) => eventually('descriptors and metrics are as before', async () => {
  const now = { files: weir.openFiles(), ...(await levels()) };
  const grown = Object.entries(now).filter(([key, value]) => value > (key === 'files' ? files : before[key] ?? 0));
  if (grown.length) throw new Error(JSON.stringify(grown));
  return true;
}, { within: 15_000, every: 200 });

async function churn(round) {
  await repeat(WARM_UP, round);
  await eventually('the warm-up is over', async () => (await levels(), true));
  const before = await levels();
  assert.ok(Object.keys(before).length >= 3, `metrics that tell levels: ${Object.keys(before)}`);
  const [files, rss] = [weir.openFiles(), weir.rssKb()];
  await repeat(ROUNDS, round);
  await settle(files, before);
  const grown = weir.rssKb() - rss;
  if (!sanitized) assert.ok(grown < RSS_SLACK_KB, `memory grew by ${grown} KB over ${ROUNDS} rounds`);
  return grown;
}

test('joins and leaves by WebSocket', { timeout: 240_000 }, async (t) => {
  const call = await users[0].initiate(users.slice(1).map((user) => user.userId));
  const holder = await users[0].connect(call);
  holder.send({ type: 'join', media: 'sfu' });
  await holder.expect('welcome');
  const grown = await churn(async (user) => {
    if (user === users[0]) return new Promise((resolve) => setImmediate(resolve));
    await user.post(`/calls/${call}/join/`);
    const line = await user.connect(call);
    line.send({ type: 'join', media: 'sfu' });
    await line.expect('welcome');
    line.send({ type: 'offer', offer: { type: 'offer', sdp: CALL_OFFER } });
    await line.expect('answer');
    await line.close();
    holder.messages.length = 0;
    return null;
  });
  t.diagnostic(`memory grew by ${grown} KB`);
  await holder.close();
  await users[0].post(`/calls/${call}/leave/`);
});

test('sessions of WHIP and WHEP', { timeout: 240_000 }, async (t) => {
  const call = newCallId();
  const keeper = await openSession(`${weir.url}/whip/${call}`, publishOffer());
  const grown = await churn(async () => {
    await closeSession(await openSession(`${weir.url}/whip/${call}`, publishOffer()));
    await closeSession(await openSession(`${weir.url}/whep/${call}`, playOffer()));
  });
  t.diagnostic(`memory grew by ${grown} KB`);
  await closeSession(keeper);
});

test('whole calls, initiated and ended', { timeout: 240_000 }, async (t) => {
  const grown = await churn(async (user) => {
    const call = await user.initiate();
    await user.post(`/calls/${call}/end/`);
  });
  t.diagnostic(`memory grew by ${grown} KB`);
});
