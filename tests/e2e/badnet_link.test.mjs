// The bad network of the tests does what it says: otherwise they would measure something else.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UdpLink } from './lib/udp_link.mjs';

const BYTES = 1_222; // 10,000 bits on the wire.

// Puts `count` datagrams every so many milliseconds; [number, arrived] of those that come out.
function run(link, { count, everyMs, at = () => {} }) {
  const arrived = [];
  const take = (nowMs) => link.take(nowMs).forEach((number) => arrived.push([number, Math.round(nowMs * 10) / 10]));
  for (let i = 0; i < count; i++) {
    const nowMs = i * everyMs;
    while (link.nextMs() <= nowMs) take(link.nextMs());
    at(nowMs, i);
    link.put(nowMs, i, BYTES);
  }
  while (link.nextMs() < Infinity) take(link.nextMs());
  return arrived;
}

test('without options everything arrives at once', () => {
  assert.deepEqual(run(new UdpLink(), { count: 3, everyMs: 5 }), [[0, 0], [1, 5], [2, 10]]);
});

test('a bottleneck sends one after another at its rate, headers included', () => {
  const link = new UdpLink({ rateBps: 1_000_000, queueMs: 1_000 });
  assert.deepEqual(run(link, { count: 4, everyMs: 0 }), [[0, 10], [1, 20], [2, 30], [3, 40]]);
});

test('what would wait longer than the queue is dropped, and the rest goes at the full rate', () => {
  const link = new UdpLink({ rateBps: 1_000_000, queueMs: 95 });
  const arrived = run(link, { count: 1_000, everyMs: 5 });
  const waits = arrived.map(([number, atMs]) => atMs - number * 5);
  assert.ok(Math.max(...waits) <= 105, `${Math.max(...waits)} ms`);
  // A hundred a second for five seconds, and a full queue after that.
  assert.equal(arrived.length, 510);
  assert.equal(link.counts.dropped, 490);
  assert.equal(arrived.at(-1)[1], 5_100);
});

test('a change of the rate holds for what waits already', () => {
  const link = new UdpLink({ rateBps: 1_000_000, queueMs: 1_000 });
  const arrived = run(link, { count: 4, everyMs: 5, at: (nowMs, i) => i === 3 && link.set(nowMs, { rateBps: 500_000 }) });
  // Half of the second has gone when the rate halves.
  assert.deepEqual(arrived, [[0, 10], [1, 25], [2, 45], [3, 65]]);
});

test('a bottleneck that opens lets everything go at once', () => {
  const link = new UdpLink({ rateBps: 100_000, queueMs: 1_000 });
  for (let i = 0; i < 3; i++) link.put(0, i, BYTES);
  link.set(50, { rateBps: 0 });
  assert.deepEqual(link.take(50), [0, 1, 2]);
});

test('delay is added to each, and jitter lets none overtake another', () => {
  const arrived = run(new UdpLink({ delayMs: 50, jitterMs: 30 }), { count: 500, everyMs: 2 });
  const delays = arrived.map(([number, atMs]) => atMs - number * 2);
  assert.deepEqual(arrived.map(([number]) => number), [...Array(500).keys()]);
  assert.ok(Math.min(...delays) >= 50 && Math.max(...delays) <= 80.1);
  assert.ok(Math.max(...delays) - Math.min(...delays) > 20);
});

test('a share is lost at random, the same of the same seed whatever the times', () => {
  const lossy = (seed, everyMs) => run(new UdpLink({ loss: 0.1 }, seed), { count: 10_000, everyMs }).map(([number]) => number);
  const [one, again, other] = [lossy(7, 1), lossy(7, 3), lossy(8, 1)];
  assert.deepEqual(one, again);
  assert.notDeepEqual(one, other);
  assert.ok(one.length > 8_900 && one.length < 9_100, `${one.length}`);
});

test('nothing gets through during an outage', () => {
  const link = new UdpLink();
  link.put(0, 'before', BYTES);
  link.breakFor(10, 300);
  link.put(20, 'meanwhile', BYTES);
  link.put(310, 'after', BYTES);
  assert.deepEqual(link.take(400), ['before', 'after']);
});
