// What this participant sends: its tracks by source, on or off, across peer connections.

import { KIND_OF_SOURCE } from './weir-roster.js';
import { openDevice, openScreen } from './weir-devices.js';

/** @typedef {import('./weir-roster.js').Source} Source */
/** @typedef {{audio: boolean, video: boolean, screen: boolean}} LocalState */
/**
 * @typedef {object} LocalTrack
 * @property {MediaStreamTrack | null} track null while the camera is let go of
 * @property {boolean} isOn
 * @property {boolean} isOurs ours to stop and to open again; else the application's
 * @property {boolean} simulcast
 */
/**
 * @typedef {object} LocalHooks
 * @property {() => import('./weir-peer.js').Peer | null} peer
 * @property {(message: Record<string, any>) => void} send
 * @property {(state: LocalState) => void} changed
 * @property {(source: Source) => void} lost the device was unplugged or taken away
 */

export class LocalTracks {
  /** @type {Map<Source, LocalTrack>} */
  #tracks = new Map();
  /** @type {Map<Source, Promise<unknown>>} one change at a time for each source */
  #queues = new Map();
  #isClosed = false;

  /** @param {LocalHooks} hooks */
  constructor(hooks) {
    this.hooks = hooks;
    /** @type {LocalState} */
    this.state = { audio: false, video: false, screen: false };
  }

  /** @param {Source} source */
  track(source) {
    const local = this.#tracks.get(source);
    return local?.isOn ? local.track : null;
  }

  /** @param {Source} source */
  isSimulcast(source) {
    return this.#tracks.get(source)?.simulcast ?? false;
  }

  /** Puts everything onto a new peer connection, before its first offer. */
  attach() {
    for (const [source, { track, isOn, simulcast }] of this.#tracks)
      this.hooks.peer()?.addLine(source, isOn || source === 'microphone' ? track : null, simulcast);
  }

  /** Tells the server how things stand. */
  announce() {
    this.hooks.send({ type: 'toggle_audio', enabled: this.state.audio });
    this.hooks.send({ type: 'toggle_video', enabled: this.state.video });
    if (this.state.screen) this.hooks.send({ type: 'start_screen_share', is_sharing: true });
  }

  /**
   * @param {MediaStreamTrack[]} tracks
   * @param {{source?: Source, simulcast?: boolean, handOver?: boolean}} options
   */
  async publish(tracks, { source, simulcast = false, handOver = false }) {
    let isLonger = false;
    for (const track of tracks) {
      const isScreen = source?.startsWith('screen') ?? false;
      const own = track.kind === 'video' ? (isScreen ? 'screen' : 'camera') : isScreen ? 'screen_audio' : 'microphone';
      isLonger = (await this.#put(own, { track, isOn: track.enabled, isOurs: handOver, simulcast })) || isLonger;
    }
    this.#settle(isLonger);
  }

  /** @param {Source} source */
  async unpublish(source) {
    const local = this.#tracks.get(source);
    if (!local) return;
    this.#release(local);
    this.#tracks.delete(source);
    await this.hooks.peer()?.removeLine(source);
    this.#settle(true);
  }

  /** The server would not have these. @param {Source[]} sources */
  forget(sources) {
    for (const source of sources) {
      const local = this.#tracks.get(source);
      if (local) this.#release(local);
      this.#tracks.delete(source);
    }
    this.#tellState();
  }

  /** @param {boolean} enabled */
  setMicrophoneEnabled(enabled) {
    return this.#inTurn('microphone', async () => {
      const local = this.#tracks.get('microphone');
      if (local?.track?.readyState === 'live') {
        local.isOn = local.track.enabled = enabled;
        this.#tellState();
      } else if (enabled) await this.#open('microphone');
    });
  }

  /** @param {boolean} enabled */
  setCameraEnabled(enabled) {
    return this.#inTurn('camera', async () => {
      const local = this.#tracks.get('camera');
      if (!enabled) await this.#switchOff('camera');
      else if (local?.isOn) return;
      else if (local && !local.isOurs && local.track?.readyState === 'live') {
        local.isOn = true;
        await this.hooks.peer()?.replaceTrack('camera', local.track);
        this.#tellState();
      } else await this.#open('camera');
    });
  }

  /** @param {MediaStream} [given] */
  startScreenShare(given) {
    return this.#inTurn('screen', async () => {
      const stream = given ?? (await openScreen());
      if (this.#isClosed) return stream.getTracks().forEach((track) => track.stop());
      await this.publish(stream.getTracks(), { source: 'screen', handOver: !given });
    });
  }

  stopScreenShare() {
    return this.#inTurn('screen', async () => {
      await this.unpublish('screen_audio');
      await this.unpublish('screen');
    });
  }

  close() {
    this.#isClosed = true;
    for (const local of this.#tracks.values()) this.#release(local);
    this.#tracks.clear();
  }

  /** @param {Source} source @param {() => Promise<void>} change @returns {Promise<void>} */
  #inTurn(source, change) {
    const turn = (this.#queues.get(source) ?? Promise.resolve()).then(change);
    this.#queues.set(source, turn.catch(() => {}));
    return turn;
  }

  /** @param {'microphone' | 'camera'} source */
  async #open(source) {
    const track = await openDevice(KIND_OF_SOURCE[source]);
    if (this.#isClosed) return track.stop();
    const simulcast = this.isSimulcast(source);
    this.#settle(await this.#put(source, { track, isOn: true, isOurs: true, simulcast }));
  }

  /** @param {Source} source @param {LocalTrack} local @returns {Promise<boolean>} whether that takes an offer */
  async #put(source, local) {
    const before = this.#tracks.get(source);
    if (before && before.track !== local.track) this.#release(before);
    this.#tracks.set(source, local);
    const { track } = local;
    if (track) track.onended = () => this.#onEnded(source, track);
    const peer = this.hooks.peer();
    if (before) await peer?.replaceTrack(source, track);
    else await peer?.addLine(source, track, local.simulcast);
    return !before;
  }

  /** The m-line stays, so that switching on again needs no offer. @param {Source} source */
  async #switchOff(source) {
    const local = this.#tracks.get(source);
    if (!local) return;
    local.isOn = false;
    if (local.isOurs) {
      this.#release(local);
      local.track = null;
    }
    this.#tellState();
    await this.hooks.peer()?.replaceTrack(source, null);
  }

  /** @param {Source} source @param {MediaStreamTrack} track */
  #onEnded(source, track) {
    if (this.#tracks.get(source)?.track !== track) return;
    if (source === 'screen') this.stopScreenShare();
    else if (source === 'screen_audio') this.unpublish(source);
    else {
      this.#inTurn(source, () => this.#switchOff(source));
      this.hooks.lost(source);
    }
  }

  /** @param {LocalTrack} local */
  #release({ track, isOurs }) {
    if (!track) return;
    track.onended = null;
    if (isOurs) track.stop();
  }

  /** @param {boolean} isOfferDue m-lines were added or taken away */
  #settle(isOfferDue) {
    this.#tellState();
    if (isOfferDue) this.hooks.peer()?.negotiate();
  }

  #tellState() {
    const isOn = (/** @type {Source} */ source) => this.#tracks.get(source)?.isOn ?? false;
    const state = { audio: isOn('microphone'), video: isOn('camera'), screen: isOn('screen') };
    const before = this.state;
    this.state = state;
    if (state.audio !== before.audio) this.hooks.send({ type: 'toggle_audio', enabled: state.audio });
    if (state.video !== before.video) this.hooks.send({ type: 'toggle_video', enabled: state.video });
    if (state.screen !== before.screen) this.hooks.send({ type: 'start_screen_share', is_sharing: state.screen });
    this.hooks.changed(state);
  }
}
