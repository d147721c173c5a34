// What this participant sends: its tracks by source, on or off, across peer connections.

import { KIND_OF_SOURCE } from './weir-roster.js';
import { deviceProblem, openDevice, openScreen } from './weir-devices.js';

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
 * @property {() => import('./weir-lines.js').Lines | null} lines of the peer connection, if there is one
 * @property {() => void} negotiate m-lines were added or taken away
 * @property {boolean} simulcast unless said otherwise
 * @property {(message: Record<string, any>) => void} send
 * @property {(state: LocalState) => void} changed
 * @property {(source: Source) => void} lost the device was unplugged or taken away
 */

export class LocalTracks {
  /** @type {Map<Source, LocalTrack>} */
  #tracks = new Map();
  /** @type {Map<Source, Promise<unknown>>} one change at a time for each source */
  #queues = new Map();
  /** @type {Map<Source, string>} which device to open */
  #deviceIds = new Map();
  /** @type {MediaStreamTrack | null} a screen in the camera's place */
  #swapped = null;
  /** Something comes from the camera's place. */
  #hasPicture = false;
  #isClosed = false;

  /** @param {LocalHooks} hooks */
  constructor(hooks) {
    this.hooks = hooks;
    /** @type {LocalState} */
    this.state = { audio: false, video: false, screen: false };
  }

  /** @param {Source} source */
  track(source) {
    if (source === 'screen' && this.#swapped) return this.#swapped;
    const local = this.#tracks.get(source);
    return local?.isOn ? local.track : null;
  }

  /** @param {Source} source @returns {string} "": none is open */
  deviceOf(source) {
    return this.#tracks.get(source)?.track?.getSettings().deviceId ?? this.#deviceIds.get(source) ?? '';
  }

  /** Puts everything onto a new peer connection, before its first offer. */
  attach() {
    for (const [source, { track, isOn, simulcast }] of this.#tracks) {
      const own = isOn || source === 'microphone' ? track : null;
      this.hooks.lines()?.add(source, source === 'camera' ? (this.#swapped ?? own) : own, simulcast);
    }
  }

  /** Tells the server how things stand. */
  announce() {
    this.hooks.send({ type: 'toggle_audio', enabled: this.state.audio });
    this.hooks.send({ type: 'toggle_video', enabled: this.#hasPicture });
    if (this.state.screen) this.hooks.send({ type: 'start_screen_share', is_sharing: true });
  }

  /**
   * @param {MediaStreamTrack[]} tracks
   * @param {{source?: Source, simulcast?: boolean, handOver?: boolean}} options
   */
  async publish(tracks, { source, simulcast = this.hooks.simulcast, handOver = false }) {
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
    if (source === 'camera' && this.#swapped) await this.#swap(null);
    this.#release(local);
    this.#tracks.delete(source);
    await this.hooks.lines()?.remove(source);
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
        await this.#show('camera', local.track);
        this.#tellState();
      } else await this.#open('camera');
    });
  }

  /** @param {MediaStream} [given] @param {{swap?: boolean}} [options] */
  startScreenShare(given, { swap = false } = {}) {
    return this.#inTurn('screen', async () => {
      const stream = given ?? (await openScreen());
      if (this.#isClosed) return stream.getTracks().forEach((track) => track.stop());
      for (const track of stream.getVideoTracks()) track.contentHint ||= 'detail';
      const [picture] = stream.getVideoTracks();
      if (swap && picture && this.hooks.lines()?.has('camera')) await this.#swap(picture);
      else await this.publish(stream.getTracks(), { source: 'screen', handOver: !given });
    });
  }

  stopScreenShare() {
    return this.#inTurn('screen', async () => {
      if (this.#swapped) await this.#swap(null);
      await this.unpublish('screen_audio');
      await this.unpublish('screen');
    });
  }

  /** The screen goes where the camera went, and back. @param {MediaStreamTrack | null} picture */
  async #swap(picture) {
    const camera = this.#tracks.get('camera');
    if (this.#swapped) {
      this.#swapped.onended = null;
      this.#swapped.stop();
    }
    this.#swapped = picture;
    if (picture) picture.onended = () => this.stopScreenShare();
    await this.hooks.lines()?.replaceTrack('camera', picture ?? (camera?.isOn ? camera.track : null));
    this.#tellState();
  }

  /**
   * Takes this device from now on; when its source is on, in mid-call, without an offer.
   * @param {'microphone' | 'camera'} source @param {string} deviceId
   */
  useDevice(source, deviceId) {
    return this.#inTurn(source, async () => {
      const local = this.#tracks.get(source);
      const isOpen = local?.track?.readyState === 'live' && (local.isOn || source === 'microphone');
      const track = isOpen ? await this.#openInstead(source, local, deviceId) : null;
      this.#deviceIds.set(source, deviceId);
      if (track && local) await this.#exchange(source, local, track, true);
    });
  }

  /**
   * Opens another device while the one of `local` is open. Some phones open but one camera at a time: there the old
   * one is let go of first, and taken again when the other does not open even so.
   * @param {'microphone' | 'camera'} source @param {LocalTrack} local @param {string} deviceId
   */
  async #openInstead(source, local, deviceId) {
    const kind = KIND_OF_SOURCE[source];
    try {
      return await openDevice(kind, deviceId);
    } catch (error) {
      if (!local.isOurs || deviceProblem(error) !== 'busy') throw error;
      const before = local.track?.getSettings().deviceId;
      this.#release(local);
      try {
        return await openDevice(kind, deviceId);
      } catch (again) {
        await this.#exchange(source, local, await openDevice(kind, before), true);
        throw again;
      }
    }
  }

  /** Sends another track in the place of the one of this source. @param {Source} source @param {MediaStreamTrack} track */
  replaceTrack(source, track) {
    return this.#inTurn(source, async () => {
      const local = this.#tracks.get(source);
      if (local) await this.#exchange(source, local, track, false);
      else await this.publish([track], { source });
    });
  }

  /** @param {Source} source @param {LocalTrack} local @param {MediaStreamTrack} track @param {boolean} isOurs */
  async #exchange(source, local, track, isOurs) {
    if (this.#isClosed) return track.stop();
    track.enabled = local.isOn;
    await this.#put(source, { ...local, track, isOurs });
    this.#tellState();
  }

  close() {
    this.#isClosed = true;
    for (const local of this.#tracks.values()) this.#release(local);
    this.#swapped?.stop();
    this.#swapped = null;
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
    const track = await this.#openChosen(source);
    if (this.#isClosed) return track.stop();
    const simulcast = this.#tracks.get(source)?.simulcast ?? this.hooks.simulcast;
    this.#settle(await this.#put(source, { track, isOn: true, isOurs: true, simulcast }));
  }

  /** The chosen device, or any if that one is gone. @param {'microphone' | 'camera'} source */
  async #openChosen(source) {
    const deviceId = this.#deviceIds.get(source);
    try {
      return await openDevice(KIND_OF_SOURCE[source], deviceId);
    } catch (error) {
      if (!deviceId || deviceProblem(error) !== 'missing') throw error;
      return openDevice(KIND_OF_SOURCE[source]);
    }
  }

  /** @param {Source} source @param {MediaStreamTrack | null} track @returns {Promise<void>} */
  async #show(source, track) {
    const isHidden = source === 'camera' && this.#swapped !== null;
    if (!isHidden) await this.hooks.lines()?.replaceTrack(source, track);
  }

  /** @param {Source} source @param {LocalTrack} local @returns {Promise<boolean>} whether that takes an offer */
  async #put(source, local) {
    const before = this.#tracks.get(source);
    if (before && before.track !== local.track) this.#release(before);
    this.#tracks.set(source, local);
    const { track } = local;
    if (track) track.onended = () => this.#onEnded(source, track);
    if (before) await this.#show(source, track);
    else await this.hooks.lines()?.add(source, track, local.simulcast);
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
    await this.#show(source, null);
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
    if (isOfferDue) this.hooks.negotiate();
  }

  #tellState() {
    const isOn = (/** @type {Source} */ source) => this.#tracks.get(source)?.isOn ?? false;
    const state = { audio: isOn('microphone'), video: isOn('camera'), screen: isOn('screen') || this.#swapped !== null };
    const hasPicture = state.video || this.#swapped !== null;
    const before = this.state;
    this.state = state;
    if (state.audio !== before.audio) this.hooks.send({ type: 'toggle_audio', enabled: state.audio });
    if (hasPicture !== this.#hasPicture) this.hooks.send({ type: 'toggle_video', enabled: hasPicture });
    if (state.screen !== before.screen) this.hooks.send({ type: 'start_screen_share', is_sharing: state.screen });
    this.#hasPicture = hasPicture;
    this.hooks.changed(state);
  }
}
