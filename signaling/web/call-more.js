// The menu of what is done less often, and on a small screen of all that has no button there.

import { attempt, canShareScreen } from './call-controls.js';
import { showKeys } from './call-keys.js';
import { togglePanel } from './call-panels.js';
import { openTimerMenu } from './call-timer.js';
import { isFull, isOutside, toggleFull, togglePicture } from './call-window.js';
import { button, byId, element, openMenu } from './dom.js';
import { showNetworkDialog } from './network-view.js';
import { texts } from './texts.js';

/** @typedef {import('./weir-client.js').WeirClient} WeirClient */
/** @typedef {import('./call-stage.js').Stage} Stage */

/** @param {WeirClient} client @param {Stage} stage @param {string} token */
export function wireMore(client, stage, token) {
  const opener = byId('more');
  const menu = byId('more-menu');
  const entry = (/** @type {string} */ label, /** @type {string} */ sign, /** @type {() => void} */ act, className = '') =>
    button(label, sign, () => (menu.hidePopover(), act()), { class: className });
  const press = (/** @type {string} */ id) => () => byId(id).click();
  const fill = () => {
    const { call } = texts;
    const isSharing = client.local.screen;
    const small = innerWidth < 768
      ? [
          ...(canShareScreen() ? [entry(isSharing ? texts.screen.on : texts.screen.off, 'screen', press('screen'))] : []),
          entry(client.handRaised ? call.hand.on : call.hand.off, 'hand', press('hand')),
          entry(call.reactions, 'smile', () => openMenu(byId('reactions-menu'), opener)),
          entry(stage.layout === 'grid' ? call.layout.speaker : call.layout.grid, 'speaker', () => stage.switchLayout()),
        ]
      : [];
    const isOwnCall = client.call.initiatorId !== '' && client.call.initiatorId === client.you.userId;
    menu.replaceChildren(
      ...small,
      entry(call.polls, 'poll', () => togglePanel('polls')),
      entry(call.timer, 'timer', () => openTimerMenu(client, opener)),
      ...(canShareScreen() && client.local.video && !isSharing
        ? [entry(call.swap.off, 'swap', () => attempt('screen', () => client.startScreenShare(undefined, { swap: true })))]
        : []),
      entry(isFull() ? call.full.on : call.full.off, 'full', toggleFull),
      ...(document.pictureInPictureEnabled ? [entry(isOutside() ? call.pip.on : call.pip.off, 'pip', () => togglePicture(stage.focus?.video))] : []),
      entry(call.stats, 'stats', () => togglePanel('stats')),
      entry(texts.network.title, 'network', () => showNetworkDialog(/** @type {HTMLDialogElement} */ (byId('network-dialog')), token)),
      entry(call.keys, 'keys', showKeys, 'wide-only'),
      ...(isOwnCall ? [entry(call.endAll, 'leave', () => askToEnd(client), 'danger-line')] : []),
    );
  };
  opener.addEventListener('click', () => {
    fill();
    openMenu(menu, opener);
  });
}

/** @param {WeirClient} client */
export function askToEnd(client) {
  const dialog = /** @type {HTMLDialogElement} */ (byId('end-dialog'));
  const end = button(texts.call.endAll, '', () => (dialog.close(), client.endCall()), { class: 'danger', id: 'end-yes' });
  const leave = button(texts.call.leaveOnly, '', () => (dialog.close(), client.leave()));
  dialog.replaceChildren(element('div', { class: 'stack' }, element('h2', { id: 'end-title' }, texts.call.leaveTitle),
    end, leave, button(texts.cancel, '', () => dialog.close())));
  dialog.showModal();
}
