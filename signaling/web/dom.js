// The few things that the pages need to build themselves: elements, icons, toasts.

const SVG = 'http://www.w3.org/2000/svg';

/** Outlines on a grid of 24, stroked in the colour of the text. @type {Record<string, string>} */
const ICONS = {
  mic: 'M12 3a3 3 0 0 0-3 3v6a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3zM5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3M8.5 21h7',
  micOff: 'M15 10V6a3 3 0 0 0-5.7-1.3M9 9v3a3 3 0 0 0 4.6 2.5M5.5 11.5a6.5 6.5 0 0 0 10.4 5.2M18.5 11.5a6.5 6.5 0 0 1-.5 2.5M12 18v3M8.5 21h7M3.5 3.5l17 17',
  camera: 'M4.5 6.5h9a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2h-9a2 2 0 0 1-2-2v-7a2 2 0 0 1 2-2zM15.5 11l6-3.5v9l-6-3.5',
  cameraOff: 'M9.5 6.5h4a2 2 0 0 1 2 2v4M15.5 11l6-3.5v9l-4-2.3M14 17.4a2 2 0 0 1-.5.1h-9a2 2 0 0 1-2-2v-7a2 2 0 0 1 1.7-2M3.5 3.5l17 17',
  screen: 'M4 4.5h16a1.5 1.5 0 0 1 1.5 1.5v9.5A1.5 1.5 0 0 1 20 17H4a1.5 1.5 0 0 1-1.5-1.5V6A1.5 1.5 0 0 1 4 4.5zM8 20.5h8M12 14V8M9 10.5L12 7.5l3 3',
  leave: 'M3 13.5c5-4.6 13-4.6 18 0l-1.8 2.6-4-1.5v-2.4a10 10 0 0 0-6.4 0v2.4l-4 1.5z',
  people: 'M9 11.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 19.5a6.5 6.5 0 0 1 13 0M16 4.9a3.5 3.5 0 0 1 0 6.4M17.5 14a6.5 6.5 0 0 1 4 5.5',
  chat: 'M4.5 4.5h15a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2H12l-5 4v-4H4.5a2 2 0 0 1-2-2v-8a2 2 0 0 1 2-2z',
  link: 'M10 14a4.5 4.5 0 0 0 6.4 0l3.2-3.2a4.5 4.5 0 0 0-6.4-6.4L12 5.6M14 10a4.5 4.5 0 0 0-6.4 0l-3.2 3.2a4.5 4.5 0 0 0 6.4 6.4L12 18.4',
  close: 'M6 6l12 12M18 6L6 18',
  sound: 'M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM15.5 9a4.2 4.2 0 0 1 0 6M18 6.5a8 8 0 0 1 0 11',
};

/** @param {string} name @returns {SVGSVGElement} */
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', ICONS[name]);
  svg.append(path);
  return svg;
}

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

/** Puts the icon named by data-icon into every element below that asks for one. */
export function fillIcons() {
  for (const node of document.querySelectorAll('[data-icon]'))
    node.prepend(icon(/** @type {HTMLElement} */ (node).dataset.icon ?? ''));
}

const TOAST_MS = 5_000;

/** Says something in passing. @param {string} text @param {'info' | 'problem'} [kind] */
export function toast(text, kind = 'info') {
  const stack = byId('toasts');
  for (const old of stack.children) if (old.textContent === text) old.remove();
  const node = element('p', { class: `toast ${kind}` }, text);
  stack.append(node);
  while (stack.children.length > 4) stack.firstElementChild?.remove();
  setTimeout(() => node.remove(), kind === 'problem' ? 2 * TOAST_MS : TOAST_MS);
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
