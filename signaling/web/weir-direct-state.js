// When two who are alone show each other over a direct connection, and when over the server again.
// Pure: figures and the time in, decisions out, no browser object in sight.
//
//   off → trying (both ways go on over the server) → up → leaving (the server is asked again, and what
//   it delivers takes over, one source after the other) → off

/** @typedef {import('./weir-roster.js').Source} Source */
/** @typedef {'off' | 'trying' | 'up' | 'leaving'} Phase */
/**
 * @typedef {object} Beat what each end tells the other all the time
 * @property {Source[]} sources it sends
 * @property {Source[]} hidden what it need not be sent: nobody looks
 * @property {boolean} isReceiving whether it shows what comes directly, so that the server need not get it
 */
/**
 * @typedef {object} Seen
 * @property {boolean} isBroken the connection is closed, or ICE has lost it
 * @property {number} beats of the other end, so far
 * @property {Beat | null} beat the newest
 * @property {Source[]} hidden what nobody looks at here
 * @property {Map<Source, number> | null} direct frames decoded, packets of sound, so far; null: not looked
 * @property {Map<Source, number> | null} relayed the same of what comes from the server
 */

/** How often to look, and to tell. */
export const TICK_MS = 200;
/** So long a connection that is there may be silent: each end speaks five times in it. */
const SILENCE_MS = 1_000;
const TRYING_MS = 12_000;
const LEAVING_MS = 5_000;
/** Sound is there when it is more than a packet that was on its way. */
const ENOUGH = { audio: 3, video: 1 };

/** @param {Source} source */
const enoughOf = (source) => (source === 'camera' || source === 'screen' ? ENOUGH.video : ENOUGH.audio);

export class DirectState {
  /** @type {Phase} */
  phase = 'off';
  /** What of the other is shown from the direct connection. @type {ReadonlySet<Source>} */
  carried = new Set();
  /** Whether the server need not be sent anything. */
  isHeld = false;
  #since = 0;
  #lookedAt = 0;
  #beats = 0;
  #silentMs = 0;
  /** What the server had delivered when it was asked again. @type {Map<Source, number> | null} */
  #before = null;

  /** Whether the other is to go on sending directly. */
  get isReceiving() {
    return this.phase === 'up' || (this.phase === 'leaving' && this.carried.size > 0);
  }

  /** @param {number} nowMs */
  begin(nowMs) {
    this.end();
    this.#enter('trying', nowMs);
    this.#beats = this.#silentMs = 0;
    this.#lookedAt = nowMs;
  }

  /** Asks the server again. @param {number} nowMs */
  leave(nowMs) {
    if (this.phase === 'off' || this.phase === 'leaving') return;
    this.#enter('leaving', nowMs);
    this.isHeld = false;
    this.#before = null;
  }

  end() {
    this.phase = 'off';
    this.carried = new Set();
    this.isHeld = false;
  }

  /**
   * @param {number} nowMs @param {Seen} seen
   * @returns {'failed' | 'done' | null} failed: time to leave, and to say so; done: time to close
   */
  look(nowMs, seen) {
    // A page that was held up has not listened either.
    this.#silentMs = seen.beats === this.#beats ? this.#silentMs + Math.min(nowMs - this.#lookedAt, 2 * TICK_MS) : 0;
    this.#beats = seen.beats;
    this.#lookedAt = nowMs;
    if (this.phase === 'leaving') return this.#lookForServer(nowMs, seen);
    if (this.phase === 'off') return null;
    if (seen.isBroken || this.#isLate(nowMs)) return 'failed';
    this.#lookForDirect(nowMs, seen);
    this.isHeld = seen.beat?.isReceiving ?? false;
    return null;
  }

  /** @param {number} nowMs */
  #isLate(nowMs) {
    if (this.phase === 'up') return this.#silentMs >= SILENCE_MS;
    return nowMs - this.#since >= TRYING_MS;
  }

  /** @param {number} nowMs @param {Seen} seen */
  #lookForDirect(nowMs, { beat, direct, hidden }) {
    if (!beat || !direct) return;
    const flowing = beat.sources.filter((source) => (direct.get(source) ?? 0) >= enoughOf(source));
    const isWhole = beat.sources.every((source) => flowing.includes(source) || hidden.includes(source));
    if (this.phase === 'trying' && !isWhole) return;
    if (this.phase === 'trying') this.#enter('up', nowMs);
    if (flowing.some((source) => !this.carried.has(source))) this.carried = new Set([...this.carried, ...flowing]);
  }

  /** @param {number} nowMs @param {Seen} seen @returns {'done' | null} */
  #lookForServer(nowMs, { isBroken, beat, relayed }) {
    const isOver = nowMs - this.#since >= LEAVING_MS;
    if (relayed) this.#before ??= relayed;
    const isThere = (/** @type {Source} */ source) =>
      isOver || !beat?.sources.includes(source) ||
      (relayed?.get(source) ?? 0) >= (this.#before?.get(source) ?? 0) + enoughOf(source);
    const left = [...this.carried].filter((source) => !isThere(source));
    if (left.length < this.carried.size) this.carried = new Set(left);
    const isNeeded = beat?.isReceiving && !isBroken && this.#silentMs < SILENCE_MS;
    return left.length === 0 && (isOver || !isNeeded) ? 'done' : null;
  }

  /** @param {Phase} phase @param {number} nowMs */
  #enter(phase, nowMs) {
    this.phase = phase;
    this.#since = nowMs;
  }
}

/** Above this somebody speaks, and for so long after a sound. */
const SPEAKS_DB = -45;
const HANGOVER_MS = 1_000;

/** Who of the two speaks, as the server would tell it if it heard them. */
export class DirectSpeakers {
  /** @type {Map<string, number>} */
  #heardAt = new Map();

  /**
   * @param {number} nowMs @param {Map<string, number>} levels by user id, 0 to 1
   * @returns {{user_id: string, level_db: number, dominant: boolean}[]} the loudest first
   */
  look(nowMs, levels) {
    const decibels = [...levels].map(([userId, level]) => ({ userId, db: Math.max(-127, Math.round(20 * Math.log10(level))) }));
    for (const { userId, db } of decibels) if (db > SPEAKS_DB) this.#heardAt.set(userId, nowMs);
    return decibels
      .filter(({ userId }) => nowMs - (this.#heardAt.get(userId) ?? -Infinity) < HANGOVER_MS)
      .sort((a, b) => b.db - a.db)
      .map(({ userId, db }, i) => ({ user_id: userId, level_db: db, dominant: i === 0 }));
  }
}
