// The one peer connection of a participant: its own tracks on `sendonly` m-lines, its slots on
// `recvonly` ones. We always offer, one offer at a time; whatever changes meanwhile goes into the next.

import { Lines } from './weir-lines.js';
import { isWantedCodec, trimExtensions, withVoiceWishes, withoutStrayLines } from './weir-sdp.js';
import { WeirError } from './weir-rest.js';

/** @typedef {import('./weir-roster.js').Source} Source */
/** @typedef {import('./weir-roster.js').Kind} Kind */
/** @typedef {Record<string, any>} Message */
/**
 * @typedef {object} PeerHooks
 * @property {(message: Message) => boolean} send false when the signaling is down: the offer waits for resend()
 * @property {(state: 'connected' | 'unstable' | 'failed') => void} onPath the media path's condition changed
 * @property {() => void} onAnswered an offer is in force
 * @property {(error: WeirError, sources: Source[]) => void} onRejected the server refused an offer, and with it
 *   what these sources were to send
 * @property {() => void} onBroken this connection cannot be saved, only replaced
 */
/** @typedef {{sdp?: string, error?: WeirError}} Verdict */

const ANSWER_TIMEOUT_MS = 15_000;

export class Peer {
  /** @param {RTCConfiguration} config @param {import('./weir-lines.js').SendOptions} options @param {PeerHooks} hooks */
  constructor(config, options, hooks) {
    this.hooks = hooks;
    this.pc = new RTCPeerConnection({ ...config, bundlePolicy: 'max-bundle' });
    this.lines = new Lines(this.pc, options);
    /** @type {Record<Kind, RTCRtpTransceiver[]>} */
    this.slots = { audio: [], video: [] };
    this.isClosed = false;
    this.isOffering = false;
    this.offerAgain = false;
    this.restartWanted = false;
    /** @type {((verdict: Verdict) => void) | null} */
    this.onVerdict = null;
    /** @type {Message[] | null} candidates that must not overtake their offer */
    this.heldCandidates = null;
    this.pc.onicecandidate = ({ candidate }) => this.#onCandidate(candidate);
    this.pc.oniceconnectionstatechange = () => this.#onIceState();
    this.pc.onconnectionstatechange = () => this.#onConnectionState();
  }

  /** @param {Kind} kind @param {number} count slots there should be; takes effect with the next offer */
  growSlots(kind, count) {
    while (this.slots[kind].length < count) {
      const transceiver = this.pc.addTransceiver(kind, { direction: 'recvonly' });
      this.#trimCodecs(transceiver, kind);
      trimExtensions(transceiver);
      this.slots[kind].push(transceiver);
    }
  }

  /** @param {string} mid @returns {MediaStreamTrack | null} what arrives in that slot */
  trackOf(mid) {
    const slot = [...this.slots.audio, ...this.slots.video].find((transceiver) => transceiver.mid === mid);
    return slot?.receiver.track ?? null;
  }

  /** The slots that the server knows. @returns {Record<Kind, string[]>} */
  get slotMids() {
    const midsOf = (/** @type {Kind} */ kind) =>
      this.slots[kind].flatMap(({ mid, currentDirection }) => (mid === null || currentDirection === null ? [] : [mid]));
    return { audio: midsOf('audio'), video: midsOf('video') };
  }

  /** Brings the server up to date; calls while an offer is in flight fall together into the next. */
  async negotiate({ iceRestart = false } = {}) {
    this.restartWanted ||= iceRestart;
    this.offerAgain = true;
    if (this.isOffering || this.isClosed) return;
    this.isOffering = true;
    try {
      while (this.offerAgain && !this.isClosed) await this.#offerOnce();
    } catch {
      if (!this.isClosed) this.hooks.onBroken();
    } finally {
      this.isOffering = false;
    }
  }

  /** The signaling is back: what was under way when it went is said again. */
  resend() {
    if (this.onVerdict) this.#sendOffer();
  }

  /** @param {string} sdp */
  onAnswer(sdp) {
    this.onVerdict?.({ sdp });
  }

  /** @param {WeirError} error */
  onOfferError(error) {
    this.onVerdict?.({ error });
  }

  close() {
    this.isClosed = true;
    this.pc.onicecandidate = this.pc.oniceconnectionstatechange = this.pc.onconnectionstatechange = null;
    this.onVerdict?.({});
    this.pc.close();
  }

  async #offerOnce() {
    this.offerAgain = false;
    if (this.restartWanted) this.pc.restartIce();
    this.restartWanted = false;
    this.heldCandidates ??= [];
    const { sdp } = await this.pc.createOffer();
    await this.pc.setLocalDescription({ type: 'offer', sdp: withVoiceWishes(sdp ?? '') });
    const verdict = await this.#verdict();
    if (this.isClosed) return;
    if (verdict.sdp) {
      await this.pc.setRemoteDescription({ type: 'answer', sdp: verdict.sdp });
      this.hooks.onAnswered();
    } else await this.#takeBack(verdict.error ?? new WeirError('no_answer', 'The server did not answer the offer'));
  }

  /** Sends the offer and waits for what the server makes of it. @returns {Promise<Verdict>} */
  async #verdict() {
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    const verdict = await new Promise((resolve) => {
      this.onVerdict = resolve;
      this.#sendOffer();
      // While the signaling is down nobody can answer: only silence on a working line counts.
      timer = setTimeout(() => this.#sendOffer() && (timer = setTimeout(() => resolve({}), ANSWER_TIMEOUT_MS)), ANSWER_TIMEOUT_MS);
    });
    clearTimeout(timer);
    this.onVerdict = null;
    return verdict;
  }

  /** @returns {boolean} whether it could be sent */
  #sendOffer() {
    const description = this.pc.localDescription;
    if (this.isClosed || !description) return false;
    // The mids are known only now; the server must know the sources before it meets the m-lines.
    const sent =
      this.hooks.send({ type: 'publish', tracks: this.lines.published }) &&
      this.hooks.send({ type: 'offer', offer: { type: 'offer', sdp: withoutStrayLines(description.sdp) } });
    if (!sent) return false;
    this.heldCandidates?.forEach((message) => this.hooks.send(message));
    this.heldCandidates = null;
    return true;
  }

  /** Whatever the refused offer was to add is given up. @param {WeirError} error */
  async #takeBack(error) {
    await this.pc.setLocalDescription({ type: 'rollback' });
    const isNew = (/** @type {RTCRtpTransceiver} */ { mid }) => mid === null;
    const sources = this.lines.rollBack();
    for (const kind of /** @type {Kind[]} */ (['audio', 'video']))
      this.slots[kind] = this.slots[kind].filter((transceiver) => !isNew(transceiver));
    this.pc.getTransceivers().filter(isNew).forEach((transceiver) => transceiver.stop());
    this.hooks.onRejected(error, sources);
  }

  /** @param {RTCIceCandidate | null} candidate */
  #onCandidate(candidate) {
    if (candidate?.candidate === '') return; // Firefox's mark of a generation's end; null follows
    const message = { type: 'ice_candidate', candidate: candidate?.toJSON() ?? null };
    if (this.heldCandidates) this.heldCandidates.push(message);
    else this.hooks.send(message);
  }

  #onIceState() {
    const state = this.pc.iceConnectionState;
    if (state === 'connected' || state === 'completed') this.hooks.onPath('connected');
    else if (state === 'disconnected') this.hooks.onPath('unstable');
    else if (state === 'failed') this.hooks.onPath('failed');
  }

  #onConnectionState() {
    const isDtlsDead = this.pc.connectionState === 'failed' && this.pc.iceConnectionState !== 'failed';
    if (isDtlsDead) this.hooks.onBroken();
  }

  /** @param {RTCRtpTransceiver} transceiver @param {Kind} kind */
  #trimCodecs(transceiver, kind) {
    const codecs = RTCRtpReceiver.getCapabilities(kind)?.codecs.filter(isWantedCodec) ?? [];
    if (codecs.length > 0) transceiver.setCodecPreferences?.(codecs);
  }
}
