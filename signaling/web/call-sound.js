// What is to be heard: one audio element for each slot of sound. A slot that changes its speaker goes
// on playing, without a click.

import { byId, element } from './dom.js';
import { settings } from './settings.js';

/** @typedef {HTMLAudioElement & {setSinkId?: (id: string) => Promise<void>}} Player */

export class Sound {
  constructor() {
    this.root = byId('sounds');
    this.button = byId('hear');
    this.speaker = settings().speaker;
    /** @type {Map<MediaStreamTrack, Player>} */
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
    this.#send(player);
    this.#start(player);
  }

  /** @param {string} speaker device id */
  useSpeaker(speaker) {
    this.speaker = speaker;
    for (const player of this.players.values()) this.#send(player);
  }

  stop() {
    for (const player of this.players.values()) drop(player);
    this.players.clear();
    this.button.hidden = true;
  }

  /** A loudspeaker that is gone leaves the system's choice. @param {Player} player */
  #send(player) {
    if (this.speaker) player.setSinkId?.(this.speaker).catch(() => {});
  }

  /** Browsers forbid sound on a page that nobody has touched: then a click is asked for. @param {Player} player */
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
