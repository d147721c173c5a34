// Raised hands and reactions.

import { byId, element, nameNode, openMenu, toast } from './dom.js';
import { icon, picture, REACTIONS } from './icons.js';
import { texts } from './texts.js';

/** Others' pages may send what they like: characters stand for our pictures. @type {Record<string, string>} */
const PICTURE_OF = { '👍': 'thumb', '❤️': 'heart', '😂': 'laugh', '😮': 'wow', '🎉': 'party' };
const CHARACTER_OF = Object.fromEntries(Object.entries(PICTURE_OF).map(([character, name]) => [name, character]));

/** @param {import('./weir-client.js').WeirClient} client @param {import('./call-stage.js').Stage} stage */
export function wireSignals(client, stage) {
  const menu = byId('reactions-menu');
  for (const name of REACTIONS) {
    const node = element('button', { type: 'button', class: 'bare' }, picture(name));
    nameNode(node, texts.reaction[name]);
    node.addEventListener('click', () => {
      client.react(CHARACTER_OF[name]);
      stage.tileOf('own')?.react(name);
      menu.hidePopover();
    });
    menu.append(node);
  }
  const opener = byId('reactions');
  opener.addEventListener('click', () => openMenu(menu, opener));
  byId('hand').addEventListener('click', () => client.raiseHand(!client.handRaised));
  client.on('hand', ({ userId, raised }) => {
    if (userId === client.you.userId) return showHand(raised);
    const name = client.participants.get(userId)?.name;
    if (raised && name) toast(texts.hand(name));
  });
  client.on('reaction', ({ userId, name, emoji }) => {
    const what = PICTURE_OF[emoji];
    const tile = stage.tileOf(userId);
    if (what && tile && !tile.element.hidden) tile.react(what);
    else toast(texts.reacts(name, what ? texts.reaction[what] : emoji));
  });
  showHand(false);
}

/** @param {boolean} isRaised */
function showHand(isRaised) {
  const node = byId('hand');
  node.replaceChildren(icon('hand'), element('span', {}, texts.call.hand.label));
  node.setAttribute('aria-pressed', String(isRaised));
  node.classList.toggle('active', isRaised);
  node.title = isRaised ? texts.call.hand.on : texts.call.hand.off;
}
