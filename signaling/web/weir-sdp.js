// Short offers: which codecs they name, and no line about any other.

/** What the server forwards; the rest would only make a long offer longer. @param {RTCRtpCodec} codec */
export function isWantedCodec({ mimeType, sdpFmtpLine = '' }) {
  switch (mimeType.toLowerCase()) {
    case 'audio/opus':
    case 'audio/red':
    case 'video/vp8':
    case 'video/av1':
    case 'video/rtx':
      return true;
    case 'video/vp9':
      return !/profile-id=[1-9]/.test(sdpFmtpLine);
    case 'video/h264':
      return /packetization-mode=1/.test(sdpFmtpLine) && /profile-level-id=(42[ec]0|42001f|640c)/i.test(sdpFmtpLine);
    default:
      return false;
  }
}

/**
 * Header extensions otherwise than browsers would have them: when a sound or picture was made, which they know but do not
 * offer; what frames depend on, which Chromium offers where it sends layers and not where it receives them, though without it
 * AV1 whose layers were thinned out cannot be decoded; and not those that the server does not forward.
 * @type {[end: string, direction: string][]}
 */
const EXTENSIONS = [
  ['/abs-capture-time', 'sendrecv'],
  ['#dependency-descriptor-rtp-header-extension', 'sendrecv'],
  ['/color-space', 'stopped'],
  [':toffset', 'stopped'],
  ['/video-content-type', 'stopped'],
  ['/video-layers-allocation00', 'stopped'],
  ['/video-timing', 'stopped'],
];

/** @typedef {{uri: string, direction: string}} HeaderExtension */
/**
 * @typedef {object} Extensible what Chromium alone has
 * @property {() => HeaderExtension[]} [getHeaderExtensionsToNegotiate]
 * @property {(list: HeaderExtension[]) => void} [setHeaderExtensionsToNegotiate]
 */

/** @param {RTCRtpTransceiver} transceiver */
export function trimExtensions(transceiver) {
  const extensible = /** @type {Extensible} */ (transceiver);
  const list = extensible.getHeaderExtensionsToNegotiate?.() ?? [];
  for (const entry of list) entry.direction = EXTENSIONS.find(([end]) => entry.uri.endsWith(end))?.[1] ?? entry.direction;
  extensible.setHeaderExtensionsToNegotiate?.(list);
}

/**
 * Firefox (153) goes on writing rtcp-fb lines for codecs that setCodecPreferences took out. Naming a
 * payload type that its m-line does not have is no valid SDP, and other parsers refuse it.
 * @param {string} sdp
 */
export function withoutStrayLines(sdp) {
  let payloadTypes = new Set();
  const isMeant = (/** @type {string} */ line) => {
    if (line.startsWith('m=')) payloadTypes = new Set(line.split(' ').slice(3));
    const [, payloadType] = /^a=(?:rtcp-fb|fmtp|rtpmap):(\d+) /.exec(line) ?? [];
    return payloadType === undefined || payloadTypes.has(payloadType);
  };
  return sdp.split('\r\n').filter(isMeant).join('\r\n');
}

/**
 * Asks for lost packets of Opus too, which browsers do when it is negotiated but do not offer: at a
 * usual round trip a repeated packet comes before it is due. And says that silence need not be sent.
 * @param {string} sdp
 */
export function withVoiceWishes(sdp) {
  const isOpus = (/** @type {string} */ payloadType) => sdp.includes(`a=rtpmap:${payloadType} opus/48000/2\r\n`);
  return sdp
    .replace(/^a=rtpmap:(\d+) opus\/48000\/2\r\n/gim, (line, payloadType) =>
      sdp.includes(`a=rtcp-fb:${payloadType} nack\r\n`) ? line : `${line}a=rtcp-fb:${payloadType} nack\r\n`)
    .replace(/^a=fmtp:(\d+) (?!.*usedtx)[^\r]*/gm, (line, payloadType) => (isOpus(payloadType) ? `${line};usedtx=1` : line));
}
