// From what a page shows to what is asked of the server: which track each slot is to carry, how large,
// or not at all. Pure: the state of tiles and slots in, `subscribe` entries out.

/** @typedef {import('./weir-roster.js').Kind} Kind */
/** @typedef {import('./weir-types.js').SlotWish} SlotWish */
/**
 * @typedef {object} TileWish what a page wants of one source of one participant
 * @property {string} key of the tile
 * @property {Kind} kind
 * @property {string | null} trackId null: not published
 * @property {boolean} isShown
 * @property {boolean} isPinned
 * @property {number} [maxWidth] in device pixels; absent: any
 * @property {number} [maxHeight]
 * @property {number} [maxFps]
 * @property {number} [priority]
 */
/**
 * @typedef {object} Slot
 * @property {string} mid
 * @property {Kind} kind
 * @property {string | null} key of the tile that it fills; null: empty
 */
/** @typedef {SlotWish & {trackId: string | null, paused: boolean}} Entry */

const STEP_PX = 16;

/** Upwards in steps, so that a window that is dragged asks a few times instead of at every pixel. @param {number} px */
export function roundedUp(px) {
  return Math.max(STEP_PX, Math.ceil(px / STEP_PX) * STEP_PX);
}

/** @param {TileWish} tile */
const area = ({ maxWidth = 1e4, maxHeight = 1e4 }) => maxWidth * maxHeight;

/**
 * The slot that a tile without one may take: an empty one, else that of a hidden tile. One that is
 * pinned may also take that of the smallest tile which is not.
 * @param {TileWish} tile @param {Slot[]} slots @param {Map<string, TileWish>} tiles @param {Set<string>} taken mids
 * @param {Set<string>} pinned mids that were given to pinned tiles just now
 */
function slotFor(tile, slots, tiles, taken, pinned) {
  const ofKind = slots.filter(({ kind }) => kind === tile.kind);
  const free = ofKind.filter(({ mid }) => !taken.has(mid));
  const owner = (/** @type {Slot} */ { key }) => (key === null ? undefined : tiles.get(key));
  const empty = free.find(({ key }) => key === null) ?? free.find((slot) => owner(slot)?.isShown === false);
  if (empty || !tile.isPinned) return empty;
  const others = ofKind.filter((slot) => !owner(slot)?.isPinned && !pinned.has(slot.mid));
  return others.sort((a, b) => areaOf(owner(a)) - areaOf(owner(b)))[0];
}

/** A tile that the page does not speak of counts as small. @param {TileWish | undefined} tile */
const areaOf = (tile) => (tile ? area(tile) : 0);

/** @param {string} mid @param {TileWish} tile @param {boolean} byName the server is to carry this track there @returns {Entry} */
function entryOf(mid, tile, byName) {
  return {
    mid,
    trackId: byName ? tile.trackId : null,
    maxWidth: tile.maxWidth,
    maxHeight: tile.maxHeight,
    maxFps: tile.maxFps,
    priority: tile.priority,
    paused: !tile.isShown,
  };
}

/**
 * @param {Slot[]} slots @param {TileWish[]} wishes @param {boolean} isPageHidden what has no tile is paused then
 * @returns {Entry[]} one for each slot
 */
export function planSlots(slots, wishes, isPageHidden) {
  const tiles = new Map(wishes.map((tile) => [tile.key, tile]));
  const filled = new Map(slots.filter(({ key }) => key !== null).map((slot) => [slot.key, slot]));
  /** @type {Map<string, Entry>} */
  const entries = new Map();
  const homeless = [];
  for (const tile of wishes) {
    const slot = filled.get(tile.key);
    if (slot && (tile.isShown || tile.isPinned)) entries.set(slot.mid, entryOf(slot.mid, tile, tile.isPinned));
    else if (!slot && tile.trackId !== null && (tile.isPinned || tile.isShown)) homeless.push(tile);
  }
  homeless.sort((a, b) => Number(b.isPinned) - Number(a.isPinned) || area(b) - area(a));
  const pinned = new Set();
  for (const tile of homeless) {
    const slot = slotFor(tile, slots, tiles, new Set(entries.keys()), pinned);
    if (!slot) continue;
    entries.set(slot.mid, entryOf(slot.mid, tile, true));
    if (tile.isPinned) pinned.add(slot.mid);
  }
  return slots.map((slot) => entries.get(slot.mid) ?? leftOver(slot, tiles, isPageHidden));
}

/** @param {Slot} slot @param {Map<string, TileWish>} tiles @param {boolean} isPageHidden @returns {Entry} */
function leftOver({ mid, kind, key }, tiles, isPageHidden) {
  const tile = key === null ? undefined : tiles.get(key);
  if (tile) return entryOf(mid, tile, false);
  return { mid, trackId: null, paused: key !== null && kind === 'video' && isPageHidden };
}

/** Whether the second asks for more than the first: that is asked at once. @param {Entry | undefined} before @param {Entry} after */
export function asksForMore(before, after) {
  if (!before) return true;
  if (before.paused !== after.paused) return before.paused;
  if (before.trackId !== after.trackId) return true;
  return (after.maxHeight ?? Infinity) > (before.maxHeight ?? Infinity) || (after.priority ?? 0) > (before.priority ?? 0);
}
