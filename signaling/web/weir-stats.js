// The browser's statistics, cut down to what an application shows.

/** @typedef {import('./weir-roster.js').TileChange} TileChange */
/**
 * @typedef {object} TrackStats
 * @property {string} kind
 * @property {string} userId whose it is; empty for one's own and for empty slots
 * @property {string} source
 * @property {number} bytes
 * @property {number} packets
 * @property {number} packetsLost
 * @property {number} frames encoded or decoded
 * @property {number} width
 * @property {number} height
 * @property {string} codec
 * @property {string} rid of a simulcast layer that is sent, else empty
 * @property {boolean} active whether that layer is on
 * @property {number} fps
 * @property {string} limitedBy what keeps a sent picture small: none, cpu, bandwidth or other
 * @property {number} jitterMs of what is received
 * @property {number} freezes of a received picture, so far
 */
/** @typedef {{path: 'sfu' | 'direct', rttMs: number | null, availableBps: number | null, sent: TrackStats[], received: TrackStats[]}} Stats */

/**
 * @param {RTCStatsReport | undefined} report
 * @param {Map<string, TileChange>} tileOfTrack by the id of the slot's MediaStreamTrack
 * @param {'sfu' | 'direct'} [path] that the report is of
 * @returns {Stats}
 */
export function summarise(report, tileOfTrack, path = 'sfu') {
  /** @type {Stats} */
  const stats = { path, rttMs: null, availableBps: null, sent: [], received: [] };
  for (const entry of report?.values() ?? []) {
    if (entry.type === 'candidate-pair' && entry.nominated) addPath(stats, entry);
    else if (entry.type === 'outbound-rtp') stats.sent.push(trackStats(entry, undefined, report));
    else if (entry.type === 'inbound-rtp' && entry.packetsReceived > 0)
      stats.received.push(trackStats(entry, tileOfTrack.get(entry.trackIdentifier), report));
  }
  return stats;
}

/** @param {Stats} stats @param {Record<string, any>} pair */
function addPath(stats, pair) {
  stats.rttMs = pair.currentRoundTripTime === undefined ? null : pair.currentRoundTripTime * 1000;
  stats.availableBps = pair.availableOutgoingBitrate ?? null;
}

/**
 * @param {Record<string, any>} entry
 * @param {TileChange | undefined} tile
 * @param {RTCStatsReport | undefined} report
 * @returns {TrackStats}
 */
function trackStats(entry, tile, report) {
  return {
    kind: entry.kind,
    userId: tile?.userId ?? '',
    source: tile?.source ?? '',
    bytes: entry.bytesSent ?? entry.bytesReceived ?? 0,
    packets: entry.packetsSent ?? entry.packetsReceived ?? 0,
    packetsLost: entry.packetsLost ?? 0,
    frames: entry.framesEncoded ?? entry.framesDecoded ?? 0,
    width: entry.frameWidth ?? 0,
    height: entry.frameHeight ?? 0,
    codec: report?.get(entry.codecId)?.mimeType ?? '',
    rid: entry.rid ?? '',
    active: entry.active ?? true,
    fps: entry.framesPerSecond ?? 0,
    limitedBy: entry.qualityLimitationReason ?? 'none',
    jitterMs: (entry.jitter ?? 0) * 1000,
    freezes: entry.freezeCount ?? 0,
  };
}
