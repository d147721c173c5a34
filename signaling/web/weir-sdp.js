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

const CAPTURE_TIME = 'http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time';

/** @typedef {{uri: string, direction: string}} HeaderExtension */
/** Chromium's alone: what else to say of packets. @typedef {{getHeaderExtensionsToNegotiate?: () => HeaderExtension[], setHeaderExtensionsToNegotiate?: (list: HeaderExtension[]) => void}} Extensible */

/**
 * When a sound or a picture was made, for who mixes or measures: browsers know it but do not offer it.
 * @param {RTCRtpTransceiver} transceiver
 */
export function withCaptureTime(transceiver) {
  const extensible = /** @type {Extensible} */ (transceiver);
  const list = extensible.getHeaderExtensionsToNegotiate?.() ?? [];
  const entry = list.find(({ uri }) => uri === CAPTURE_TIME);
  if (!entry || entry.direction !== 'stopped') return;
  entry.direction = 'sendrecv';
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
