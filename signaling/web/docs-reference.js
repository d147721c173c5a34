// The reference: read from the comment at the head of weir-client.js, so that it is never another one.

import { element } from './dom.js';

/** @typedef {{title: string, items: {code: string, text: string}[]}} Part */
const BEGIN = 'THE WHOLE INTERFACE';

/** @param {string} source of weir-client.js @returns {Part[]} */
export function readReference(source) {
  const lines = source.split('\n');
  const head = lines.slice(0, lines.findIndex((line) => !line.startsWith('//')));
  const text = head.map((line) => line.replace(/^\/\/ ?/, '')).join('\n');
  const paragraphs = text.slice(Math.max(0, text.indexOf(BEGIN))).split(/\n\s*\n/).slice(1);
  return paragraphs.map(readPart);
}

/** "Title: item · item" @param {string} paragraph @returns {Part} */
function readPart(paragraph) {
  const words = paragraph.replace(/\s+/g, ' ').trim();
  const at = words.search(/: (?!')/);
  const isTitled = at > 0 && at < 60 && !words.startsWith('new ');
  const title = isTitled ? words.slice(0, at) : 'Constructor';
  return { title, items: (isTitled ? words.slice(at + 2) : words).split(' · ').map(readItem) };
}

/** "name(arguments) what it does" @param {string} item */
function readItem(item) {
  const [, code = '', text = ''] = /^((?:new )?[.\w-]+(?:\([^)]*\))?(?: \{[^}]*\})?)(.*)$/.exec(item.trim()) ?? [];
  return code ? { code, text: text.trim() } : { code: '', text: item };
}

/** @param {Part[]} parts @returns {HTMLElement[]} */
export function referenceView(parts) {
  return parts.map(({ title, items }) => element('section', { class: 'part' },
    element('h3', {}, title),
    element('ul', {}, ...items.map(({ code, text }) => element('li', {}, element('code', {}, code), text ? ` ${text}` : '')))));
}
