// SDP for the tests: offers written by hand, and the few things that are read from answers.

const CRLF = '\r\n';

export const SOME_FINGERPRINT = Array.from({ length: 32 }, (_, i) => (i * 7).toString(16).padStart(2, '0').toUpperCase()).join(':');

const VIDEO = ['a=rtpmap:96 VP8/90000', 'a=rtcp-fb:96 nack', 'a=rtcp-fb:96 nack pli', 'a=rtcp-fb:96 ccm fir',
  'a=rtpmap:97 rtx/90000', 'a=fmtp:97 apt=96'];
const AUDIO = ['a=rtpmap:111 opus/48000/2', 'a=fmtp:111 minptime=10;useinbandfec=1'];

// One m-section of an offer: kind `audio` or `video`, direction, and optionally the SSRC it sends.
export function section({ mid, kind, direction, ssrc, ufrag, pwd, fingerprint, candidates = [], codec }) {
  const lines = codec ?? (kind === 'video' ? VIDEO : AUDIO);
  const payloads = [...new Set(lines.map((line) => /^a=rtpmap:(\d+)/.exec(line)?.[1]).filter(Boolean))];
  return [`m=${kind} 9 UDP/TLS/RTP/SAVPF ${payloads.join(' ')}`, 'c=IN IP4 0.0.0.0', 'a=rtcp:9 IN IP4 0.0.0.0',
    `a=ice-ufrag:${ufrag}`, `a=ice-pwd:${pwd}`, 'a=ice-options:trickle', `a=fingerprint:sha-256 ${fingerprint}`,
    'a=setup:actpass', `a=mid:${mid}`, `a=${direction}`, 'a=rtcp-mux', 'a=rtcp-rsize', ...lines,
    ...(ssrc ? [`a=msid:stream track-${mid}`, `a=ssrc:${ssrc} cname:tests`] : []), ...candidates];
}

// A whole offer. Sections are [{kind, direction, ssrc?, codec?}]; mids count from 0.
export function offer(sections, { ufrag = 'tests', pwd = 'a-password-of-tests-22', fingerprint = SOME_FINGERPRINT, candidates = [] } = {}) {
  const mids = sections.map((_, index) => String(index));
  return [
    'v=0', 'o=- 4611731400430051336 2 IN IP4 127.0.0.1', 's=-', 't=0 0', `a=group:BUNDLE ${mids.join(' ')}`,
    'a=extmap-allow-mixed', 'a=msid-semantic: WMS *',
    ...sections.flatMap((one, index) => section({ ...one, mid: mids[index], ufrag, pwd, fingerprint, candidates })), '',
  ].join(CRLF);
}

export const publishOffer = (given) => offer([
  { kind: 'video', direction: 'sendonly', ssrc: 0x11111111 }, { kind: 'audio', direction: 'sendonly', ssrc: 0x22222222 }], given);

export const playOffer = (given) => offer([
  { kind: 'video', direction: 'recvonly' }, { kind: 'audio', direction: 'recvonly' }], given);

export const linesOf = (sdp, prefix) => sdp.split(/\r?\n/).filter((line) => line.startsWith(prefix));

export const valueOf = (sdp, prefix) => linesOf(sdp, prefix)[0]?.slice(prefix.length);

// What an ICE and DTLS client needs to know of an answer.
export function remoteOf(sdp) {
  return {
    ufrag: valueOf(sdp, 'a=ice-ufrag:'), pwd: valueOf(sdp, 'a=ice-pwd:'),
    fingerprint: valueOf(sdp, 'a=fingerprint:sha-256 '), candidates: [...new Set(linesOf(sdp, 'a=candidate:'))],
  };
}

// The sdpfrag of RFC 8840 for trickling or restarting: candidates may be empty.
export function fragment({ ufrag, pwd, mid = '0', candidates = [], end = false }) {
  return [`a=ice-ufrag:${ufrag}`, `a=ice-pwd:${pwd}`, 'm=audio 9 UDP/TLS/RTP/SAVPF 0', `a=mid:${mid}`,
    ...candidates, ...(end ? ['a=end-of-candidates'] : []), ''].join(CRLF);
}
