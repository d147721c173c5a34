// The chat: everybody's lines, kept by nobody.

import { byId, element, toast } from './dom.js';
import { markPanel, onPanel, openPanel, togglePanel } from './call-panels.js';
import { texts } from './texts.js';

const LINES_KEPT = 500;
const NEAR_PX = 60;
const LINK = /https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)]/g;

/** @param {import('./weir-client.js').WeirClient} client */
export function wireChat(client) {
  client.on('chat', ({ userId, name, text }) => {
    if (userId === client.you.userId) return;
    addLine(userId, name, text);
    if (openPanel() === 'chat') return;
    markPanel('chat', true);
    toast(texts.chat.from(name, text), 'info', { label: texts.chat.show, act: () => togglePanel('chat') }).classList.add('chat');
  });
  onPanel((open) => {
    if (open !== 'chat') return;
    document.querySelectorAll('.toast.chat').forEach((node) => node.remove());
    byId('chat-list').scrollTop = byId('chat-list').scrollHeight;
  });
  byId('chat-form').addEventListener('submit', (event) => {
    event.preventDefault();
    const field = /** @type {HTMLInputElement} */ (byId('chat-text'));
    const text = field.value.trim();
    if (!text) return;
    client.sendChat(text);
    addLine('', texts.chat.own, text);
    field.value = '';
  });
}

/** @param {string} userId whose; empty for one's own @param {string} name @param {string} text */
function addLine(userId, name, text) {
  const list = byId('chat-list');
  const isOwn = userId === '';
  // Who reads what was said earlier is not torn away from it.
  const isAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < NEAR_PX;
  const now = new Date();
  const last = /** @type {HTMLElement | null} */ (list.lastElementChild);
  const item = element('div', { class: isOwn ? 'own' : '', 'data-from': userId });
  if (last?.dataset.from !== userId) {
    const time = element('time', {}, now.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' }));
    item.append(element('p', { class: 'by' }, element('b', {}, name), time));
  }
  item.append(element('p', { class: 'bubble' }, ...withLinks(text)));
  list.append(item);
  while (list.children.length > LINES_KEPT) list.firstElementChild?.remove();
  if (isOwn || isAtEnd) list.scrollTop = list.scrollHeight;
  byId('chat-empty').hidden = true;
}

/** @param {string} text @returns {(Node | string)[]} */
export function withLinks(text) {
  /** @type {(Node | string)[]} */
  const parts = [];
  let at = 0;
  for (const found of text.matchAll(LINK)) {
    parts.push(text.slice(at, found.index), element('a', { href: found[0], target: '_blank', rel: 'noopener noreferrer' }, found[0]));
    at = found.index + found[0].length;
  }
  return [...parts, text.slice(at)];
}
