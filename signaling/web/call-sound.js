// What is to be heard: one audio element for each slot of sound. A slot that changes its speaker goes
// on playing, without a click.

import { byId, element } from './dom.js';

export class Sound {
  constructor() {
    this.root = byId('sounds');
    this.button = byId('hear');
    /** @type {Map<MediaStreamTrack, HTMLAudioElement>} */
    this.players = new Map();
    this.button.addEventListener('click', () => this.#playAll());
  }

  /** @param {MediaStreamTrack} track */
  play(track) {
    this.#forgetEnded();
    if (this.players.has(track)) return;
    const player = element('audio', { autoplay: '' });
    player.srcObject = new MediaStream([track]);
    this.players.set(track, player);
    this.root.append(player);
    this.#start(player);
  }

  stop() {
    for (const player of this.players.values()) drop(player);
    this.players.clear();
    this.button.hidden = true;
  }

  /** Browsers forbid sound on a page that nobody has touched: then a click is asked for. @param {HTMLAudioElement} player */
  #start(player) {
    player.play().catch((error) => {
      if (error.name === 'NotAllowedError') this.button.hidden = false;
    });
  }

  #playAll() {
    this.button.hidden = true;
    for (const player of this.players.values()) this.#start(player);
  }

  #forgetEnded() {
    for (const [track, player] of this.players) {
      if (track.readyState !== 'ended') continue;
      drop(player);
      this.players.delete(track);
    }
  }
}

/** @param {HTMLAudioElement} player */
function drop(player) {
  player.srcObject = null;
  player.remove();
}
