// Somebody calls: the modal, the ringtone, the title, and the browser's own notification.

import { avatar, button, byId, element, icon, toast } from './dom.js';
import { startRingtone } from './ringtone.js';
import { settings } from './settings.js';
import { texts } from './texts.js';

/** @typedef {{callId: string, name: string, initiatorId: string, channel: string, channelId: string, isVideo: boolean}} Caller channel: its name */
const FLASH_MS = 900;
/** The server gives up earlier; this is for one that died meanwhile. */
const LONGEST_MS = 90_000;

/** @param {Record<string, any>} message a notification as the server sends it @returns {Caller} */
export function readCaller(message) {
  const name = message.initiator_name ?? String(message.content ?? '').replace(/ is calling you.*$/, '');
  return {
    callId: String(message.call_id),
    name: String(name),
    initiatorId: String(message.initiator_id ?? ''),
    channel: String(message.channel_name ?? ''),
    channelId: String(message.channel_id ?? ''),
    isVideo: message.call_type === 'VIDEO',
  };
}

export class Ring {
  /** Those who call, the first one on the screen. @type {Caller[]} */
  #callers = [];
  #stopTone = () => {};
  #stopTitle = () => {};
  /** @type {Notification | null} */
  #note = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {import('./weir-client.js').WeirRest} rest @param {import('./weir-client.js').WeirNotifications} notifications */
  constructor(rest, notifications) {
    this.rest = rest;
    this.dialog = /** @type {HTMLDialogElement} */ (byId('ring'));
    // Escape is too easily pressed to hang up on somebody: it only makes the noise stop.
    this.dialog.addEventListener('cancel', (event) => (event.preventDefault(), this.#stopTone()));
    notifications.on('message', ({ message }) => {
      if (message.type === 'notification' && message.notification_type === 'CALL') this.#add(readCaller(message));
    });
    notifications.on('cancelled', ({ callId }) => this.#remove(callId, texts.ring.cancelled));
    notifications.on('answered-elsewhere', ({ callId }) => this.#remove(callId, () => texts.ring.elsewhere));
    addEventListener('pagehide', () => this.#quiet());
  }

  /** @param {Caller} caller */
  #add(caller) {
    if (this.#callers.some(({ callId }) => callId === caller.callId)) return;
    this.#callers.push(caller);
    if (this.#callers.length === 1) this.#ring();
  }

  /** @param {string} callId @param {(name: string) => string} [words] to say about it */
  #remove(callId, words) {
    const caller = this.#callers.find((one) => one.callId === callId);
    if (!caller) return;
    const wasShown = caller === this.#callers[0];
    this.#callers = this.#callers.filter((one) => one !== caller);
    if (words) toast(words(caller.name));
    if (!wasShown) return;
    this.#quiet();
    this.dialog.close();
    if (this.#callers.length > 0) this.#ring();
  }

  #ring() {
    const [caller] = this.#callers;
    this.#show(caller);
    if (settings().ringtone) this.#stopTone = startRingtone();
    this.#stopTitle = flashTitle(texts.ring.tab(caller.name));
    this.#notify(caller);
    this.#timer = setTimeout(() => this.#remove(caller.callId), LONGEST_MS);
  }

  #quiet() {
    clearTimeout(this.#timer);
    this.#stopTone();
    this.#stopTitle();
    this.#note?.close();
    this.#note = null;
  }

  /** @param {Caller} caller */
  #show(caller) {
    const { callId, name, initiatorId, channel, channelId, isVideo } = caller;
    const kind = isVideo ? texts.ring.video : texts.ring.audio;
    const line = element('span', {}, channel ? texts.ring.inChannel(kind, channel) : kind);
    if (!channel && channelId) this.#nameChannel(channelId, (name) => (line.textContent = texts.ring.inChannel(kind, name)));
    const answer = (/** @type {string} */ query) => () => {
      this.#quiet();
      location.href = `/calls/${callId}/${query}`;
    };
    const ways = [
      button(texts.ring.decline, 'leave', () => this.#decline(callId), { class: 'danger', id: 'decline' }),
      ...(isVideo ? [button(texts.ring.answerAudio, 'phone', answer('?join=audio'), { id: 'answer-audio' })] : []),
      button(texts.ring.answer, isVideo ? 'camera' : 'phone', answer(''), { class: 'go', id: 'answer' }),
    ];
    this.dialog.replaceChildren(
      element('div', { class: 'faces' }, avatar(name, initiatorId || name)),
      element('h2', { id: 'ring-title' }, texts.ring.title(name)),
      element('p', { class: 'soft kind' }, icon(isVideo ? 'camera' : 'phone'), line),
      element('div', { class: 'ways' }, ...ways));
    this.dialog.showModal();
    byId('answer').focus();
  }

  /** @param {string} channelId @param {(name: string) => void} tell */
  async #nameChannel(channelId, tell) {
    const answer = await this.rest.channel(channelId).catch(() => null);
    if (answer?.channel?.name) tell(String(answer.channel.name));
  }

  /** @param {string} callId */
  async #decline(callId) {
    this.#remove(callId);
    await this.rest.rejectCall(callId).catch((error) => error.status === 409 || toast(texts.failed(error.message), 'problem'));
  }

  /** @param {Caller} caller */
  #notify({ callId, name, isVideo }) {
    if (!document.hidden || !settings().notifications || !('Notification' in window) || Notification.permission !== 'granted') return;
    const note = new Notification(texts.ring.title(name), {
      body: isVideo ? texts.ring.video : texts.ring.audio, tag: callId, icon: '/static/weir.svg', requireInteraction: true,
    });
    note.onclick = () => {
      window.focus();
      note.close();
    };
    this.#note = note;
  }
}

/** @param {string} words @returns {() => void} puts the old title back */
function flashTitle(words) {
  const before = document.title;
  const flash = () => (document.title = document.title === words ? before : words);
  flash();
  const timer = setInterval(flash, FLASH_MS);
  return () => {
    clearInterval(timer);
    document.title = before;
  };
}
