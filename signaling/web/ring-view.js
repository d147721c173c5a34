// How a call that rings looks: a window over everything, or a line over the call that one is in.

import { avatar, button, element, icon } from './dom.js';
import { texts } from './texts.js';

/** @typedef {import('./ring.js').Caller} Caller */
/**
 * @typedef {object} RingWays
 * @property {boolean} isBusy
 * @property {(query: string) => void} answer
 * @property {() => void} decline
 * @property {() => void} silence the noise stops, the ringing goes on
 * @property {(channelId: string) => Promise<string>} nameOf
 */

/** @param {Caller} caller @param {RingWays} ways @returns {() => void} takes it away */
export function showRing(caller, ways) {
  const node = ways.isBusy ? line(caller, ways) : modal(caller, ways);
  return () => {
    if (node instanceof HTMLDialogElement) node.close(); // Which gives the focus back.
    node.remove();
  };
}

/** @param {Caller} caller @param {RingWays} ways */
function modal(caller, { answer, decline, silence, nameOf }) {
  const { name, initiatorId, isVideo } = caller;
  const accept = button(texts.ring.answer, isVideo ? 'camera' : 'phone', () => answer(''), { class: 'go', id: 'answer' });
  const dialog = element('dialog', { id: 'ring', class: 'card', 'aria-labelledby': 'ring-title' },
    element('div', { class: 'faces' }, avatar(name, initiatorId || name)),
    element('h2', { id: 'ring-title' }, texts.ring.title(name)),
    element('p', { class: 'soft kind' }, icon(isVideo ? 'camera' : 'phone'), kindOf(caller, nameOf)),
    element('div', { class: 'ways' },
      button(texts.ring.decline, 'leave', decline, { class: 'danger', id: 'decline' }),
      ...(isVideo ? [button(texts.ring.answerAudio, 'phone', () => answer('?join=audio'), { id: 'answer-audio' })] : []),
      accept));
  // Escape is too easily pressed to hang up on somebody: it only makes the noise stop.
  dialog.addEventListener('cancel', (event) => (event.preventDefault(), silence()));
  document.body.append(dialog);
  dialog.showModal();
  accept.focus();
  return dialog;
}

/** Takes no focus: one may be writing, or speaking. @param {Caller} caller @param {RingWays} ways */
function line(caller, { answer, decline, nameOf }) {
  const { name, initiatorId } = caller;
  const node = element('section', { id: 'ring-line', class: 'ring-line', 'aria-label': texts.ring.incoming },
    avatar(name, initiatorId || name),
    element('p', { role: 'alert' }, element('b', {}, texts.ring.title(name)), ' ', element('span', { class: 'soft' }, kindOf(caller, nameOf))),
    button(texts.ring.decline, 'leave', decline, { class: 'danger small', id: 'decline' }),
    button(texts.ring.switch, 'phone', () => answer('?join'), { class: 'go small', id: 'answer' }));
  document.body.prepend(node);
  return node;
}

/** "Video call in design" @param {Caller} caller @param {RingWays['nameOf']} nameOf */
function kindOf({ isVideo, channel, channelId }, nameOf) {
  const kind = isVideo ? texts.ring.video : texts.ring.audio;
  const node = element('span', {}, channel ? texts.ring.inChannel(kind, channel) : kind);
  if (!channel && channelId) nameOf(channelId).then((name) => name && (node.textContent = texts.ring.inChannel(kind, name)));
  return node;
}
