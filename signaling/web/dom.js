// The few things that the pages need to build themselves: elements, texts, toasts.

import { icon } from './icons.js';
import { textAt, texts } from './texts.js';

export { icon };

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, string>} [attributes]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/**
 * The element with this id, which the page has.
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} id
 * @returns {T}
 */
export function byId(id) {
  const node = document.getElementById(id);
  if (!node) throw new Error(`no element #${id}`);
  return /** @type {T} */ (node);
}

/**
 * A button with an icon; its label is seen, or only heard.
 * @param {string} label @param {string} name of the icon; empty for none
 * @param {() => void} onClick
 * @param {{class?: string, quiet?: boolean, id?: string}} [options] quiet: the label is a name and a tooltip alone
 */
export function button(label, name, onClick, { class: className = '', quiet = false, id = '' } = {}) {
  const node = element('button', { type: 'button' });
  if (className) node.className = className;
  if (id) node.id = id;
  if (name) node.append(icon(name));
  if (quiet) nameNode(node, label);
  else node.append(element('span', {}, label));
  node.addEventListener('click', onClick);
  return node;
}

/** Gives a node a name for those who hear and a tooltip for those who point. @param {HTMLElement} node @param {string} name */
export function nameNode(node, name) {
  node.setAttribute('aria-label', name);
  node.title = name;
}

/**
 * Fills what the page's markup leaves open: data-icon, data-text (what is read), data-label (the
 * name of something without text), data-placeholder; the values are paths into texts.js.
 * @param {ParentNode} [root]
 */
export function fillPage(root = document) {
  for (const node of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll('[data-text]')))
    node.textContent = textAt(node.dataset.text ?? '');
  for (const node of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll('[data-label]'))) {
    const name = textAt(node.dataset.label ?? '');
    node.setAttribute('aria-label', name);
    if (node instanceof HTMLButtonElement) node.title = name;
  }
  for (const node of /** @type {NodeListOf<HTMLInputElement>} */ (root.querySelectorAll('[data-placeholder]')))
    node.placeholder = textAt(node.dataset.placeholder ?? '');
  for (const node of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll('[data-icon]')))
    node.prepend(icon(node.dataset.icon ?? ''));
}

const TOAST_MS = 5_000;

/**
 * Says something in passing.
 * @param {string} text @param {'info' | 'problem'} [kind]
 * @param {{label: string, act: () => void}} [way] what can be done about it
 */
export function toast(text, kind = 'info', way) {
  const stack = byId('toasts');
  for (const old of stack.children) if (/** @type {HTMLElement} */ (old).dataset.text === text) old.remove();
  const node = element('div', { class: `toast ${kind}`, 'data-text': text });
  node.append(icon(kind === 'problem' ? 'warning' : 'info'), element('p', {}, text));
  if (way) node.append(button(way.label, '', () => (node.remove(), way.act()), { class: 'small' }));
  if (way || kind === 'problem') node.append(button(texts.close, 'close', () => node.remove(), { class: 'bare', quiet: true }));
  stack.append(node);
  while (stack.children.length > 3) stack.firstElementChild?.remove();
  setTimeout(() => node.remove(), kind === 'problem' ? 3 * TOAST_MS : TOAST_MS);
  return node;
}

/** @param {string} text @returns {Promise<boolean>} false where the browser does not let us */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** Opens a menu (a popover) beside the button that asked for it, within the window. @param {HTMLElement} menu @param {HTMLElement} opener */
export function openMenu(menu, opener) {
  if (menu.matches(':popover-open')) return menu.hidePopover();
  menu.showPopover();
  const from = opener.getBoundingClientRect();
  const { width, height } = menu.getBoundingClientRect();
  const isAbove = from.top > innerHeight / 2;
  menu.style.left = `${Math.max(8, Math.min(innerWidth - width - 8, from.left + from.width / 2 - width / 2))}px`;
  menu.style.top = `${Math.max(8, isAbove ? from.top - height - 8 : from.bottom + 8)}px`;
  /** @type {HTMLElement | null} */ (menu.querySelector('button, select, input'))?.focus();
}

/** "3:07", "1:02:03" @param {number} seconds */
export function clockOf(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const parts = [Math.floor(whole / 60) % 60, whole % 60].map((part) => String(part).padStart(2, '0'));
  if (whole >= 3600) parts.unshift(String(Math.floor(whole / 3600)));
  return parts.join(':');
}

/** @param {string} name @returns {string} its first and last word's first letters */
export function initials(name) {
  const words = name.trim().split(/\s+/).filter(Boolean);
  const letters = words.length > 1 ? [words[0], words[words.length - 1]] : words;
  return letters.map((word) => [...word][0].toUpperCase()).join('') || '?';
}

/** @param {string} text @returns {number} 0 to 7, the same for the same text */
export function hueOf(text) {
  let sum = 0;
  for (const letter of text) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 997;
  return sum % 8;
}

/** A round picture of somebody: initials on a colour of their own. @param {string} name @param {string} id */
export function avatar(name, id) {
  return element('span', { class: 'avatar', 'data-hue': String(hueOf(id)), 'aria-hidden': 'true' }, initials(name));
}

/**
 * Puts new nodes in the place of the old; whatever had the focus has it again, if its id is still there.
 * @param {Element} root @param {...(Node | string)} nodes
 */
export function render(root, ...nodes) {
  const focused = root.contains(document.activeElement) ? document.activeElement?.id : '';
  root.replaceChildren(...nodes);
  if (focused) document.getElementById(focused)?.focus();
}

/** What a list says when there is nothing to list. @param {string} sign @param {string} title @param {string} hint @param {...Node} ways */
export function emptyState(sign, title, hint, ...ways) {
  return element('div', { class: 'empty' }, icon(sign), element('h2', {}, title), element('p', {}, hint), ...ways);
}
