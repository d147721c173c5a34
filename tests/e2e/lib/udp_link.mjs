// One direction of a network, as a model without clock or sockets: a bottleneck with a queue, then
// delay and jitter, random loss and outages. The n-th datagram of a seed has the same fate each time,
// whenever it comes.

import { seeded } from './random.mjs';

// IPv4 and UDP: what a link carries besides what a socket is given.
const HEADER_BYTES = 28;

/**
 * @typedef {object} LinkOptions
 * @property {number} [rateBps] of the bottleneck; 0: none
 * @property {number} [queueMs] how long a datagram may wait for it; what would wait longer is dropped
 * @property {number} [delayMs]
 * @property {number} [jitterMs] up to so much more delay, each datagram its own, none overtaking
 * @property {number} [loss] share of datagrams
 */
/** @type {Required<LinkOptions>} */
const PERFECT = { rateBps: 0, queueMs: 300, delayMs: 0, jitterMs: 0, loss: 0 };

export class UdpLink {
  #losses;
  #jitters;
  /** @type {{item: any, bits: number, atMs: number}[]} that wait for the bottleneck, the first first */
  #queue = [];
  #queuedBits = 0;
  /** @type {{item: any, atMs: number}[]} that are past it, and when they arrive */
  #flying = [];
  #freeAtMs = 0;
  #sentBits = 0;
  #outUntilMs = 0;
  counts = { passed: 0, lost: 0, dropped: 0, bytes: 0, longestQueueMs: 0 };

  /** @param {LinkOptions} options @param {number} seed */
  constructor(options = {}, seed = 1) {
    this.options = { ...PERFECT, ...options };
    this.#losses = seeded(seed);
    this.#jitters = seeded(seed + 0x10000);
  }

  /** From now on; what waits for the bottleneck goes at its new rate. @param {number} nowMs @param {LinkOptions} changes */
  set(nowMs, changes) {
    this.#serve(nowMs);
    Object.assign(this.options, changes);
  }

  /** Nothing gets through for so long. @param {number} nowMs @param {number} ms */
  breakFor(nowMs, ms) {
    this.#outUntilMs = nowMs + ms;
  }

  /** Takes a datagram that take() gives back when it has arrived, if ever. @param {number} nowMs @param {any} item @param {number} bytes */
  put(nowMs, item, bytes) {
    this.#serve(nowMs);
    const isLost = this.#losses() < this.options.loss;
    const jitterMs = this.#jitters() * this.options.jitterMs;
    const bits = (bytes + HEADER_BYTES) * 8;
    if (isLost || nowMs < this.#outUntilMs) this.counts.lost++;
    else if (this.options.rateBps === 0) this.#fly(nowMs, item, bits, jitterMs);
    else if (this.queueMs(nowMs) > this.options.queueMs) this.counts.dropped++;
    else this.#wait(nowMs, item, bits, jitterMs);
  }

  /** How long a datagram would wait that came now. @param {number} nowMs */
  queueMs(nowMs) {
    const { rateBps } = this.options;
    if (rateBps === 0 || this.#queue.length === 0) return 0;
    return ((this.#queuedBits - this.#sentBits) * 1_000) / rateBps - (nowMs - this.#freeAtMs);
  }

  /** What has arrived. @param {number} nowMs @returns {any[]} */
  take(nowMs) {
    this.#serve(nowMs);
    let count = 0;
    while (count < this.#flying.length && this.#flying[count].atMs <= nowMs) count++;
    return this.#flying.splice(0, count).map(({ item }) => item);
  }

  /** When to call take(): Infinity for nothing under way. */
  nextMs() {
    const [first] = this.#queue;
    const servedMs = first ? this.#freeAtMs + ((first.bits - this.#sentBits) * 1_000) / this.options.rateBps : Infinity;
    return Math.min(this.#flying[0]?.atMs ?? Infinity, servedMs);
  }

  #wait(nowMs, item, bits, jitterMs) {
    if (this.#queue.length === 0) this.#freeAtMs = nowMs;
    this.#queue.push({ item, bits, jitterMs });
    this.#queuedBits += bits;
    this.counts.longestQueueMs = Math.max(this.counts.longestQueueMs, this.queueMs(nowMs));
  }

  // What the bottleneck has sent until now; of the one under way, `#sentBits`.
  #serve(nowMs) {
    const { rateBps } = this.options;
    while (this.#queue.length > 0) {
      const [first] = this.#queue;
      const doneMs = rateBps === 0 ? this.#freeAtMs : this.#freeAtMs + ((first.bits - this.#sentBits) * 1_000) / rateBps;
      if (doneMs > nowMs) break;
      this.#queue.shift();
      this.#queuedBits -= first.bits;
      this.#sentBits = 0;
      this.#freeAtMs = doneMs;
      this.#fly(doneMs, first.item, first.bits, first.jitterMs);
    }
    if (this.#queue.length === 0) return;
    this.#sentBits += ((nowMs - this.#freeAtMs) * rateBps) / 1_000;
    this.#freeAtMs = nowMs;
  }

  #fly(nowMs, item, bits, jitterMs) {
    const last = this.#flying.at(-1)?.atMs ?? 0;
    this.#flying.push({ item, atMs: Math.max(last, nowMs + this.options.delayMs + jitterMs) });
    this.counts.passed++;
    this.counts.bytes += bits / 8;
  }
}
