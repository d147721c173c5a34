// The stage: who is where, how big, and who is left out. Three layouts: everybody equal, the speaker
// big, or what was pinned big; a shared screen is big by itself.

import { arrange } from './call-layout.js';
import { Tile } from './call-tile.js';
import { byId, icon, nameNode } from './dom.js';
import { changeSettings, settings } from './settings.js';
import { texts } from './texts.js';

export { bestGrid } from './call-layout.js';
/** @typedef {import('./call-tile.js').TileView} TileView */
/** @typedef {{shown: (tile: Tile) => void, hidden: (tile: Tile) => void, pinned: (tile: Tile, isPinned: boolean) => void}} StageHooks */

/** @param {string} userId @param {string} source */
const keyOf = (userId, source) => `${source}:${userId}`;

export class Stage {
  /** @param {StageHooks} hooks */
  constructor(hooks) {
    this.hooks = hooks;
    this.root = byId('stage');
    this.grid = byId('grid');
    /** @type {Map<string, Tile>} */
    this.tiles = new Map();
    /** Speakers, the latest first. @type {string[]} */
    this.spoke = [];
    this.pinned = '';
    this.layout = settings().layout;
    this.layoutButton = byId('layout');
    this.layoutButton.addEventListener('click', () => this.switchLayout());
    new ResizeObserver(() => this.layOut()).observe(this.root);
    this.#showLayoutButton();
  }

  /** Shows a tile, making it if need be. @param {TileView} view */
  show(view) {
    const key = keyOf(view.isOwn ? 'own' : view.userId, view.source);
    let tile = this.tiles.get(key);
    if (!tile) {
      tile = new Tile(key, view, () => this.pin(key));
      this.tiles.set(key, tile);
      this.grid.append(tile.element);
      this.layOut();
    }
    tile.show(view);
    this.hooks.shown(tile);
  }

  /** @param {string} userId "own" for one's own @param {'camera' | 'screen'} source */
  hide(userId, source) {
    const key = keyOf(userId, source);
    const tile = this.tiles.get(key);
    if (!tile) return;
    this.tiles.delete(key);
    if (this.pinned === key) this.pinned = '';
    this.hooks.hidden(tile);
    tile.remove();
    this.layOut();
  }

  /** An element that is no picture: stands last. @param {{key: string, element: HTMLElement} | null} tile */
  setExtra(tile) {
    if (tile === this.extra) return;
    this.extra?.element.remove();
    this.extra = tile;
    if (tile) this.grid.append(tile.element);
    this.layOut();
  }
  /** @type {{key: string, element: HTMLElement} | null} */
  extra = null;

  /** The tile that people look at now: the big one, or else the first of another. @returns {Tile | undefined} */
  get focus() {
    const big = this.#bigKeys()[0];
    return this.tiles.get(big ?? '') ?? [...this.tiles.values()].find((tile) => !tile.isOwn) ?? [...this.tiles.values()][0];
  }

  /** @param {string} userId @param {'camera' | 'screen'} [source] */
  tileOf(userId, source = 'camera') {
    return this.tiles.get(keyOf(userId, source));
  }

  /** Pins it, or lets go of it when it was the one. @param {string} key */
  pin(key) {
    const before = this.tiles.get(this.pinned);
    this.pinned = this.pinned === key ? '' : key;
    if (before) this.hooks.pinned(before, false);
    const tile = this.tiles.get(this.pinned);
    if (tile) this.hooks.pinned(tile, true);
    for (const one of this.tiles.values()) one.setPinned(one.key === this.pinned);
    this.layOut();
  }

  switchLayout() {
    this.layout = this.layout === 'grid' ? 'speaker' : 'grid';
    changeSettings({ layout: this.layout });
    this.#showLayoutButton();
    this.layOut();
  }

  /** @param {string[]} userIds who speaks, the loudest first; one's own as "own" */
  setSpeakers(userIds) {
    for (const tile of this.tiles.values())
      if (tile.source === 'camera') tile.setSpeaking(userIds.includes(tile.isOwn ? 'own' : tile.userId));
    const others = userIds.filter((userId) => userId !== 'own');
    if (others.length === 0 || others[0] === this.spoke[0]) return;
    this.spoke = [...others, ...this.spoke.filter((userId) => !others.includes(userId))].slice(0, 60);
    if (this.#bigKeys().length > 0) this.layOut();
  }

  clear() {
    for (const tile of this.tiles.values()) {
      this.hooks.hidden(tile);
      tile.remove();
    }
    this.tiles.clear();
    this.setExtra(null);
  }

  layOut() {
    const big = this.#bigKeys();
    const items = this.#inOrder(big).map((key) => ({ key, isBig: big.includes(key) }));
    const boxes = arrange(items, this.root.clientWidth, this.root.clientHeight);
    for (const { key, element } of [...this.tiles.values(), ...(this.extra ? [this.extra] : [])]) {
      const box = boxes.get(key);
      element.hidden = !box;
      if (!box) continue;
      element.style.left = `${box.x}px`;
      element.style.top = `${box.y}px`;
      element.style.width = `${box.width}px`;
      element.style.height = `${box.height}px`;
    }
    const left = items.length - boxes.size;
    byId('hidden-count').hidden = left <= 0;
    byId('hidden-count').textContent = `+${left}`;
  }

  /** @returns {string[]} */
  #bigKeys() {
    if (this.tiles.has(this.pinned)) return [this.pinned];
    const screens = [...this.tiles.values()].filter((tile) => tile.source === 'screen' && !tile.isOwn);
    if (screens.length > 0) return screens.map((tile) => tile.key);
    const others = [...this.tiles.values()].filter((tile) => tile.source === 'camera' && !tile.isOwn);
    if (this.layout === 'grid' || others.length === 0) return [];
    const spoke = this.spoke.map((userId) => keyOf(userId, 'camera')).find((key) => this.tiles.has(key));
    return [spoke ?? others[0].key];
  }

  /** Oneself first; beside a big one, whoever spoke lately comes next. @param {string[]} big */
  #inOrder(big) {
    const rank = (/** @type {Tile} */ tile) => {
      const spoke = big.length > 0 ? this.spoke.indexOf(tile.userId) : -1;
      return tile.isOwn ? -100 : spoke < 0 ? 0 : spoke - 99;
    };
    const tiles = [...this.tiles.values()].sort((a, b) => rank(a) - rank(b));
    return [...tiles.map((tile) => tile.key), ...(this.extra ? [this.extra.key] : [])];
  }

  #showLayoutButton() {
    const isGrid = this.layout === 'grid';
    this.layoutButton.replaceChildren(icon(isGrid ? 'speaker' : 'grid'));
    nameNode(this.layoutButton, isGrid ? texts.call.layout.speaker : texts.call.layout.grid);
  }
}
