// The panel for the curious: the path, and every track sent and received, once a second.

import { onPanel } from './call-panels.js';
import { byId, element } from './dom.js';
import { texts } from './texts.js';

/** @typedef {import('./weir-stats.js').TrackStats} TrackStats */
const INTERVAL_MS = 1_000;

/** @param {import('./weir-client.js').WeirClient} client */
export function wireStats(client) {
  /** Bytes and frames a second ago. @type {Map<string, {bytes: number, frames: number, at: number}>} */
  let before = new Map();
  /** @type {ReturnType<typeof setInterval> | undefined} */
  let timer;
  const show = async () => {
    const stats = await client.stats();
    /** @type {typeof before} */
    const now = new Map();
    const at = performance.now();
    const rows = (/** @type {TrackStats[]} */ tracks, /** @type {string} */ direction) => tracks.filter(({ bytes }) => bytes > 0).map((track, index) => {
      const key = `${direction}${index}${track.userId}${track.source}`;
      now.set(key, { bytes: track.bytes, frames: track.frames, at });
      return row(track, nameOf(client, track, direction), rates(track, before.get(key), at));
    });
    const { rttMs, availableBps } = stats;
    const path = figures([
      [texts.stats.rtt, rttMs === null ? texts.network.unknown : texts.network.ms(rttMs)],
      [texts.stats.available, availableBps === null ? texts.network.unknown : texts.network.mbps(availableBps)],
    ]);
    byId('stats').replaceChildren(path, table(texts.stats.sent, rows(stats.sent, 'sent')), table(texts.stats.received, rows(stats.received, 'received')));
    before = now;
  };
  onPanel((open) => {
    clearInterval(timer);
    if (open !== 'stats') return;
    show();
    timer = setInterval(show, INTERVAL_MS);
  });
}

/** @param {TrackStats} track @param {{bytes: number, frames: number, at: number} | undefined} before @param {number} at */
function rates({ bytes, frames }, before, at) {
  const seconds = before ? (at - before.at) / 1000 : 0;
  if (!before || seconds <= 0) return { kbps: '…', fps: '…' };
  return { kbps: String(Math.round((bytes - before.bytes) / 125 / seconds)), fps: String(Math.round((frames - before.frames) / seconds)) };
}

/** @param {import('./weir-client.js').WeirClient} client @param {TrackStats} track @param {string} direction */
function nameOf(client, { userId, source, kind }, direction) {
  const who = direction === 'sent' ? texts.stats.own : (client.participants.get(userId)?.name ?? '–');
  return `${who}, ${texts.stats.source[source] ?? kind}`;
}

/** @param {TrackStats} track @param {string} name @param {{kbps: string, fps: string}} rate */
function row({ width, height, packetsLost, codec, kind }, name, { kbps, fps }) {
  const cells = [kbps, kind === 'video' ? `${width}×${height}` : '', kind === 'video' ? fps : '', String(packetsLost), codec.replace(/^.*\//, '')];
  return element('tr', {}, element('th', { scope: 'row' }, name), ...cells.map((cell) => element('td', {}, cell)));
}

/** @param {string} caption @param {HTMLTableRowElement[]} rows */
function table(caption, rows) {
  if (rows.length === 0) return element('p', { class: 'soft small-text' }, `${caption}: ${texts.stats.nothing}`);
  const { what, rate, size, fps, lost, codec } = texts.stats;
  const head = element('tr', {}, ...[what, rate, size, fps, lost, codec].map((name) => element('th', { scope: 'col' }, name)));
  return element('table', { class: 'figures-table' }, element('caption', {}, caption), element('thead', {}, head), element('tbody', {}, ...rows));
}

/** @param {[string, string][]} pairs */
export function figures(pairs) {
  return element('dl', { class: 'figures' },
    ...pairs.map(([name, value]) => element('div', {}, element('dt', {}, name), element('dd', {}, value))));
}
