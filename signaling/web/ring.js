// Somebody calls, whatever page one is on: how long it rings, the ringtone, the title, and the browser's
// own notification. How it looks is ring-view.js.

import { toast } from './dom.js';
import { chime, startOneRingtone } from './ringtone.js';
import { showRing } from './ring-view.js';
import { settings } from './settings.js';
import { texts } from './texts.js';
import { WeirNotifications } from './weir-client.js';

/** @typedef {{callId: string, name: string, initiatorId: string, channel: string, channelId: string, isVideo: boolean}} Caller channel: its name */
/**
 * @typedef {object} RingPlace what this page is to whoever is called
 * @property {() => string} here the call that it is the door of: that one does not ring; "" for none
 * @property {() => boolean} isBusy in a call a line tells, with a chime
 * @property {() => Promise<unknown>} leave what answering another call takes
 */
/** @type {RingPlace} */
const ANYWHERE = { here: () => '', isBusy: () => false, leave: async () => {} };
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

/** Listens for calls on a page that wants nothing else of the notifications. @param {import('./weir-client.js').WeirRest} rest @param {RingPlace} [place] */
export function ringHere(rest, place) {
  const notifications = new WeirNotifications({ token: rest.token });
  const ring = new Ring(rest, notifications, place);
  notifications.connect();
  return ring;
}

export class Ring {
  /** Those who call, the first one on the screen. @type {Caller[]} */
  #callers = [];
  #stopTone = () => {};
  #stopTitle = () => {};
  #hide = () => {};
  /** @type {Notification | null} */
  #note = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {import('./weir-client.js').WeirRest} rest @param {WeirNotifications} notifications @param {RingPlace} [place] */
  constructor(rest, notifications, place = ANYWHERE) {
    this.rest = rest;
    this.place = place;
    notifications.on('message', ({ message }) => {
      if (message.type === 'notification' && message.notification_type === 'CALL') this.#add(readCaller(message));
    });
    notifications.on('cancelled', ({ callId }) => this.#remove(callId, texts.ring.cancelled));
    notifications.on('answered-elsewhere', ({ callId }) => this.#remove(callId, () => texts.ring.elsewhere));
    addEventListener('pagehide', () => this.#quiet());
  }

  /** The page has become another place: whoever rings is shown as fits there. */
  refresh() {
    if (this.#callers.length === 0) return;
    this.#quiet();
    this.#ring();
  }

  /** @param {Caller} caller */
  #add(caller) {
    const isKnown = this.#callers.some(({ callId }) => callId === caller.callId);
    if (isKnown || caller.callId === this.place.here()) return;
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
    if (this.#callers.length > 0) this.#ring();
  }

  #ring() {
    const [caller] = this.#callers;
    const isBusy = this.place.isBusy();
    this.#hide = showRing(caller, {
      isBusy,
      answer: (query) => this.#answer(caller.callId, query),
      decline: () => this.#decline(caller.callId),
      silence: () => this.#stopTone(),
      nameOf: (channelId) => this.#nameOf(channelId),
    });
    if (settings().ringtone && isBusy) chime();
    else if (settings().ringtone) this.#stopTone = startOneRingtone();
    this.#stopTitle = flashTitle(texts.ring.tab(caller.name));
    this.#notify(caller);
    this.#timer = setTimeout(() => this.#remove(caller.callId), LONGEST_MS);
  }

  #quiet() {
    clearTimeout(this.#timer);
    this.#stopTone();
    this.#stopTitle();
    this.#hide();
    this.#note?.close();
    this.#note = null;
    this.#stopTone = this.#stopTitle = this.#hide = () => {};
  }

  /** @param {string} callId @param {string} query */
  async #answer(callId, query) {
    this.#quiet();
    this.#callers = [];
    await this.place.leave();
    location.href = `/calls/${callId}/${query}`;
  }

  /** @param {string} channelId @returns {Promise<string>} "": not known */
  async #nameOf(channelId) {
    const answer = await this.rest.channel(channelId).catch(() => null);
    return String(answer?.channel?.name ?? '');
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
