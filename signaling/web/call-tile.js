// One picture on the stage: somebody's camera, or a screen, with the name and what there is to say.

import { element, hueOf, icon, initials, nameNode } from './dom.js';
import { picture } from './icons.js';
import { texts } from './texts.js';

export { hueOf, initials };
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
 * @property {boolean} [isFlat] not mirrored all the same: it shows text
 * @property {boolean} [hasHand] raised
 * @property {number | null} [quality] of the connection, 1 to 5
 * @property {string} [note] instead of the picture
 */

const REACTION_MS = 3_500;

export class Tile {
  /** @param {string} key @param {TileView} view @param {() => void} onPin */
  constructor(key, { source, userId, isOwn = false }, onPin) {
    this.key = key;
    this.source = source;
    this.userId = userId;
    this.isOwn = isOwn;
    this.label = '';
    this.isPinned = false;
    this.video = element('video', { autoplay: '', playsinline: '' });
    this.video.muted = true; // Sound has elements of its own: a slot of sound is no part of a slot of video.
    this.avatar = element('div', { class: 'avatar', 'aria-hidden': 'true' });
    this.name = element('span', { class: 'name' });
    this.muted = element('span', { class: 'state', title: texts.call.muted }, icon('micOff'));
    this.quality = element('span', { class: 'bars', 'aria-hidden': 'true' });
    this.quality.append(element('i'), element('i'), element('i'), element('i'));
    this.note = element('p', { class: 'note' });
    this.hand = element('span', { class: 'hand', title: texts.call.hand.label }, icon('hand'));
    this.pinButton = element('button', { class: 'pin', type: 'button' }, icon('pin'));
    this.pinButton.addEventListener('click', onPin);
    const caption = element('div', { class: 'caption' }, this.muted, this.name, this.quality);
    this.element = element('div', { class: 'tile', role: 'group' },
      this.avatar, this.video, this.note, this.hand, caption, this.pinButton);
    this.element.addEventListener('dblclick', (event) => event.target !== this.pinButton && onPin());
    this.element.dataset.source = source;
  }

  /** @param {TileView} view */
  show({ userId, source, name, label, track, isVideoOn, isAudioOn, isOwn = false, isFlat = false, hasHand = false, quality = null, note = '' }) {
    const { dataset, classList } = this.element;
    const isShown = isVideoOn && track !== null;
    this.label = label;
    this.userId = dataset.userId = userId; // One's own is not known before the server has said it.
    dataset.video = isShown ? 'on' : 'off';
    dataset.audio = isAudioOn ? 'on' : 'off';
    dataset.hue = String(hueOf(userId));
    classList.toggle('own', isOwn);
    classList.toggle('mirrored', isOwn && source === 'camera' && !isFlat);
    this.#write(this.name, label);
    this.#write(this.avatar, initials(name));
    this.#write(this.note, note);
    this.muted.hidden = isAudioOn || source === 'screen';
    this.hand.hidden = !hasHand;
    this.#showQuality(source === 'screen' || (quality ?? 5) >= 4 ? null : quality); // What is well needs no sign.
    const states = [label, !isAudioOn && source === 'camera' && texts.call.muted, !isShown && texts.call.cameraOff,
      hasHand && texts.hand(name), quality && quality < 3 && texts.call.quality[quality]];
    this.element.setAttribute('aria-label', states.filter(Boolean).join(', '));
    this.setPinned(this.isPinned);
  }

  /** @param {boolean} isSpeaking */
  setSpeaking(isSpeaking) {
    this.element.classList.toggle('speaking', isSpeaking);
  }

  /** @param {boolean} isPinned */
  setPinned(isPinned) {
    this.isPinned = isPinned;
    this.pinButton.setAttribute('aria-pressed', String(isPinned));
    nameNode(this.pinButton, isPinned ? texts.call.unpin(this.label) : texts.call.pin(this.label));
  }

  /** @param {string} name of a reaction */
  react(name) {
    const node = element('span', { class: 'reaction', 'aria-hidden': 'true' }, picture(name));
    node.style.left = `${20 + Math.random() * 60}%`;
    this.element.append(node);
    setTimeout(() => node.remove(), REACTION_MS);
  }

  remove() {
    if (document.pictureInPictureElement === this.video) document.exitPictureInPicture().catch(() => {});
    this.video.srcObject = null;
    this.element.remove();
  }

  /** One's own picture; others' are attached by the library. @param {MediaStreamTrack | null} track */
  setTrack(track) {
    const shown = /** @type {MediaStream | null} */ (this.video.srcObject)?.getVideoTracks()[0] ?? null;
    if (shown === track) return;
    this.video.srcObject = track ? new MediaStream([track]) : null;
    if (track) this.video.play().catch(() => {}); // Muted pictures may always play; a removed one need not.
  }

  /** @param {number | null} quality */
  #showQuality(quality) {
    this.quality.hidden = !quality;
    this.quality.dataset.score = String(quality ?? '');
    this.quality.title = texts.call.quality[quality ?? 0] ?? '';
  }

  /** @param {HTMLElement} node @param {string} text */
  #write(node, text) {
    if (node.textContent !== text) node.textContent = text;
  }
}
