// The panels beside the stage, one of them open at a time, and the small "something is new" on their buttons.

import { byId, button } from './dom.js';
import { texts } from './texts.js';

/** @typedef {'people' | 'chat' | 'polls' | 'stats'} PanelName */
/** @type {PanelName[]} */
const PANELS = ['people', 'chat', 'polls', 'stats'];
/** Those with a button of their own; the others are opened from the menu. @type {PanelName[]} */
const WITH_BUTTON = ['people', 'chat'];
const openerOf = (/** @type {PanelName} */ name) => byId(WITH_BUTTON.includes(name) ? name : 'more');
/** @type {((open: PanelName | '') => void)[]} */
const listeners = [];

export function wirePanels() {
  for (const name of PANELS) {
    const panel = byId(`${name}-panel`);
    panel.querySelector('header')?.append(button(texts.close, 'close', () => closePanels(), { class: 'bare', quiet: true }));
    panel.addEventListener('keydown', (event) => event.key === 'Escape' && (event.stopPropagation(), closePanels()));
  }
  for (const name of WITH_BUTTON) byId(name).addEventListener('click', () => togglePanel(name));
}

/** @returns {PanelName | ''} */
export function openPanel() {
  return PANELS.find((name) => !byId(`${name}-panel`).hidden) ?? '';
}

/** @param {PanelName} which the panel to open or to close; the others close */
export function togglePanel(which) {
  show(openPanel() === which ? '' : which);
  if (openPanel() !== which) return;
  const panel = byId(`${which}-panel`);
  /** @type {HTMLElement | null} */ (panel.querySelector('input') ?? panel.querySelector('button'))?.focus();
}

/** Closes what is open; the focus goes back to its button. @returns {boolean} whether there was one */
export function closePanels() {
  const was = openPanel();
  if (was === '') return false;
  show('');
  openerOf(was).focus();
  return true;
}

/** @param {(open: PanelName | '') => void} listener */
export function onPanel(listener) {
  listeners.push(listener);
}

/** @param {PanelName} which @param {boolean} isNew */
export function markPanel(which, isNew) {
  openerOf(which).classList.toggle('unread', isNew);
}

/** @param {PanelName | ''} which */
function show(which) {
  for (const name of PANELS) {
    byId(`${name}-panel`).hidden = name !== which;
    if (WITH_BUTTON.includes(name)) byId(name).setAttribute('aria-expanded', String(name === which));
  }
  if (which) markPanel(which, false);
  for (const listener of listeners) listener(which);
}
