// One source of one participant as a page shows it: an element, its size, whether it can be seen.

import { roundedUp } from './weir-wishes.js';

/** @typedef {import('./weir-roster.js').Source} Source */
/**
 * @typedef {object} TileHooks
 * @property {() => void} changed something is wanted otherwise than before
 * @property {(tile: Tile) => {mid: string | null, track: MediaStreamTrack | null, paused: boolean}} look what arrives
 * @property {(element: Element, tile: Tile) => void} observe
 * @property {(element: Element) => void} unobserve
 */

/** @param {Element} element @returns {element is HTMLVideoElement | HTMLAudioElement} */
const isPlayer = (element) => 'srcObject' in element;

export class Tile {
  /** @type {Element | null} */
  #element = null;
  /** @type {{width: number, height: number} | null} of the element, in CSS pixels; null: not measured */
  #measured = null;
  /** @type {{width: number, height: number, fps?: number} | null} by hand */
  #given = null;
  #isInView = true;
  #isPaused = false;
  #isPinned = false;
  #priority = 0;
  #hooks;

  /** @param {string} userId @param {Source} source @param {TileHooks} hooks */
  constructor(userId, source, hooks) {
    this.userId = userId;
    this.source = source;
    this.#hooks = hooks;
  }

  /** What arrives, or null: nothing is published, or there is no slot for it. */
  get track() {
    return this.#hooks.look(this).track;
  }

  /** The slot's m-line, or null. */
  get mid() {
    return this.#hooks.look(this).mid;
  }

  /** Why no picture comes: 'hidden': nobody looks; 'bandwidth': the network does not carry it. @returns {false | 'hidden' | 'bandwidth'} */
  get paused() {
    if (!this.isShown) return 'hidden';
    return this.#hooks.look(this).paused && 'bandwidth';
  }

  get isPinned() {
    return this.#isPinned;
  }

  get priority() {
    return this.#priority;
  }

  set priority(value) {
    this.#priority = Math.min(255, Math.max(0, Math.round(value)));
    this.#hooks.changed();
  }

  /** Shows the track in this element from now on, and asks for as much as the element has room for. @param {Element} element */
  attach(element) {
    if (element === this.#element) return this;
    this.detach();
    this.#element = element;
    this.#isInView = true; // Until the observer has looked.
    this.#hooks.observe(element, this);
    this.play();
    this.#hooks.changed();
    return this;
  }

  /** Lets go of the element; what is left asks for any size, as before attach(). */
  detach() {
    const element = this.#element;
    if (!element) return;
    this.#element = null;
    this.#measured = null;
    this.#hooks.unobserve(element);
    if (isPlayer(element)) element.srcObject = null;
    this.#hooks.changed();
  }

  /** By hand, in device pixels; without numbers the element decides again. @param {number} [width] @param {number} [height] @param {number} [maxFps] */
  resize(width, height, maxFps) {
    this.#given = width === undefined ? null : { width, height: height ?? (width * 9) / 16, fps: maxFps };
    this.#hooks.changed();
  }

  pause() {
    this.#isPaused = true;
    this.#hooks.changed();
  }

  resume() {
    this.#isPaused = false;
    this.#hooks.changed();
  }

  /** Keeps it in a slot, however many tracks there are. */
  pin() {
    this.#isPinned = true;
    this.#hooks.changed();
  }

  unpin() {
    this.#isPinned = false;
    this.#hooks.changed();
  }

  /** Whether it says anything about what it wants; otherwise the server decides. */
  get isInUse() {
    return this.#element !== null || this.#given !== null || this.#isPaused || this.#isPinned || this.#priority > 0;
  }

  /** Whether anybody could see it. */
  get isShown() {
    if (this.#isPaused) return false;
    const element = this.#element;
    if (!element || !isPlayer(element) || element instanceof HTMLAudioElement) return true;
    if (isPictureInPicture(element)) return true;
    return this.#isInView && !element.ownerDocument.hidden && this.#measured?.width !== 0;
  }

  /** What to ask for. @returns {{maxWidth?: number, maxHeight?: number, maxFps?: number, priority?: number}} */
  get limits() {
    const ratio = this.#element?.ownerDocument.defaultView?.devicePixelRatio ?? 1;
    const size = this.#given ?? (this.#measured && scaled(this.#measured, ratio));
    return {
      maxWidth: size ? roundedUp(size.width) : undefined,
      maxHeight: size ? roundedUp(size.height) : undefined,
      maxFps: this.#given?.fps,
      priority: this.#priority || undefined,
    };
  }

  /** From the observers. @param {{width: number, height: number}} size */
  onSize(size) {
    this.#measured = size;
    this.#hooks.changed();
  }

  /** @param {boolean} isInView */
  onView(isInView) {
    if (isInView === this.#isInView) return;
    this.#isInView = isInView;
    this.#hooks.changed();
  }

  /** Shows what arrives now. */
  play() {
    const element = this.#element;
    if (!element || !isPlayer(element)) return;
    const { track } = this;
    const shown = /** @type {MediaStream | null} */ (element.srcObject)?.getTracks()[0] ?? null;
    if (shown === track) return;
    element.srcObject = track ? new MediaStream([track]) : null;
    if (track) element.play().catch(() => {}); // The element was removed, or the page may not make sound yet.
  }
}

/** @param {{width: number, height: number}} size @param {number} ratio */
const scaled = ({ width, height }, ratio) => ({ width: width * ratio, height: height * ratio });

/** @param {Element} element */
function isPictureInPicture(element) {
  return element.ownerDocument.pictureInPictureElement === element;
}
