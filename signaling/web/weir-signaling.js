// The WebSocket of one participant. It reconnects by itself: within the server's grace time as the
// same participant (?resume=TOKEN), after that as a new one (`join`). What is said meanwhile waits.

import { WeirError } from './weir-rest.js';

/** @typedef {Record<string, any>} Message */
/**
 * @typedef {object} SignalingHooks
 * @property {boolean} direct               whether it can do without the server's media in a call of two
 * @property {() => Promise<void>} enter    called before a connection that is not a resumption
 * @property {(message: Message, resumed: boolean) => void} onWelcome
 * @property {(message: Message) => void} onMessage every message but `welcome`
 * @property {() => void} onDrop            the connection broke; another attempt is on its way
 * @property {(error: WeirError) => void} onRefused the server will not have us; no more attempts
 */

/** The server keeps a participant without a WebSocket for 30 s; later a resumption is pointless. */
const RESUME_MS = 30_000;
const WELCOME_TIMEOUT_MS = 10_000;
const GIVE_UP_MS = 300_000;
const START_OVER_MS = 10_000;
const OUTBOX_LIMIT = 100;
/** An HTTP answer of this kind will not change by asking again. */
const FINAL_STATUS = new Set([400, 401, 403, 404, 409]);

/** @type {Record<number, [code: string, message: string]>} */
const CLOSE_REASONS = {
  1000: ['left', 'You have left this call'],
  1009: ['too_big', 'The server takes no message of this size'],
  4401: ['unauthorized', 'Please sign in first'],
  4403: ['not_invited', 'You are not invited to this call'],
  4408: ['taken_over', 'You have joined this call elsewhere'],
  4404: ['not_found', 'There is no such call'],
  4409: ['call_over', 'This call is over'],
};

/** The reasons that the server gives with a code. @type {Record<string, [code: string, message: string]>} */
const REASONS = {
  removed: ['removed', 'You have been removed from this call'],
};

/** @param {{baseUrl: string, callId: string, token: string}} options @returns {string} */
export function socketUrl({ baseUrl, callId, token }) {
  const url = new URL(`${baseUrl}/ws/call/${encodeURIComponent(callId)}/`, location.href);
  url.protocol = url.protocol.replace('http', 'ws');
  if (token) url.searchParams.set('access_token', token);
  return url.href;
}

/**
 * Doubles from half a second up to ten, less up to a half at random so that a server that comes back
 * is not met by everyone at once.
 * @param {number} attempt from 0 @param {number} random 0..1
 */
export function backoffMs(attempt, random) {
  return Math.round(Math.min(10_000, 500 * 2 ** attempt) * (1 - random / 2));
}

export class Signaling {
  /** @param {string} url of the WebSocket, with its credentials @param {SignalingHooks} hooks */
  constructor(url, hooks) {
    this.url = url;
    this.hooks = hooks;
    this.isOpen = false;
    /** @type {WebSocket | null} */
    this.socket = null;
    this.resumeToken = '';
    this.droppedAt = 0;
    this.startedOverAt = 0;
    this.attempt = 0;
    /** When it will connect again; 0: it is connected, or about to be. */
    this.retryAt = 0;
    this.isClosed = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    /** @type {Message[]} */
    this.outbox = [];
  }

  /** Connects; from then on only close() or a refusal ends it. */
  connect() {
    this.droppedAt = Date.now();
    this.#attempt();
  }

  /** @param {Message} message sent now, or after the next resumption */
  send(message) {
    if (this.isOpen) this.#write(message);
    else if (this.outbox.length < OUTBOX_LIMIT) this.outbox.push(message);
  }

  /** @param {Message} message sent now or not at all @returns {boolean} whether it was */
  sendNow(message) {
    if (this.isOpen) this.#write(message);
    return this.isOpen;
  }

  /** Gives the participant up and starts as a new one; a second time in a row not at once. */
  startOver() {
    if (this.isClosed) return;
    this.resumeToken = '';
    this.outbox = [];
    this.#drop();
    const isRepeated = Date.now() - this.startedOverAt < START_OVER_MS;
    this.startedOverAt = Date.now();
    this.timer = setTimeout(() => this.#attempt(), isRepeated ? START_OVER_MS / 2 : 0);
  }

  /** Does not wait for the back-off: the network has just come back. */
  retryNow() {
    if (this.isClosed || this.socket) return;
    this.attempt = 0;
    this.#attempt();
  }

  close() {
    this.isClosed = true;
    this.#drop();
  }

  async #attempt() {
    clearTimeout(this.timer);
    this.retryAt = 0;
    const resuming = this.resumeToken !== '' && Date.now() - this.droppedAt < RESUME_MS;
    try {
      if (!resuming) await this.hooks.enter();
    } catch (error) {
      this.#onEnterFailed(/** @type {WeirError} */ (error));
      return;
    }
    if (!this.isClosed && !this.socket) this.#openSocket(resuming);
  }

  /** @param {WeirError} error */
  #onEnterFailed(error) {
    if (this.isClosed) return;
    if (FINAL_STATUS.has(error.status)) this.#refuse(error);
    else this.#retryLater();
  }

  /** @param {boolean} resuming */
  #openSocket(resuming) {
    const url = new URL(this.url);
    if (resuming) url.searchParams.set('resume', this.resumeToken);
    const socket = new WebSocket(url);
    this.socket = socket;
    this.timer = setTimeout(() => socket.close(), WELCOME_TIMEOUT_MS);
    socket.onopen = () => {
      if (!resuming) socket.send(JSON.stringify({ type: 'join', media: 'sfu', direct: this.hooks.direct }));
    };
    socket.onmessage = ({ data }) => this.#onMessage(JSON.parse(data), resuming);
    socket.onclose = ({ code, reason }) => this.#onClose(code, reason, resuming);
  }

  /** @param {Message} message @param {boolean} resuming */
  #onMessage(message, resuming) {
    if (message.type === 'welcome') this.#onWelcome(message, resuming && message.resumed !== false);
    else if (this.isOpen) this.hooks.onMessage(message);
    else if (message.type === 'error') this.#onEarlyError(message, resuming);
  }

  /** @param {Message} message @param {boolean} resumed */
  #onWelcome(message, resumed) {
    clearTimeout(this.timer);
    this.isOpen = true;
    this.attempt = 0;
    this.resumeToken = message.resume_token ?? '';
    const waiting = resumed ? this.outbox : [];
    this.outbox = [];
    this.hooks.onWelcome(message, resumed);
    waiting.forEach((entry) => this.send(entry));
  }

  /** An error instead of a welcome. @param {Message} message @param {boolean} resuming */
  #onEarlyError(message, resuming) {
    if (resuming) this.startOver();
    else this.#refuse(new WeirError(message.code, message.message));
  }

  /** @param {number} code @param {string} reason @param {boolean} resuming */
  #onClose(code, reason, resuming) {
    const wasOpen = this.isOpen;
    this.#drop();
    if (code in CLOSE_REASONS || code >= 4000) {
      if (resuming && !wasOpen) return this.startOver();
      const [word, text] = REASONS[reason] ?? CLOSE_REASONS[code] ?? ['closed', reason || 'The server closed the connection'];
      return this.#refuse(new WeirError(word, text, code));
    }
    this.hooks.onDrop();
    this.#retryLater();
  }

  #retryLater() {
    if (this.isClosed) return;
    if (Date.now() - this.droppedAt > GIVE_UP_MS)
      return this.#refuse(new WeirError('network', 'The server does not answer'));
    const ms = backoffMs(this.attempt++, Math.random());
    this.retryAt = Date.now() + ms;
    this.timer = setTimeout(() => this.#attempt(), ms);
  }

  /** @param {WeirError} error */
  #refuse(error) {
    this.close();
    this.hooks.onRefused(error);
  }

  /** Lets go of the socket, if there is one, without hearing of it again. */
  #drop() {
    clearTimeout(this.timer);
    if (this.isOpen) this.droppedAt = Date.now();
    this.isOpen = false;
    const socket = this.socket;
    this.socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close(1000);
  }

  /** @param {Message} message */
  #write(message) {
    this.socket?.send(JSON.stringify(message));
  }
}
