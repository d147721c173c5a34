// One picture on the stage: somebody's camera, or a screen.

import { element, icon } from './dom.js';
import { texts } from './texts.js';

/** @typedef {'camera' | 'screen'} TileSource */
/**
 * @typedef {object} TileView what a tile shows
 * @property {string} userId
 * @property {TileSource} source
 * @property {string} name of the person, for the initials
 * @property {string} label under the picture
 * @property {MediaStreamTrack | null} track
 * @property {boolean} isVideoOn
 * @property {boolean} isAudioOn
 * @property {boolean} [isOwn] mirrored, if it is a camera
 * @property {string} [note] instead of the picture
 */

/** @param {string} name @returns {string} its first and last word's first letters */
export function initials(name) {
  const words = name.trim().split(/\s+/).filter(Boolean);
  const letters = words.length > 1 ? [words[0], words[words.length - 1]] : words;
  return letters.map((word) => [...word][0].toUpperCase()).join('') || '?';
}

/** @param {string} text @returns {number} 0 to 7, the same for the same text */
export function hueOf(text) {
  let sum = 0;
  for (const letter of text) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 997;
  return sum % 8;
}

export class Tile {
  /** @param {TileSource} source */
  constructor(source) {
    this.video = element('video', { autoplay: '', playsinline: '' });
    this.video.muted = true; // Sound has elements of its own: a slot of sound is no part of a slot of video.
    this.avatar = element('div', { class: 'avatar', 'aria-hidden': 'true' });
    this.name = element('span', { class: 'name' });
    this.muted = element('span', { class: 'state', title: texts.muted }, icon('micOff'));
    this.cameraOff = element('span', { class: 'state', title: texts.cameraOff }, icon('cameraOff'));
    this.note = element('p', { class: 'note' });
    const caption = element('div', { class: 'caption' }, this.muted, this.cameraOff, this.name);
    this.element = element('div', { class: 'tile', role: 'group' }, this.avatar, this.video, this.note, caption);
    this.element.dataset.source = source;
  }

  /** @param {TileView} view */
  show({ userId, source, name, label, track, isVideoOn, isAudioOn, isOwn = false, note = '' }) {
    const { dataset, classList } = this.element;
    const isShown = isVideoOn && track !== null;
    dataset.userId = userId;
    dataset.video = isShown ? 'on' : 'off';
    dataset.audio = isAudioOn ? 'on' : 'off';
    dataset.hue = String(hueOf(userId));
    classList.toggle('own', isOwn);
    classList.toggle('mirrored', isOwn && source === 'camera');
    this.#setTrack(track);
    this.name.textContent = label;
    this.avatar.textContent = initials(name);
    this.note.textContent = note;
    this.muted.hidden = isAudioOn || source === 'screen';
    this.cameraOff.hidden = isVideoOn;
    const states = [label, !isAudioOn && source === 'camera' && texts.muted, !isShown && texts.cameraOff];
    this.element.setAttribute('aria-label', states.filter(Boolean).join(', '));
  }

  /** @param {boolean} isSpeaking */
  setSpeaking(isSpeaking) {
    this.element.classList.toggle('speaking', isSpeaking);
  }

  remove() {
    this.video.srcObject = null;
    this.element.remove();
  }

  /** @param {MediaStreamTrack | null} track */
  #setTrack(track) {
    const shown = /** @type {MediaStream | null} */ (this.video.srcObject)?.getVideoTracks()[0] ?? null;
    if (shown === track) return;
    this.video.srcObject = track ? new MediaStream([track]) : null;
    if (track) this.video.play().catch(() => {}); // Muted pictures may always play; a removed one need not.
  }
}
