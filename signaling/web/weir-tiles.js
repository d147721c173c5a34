// All tiles of a client: watches their elements, and tells the server what its slots are wanted for.

import { KIND_OF_SOURCE } from './weir-roster.js';
import { Tile } from './weir-tile.js';
import { asksForMore, planSlots } from './weir-wishes.js';

/** @typedef {import('./weir-roster.js').Source} Source */
/** @typedef {import('./weir-roster.js').Roster} Roster */
/** @typedef {import('./weir-roster.js').Kind} Kind */
/** @typedef {import('./weir-wishes.js').Entry} Entry */
/**
 * @typedef {object} TilesHooks
 * @property {Roster} roster
 * @property {() => Record<Kind, string[]>} mids of the slots that have been negotiated
 * @property {(mid: string | null) => MediaStreamTrack | null} trackOf
 * @property {(userId: string, source: Source) => boolean} isElsewhere it comes, but not from the server
 * @property {(entries: Entry[]) => boolean} subscribe false: not now
 * @property {boolean} pauseHidden pause what nobody can see
 */

/** More is asked for at once, give or take one layout of the page; less only when it lasts. */
const MORE_MS = 50;
const LESS_MS = 500;
const RETRY_MS = 1_000;

/** @param {string} userId @param {Source} source */
const keyOf = (userId, source) => `${source}:${userId}`;

export class Tiles {
  /** @type {Map<string, Tile>} */
  #tiles = new Map();
  /** @type {Map<Element, Tile>} */
  #observed = new Map();
  /** @type {Map<string, Entry>} what the server was told last, by mid */
  #told = new Map();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retrying;
  #dueAt = Infinity;
  #hooks;
  #abort = new AbortController();
  #sizes = new ResizeObserver((entries) => {
    for (const { target, contentRect } of entries) this.#observed.get(target)?.onSize(contentRect);
  });
  #views = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) this.#observed.get(target)?.onView(isIntersecting);
  });

  /** @param {TilesHooks} hooks */
  constructor(hooks) {
    this.#hooks = hooks;
    const { signal } = this.#abort;
    for (const type of ['visibilitychange', 'enterpictureinpicture', 'leavepictureinpicture'])
      document.addEventListener(type, () => this.changed(), { signal, capture: true });
  }

  /** The one tile of this source. @param {string} userId @param {Source} source */
  get(userId, source) {
    const key = keyOf(userId, source);
    let tile = this.#tiles.get(key);
    if (!tile) {
      tile = new Tile(userId, source, this.#tileHooks);
      this.#tiles.set(key, tile);
    }
    return tile;
  }

  /** @type {import('./weir-tile.js').TileHooks} */
  #tileHooks = {
    changed: () => this.changed(),
    look: ({ userId, source }) => {
      const mid = this.#hooks.roster.midOf(userId, source);
      const paused = this.#hooks.roster.isPaused(mid) && !this.#hooks.isElsewhere(userId, source);
      return { mid, track: this.#hooks.trackOf(mid), paused };
    },
    observe: (element, tile) => {
      this.#observed.set(element, tile);
      this.#sizes.observe(element);
      this.#views.observe(element);
    },
    unobserve: (element) => {
      this.#observed.delete(element);
      this.#sizes.unobserve(element);
      this.#views.unobserve(element);
    },
  };

  /** Something is shown otherwise, or carried otherwise: asks the server, soon if it is for more. */
  changed() {
    const plan = this.#plan().filter((entry) => !isSame(entry, this.#told.get(entry.mid)));
    if (plan.length === 0) return this.#cancel();
    this.#sendIn(plan.some((entry) => asksForMore(this.#told.get(entry.mid), entry)) ? MORE_MS : LESS_MS);
  }

  /** Tracks arrive in other slots now. */
  show() {
    for (const tile of this.#tiles.values()) tile.play();
    this.changed();
  }

  /** The slots are gone, with the peer connection that they belonged to. */
  forget() {
    this.#told.clear();
    clearTimeout(this.#retrying);
    this.#cancel();
  }

  /** What was said may not have been heard: everything is said again. */
  repeat() {
    for (const mid of this.#told.keys()) this.#told.set(mid, unknown(mid));
    this.#cancel();
    this.changed();
  }

  /** The server would not have it, say of a track that was gone: what is right now is said a little later. @returns {boolean} false: it was not ours */
  onRefused() {
    clearTimeout(this.#retrying);
    this.#retrying = setTimeout(() => this.repeat(), RETRY_MS);
    return this.#told.size > 0;
  }

  /** @param {string} userId @returns {Source[]} what nobody looks at */
  hiddenOf(userId) {
    const tiles = this.#hooks.pauseHidden ? [...this.#tiles.values()] : [];
    return tiles.filter((tile) => tile.userId === userId && tile.isInUse && !tile.isShown).map(({ source }) => source);
  }

  /** @param {string} userId who left */
  drop(userId) {
    for (const [key, tile] of this.#tiles) {
      if (tile.userId !== userId) continue;
      tile.detach();
      this.#tiles.delete(key);
    }
  }

  close() {
    this.#abort.abort();
    for (const tile of this.#tiles.values()) tile.detach();
    this.forget();
    this.#sizes.disconnect();
    this.#views.disconnect();
    this.#tiles.clear();
  }

  #cancel() {
    clearTimeout(this.#timer);
    this.#dueAt = Infinity;
  }

  /** @param {number} ms */
  #sendIn(ms) {
    const at = performance.now() + ms;
    if (at >= this.#dueAt) return;
    clearTimeout(this.#timer);
    this.#dueAt = at;
    this.#timer = setTimeout(() => this.#send(), ms);
  }

  #send() {
    this.#dueAt = Infinity;
    const changes = this.#plan().filter((entry) => !isSame(entry, this.#told.get(entry.mid)));
    if (changes.length === 0 || !this.#hooks.subscribe(changes)) return;
    for (const entry of changes) this.#told.set(entry.mid, entry);
  }

  /** @returns {Entry[]} */
  #plan() {
    const { roster, pauseHidden } = this.#hooks;
    const wishes = [...this.#tiles].filter(([, tile]) => tile.isInUse).map(([key, tile]) => ({
      key,
      kind: KIND_OF_SOURCE[tile.source],
      trackId: roster.trackIdOf(tile.userId, tile.source),
      isShown: tile.isShown || !pauseHidden,
      isPinned: tile.isPinned,
      ...tile.limits,
    }));
    return planSlots(this.#slots(), wishes, pauseHidden && document.hidden).map((entry) => {
      const content = roster.slots.get(entry.mid);
      return content && this.#hooks.isElsewhere(content.userId, content.source) ? { ...entry, paused: true } : entry;
    });
  }

  #slots() {
    const { roster, mids } = this.#hooks;
    const all = mids();
    return /** @type {Kind[]} */ (['audio', 'video']).flatMap((kind) => all[kind].map((mid) => {
      const content = roster.slots.get(mid);
      return { mid, kind, key: content ? keyOf(content.userId, content.source) : null };
    }));
  }
}

/** Of a slot of which nobody knows what the server has heard. @param {string} mid @returns {Entry} */
const unknown = (mid) => ({ mid, trackId: '?', paused: false });

/** A slot that nothing was said of is open to anything. @param {Entry} entry @param {Entry | undefined} told */
function isSame(entry, told = { mid: entry.mid, trackId: null, paused: false }) {
  return JSON.stringify(entry) === JSON.stringify(told);
}
