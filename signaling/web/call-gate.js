// What stands in front of the call: waiting, and why there is no call any more, with a way out.

import { button, byId, element, icon } from './dom.js';
import { tabNote } from './settings.js';
import { texts } from './texts.js';
import { WeirError } from './weir-client.js';

/** @param {'entering' | 'lobby' | 'in' | 'over'} phase */
export function showPhase(phase) {
  document.body.dataset.phase = phase;
  byId('gate').hidden = phase === 'in';
  byId('room').inert = phase !== 'in';
  byId('entering').hidden = phase !== 'entering';
  byId('lobby').hidden = phase !== 'lobby';
  byId('notice').hidden = phase !== 'over';
}

/**
 * @typedef {object} Over
 * @property {string} title
 * @property {string} [text]
 * @property {string} [sign] icon
 * @property {{label: string, act: () => void}} [way] the first thing to do; without one there is the start page alone
 */

/** @param {Over} over */
export function showOver({ title, text = '', sign = 'door', way }) {
  for (const dialog of document.querySelectorAll('dialog[open]:not(#ring)')) /** @type {HTMLDialogElement} */ (dialog).close();
  byId('toasts').replaceChildren();
  showPhase('over');
  const heading = element('h1', { tabindex: '-1' }, title);
  const ways = element('div', { class: 'row' });
  if (way) ways.append(button(way.label, '', way.act, { class: 'primary grow', id: 'again' }));
  ways.append(element('a', { class: 'button grow', href: '/' }, texts.startPage));
  byId('notice').replaceChildren(element('span', { class: 'sign' }, icon(sign)), heading,
    ...(text ? [element('p', { class: 'soft' }, text)] : []), ways);
  heading.focus();
}

/** Comes in again without being asked anything. */
export function rejoin() {
  tabNote(`in.${location.pathname}`, 'yes');
  location.reload();
}

const FINAL = new Set([403, 404, 409, 4403, 4404, 4409]);
/** @type {Record<string, string>} */
const TITLES = {
  taken_over: texts.call.elsewhereTitle,
  removed: texts.call.kickedTitle,
  kicked: texts.call.kickedTitle,
  call_over: texts.call.overTitle,
  no_webrtc: texts.call.browserTitle,
};

/** @param {WeirError} error */
export function showRefusal(error) {
  const isElsewhere = error.code === 'taken_over';
  const isFinal = FINAL.has(error.status) || ['removed', 'kicked', 'no_webrtc'].includes(error.code);
  showOver({
    title: TITLES[error.code] ?? (isFinal ? texts.call.closedTitle : texts.call.failedTitle),
    text: texts.closed[error.code] ?? error.message,
    sign: isElsewhere ? 'swap' : 'warning',
    way: isFinal ? undefined : { label: isElsewhere ? texts.call.here : texts.call.again, act: rejoin },
  });
}
