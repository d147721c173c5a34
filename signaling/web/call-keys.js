// Single keys in a call, and the list of them.

import { button, byId, element } from './dom.js';
import { settings } from './settings.js';
import { texts } from './texts.js';

/** Where keys mean something else. @param {EventTarget | null} target */
function isTaken(target) {
  return target instanceof HTMLElement && target.matches('input, select, textarea, [contenteditable], dialog *');
}

/**
 * @param {Record<string, () => void>} actions by key, in lower case
 * @param {(isDown: boolean) => boolean} onSpace hold to speak; true if it meant something
 */
export function wireKeys(actions, onSpace) {
  let isSpeaking = false;
  addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.body.dataset.phase !== 'in') return;
    if (event.key === 'Escape') return actions.escape?.();
    if (isTaken(event.target) || !settings().shortcuts) return;
    if (event.key === ' ') {
      if (event.target instanceof HTMLButtonElement || event.target instanceof HTMLAnchorElement) return;
      event.preventDefault();
      if (!event.repeat) isSpeaking = onSpace(true);
      return;
    }
    const action = event.repeat ? undefined : actions[event.key.toLowerCase()];
    if (!action) return;
    event.preventDefault();
    action();
  });
  const stop = () => {
    if (isSpeaking) onSpace(false);
    isSpeaking = false;
  };
  addEventListener('keyup', (event) => event.key === ' ' && stop());
  addEventListener('blur', stop);
}

export function showKeys() {
  const dialog = /** @type {HTMLDialogElement} */ (byId('keys-dialog'));
  if (dialog.open) return dialog.close();
  const list = element('dl', { class: 'keys' });
  for (const [key, what] of texts.keys.list)
    list.append(element('div', {}, element('dt', {}, element('kbd', {}, key)), element('dd', {}, what)));
  dialog.replaceChildren(element('div', { class: 'stack' },
    element('h2', { id: 'keys-title' }, texts.keys.title),
    ...(settings().shortcuts ? [] : [element('p', { class: 'problem-line' }, texts.keys.off)]),
    list,
    button(texts.close, '', () => dialog.close(), { class: 'primary' })));
  dialog.showModal();
}
