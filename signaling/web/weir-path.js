// Watches over the media path and decides what to do when it breaks: wait a little, restart ICE a few
// times, and if nothing helps, join anew.

/**
 * @typedef {object} PathHooks
 * @property {() => boolean} canRestart false while there is no signaling to do it with
 * @property {() => void} restart
 * @property {() => void} giveUp
 * @property {() => void} changed isUp is another
 */

/** ICE mends short gaps itself; browsers say "disconnected" after some five seconds of silence. */
const UNSTABLE_MS = 2_000;
const RESTART_MS = 10_000;
const MAX_RESTARTS = 3;

export class MediaPath {
  /** @param {PathHooks} hooks */
  constructor(hooks) {
    this.hooks = hooks;
    this.isUp = false;
    this.restarts = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
  }

  /** A new peer connection: it has some time to get through. */
  begin() {
    this.restarts = 0;
    this.#restartIn(RESTART_MS);
  }

  end() {
    clearTimeout(this.timer);
    this.isUp = false;
  }

  /** @param {'connected' | 'unstable' | 'failed'} state */
  on(state) {
    if (state === 'connected') {
      clearTimeout(this.timer);
      this.restarts = 0;
    } else this.#restartIn(state === 'failed' ? 0 : UNSTABLE_MS);
    this.isUp = state === 'connected';
    this.hooks.changed();
  }

  /** Restarts now: the server or the network says that the old path is dead. */
  restart() {
    clearTimeout(this.timer);
    if (!this.hooks.canRestart()) return this.#restartIn(RESTART_MS);
    if (this.restarts === MAX_RESTARTS) return this.hooks.giveUp();
    this.restarts++;
    this.hooks.restart();
    if (!this.isUp) this.#restartIn(RESTART_MS);
  }

  /** @param {number} ms */
  #restartIn(ms) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.restart(), ms);
  }
}
