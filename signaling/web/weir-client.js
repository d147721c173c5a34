// A participant of a Weir call: joins, publishes tracks, shows the others' as tiles, and keeps the
// call going over dropped connections: first the WebSocket is resumed, then ICE restarted, then
// joined anew. The twenty lines to know:
//
//   const client = new WeirClient({ callId });
//   client.on('tile', ({ userId, source, track }) => {
//     if (source === 'camera') client.tile(userId, source).attach(videoElementFor(userId));
//     else if (track) play(track);
//   });
//   client.on('participant-left', ({ participant }) => remove(participant.userId));
//   await client.publish(await navigator.mediaDevices.getUserMedia({ audio: true, video: true }));
//   await client.join();
//
// THE WHOLE INTERFACE (types in weir-types.js; user ids are strings; sources are microphone, camera,
// screen, screen_audio; every method that asks the server throws or rejects with a WeirError
// {code, message, status})
//
// new WeirClient({callId, baseUrl, token, codec: 'vp8' | 'vp9' | 'av1' | 'h264', simulcast: true, red: true,
//   pauseHidden: true, audioSlots, videoSlots, maxAudioSlots, maxVideoSlots})
//
// State: state 'idle' | 'connecting' | 'connected' | 'reconnecting' | 'closed' · you {userId, name} · call {type, initiatorId,
//   startedAt} · participants Map of {userId, name, audioEnabled, videoEnabled, screenSharing, quality 1–5 or null,
//   qualityUp, qualityDown {score, reason} or null, handRaised, isSpeaking, tracks} · local {audio, video, screen} · speakers
//   [{userId, levelDb, dominant}] · timer {userId, endsAt} or null
//
// The call: enter() asks to be let in · join() · leave() · endCall() (initiator) · remove(userId) (initiator; they are closed with
//   the reason "removed") · why(userId) resolves with what the server answers about that participant's slots
//
// Sending: publish(stream or track, {source, simulcast, handOver}) · unpublish(source) · setMicrophoneEnabled(on) ·
//   setCameraEnabled(on) · startScreenShare(stream, {swap}) (swap: in the camera's place, without an offer; else beside it) ·
//   stopScreenShare() · useDevice('microphone' | 'camera', deviceId) switches, also in mid-call · deviceOf(source) → id ·
//   replaceTrack(source, track) · localTrack(source) · listDevices() · openDevices({audio, video, audioDeviceId, videoDeviceId})
//   and deviceProblem(error) are functions of this module
//
// Receiving: tile(userId, source) → the Tile of that source, always the same one, whether it has a slot or not:
//     .attach(video element) shows its track there from now on, and lets the element's size and visibility decide how much
//       is asked of the server: small tiles get a small layer, hidden ones and background tabs nothing · .detach()
//     .resize(width, height, maxFps) instead of the element's size, in device pixels; resize() goes back to it
//     .pause() .resume() · .pin() .unpin() keeps it in a slot however many tracks there are · .priority = 0–255, higher is served first
//     .track · .mid · .paused: false, 'hidden' (by us), or 'bandwidth' (by the server: the network does not carry it)
//   tiles() → every filled slot · trackOf(userId, source) · subscribe([{mid, trackId, maxWidth, …}]) by hand, for who knows better
//
// Each other: sendChat(text) · raiseHand(on) · react(emoji) · startTimer(seconds) · stopTimer() · createPoll(poll) ·
//   votePoll(pollId, optionIndex) · signal(kind, data) for anything else (256 characters of kind, 4 KiB of data, 10 a second)
//
// Figures: stats() → {rttMs, availableBps, sent: […], received: […]}
//
// Events, client.on(name, listener) → a function that takes the listener away:
//   connection {state, reason} · participant-joined, -left, -updated {participant} · track-published, track-unpublished {track} ·
//   tile {userId, source, mid, track, paused} · local {audio, video, screen} · device-lost {source} · devices-changed {} ·
//   layers {source, rids: {q, h, f}} (which layers somebody watches) · speakers {speakers} · quality {userId, score, up, down} ·
//   chat {userId, name, text} · hand {userId, raised} · reaction {userId, name, emoji} · timer {timer} · poll {userId, name, poll} ·
//   poll-vote {userId, pollId, optionIndex} · signal {userId, name, kind, data} · call-ended {userId} · message {message} · error WeirError
//
// Beside the call: WeirRest (signIn, startCall, joinCall, …) and WeirNotifications (weir-notifications.js: calls that ring).

import { Emitter } from './weir-emitter.js';
import { Roster, slotLimit, slotsWanted, uploadFor } from './weir-roster.js';
import { LocalTracks } from './weir-local.js';
import { MESSAGE_HANDLERS, callOf, youOf } from './weir-messages.js';
import { MediaPath } from './weir-path.js';
import { Peer } from './weir-peer.js';
import { WeirError, WeirRest } from './weir-rest.js';
import { Signaling } from './weir-signaling.js';
import { summarise } from './weir-stats.js';

export { WeirError, WeirRest };
export { openDevices, deviceProblem } from './weir-devices.js';

/** @typedef {import('./weir-roster.js').Participant} Participant */
/** @typedef {import('./weir-roster.js').RemoteTrack} RemoteTrack */
/** @typedef {import('./weir-roster.js').Source} Source */
/** @typedef {import('./weir-roster.js').Kind} Kind */
/** @typedef {import('./weir-roster.js').Message} Message */
/** @typedef {import('./weir-types.js').WeirEvents} WeirEvents */
/** @typedef {import('./weir-types.js').WeirOptions} WeirOptions */
/** @typedef {import('./weir-types.js').ConnectionState} ConnectionState */
/** @typedef {import('./weir-types.js').SlotWish} SlotWish */
/** @typedef {import('./weir-types.js').Tile} Tile */

const DEFAULTS = { baseUrl: '', token: '', audioSlots: 8, videoSlots: 8, maxAudioSlots: 24, maxVideoSlots: 24 };

/** @extends {Emitter<WeirEvents>} */
export class WeirClient extends Emitter {
  #roster = new Roster();
  #rest;
  #options;
  /** @type {Signaling | null} */
  #signaling = null;
  /** @type {Peer | null} */
  #peer = null;
  #path = new MediaPath({
    canRestart: () => this.#signaling?.isOpen ?? false,
    restart: () => this.#peer?.negotiate({ iceRestart: true }),
    giveUp: () => this.#onNoPath(),
    changed: () => this.#updateState(),
  });
  #local = new LocalTracks({
    peer: () => this.#peer,
    send: (message) => this.#signaling?.send(message),
    changed: (state) => {
      this.emit('local', state);
      this.#tuneUpload();
    },
    lost: (source) => this.emit('device-lost', { source }),
  });
  #isEntered = false;
  /** @type {{resolve: () => void, reject: (error: WeirError) => void} | null} */
  #joining = null;
  /** @type {Record<Kind, number>} */
  #slotLimit = { audio: 0, video: 0 };
  #stopListening = () => {};

  /** @param {WeirOptions} options */
  constructor(options) {
    super();
    this.#options = { ...DEFAULTS, ...options };
    this.#rest = new WeirRest(this.#options);
    /** @type {ConnectionState} */
    this.state = 'idle';
    /** @type {import('./weir-types.js').You} */
    this.you = { userId: '', name: '' };
    /** @type {import('./weir-types.js').CallInfo} */
    this.call = { type: 'VIDEO', initiatorId: '', startedAt: null };
  }

  /** The others, by user id. @returns {ReadonlyMap<string, Participant>} */
  get participants() {
    return this.#roster.participants;
  }

  /** What this participant sends, and whether it is on. */
  get local() {
    return this.#local.state;
  }

  /** What the others get to see and hear of this participant. @param {Source} source */
  localTrack(source) {
    return this.#local.track(source);
  }

  /** Asks to be let in (over HTTP): throws a WeirError whose status says why not. join() does it if need be. */
  async enter() {
    await this.#rest.joinCall(this.#options.callId);
    const status = await this.#rest.callStatus(this.#options.callId).catch(() => null);
    if (status?.call_type) this.call.type = status.call_type;
    this.#isEntered = true;
  }

  /** Resolves when the server has welcomed us; media follow, as `connection` will tell. @returns {Promise<void>} */
  join() {
    if (this.#signaling || this.state === 'closed')
      return Promise.reject(new WeirError('wrong_state', 'A client joins once'));
    const signaling = new Signaling(this.#socketUrl(), {
      enter: () => this.#enterOnce(),
      onWelcome: (message, resumed) => this.#onWelcome(message, resumed),
      onMessage: (message) => this.#onMessage(message),
      onDrop: () => this.#updateState(),
      onRefused: (error) => this.#close(error),
    });
    this.#signaling = signaling;
    this.#listenToWindow();
    this.#updateState();
    return new Promise((resolve, reject) => {
      this.#joining = { resolve, reject };
      signaling.connect();
    });
  }

  /** Leaves for good and lets go of every device, connection and timer. */
  async leave() {
    const wasIn = this.#signaling !== null && this.state !== 'closed';
    this.#close(null);
    if (wasIn) await this.#rest.leaveCall(this.#options.callId).catch(() => {});
  }

  /** Ends the call for everyone; the server lets only its initiator. */
  endCall() {
    this.#signaling?.send({ type: 'end_call' });
  }

  /**
   * Sends a track, or each track of a stream. The caller keeps it, unless it hands it over: then the
   * client stops it when it is no longer needed, and opens the device again when it is.
   * @param {MediaStream | MediaStreamTrack} media
   * @param {{source?: Source, simulcast?: boolean, handOver?: boolean}} [options] source: by default
   *   microphone or camera; a stream with source "screen" is the screen and its sound
   */
  async publish(media, options = {}) {
    const tracks = media instanceof MediaStreamTrack ? [media] : media.getTracks();
    await this.#local.publish(tracks, options);
  }

  /** @param {Source} source */
  unpublish(source) {
    return this.#local.unpublish(source);
  }

  /** Opens the microphone if there is none yet; throws what getUserMedia throws. @param {boolean} enabled */
  setMicrophoneEnabled(enabled) {
    return this.#local.setMicrophoneEnabled(enabled);
  }

  /** Off lets go of the camera, so that its light goes out. @param {boolean} enabled */
  setCameraEnabled(enabled) {
    return this.#local.setCameraEnabled(enabled);
  }

  /** @param {MediaStream} [stream] what to share; the browser asks the user when absent */
  startScreenShare(stream) {
    return this.#local.startScreenShare(stream);
  }

  stopScreenShare() {
    return this.#local.stopScreenShare();
  }

  /** @param {SlotWish[]} slots */
  subscribe(slots) {
    this.#signaling?.send({
      type: 'subscribe',
      slots: slots.map(({ mid, trackId = null, maxWidth, maxHeight, maxFps, priority, paused }) => ({
        mid,
        track_id: trackId,
        max_width: maxWidth,
        max_height: maxHeight,
        max_fps: maxFps,
        priority,
        paused,
      })),
    });
  }

  /** @param {string} text */
  sendChat(text) {
    this.#signaling?.send({ type: 'chat_message', message: text });
  }

  /** Every filled slot with its track. @returns {Tile[]} */
  tiles() {
    return this.#roster.tiles().map((tile) => ({ ...tile, track: this.#trackOf(tile.mid) }));
  }

  /** @param {string} userId @param {Source} source @returns {MediaStreamTrack | null} */
  trackOf(userId, source) {
    return this.#trackOf(this.#roster.midOf(userId, source));
  }

  /** Figures of the moment: the path, and each track sent and received. */
  async stats() {
    const tileOfTrack = new Map(this.tiles().map((tile) => [tile.track?.id ?? '', tile]));
    return summarise(await this.#peer?.pc.getStats(), tileOfTrack);
  }

  /** @param {string | null} mid */
  #trackOf(mid) {
    return mid === null ? null : (this.#peer?.trackOf(mid) ?? null);
  }

  #socketUrl() {
    const { baseUrl, callId, token } = this.#options;
    const url = new URL(`${baseUrl}/ws/call/${encodeURIComponent(callId)}/`, location.href);
    url.protocol = url.protocol.replace('http', 'ws');
    if (token) url.searchParams.set('access_token', token);
    return url.href;
  }

  async #enterOnce() {
    if (!this.#isEntered) await this.enter();
    this.#isEntered = false; // A later connection that is no resumption has to ask again.
  }

  /** @param {Message} message @param {boolean} resumed */
  #onWelcome(message, resumed) {
    this.you = youOf(message.you);
    this.call = callOf(message.call, this.call);
    this.#slotLimit = this.#slotLimitOf(message.limits);
    if (!resumed || !this.#peer) this.#replacePeer(message.ice_servers ?? []);
    this.#applyToRoster(message);
    this.#local.announce();
    this.#growSlots();
    if (resumed) this.#peer?.resend();
    else this.#peer?.negotiate();
    this.#joining?.resolve();
    this.#joining = null;
    this.#updateState();
  }

  /** @param {RTCIceServer[]} iceServers */
  #replacePeer(iceServers) {
    this.#dropPeer();
    const peer = new Peer({ iceServers }, {
      send: (message) => this.#signaling?.sendNow(message) ?? false,
      onPath: (state) => this.#onPath(state),
      onRejected: (error, sources) => this.#onOfferRejected(error, sources),
      onBroken: () => this.#startOver(),
    });
    this.#peer = peer;
    this.#path.begin();
    this.#local.attach();
    peer.growSlots('audio', this.#options.audioSlots);
    peer.growSlots('video', this.#options.videoSlots);
  }

  #dropPeer() {
    this.#path.end();
    this.#peer?.close();
    this.#peer = null;
    this.#roster.clearSlots().forEach((change) => this.#tell(change));
  }

  /** @param {Message} message */
  #onMessage(message) {
    this.#applyToRoster(message);
    this.emit('message', { message });
    MESSAGE_HANDLERS[message.type]?.(this.#reactions, message);
  }

  #reactions = {
    answer: (/** @type {string} */ sdp) => this.#peer?.onAnswer(sdp),
    offerError: (/** @type {WeirError} */ error) => this.#peer?.onOfferError(error),
    restart: () => this.#path.restart(),
    layers: (/** @type {string} */ mid, /** @type {Record<string, boolean>} */ rids) => this.#peer?.chooseLayers(mid, rids),
    ended: (/** @type {string} */ userId) => {
      this.emit('call-ended', { userId });
      this.#close(null);
    },
    emit: this.emit.bind(this),
  };

  /** @param {Message} message */
  #applyToRoster(message) {
    this.#roster.apply(message).forEach((change) => this.#tell(change));
    if (message.type === 'track_published') this.#growSlots();
    if (message.type === 'user_joined' || message.type === 'user_left') this.#tuneUpload();
  }

  /** @param {import('./weir-roster.js').Change} change */
  #tell(change) {
    if (change.type === 'tile') this.emit('tile', { ...change.detail, track: this.#trackOf(change.detail.mid) });
    else this.emit(change.type, /** @type {any} */ (change.detail));
  }

  /** More tracks in the call than slots to show them: one more offer. */
  #growSlots() {
    const peer = this.#peer;
    if (!peer) return;
    let grew = false;
    for (const kind of /** @type {Kind[]} */ (['audio', 'video'])) {
      const have = peer.slots[kind].length;
      const want = slotsWanted(this.#roster.countTracks(kind), have, this.#slotLimit[kind]);
      peer.growSlots(kind, want);
      grew ||= want > have;
    }
    if (grew) peer.negotiate();
  }

  /** @param {Message | undefined} limits the server's @returns {Record<Kind, number>} */
  #slotLimitOf(limits) {
    const most = slotLimit(limits?.max_message_bytes, limits?.max_mlines_per_offer);
    const { maxAudioSlots, maxVideoSlots } = this.#options;
    return { audio: Math.min(most, maxAudioSlots), video: Math.min(most, maxVideoSlots) };
  }

  #tuneUpload() {
    const camera = this.#local.track('camera');
    if (!camera || this.#local.isSimulcast('camera')) return;
    const upload = uploadFor(this.participants.size, camera.getSettings().height ?? 720);
    this.#peer?.tuneEncodings('camera', (encoding) => Object.assign(encoding, upload));
  }

  /** @param {'connected' | 'unstable' | 'failed'} state */
  #onPath(state) {
    this.#path.on(state);
    if (state === 'connected') this.#tuneUpload();
  }

  /** @param {WeirError} error @param {Source[]} sources */
  #onOfferRejected(error, sources) {
    const { audio, video } = this.#peer?.slots ?? { audio: [], video: [] };
    this.#slotLimit = { audio: audio.length, video: video.length };
    this.#local.forget(sources);
    this.emit('error', error);
    if (audio.length + video.length === 0) this.#close(error);
  }

  #onNoPath() {
    this.emit('error', new WeirError('no_media', 'Sound and picture do not get through this network'));
    this.#startOver();
  }

  #startOver() {
    this.#dropPeer();
    this.#signaling?.startOver();
    this.#updateState();
  }

  #updateState() {
    if (this.state === 'closed') return;
    const isWhole = Boolean(this.#signaling?.isOpen) && this.#path.isUp;
    const wasUp = this.state === 'connected' || this.state === 'reconnecting';
    this.#setState(isWhole ? 'connected' : wasUp ? 'reconnecting' : 'connecting', null);
  }

  /** @param {ConnectionState} state @param {WeirError | null} reason */
  #setState(state, reason) {
    if (state === this.state) return;
    this.state = state;
    this.emit('connection', { state, reason });
  }

  /** @param {WeirError | null} reason null when it was our wish or the call's end */
  #close(reason) {
    if (this.state === 'closed') return;
    this.#stopListening();
    this.#signaling?.close();
    this.#dropPeer();
    this.#local.close();
    this.#setState('closed', reason);
    this.#joining?.reject(reason ?? new WeirError('left', 'Left before the server answered'));
    this.#joining = null;
  }

  #listenToWindow() {
    const abort = new AbortController();
    const { signal } = abort;
    const retry = () => this.#signaling?.retryNow();
    addEventListener('online', () => (retry(), this.#path.restart()), { signal });
    document.addEventListener('visibilitychange', () => document.hidden || retry(), { signal });
    addEventListener('pagehide', () => this.#close(null), { signal });
    this.#stopListening = () => abort.abort();
  }
}
