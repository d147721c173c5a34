// The sending m-lines of a peer connection: one for each source, kept for the next track of its kind
// when the source ends, and what their encodings do.

import { KIND_OF_SOURCE } from './weir-roster.js';
import { activate, encodingsFor, isLayered, isSameShape, linesOf, sendingOrder } from './weir-layers.js';
import { isWantedCodec, trimExtensions } from './weir-sdp.js';

/** @typedef {import('./weir-roster.js').Source} Source */
/** @typedef {import('./weir-roster.js').Kind} Kind */
/** @typedef {import('./weir-layers.js').Encoding} Encoding */
/** @typedef {import('./weir-layers.js').LayerOptions & {red: boolean}} SendOptions */
/**
 * @typedef {object} Line
 * @property {Source} source
 * @property {RTCRtpTransceiver} transceiver
 * @property {Encoding[]} encodings as asked for
 * @property {Promise<unknown>} tuned one change of its parameters at a time
 * @property {boolean[]} [before] which encodings ran when the line was held
 * @property {{rids: Record<string, boolean>, active: boolean} | null} [choice] of the server, made since then
 */

const CHOICE_MS = 3_000;

export class Lines {
  /** @type {Map<Source, Line>} */
  #lines = new Map();
  /** @type {Line[]} m-lines whose track was unpublished */
  #spare = [];
  #isHeld = false;
  /** One stream for voice and face, one for the screen and its sound: what is to stay in sync. */
  #streams = { person: new MediaStream(), screen: new MediaStream() };

  /** @param {RTCPeerConnection} pc @param {SendOptions} options */
  constructor(pc, options) {
    this.pc = pc;
    this.options = options;
  }

  /** What each m-line carries, as the server is told. @returns {{mid: string, source: Source}[]} */
  get published() {
    return [...this.#lines.values()].flatMap(({ source, transceiver: { mid } }) => (mid === null ? [] : [{ mid, source }]));
  }

  /** What each line is to send now. @returns {Map<Source, MediaStreamTrack | null>} */
  get tracks() {
    return new Map([...this.#lines].map(([source, { transceiver }]) => [source, transceiver.sender.track]));
  }

  /** Sends nothing until it is let go of, whatever else is said meanwhile. @param {boolean} isHeld */
  hold(isHeld) {
    this.#isHeld = isHeld;
    for (const line of this.#lines.values()) if (isHeld) still(line); else wake(line);
    // What the server chose while nothing came counts again when it has had the time to choose anew.
    if (!isHeld) setTimeout(() => this.#lines.forEach((line) => line.choice && !this.#isHeld && choose(line, line.choice)), CHOICE_MS);
  }

  /** Sends a track; needs an offer afterwards. @param {Source} source @param {MediaStreamTrack | null} track @param {boolean} simulcast */
  async add(source, track, simulcast) {
    const encodings = encodingsFor(source, linesOf(track), { ...this.options, simulcast });
    const at = this.#spare.findIndex((line) =>
      KIND_OF_SOURCE[line.source] === KIND_OF_SOURCE[source] && isSameShape(line.encodings, encodings));
    if (at < 0) this.#make(source, track, encodings);
    else await this.#reuse(this.#spare.splice(at, 1)[0], source, track, encodings);
  }

  /** Stops sending; needs an offer afterwards. @param {Source} source */
  async remove(source) {
    const line = this.#lines.get(source);
    if (!line) return;
    this.#lines.delete(source);
    this.#spare.push(line);
    line.transceiver.direction = 'inactive';
    await line.transceiver.sender.replaceTrack(null);
  }

  /** Changes what a line carries without an offer. @param {Source} source @param {MediaStreamTrack | null} track */
  async replaceTrack(source, track) {
    await this.#lines.get(source)?.transceiver.sender.replaceTrack(track);
  }

  /** @param {Source} source */
  has(source) {
    return this.#lines.has(source);
  }

  /** @param {Source} source whether the server can choose among what it carries */
  isLayered(source) {
    return isLayered(this.#lines.get(source)?.encodings ?? []);
  }

  /**
   * Changes the encodings of a line without an offer; an encoder that is not up yet keeps its own.
   * @param {Source} source @param {(encodings: Encoding[]) => void} change
   */
  async tune(source, change) {
    const line = this.#lines.get(source);
    if (line) await tuneLine(line, change);
  }

  /**
   * @param {string} mid @param {Record<string, boolean>} rids which layers somebody wants
   * @param {boolean} active whether somebody wants any
   * @returns {Source | null} of that m-line
   */
  chooseLayers(mid, rids, active) {
    const line = [...this.#lines.values()].find(({ transceiver }) => transceiver.mid === mid);
    if (!line) return null;
    if (this.#isHeld) line.choice = { rids, active };
    else choose(line, { rids, active });
    return line.source;
  }

  /** Gives up what has not been negotiated. @returns {Source[]} what was to be sent there */
  rollBack() {
    const isNew = (/** @type {Line} */ { transceiver }) => transceiver.mid === null;
    const sources = [...this.#lines.values()].filter(isNew).map(({ source }) => source);
    sources.forEach((source) => this.#lines.delete(source));
    this.#spare = this.#spare.filter((line) => !isNew(line));
    return sources;
  }

  /** @param {Source} source @param {MediaStreamTrack | null} track @param {Encoding[]} encodings */
  #make(source, track, encodings) {
    const kind = KIND_OF_SOURCE[source];
    const stream = source.startsWith('screen') ? this.#streams.screen : this.#streams.person;
    const transceiver = addTransceiver(this.pc, track ?? kind, stream, encodings);
    const codecs = RTCRtpReceiver.getCapabilities(kind)?.codecs.filter(isWantedCodec) ?? [];
    if (codecs.length > 0) transceiver.setCodecPreferences?.(sendingOrder(codecs, source, this.options));
    trimExtensions(transceiver);
    const line = { source, transceiver, encodings: taken(transceiver, encodings), tuned: Promise.resolve() };
    this.#lines.set(source, line);
    if (this.#isHeld) still(line);
  }

  /** @param {Line} line @param {Source} source @param {MediaStreamTrack | null} track @param {Encoding[]} encodings */
  async #reuse(line, source, track, encodings) {
    Object.assign(line, { source, encodings });
    this.#lines.set(source, line);
    line.transceiver.direction = 'sendonly';
    await line.transceiver.sender.replaceTrack(track);
    await tuneLine(line, (now) => now.forEach((encoding, i) => Object.assign(encoding, { active: true, ...encodings[i] })));
    if (this.#isHeld) await still(line);
  }
}

/**
 * A mode of SVC that this browser has for no codec is an error to it, and one that it does not know is nothing.
 * @param {RTCPeerConnection} pc @param {MediaStreamTrack | Kind} what @param {MediaStream} stream @param {Encoding[]} encodings
 */
function addTransceiver(pc, what, stream, encodings) {
  const init = { direction: /** @type {const} */ ('sendonly'), streams: [stream] };
  try {
    return pc.addTransceiver(what, { ...init, sendEncodings: encodings });
  } catch {
    const plain = encodings.map(({ scalabilityMode, ...encoding }) => encoding);
    return pc.addTransceiver(what, { ...init, sendEncodings: plain });
  }
}

/** What the browser made of it: Firefox leaves out what it does not know. @param {RTCRtpTransceiver} transceiver @param {Encoding[]} wanted */
function taken(transceiver, wanted) {
  const encodings = /** @type {Encoding[]} */ (transceiver.sender.getParameters().encodings ?? []);
  return wanted.map((encoding, i) => ({ ...encoding, scalabilityMode: encodings[i]?.scalabilityMode }));
}

/** @param {Line} line */
function still(line) {
  line.choice = null;
  return tuneLine(line, (encodings) => {
    line.before = encodings.map(({ active }) => active !== false);
    encodings.forEach((encoding) => (encoding.active = false));
  });
}

/** @param {Line} line */
function wake(line) {
  tuneLine(line, (encodings) => encodings.forEach((encoding, i) => (encoding.active = line.before?.[i] ?? true)));
}

/** @param {Line} line @param {{rids: Record<string, boolean>, active: boolean}} choice */
function choose(line, { rids, active }) {
  line.choice = null;
  tuneLine(line, (encodings) => activate(encodings, rids, active));
}

/** @param {Line} line @param {(encodings: Encoding[]) => void} change */
function tuneLine(line, change) {
  line.tuned = line.tuned.then(async () => {
    const { sender } = line.transceiver;
    const parameters = sender.getParameters();
    if (!parameters.encodings?.length) return;
    const before = JSON.stringify(parameters.encodings);
    change(parameters.encodings);
    if (JSON.stringify(parameters.encodings) !== before) await sender.setParameters(parameters);
  }).catch(() => {}); // Stopped meanwhile, or not up yet: it keeps what it has.
  return line.tuned;
}
