// The connection between two who are alone: four m-lines that carry the same sources from its
// beginning to its end, so that it is negotiated once, and a channel by which each end says how it is.

import { encodingsFor, linesOf, sendingOrder } from './weir-layers.js';
import { KIND_OF_SOURCE } from './weir-roster.js';
import { isWantedCodec, withVoiceWishes, withoutStrayLines } from './weir-sdp.js';

/** @typedef {import('./weir-roster.js').Source} Source */
/** @typedef {import('./weir-roster.js').Message} Message */
/** @typedef {import('./weir-direct-state.js').Beat} Beat */
/** @typedef {Map<Source, MediaStreamTrack | null>} Tracks */
/**
 * @typedef {object} DirectPeerHooks
 * @property {(message: Message) => void} send to the other end, through the server
 * @property {() => Tracks} tracks to be sent
 */

/** In the order of the m-lines. @type {Source[]} */
export const SOURCES = ['microphone', 'camera', 'screen', 'screen_audio'];

export class DirectPeer {
  beats = 0;
  /** @type {Beat | null} */
  beat = null;
  /** @type {Map<Source, RTCRtpTransceiver>} */
  #lines = new Map();
  /** @type {RTCIceCandidateInit[]} that came before the description that they belong to */
  #early = [];
  #isClosed = false;
  #heardAt = 0;
  #streams = { person: new MediaStream(), screen: new MediaStream() };
  /** @type {Map<Source, Promise<unknown>>} one change at a time for each sender */
  #changes = new Map();

  /**
   * @param {RTCConfiguration} config @param {string} attempt which both ends know it by
   * @param {import('./weir-lines.js').SendOptions} options @param {DirectPeerHooks} hooks
   */
  constructor(config, attempt, options, hooks) {
    this.attempt = attempt;
    this.options = options;
    this.hooks = hooks;
    this.pc = new RTCPeerConnection({ ...config, bundlePolicy: 'max-bundle' });
    this.channel = this.pc.createDataChannel('weir', { negotiated: true, id: 0, ordered: false, maxRetransmits: 0 });
    this.channel.onmessage = ({ data }) => this.#onBeat(data);
    this.pc.onicecandidate = ({ candidate }) => {
      if (candidate?.candidate) hooks.send({ type: 'ice_candidate', candidate: { ...candidate.toJSON(), attempt } });
    };
  }

  get isBroken() {
    return this.#isClosed || ['closed', 'failed'].includes(this.pc.connectionState) ||
      ['disconnected', 'failed'].includes(this.pc.iceConnectionState) || ['closing', 'closed'].includes(this.channel.readyState);
  }

  async offer() {
    for (const source of SOURCES) {
      const init = { direction: /** @type {const} */ ('sendrecv'), streams: [this.#streamOf(source)] };
      this.#take(source, this.pc.addTransceiver(KIND_OF_SOURCE[source], init));
    }
    await this.#describe('offer', await this.pc.createOffer());
    this.sync();
  }

  /** @param {string} sdp the other's offer */
  async answer(sdp) {
    await this.pc.setRemoteDescription({ type: 'offer', sdp });
    const transceivers = this.pc.getTransceivers();
    SOURCES.forEach((source, i) => {
      const transceiver = transceivers[i];
      transceiver.direction = 'sendrecv';
      transceiver.sender.setStreams?.(this.#streamOf(source));
      this.#take(source, transceiver);
    });
    await this.#describe('answer', await this.pc.createAnswer());
    this.#addEarly();
    this.sync();
  }

  /** @param {string} sdp */
  async onAnswer(sdp) {
    await this.pc.setRemoteDescription({ type: 'answer', sdp });
    this.#addEarly();
    this.sync();
  }

  /** @param {RTCIceCandidateInit} candidate */
  onCandidate(candidate) {
    if (this.pc.remoteDescription) this.pc.addIceCandidate(candidate).catch(() => {}); // Of a kind unknown here.
    else this.#early.push(candidate);
  }

  /** @param {Source} source what arrives */
  trackOf(source) {
    return this.#lines.get(source)?.receiver.track ?? null;
  }

  /** How loud the other's microphone is, as its packets say, whether it is played or not. @returns {number} 0 to 1 */
  heardLevel() {
    const [newest] = this.#lines.get('microphone')?.receiver.getSynchronizationSources() ?? [];
    const isNew = newest !== undefined && newest.timestamp !== this.#heardAt;
    this.#heardAt = newest?.timestamp ?? 0;
    return isNew ? (newest.audioLevel ?? 0) : 0;
  }

  /** Sends what is to be sent now. */
  sync() {
    const tracks = this.hooks.tracks();
    for (const source of this.#lines.keys()) this.#send(source, tracks.get(source) ?? null);
  }

  /** @param {Beat} beat */
  tell(beat) {
    if (this.channel.readyState === 'open') this.channel.send(JSON.stringify(beat));
  }

  close() {
    this.#isClosed = true;
    this.channel.onmessage = this.pc.onicecandidate = null;
    this.pc.close();
  }

  /** @param {Source} source @param {RTCRtpTransceiver} transceiver */
  #take(source, transceiver) {
    const codecs = RTCRtpReceiver.getCapabilities(KIND_OF_SOURCE[source])?.codecs.filter(isWantedCodec) ?? [];
    if (codecs.length > 0) transceiver.setCodecPreferences?.(sendingOrder(codecs, source, this.options));
    transceiver.receiver.track.enabled = false; // Until it is shown.
    this.#lines.set(source, transceiver);
  }

  /** @param {Source} source */
  #streamOf(source) {
    return source.startsWith('screen') ? this.#streams.screen : this.#streams.person;
  }

  /** @param {'offer' | 'answer'} type @param {RTCSessionDescriptionInit} description */
  async #describe(type, { sdp = '' }) {
    await this.pc.setLocalDescription({ type, sdp: withVoiceWishes(sdp) });
    const description = { type, sdp: withoutStrayLines(this.pc.localDescription?.sdp ?? ''), attempt: this.attempt };
    this.hooks.send({ type, [type]: description });
  }

  #addEarly() {
    for (const candidate of this.#early.splice(0)) this.onCandidate(candidate);
  }

  /** @param {Source} source @param {MediaStreamTrack | null} track */
  #send(source, track) {
    const sender = /** @type {RTCRtpTransceiver} */ (this.#lines.get(source)).sender;
    const isPaused = this.beat?.hidden.includes(source) ?? false;
    const change = async () => {
      const isNew = sender.track !== track;
      if (isNew) await sender.replaceTrack(track);
      const parameters = sender.getParameters();
      const [encoding] = parameters.encodings ?? [];
      if (!encoding || (!isNew && encoding.active === !isPaused)) return;
      const [wanted] = encodingsFor(source, linesOf(track), { ...this.options, simulcast: false });
      Object.assign(encoding, wanted, { active: !isPaused });
      await sender.setParameters(parameters);
    };
    this.#changes.set(source, (this.#changes.get(source) ?? Promise.resolve()).then(change).catch(() => {})); // Closed meanwhile.
  }

  /** @param {string} text */
  #onBeat(text) {
    const { sources = [], hidden = [], isReceiving = false } = JSON.parse(text);
    this.beat = { sources: SOURCES.filter((one) => sources.includes(one)), hidden: SOURCES.filter((one) => hidden.includes(one)), isReceiving };
    this.beats++;
  }
}

/**
 * Frames decoded and packets of sound so far, by whatever the track is known as.
 * @template T
 * @param {RTCStatsReport} report @param {(trackId: string) => T | undefined} nameOf
 * @returns {Map<T, number>}
 */
export function receivedBy(report, nameOf) {
  const counts = new Map();
  for (const { type, kind, trackIdentifier, framesDecoded = 0, packetsReceived = 0 } of report.values()) {
    const name = type === 'inbound-rtp' ? nameOf(trackIdentifier) : undefined;
    if (name !== undefined) counts.set(name, kind === 'video' ? framesDecoded : packetsReceived);
  }
  return counts;
}
