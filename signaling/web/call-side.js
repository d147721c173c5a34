// The panels beside the stage: who is here, and the chat. One of them is open at a time.

import { byId, element, icon, toast } from './dom.js';
import { texts } from './texts.js';

/**
 * @typedef {object} Person
 * @property {string} userId
 * @property {string} name
 * @property {boolean} audioEnabled
 * @property {boolean} videoEnabled
 * @property {boolean} screenSharing
 */

/** @type {Record<string, HTMLElement>} by the id of the button */
const panels = { people: byId('people-panel'), chat: byId('chat-panel') };

/** @param {string} which the panel to open or to close; the others close */
export function togglePanel(which) {
  for (const [name, panel] of Object.entries(panels)) {
    panel.hidden = name === which ? !panel.hidden : true;
    byId(name).setAttribute('aria-expanded', String(!panel.hidden));
  }
  byId('chat').classList.remove('unread');
  if (which === 'chat' && !panels.chat.hidden) byId('chat-text').focus();
}

/** @param {Person[]} people oneself first */
export function showPeople(people) {
  byId('count').textContent = texts.people(people.length);
  byId('people-list').replaceChildren(...people.map(personItem));
}

/** @param {Person} person */
function personItem({ userId, name, audioEnabled, videoEnabled, screenSharing }) {
  const states = element('span', { class: 'states' });
  if (screenSharing) states.append(stateIcon('screen', texts.sharing));
  if (!audioEnabled) states.append(stateIcon('micOff', texts.muted));
  if (!videoEnabled) states.append(stateIcon('cameraOff', texts.cameraOff));
  return element('li', { 'data-person': userId }, element('span', { class: 'name' }, name), states);
}

/** @param {string} name @param {string} text */
function stateIcon(name, text) {
  return element('span', { role: 'img', 'aria-label': text, title: text }, icon(name));
}

/** @param {string} name @param {string} text */
export function addChatLine(name, text) {
  const list = byId('chat-list');
  list.append(element('li', {}, element('b', {}, name), element('span', {}, text)));
  while (list.children.length > 500) list.firstElementChild?.remove();
  list.scrollTop = list.scrollHeight;
}

/** Somebody else's line: said in passing when the panel is closed. @param {string} name @param {string} text */
export function receiveChatLine(name, text) {
  addChatLine(name, text);
  if (!panels.chat.hidden) return;
  byId('chat').classList.add('unread');
  toast(texts.chatFrom(name, text));
}
