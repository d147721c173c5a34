// From the server's list of calls to what a person wants to read of each. Pure.

import { clockOf } from './dom.js';
import { texts } from './texts.js';

/**
 * @typedef {object} PastCall
 * @property {string} callId
 * @property {'incoming' | 'outgoing' | 'missed'} kind
 * @property {boolean} isVideo
 * @property {boolean} isRunning
 * @property {boolean} isStarted somebody answered it
 * @property {{userId: string, name: string}[]} others
 * @property {string} channelId empty for none
 * @property {string} channelName
 * @property {string} status
 * @property {Date} at
 * @property {number} seconds
 */

/** @param {Record<string, any>} answer @param {string} ownId @param {number} pageSize @returns {{calls: PastCall[], pages: number}} */
export function readCalls(answer, ownId, pageSize) {
  const list = answer.calls ?? answer.results ?? [];
  const pages = answer.pages ?? Math.max(1, Math.ceil((answer.count ?? 0) / pageSize));
  return { calls: list.map((/** @type {any} */ raw) => readCall(raw, ownId)), pages };
}

/** @param {Record<string, any>} raw @param {string} ownId @returns {PastCall} */
function readCall(raw, ownId) {
  const status = String(raw.status);
  const direction = raw.direction === 'outgoing' ? 'outgoing' : 'incoming';
  return {
    callId: String(raw.call_id ?? raw.id),
    kind: raw.is_missed ? 'missed' : direction,
    isVideo: raw.call_type === 'VIDEO',
    isStarted: raw.started_at != null || Number(raw.duration) > 0,
    isRunning: status === 'ACTIVE' || status === 'RINGING',
    others: (raw.participants ?? [])
      .map((/** @type {any} */ one) => ({ userId: String(one.user_id), name: String(one.full_name || one.username || one.user_id) }))
      .filter((/** @type {any} */ one) => one.userId !== ownId),
    channelId: raw.channel_id ? String(raw.channel_id) : '',
    channelName: String(raw.channel_name ?? raw.channel?.name ?? ''),
    status,
    at: new Date(raw.started_at ?? raw.created_at),
    seconds: Number(raw.duration ?? 0),
  };
}

/** Whose call, or which channel's. @param {PastCall} call */
export function titleOf({ channelName, others }) {
  if (channelName) return `#${channelName}`;
  if (others.length === 0) return texts.history.meeting;
  return others.length === 1 ? others[0].name : texts.history.and(others[0].name, others.length - 1);
}

/** How long it took, or why it did not. @param {PastCall} call */
export function lengthOf({ kind, status, seconds, isRunning, isStarted }) {
  if (isRunning) return texts.history.running;
  if (kind === 'missed') return texts.history.missed;
  if (status === 'REJECTED') return texts.history.declined;
  return status === 'MISSED' || !isStarted ? texts.history.notAnswered : clockOf(seconds);
}

/** @param {Date} at @param {Date} [now] */
export function dayOf(at, now = new Date()) {
  const midnight = (/** @type {Date} */ date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
  const days = Math.round((midnight(now) - midnight(at)) / 86_400_000);
  if (days === 0) return texts.history.today;
  if (days === 1) return texts.history.yesterday;
  return at.toLocaleDateString([], { weekday: 'long', day: 'numeric', month: 'long', ...(at.getFullYear() === now.getFullYear() ? {} : { year: 'numeric' }) });
}

/** @param {Date} at */
export const timeOf = (at) => at.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
