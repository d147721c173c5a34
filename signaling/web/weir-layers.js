// What each source is encoded as: how many layers, how large, at which rate, and by which codec.

/** @typedef {import('./weir-roster.js').Source} Source */
/** @typedef {import('./weir-roster.js').Kind} Kind */
/** @typedef {'vp8' | 'vp9' | 'av1' | 'h264'} VideoCodec */
/**
 * @typedef {object} LayerOptions
 * @property {VideoCodec} codec
 * @property {boolean} simulcast several layers, by simulcast or, where the codec has it, by SVC
 */
/** @typedef {RTCRtpEncodingParameters & {scalabilityMode?: string}} Encoding */

const AUDIO_BPS = { microphone: 40_000, screen_audio: 96_000 };

/** The most that a picture of so many lines is worth, as libwebrtc's own ladder has it. */
const RATES = [
  { lines: 90, bps: 80_000 },
  { lines: 180, bps: 160_000 },
  { lines: 270, bps: 350_000 },
  { lines: 360, bps: 600_000 },
  { lines: 540, bps: 1_200_000 },
  { lines: 720, bps: 2_000_000 },
  { lines: 1080, bps: 4_000_000 },
];
const SINGLE_CAMERA_BPS = 1_500_000;
/** An unopened camera is taken for the one that is asked for. */
const USUAL_LINES = 720;
/** Below these a browser sends fewer layers than it was asked for, and not the ones one would think. */
const LINES_FOR_THREE = 540;
const LINES_FOR_TWO = 270;

/** SVC: the upper layers lean on the lower ones in keyframes alone, so that each can be forwarded by itself. */
const SVC_MODE = 'L3T3_KEY';
/** @type {ReadonlySet<VideoCodec>} */
const SVC_CODECS = new Set(/** @type {VideoCodec[]} */ (['vp9', 'av1']));

/** @param {number} lines of a picture @returns {number} bits per second */
export function rateFor(lines) {
  return (RATES.find((row) => lines <= row.lines) ?? RATES[RATES.length - 1]).bps;
}

/** @param {MediaStreamTrack | null | undefined} track @returns {number} lines of its picture, of the shorter side */
export function linesOf(track) {
  const { width = 0, height = 0 } = track?.getSettings() ?? {};
  return Math.min(width, height) || height || USUAL_LINES;
}

/** @param {string} rid @param {number} scale @param {number} lines @param {Partial<Encoding>} [more] @returns {Encoding} */
function layer(rid, scale, lines, more = {}) {
  return { rid, active: true, scaleResolutionDownBy: scale, maxBitrate: rateFor(lines / scale), ...more };
}

/** From low to high: both browser families want them in this order. @param {number} lines @returns {Encoding[]} */
function cameraLadder(lines) {
  if (lines >= LINES_FOR_THREE) return [layer('q', 4, lines), layer('h', 2, lines), layer('f', 1, lines)];
  if (lines >= LINES_FOR_TWO) return [layer('h', 2, lines), layer('f', 1, lines)];
  return [];
}

/** A screen is read: full size at few frames a second, and a small one for thumbnails. @param {number} lines */
function screenLadder(lines) {
  if (lines < LINES_FOR_THREE) return [];
  return [
    layer('h', 2, lines, { maxBitrate: 300_000, maxFramerate: 5 }),
    layer('f', 1, lines, { maxBitrate: 2_500_000, maxFramerate: 15 }),
  ];
}

/**
 * @param {Source} source @param {number} lines of the picture @param {LayerOptions} options
 * @returns {Encoding[]} at least one
 */
export function encodingsFor(source, lines, { codec, simulcast }) {
  if (source === 'microphone' || source === 'screen_audio') return [{ maxBitrate: AUDIO_BPS[source] }];
  if (source === 'screen') {
    const ladder = simulcast && !SVC_CODECS.has(codec) ? screenLadder(lines) : [];
    return ladder.length > 0 ? ladder : [{ maxBitrate: 2_500_000, maxFramerate: 15 }];
  }
  if (simulcast && SVC_CODECS.has(codec)) return [{ maxBitrate: rateFor(lines), scalabilityMode: SVC_MODE }];
  const ladder = simulcast ? cameraLadder(lines) : [];
  return ladder.length > 0 ? ladder : [{ maxBitrate: Math.min(SINGLE_CAMERA_BPS, rateFor(lines)) }];
}

/** Whether the server can choose among what these carry. @param {Encoding[]} encodings */
export function isLayered(encodings) {
  return encodings.length > 1 || encodings.some(({ scalabilityMode = '' }) => /^L[23]/.test(scalabilityMode));
}

/** Whether a line made for the one can carry the other: RIDs are fixed when it is made. @param {Encoding[]} a @param {Encoding[]} b */
export function isSameShape(a, b) {
  const shape = (/** @type {Encoding[]} */ list) => list.map(({ rid = '' }) => rid).join();
  return shape(a) === shape(b);
}

/**
 * Codecs in the order in which to offer them for sending: the browser sends the first that the server answers.
 * @template {{mimeType: string}} C
 * @param {C[]} codecs as the browser lists them @param {Source} source @param {{codec: VideoCodec, red: boolean}} options
 * @returns {C[]}
 */
export function sendingOrder(codecs, source, { codec, red }) {
  const isVoice = source === 'microphone';
  const wanted = source === 'camera' || source === 'screen' ? `video/${codec}` : isVoice && red ? 'audio/red' : 'audio/opus';
  const isWanted = (/** @type {C} */ { mimeType }) => mimeType.toLowerCase() === wanted;
  const isLeftOut = (/** @type {C} */ { mimeType }) => mimeType.toLowerCase() === 'audio/red' && !(isVoice && red);
  const left = codecs.filter((one) => !isLeftOut(one));
  return [...left.filter(isWanted), ...left.filter((one) => !isWanted(one))];
}

/**
 * Which encodings are to run, as `publish_layers` says.
 * @param {Encoding[]} encodings changed in place
 * @param {Record<string, boolean>} rids whether somebody watches each
 * @param {boolean} active whether somebody watches any
 */
export function activate(encodings, rids, active) {
  for (const encoding of encodings) encoding.active = encoding.rid ? (rids[encoding.rid] ?? encoding.active) : active;
}
