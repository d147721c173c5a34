// The list of who is here, and of who was called and is not here yet.

import { avatar, byId, element, icon } from './dom.js';
import { texts } from './texts.js';

/**
 * @typedef {object} Person
 * @property {string} userId
 * @property {string} name
 * @property {string} [label] if it is not the name
 * @property {boolean} audioEnabled
 * @property {boolean} videoEnabled
 * @property {boolean} screenSharing
 * @property {boolean} [handRaised]
 * @property {number | null} [quality]
 */
/** @typedef {{userId: string, name: string, status: string, isWaiting: boolean}} Awaited isWaiting: may still answer */

/** @param {Person[]} people oneself first @param {Awaited[]} [awaited] */
export function showPeople(people, awaited = []) {
  const count = texts.people(people.length);
  if (byId('count').textContent !== count) byId('count').textContent = count;
  if (byId('people-panel').hidden) return; // Somebody speaks every moment: not for a list that nobody sees.
  const raised = people.filter((one) => one.handRaised);
  const others = people.filter((one) => !one.handRaised);
  byId('people-list').replaceChildren(...[...raised, ...others].map(personItem), ...awaited.map(awaitedItem));
}

/** @param {Person} person */
function personItem({ userId, name, label = name, audioEnabled, videoEnabled, screenSharing, handRaised, quality }) {
  const states = element('span', { class: 'states' });
  if (handRaised) states.append(stateIcon('hand', texts.hand(name), 'hand-state'));
  if (screenSharing) states.append(stateIcon('screen', texts.call.sharing));
  if (quality) states.append(stateIcon('network', texts.call.quality[quality], `quality-${quality}`));
  states.append(audioEnabled ? stateIcon('mic', texts.lobby.microphone) : stateIcon('micOff', texts.call.muted, 'is-off'));
  states.append(videoEnabled ? stateIcon('camera', texts.lobby.camera) : stateIcon('cameraOff', texts.call.cameraOff, 'is-off'));
  return element('li', { 'data-person': userId }, avatar(name, userId), element('span', { class: 'name' }, label), states);
}

/** @param {Awaited} person */
function awaitedItem({ userId, name, status }) {
  const state = element('span', { class: 'soft small-text' }, texts.outgoing.status[status] ?? status);
  return element('li', { class: 'awaited', 'data-person': userId }, avatar(name, userId), element('span', { class: 'name' }, name), state);
}

/** @param {string} name @param {string} text @param {string} [className] */
function stateIcon(name, text, className = '') {
  return element('span', { role: 'img', 'aria-label': text, title: text, class: className }, icon(name));
}
