// The stage: cameras in a grid of the largest tiles that fit, shared screens big beside them.

import { Tile } from './call-tile.js';
import { byId } from './dom.js';

/** @typedef {import('./call-tile.js').TileView} TileView */

const GAP_PX = 8;
const RATIO = 16 / 9;
/** Below this nobody recognises anyone: then the area scrolls. */
const MIN_WIDTH_PX = 120;

/**
 * The number of columns that makes `count` tiles of 16:9 largest in this area.
 * @param {number} count @param {number} width @param {number} height @param {number} [gap]
 * @returns {{columns: number, tileWidth: number, tileHeight: number}} whole pixels
 */
export function bestGrid(count, width, height, gap = GAP_PX) {
  let best = { columns: 1, tileWidth: 0, tileHeight: 0 };
  for (let columns = 1; columns <= Math.max(1, count); columns++) {
    const rows = Math.ceil(count / columns) || 1;
    const byWidth = (width - gap * (columns - 1)) / columns;
    const byHeight = ((height - gap * (rows - 1)) / rows) * RATIO;
    const tileWidth = Math.max(0, Math.floor(Math.min(byWidth, byHeight)));
    if (tileWidth > best.tileWidth) best = { columns, tileWidth, tileHeight: Math.floor(tileWidth / RATIO) };
  }
  return best;
}

export class Stage {
  constructor() {
    this.root = byId('stage');
    this.screens = byId('screens');
    this.grid = byId('grid');
    /** @type {Map<string, Tile>} */
    this.tiles = new Map();
    const observer = new ResizeObserver(() => this.layOut());
    for (const area of [this.root, this.screens, this.grid]) observer.observe(area);
  }

  /** Shows a tile, making it if need be. @param {TileView} view */
  show(view) {
    const key = `${view.source}:${view.isOwn ? 'own' : view.userId}`;
    let tile = this.tiles.get(key);
    if (!tile) {
      tile = new Tile(view.source);
      this.tiles.set(key, tile);
      // One's own screen stays small: big, it would show itself within itself.
      const area = view.source === 'screen' && !view.isOwn ? this.screens : this.grid;
      area.append(tile.element);
    }
    tile.show(view);
    this.layOut();
  }

  /** @param {string} userId "own" for one's own @param {'camera' | 'screen'} source */
  hide(userId, source) {
    const key = `${source}:${userId}`;
    this.tiles.get(key)?.remove();
    this.tiles.delete(key);
    this.layOut();
  }

  /** @param {Set<string>} userIds */
  setSpeakers(userIds) {
    for (const [key, tile] of this.tiles)
      if (key.startsWith('camera:')) tile.setSpeaking(userIds.has(tile.element.dataset.userId ?? ''));
  }

  clear() {
    for (const tile of this.tiles.values()) tile.remove();
    this.tiles.clear();
    this.layOut();
  }

  layOut() {
    this.screens.hidden = this.screens.childElementCount === 0;
    this.root.classList.toggle('has-screens', !this.screens.hidden);
    this.root.classList.toggle('is-upright', this.root.clientHeight > this.root.clientWidth);
    for (const area of [this.screens, this.grid]) layOutArea(area);
  }
}

/** @param {HTMLElement} area */
function layOutArea(area) {
  const count = [...area.children].filter((child) => !(/** @type {HTMLElement} */ (child).hidden)).length;
  const { tileWidth } = bestGrid(count, area.clientWidth, area.clientHeight);
  const width = Math.max(tileWidth, Math.min(MIN_WIDTH_PX, area.clientWidth));
  area.style.setProperty('--tile-width', `${width}px`);
  area.style.setProperty('--tile-height', `${Math.floor(width / RATIO)}px`);
}
