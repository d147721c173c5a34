// The caller's side of a call that rings: who is called, how that goes, and the end of it in words.

import { avatar, button, byId, element } from './dom.js';
import { showOver } from './call-gate.js';
import { initiate } from './home-start.js';
import { startRingback } from './ringtone.js';
import { settings, tabNote } from './settings.js';
import { texts } from './texts.js';
import { WeirRest } from './weir-client.js';

const POLL_MS = 1_500;
const WAITING = new Set(['INVITED', 'RINGING']);
const UNANSWERED = new Set(['REJECTED', 'MISSED', 'BUSY']);

/** @typedef {import('./call-people.js').Awaited} Awaited */
/** @typedef {{status: string, type: string, awaited: Awaited[]}} Ringing */

/**
 * @param {Record<string, any>} answer of the server @param {string} ownId
 * @param {string[]} [busy] user ids of those who were in another call when this one began
 * @returns {Ringing}
 */
export function readRinging(answer, ownId, busy = []) {
  const others = (answer.participants ?? []).filter((/** @type {any} */ one) => String(one.user_id) !== ownId);
  return {
    status: String(answer.status),
    type: String(answer.call_type),
    awaited: others
      .filter((/** @type {any} */ one) => WAITING.has(one.status) || UNANSWERED.has(one.status))
      .map((/** @type {any} */ one) => ({ userId: String(one.user_id), name: String(one.full_name || one.username), status: statusOf(one, busy), isWaiting: WAITING.has(one.status) })),
  };
}

/** Who is busy, and has not answered all the same. @param {any} one @param {string[]} busy */
const statusOf = (one, busy) => (one.status !== 'REJECTED' && busy.includes(String(one.user_id)) ? 'BUSY' : String(one.status));

/** @param {Ringing} ringing @returns {string | null} how a call ended that nobody answered; null: it was answered, or goes on */
export function unanswered({ status, awaited }) {
  if (!UNANSWERED.has(status)) return null;
  const kinds = new Set(awaited.map((one) => one.status));
  return kinds.size === 1 ? [...kinds][0] : status;
}

export class RingingView {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {(() => void) | null} */
  #stopTone = null;
  #tile = { key: 'ringing', element: element('div', { class: 'tile ringing' }) };
  /** What stands on the stage while it rings. @type {{key: string, element: HTMLElement} | null} */
  tile = null;
  /** @type {Ringing | null} */
  last = null;

  /**
   * @param {import('./weir-client.js').WeirClient} client @param {string} callId @param {WeirRest} rest
   * @param {{show: () => void, changed: () => void}} hooks
   */
  constructor(client, callId, rest, hooks) {
    this.client = client;
    this.callId = callId;
    this.rest = rest;
    this.hooks = hooks;
  }

  /** Who was called and is not here. @returns {Awaited[]} */
  get awaited() {
    return (this.last?.awaited ?? []).filter(({ userId }) => !this.client.participants.has(userId));
  }

  /** Looks how it goes until nobody is awaited any more. @returns {Promise<void>} */
  async start() {
    clearTimeout(this.#timer);
    const answer = await this.rest.callStatus(this.callId).catch(() => null);
    if (answer) this.#on(this.#read(answer));
    const goesOn = this.last?.awaited.some(({ isWaiting }) => isWaiting) && this.client.state !== 'closed';
    if (goesOn) this.#timer = setTimeout(() => this.start(), POLL_MS);
  }

  stop() {
    clearTimeout(this.#timer);
    this.#stopTone?.();
    this.#stopTone = null;
  }

  /** The call closed: was it because nobody came? @returns {Promise<boolean>} whether that was said */
  async explainEnd() {
    this.stop();
    if (!this.last) return false;
    const answer = await this.rest.callStatus(this.callId).catch(() => null);
    const why = answer && unanswered(this.#read(answer));
    if (!why) return false;
    const userIds = (this.last?.awaited ?? []).map(({ userId }) => userId);
    const again = async () => {
      const type = this.last?.type === 'AUDIO' ? 'AUDIO' : 'VIDEO';
      location.href = `/calls/${await initiate(this.rest, type, { user_ids: userIds })}/?join`;
    };
    showOver({
      title: texts.outgoing.endTitle[why] ?? texts.call.overTitle,
      text: texts.outgoing.endText[why],
      sign: 'phone',
      way: { label: texts.outgoing.callAgain, act: () => again().catch((error) => showOver({ title: texts.call.failedTitle, text: error.message })) },
    });
    return true;
  }

  /** @param {Record<string, any>} answer */
  #read(answer) {
    return readRinging(answer, this.client.you.userId, tabNote(`busy.${this.callId}`).split(' '));
  }

  /** @param {Ringing} ringing */
  #on(ringing) {
    const before = JSON.stringify(this.last);
    this.last = ringing;
    if (JSON.stringify(ringing) === before) return;
    const isAlone = this.client.participants.size === 0;
    const isRinging = isAlone && this.awaited.some(({ isWaiting }) => isWaiting);
    if (isRinging) this.#show();
    else this.hide();
    this.hooks.changed();
  }

  #show() {
    const [first] = this.awaited;
    const names = this.awaited.map(({ name }) => name).join(', ');
    const words = ['RINGING', 'INVITED', 'BUSY'].find((status) => this.awaited.some((one) => one.status === status)) ?? 'INVITED';
    const state = texts.outgoing.status[words];
    const faces = element('div', { class: 'faces' }, ...this.awaited.slice(0, 4).map(({ name, userId }) => avatar(name, userId)));
    const list = this.awaited.length > 1
      ? [element('ul', { class: 'soft small-text' }, ...this.awaited.map(({ name, status }) => element('li', {}, `${name}: ${texts.outgoing.status[status] ?? status}`)))]
      : [];
    this.#tile.element.replaceChildren(faces, element('h2', {}, this.awaited.length > 3 ? `${first.name} +${this.awaited.length - 1}` : names),
      element('p', { class: 'soft', role: 'status' }, state), ...list,
      button(texts.outgoing.hangUp, 'leave', () => byId('leave').click(), { class: 'danger' }));
    if (!this.#stopTone && settings().ringtone) this.#stopTone = startRingback();
    this.tile = this.#tile;
    this.hooks.show();
  }

  hide() {
    this.#stopTone?.();
    this.#stopTone = null;
    this.tile = null;
    this.hooks.show();
  }
}
