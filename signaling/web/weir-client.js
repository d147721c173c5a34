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
//   pauseHidden: true, direct: true, audioSlots, videoSlots, maxAudioSlots, maxVideoSlots})
//
// State: callId · state 'idle' | 'connecting' | 'connected' | 'reconnecting' | 'closed' · you {userId, name} · call {type, initiatorId,
//   startedAt} · participants Map of {userId, name, audioEnabled, videoEnabled, screenSharing, quality 1–5 or null,
//   qualityUp, qualityDown {score, reason} or null, handRaised, isSpeaking, tracks} · local {audio, video, screen} · speakers
//   [{userId, levelDb, dominant}] · timer {userId, endsAt} or null · retryAt Date or null: when it tries to reach the server again
//
// The call: enter() asks to be let in · join() · retryNow() · leave() · endCall() (initiator) · remove(userId) (initiator; they are closed with
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
//   votePoll(pollId, optionIndex) · signal(kind, data) for anything else (64 bytes of kind, 4 KiB of data, 10 a second)
//
// Figures: stats() → {path: 'sfu' | 'direct', rttMs, availableBps, sent: […], received: […]}
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
import { subscribeMessage } from './weir-messages.js';
import { Session } from './weir-session.js';
import { summarise } from './weir-stats.js';

export { WeirError, WeirRest } from './weir-rest.js';
export { deviceProblem, listDevices, openDevices } from './weir-devices.js';
export { WeirNotifications } from './weir-notifications.js';

/** @typedef {import('./weir-roster.js').Participant} Participant */
/** @typedef {import('./weir-roster.js').RemoteTrack} RemoteTrack */
/** @typedef {import('./weir-roster.js').Source} Source */
/** @typedef {import('./weir-roster.js').Kind} Kind */
/** @typedef {import('./weir-roster.js').Message} Message */
/** @typedef {import('./weir-types.js').WeirEvents} WeirEvents */
/** @typedef {import('./weir-types.js').WeirOptions} WeirOptions */
/** @typedef {import('./weir-types.js').ConnectionState} ConnectionState */
/** @typedef {import('./weir-types.js').SlotWish} SlotWish */
/** @typedef {import('./weir-types.js').TileState} TileState */
/** @typedef {import('./weir-tile.js').Tile} Tile */

/** @extends {Emitter<WeirEvents>} */
export class WeirClient extends Emitter {
  #session;

  /** @param {WeirOptions} options */
  constructor(options) {
    super();
    this.#session = new Session(options, this.emit.bind(this));
  }

  get callId() {
    return this.#session.options.callId;
  }

  get state() {
    return this.#session.state;
  }

  get you() {
    return this.#session.you;
  }

  get call() {
    return this.#session.call;
  }

  /** The others, by user id. @returns {ReadonlyMap<string, Participant>} */
  get participants() {
    return this.#session.roster.participants;
  }

  /** What this participant sends, and whether it is on. */
  get local() {
    return this.#session.local.state;
  }

  /** Who speaks now, oneself included, the dominant one first. */
  get speakers() {
    return this.#session.speakers;
  }

  get timer() {
    return this.#session.signals.timer;
  }

  /** Whether one's own hand is up. */
  get handRaised() {
    return this.#session.signals.handRaised;
  }

  /** When the next attempt to reach the server is due; null: none is waited for. @returns {Date | null} */
  get retryAt() {
    const at = this.#session.signaling?.retryAt ?? 0;
    return at > 0 && this.state !== 'closed' ? new Date(at) : null;
  }

  /** Tries to reach the server now. */
  retryNow() {
    this.#session.signaling?.retryNow();
  }

  /** Asks to be let in (over HTTP): throws a WeirError whose status says why not. join() does it if need be. */
  enter() {
    return this.#session.enter();
  }

  /** Resolves when the server has welcomed us; media follow, as `connection` will tell. */
  join() {
    return this.#session.join();
  }

  /** Leaves for good and lets go of every device, connection and timer. */
  leave() {
    return this.#session.leave();
  }

  /** Ends the call for everyone; the server lets only its initiator. */
  endCall() {
    this.#session.signaling?.send({ type: 'end_call' });
  }

  /** Takes somebody out of the call; the server lets only its initiator. @param {string} userId */
  async remove(userId) {
    await this.#session.rest.removeParticipant(this.#session.options.callId, userId);
  }

  /** Why this participant gets what it gets, as the server sees it. @param {string} [userId] oneself when absent */
  why(userId = this.you.userId) {
    return this.#session.rest.why(this.#session.options.callId, userId);
  }

  /**
   * Sends a track, or each track of a stream. The caller keeps it, unless it hands it over: then the
   * client stops it when it is no longer needed, and opens the device again when it is.
   * @param {MediaStream | MediaStreamTrack} media
   * @param {{source?: Source, simulcast?: boolean, handOver?: boolean}} [options] source: by default
   *   microphone or camera; a stream with source "screen" is the screen and its sound
   */
  publish(media, options = {}) {
    const tracks = media instanceof MediaStreamTrack ? [media] : media.getTracks();
    return this.#session.local.publish(tracks, options);
  }

  /** @param {Source} source */
  unpublish(source) {
    return this.#session.local.unpublish(source);
  }

  /** Opens the microphone if there is none yet; throws what getUserMedia throws. @param {boolean} enabled */
  setMicrophoneEnabled(enabled) {
    return this.#session.local.setMicrophoneEnabled(enabled);
  }

  /** Off lets go of the camera, so that its light goes out. @param {boolean} enabled */
  setCameraEnabled(enabled) {
    return this.#session.local.setCameraEnabled(enabled);
  }

  /**
   * @param {MediaStream} [stream] what to share; the browser asks the user when absent
   * @param {{swap?: boolean}} [options] swap: in the camera's place, as long as it is shared
   */
  startScreenShare(stream, options) {
    return this.#session.local.startScreenShare(stream, options);
  }

  stopScreenShare() {
    return this.#session.local.stopScreenShare();
  }

  /** Takes this device from now on; throws what getUserMedia throws. @param {'microphone' | 'camera'} source @param {string} deviceId */
  useDevice(source, deviceId) {
    return this.#session.local.useDevice(source, deviceId);
  }

  /** @param {Source} source @returns {string} the device's id, "" when none is open or known */
  deviceOf(source) {
    return this.#session.local.deviceOf(source);
  }

  /** Sends this track in the place of the source's, without an offer. @param {Source} source @param {MediaStreamTrack} track */
  replaceTrack(source, track) {
    return this.#session.local.replaceTrack(source, track);
  }

  /** What the others get to see and hear of this participant. @param {Source} source */
  localTrack(source) {
    return this.#session.local.track(source);
  }

  /** The one tile of a source, whether it is published yet or not. @param {string} userId @param {Source} source */
  tile(userId, source) {
    return this.#session.tiles.get(userId, source);
  }

  /** Every filled slot with its track. @returns {TileState[]} */
  tiles() {
    const { roster } = this.#session;
    return roster.tiles().map((tile) => ({ ...tile, track: this.#session.trackOf(tile.mid) }));
  }

  /** @param {string} userId @param {Source} source @returns {MediaStreamTrack | null} */
  trackOf(userId, source) {
    return this.#session.trackOf(this.#session.roster.midOf(userId, source));
  }

  /** By hand, instead of tile(): the two do not mix in one slot. @param {SlotWish[]} slots */
  subscribe(slots) {
    this.#session.signaling?.send(subscribeMessage(slots));
  }

  /** @param {string} text */
  sendChat(text) {
    this.#session.signaling?.send({ type: 'chat_message', message: text });
  }

  /** @param {boolean} raised */
  raiseHand(raised) {
    this.#session.signals.raiseHand(raised);
  }

  /** @param {string} emoji */
  react(emoji) {
    this.#session.signals.send('reaction', { emoji });
  }

  /** One timer for all; another one takes its place. @param {number} seconds */
  startTimer(seconds) {
    this.#session.signals.startTimer(seconds);
  }

  stopTimer() {
    this.#session.signals.startTimer(0);
  }

  /** @param {object} poll as the application has them */
  createPoll(poll) {
    this.#session.signaling?.send({ type: 'poll_created', poll });
  }

  /** @param {string | number} pollId @param {number} optionIndex */
  votePoll(pollId, optionIndex) {
    this.#session.signaling?.send({ type: 'poll_vote', poll_id: pollId, option_index: optionIndex });
  }

  /** Anything else to the others. @param {string} kind @param {unknown} [data] JSON */
  signal(kind, data) {
    this.#session.signals.send(kind, data);
  }

  /** Figures of the moment: the path, and each track sent and received. */
  async stats() {
    const tileOfTrack = new Map(this.tiles().map((tile) => [tile.track?.id ?? '', tile]));
    const { direct, peer } = this.#session;
    const pc = direct.isUp ? direct.peer?.pc : peer?.pc;
    return summarise(await pc?.getStats(), tileOfTrack, direct.isUp ? 'direct' : 'sfu');
  }
}
