// What a browser is told outside of calls: that one rings, that it rings no more, who is online. It
// connects again by itself.

import { Emitter } from './weir-emitter.js';
import { backoffMs } from './weir-signaling.js';

/** @typedef {Record<string, any>} Message */
/**
 * @typedef {object} NotificationEvents
 * @property {{isOpen: boolean}} connection
 * @property {{callId: string, callType: string, title: string, content: string, initiatorId: string, createdAt: Date}} incoming
 * @property {{callId: string}} cancelled it rings no more: the caller hung up, or nobody answered
 * @property {{callId: string}} answered-elsewhere on another of one's devices
 * @property {{userId: string, online: boolean}} presence
 * @property {{channelId: string}} channel-changed
 * @property {{callId: string, channelId: string | null, status: string}} call-changed
 * @property {{message: Message}} message any of them, as the server says it
 */

/** Close codes of who will not be let in the next time either: without a token that is good, or with one for one call. */
const FINAL = [4401, 4403];

/** @extends {Emitter<NotificationEvents>} */
export class WeirNotifications extends Emitter {
  #url;
  /** @type {WebSocket | null} */
  #socket = null;
  #attempt = 0;
  #isClosed = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #abort = new AbortController();

  /** @param {{baseUrl?: string, token?: string}} [options] */
  constructor({ baseUrl = '', token = '' } = {}) {
    super();
    const url = new URL(`${baseUrl}/ws/notifications/`, location.href);
    url.protocol = url.protocol.replace('http', 'ws');
    if (token) url.searchParams.set('access_token', token);
    this.#url = url;
    addEventListener('online', () => this.#retryNow(), { signal: this.#abort.signal });
  }

  connect() {
    if (this.#socket || this.#isClosed) return;
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    socket.onopen = () => {
      this.#attempt = 0;
      this.emit('connection', { isOpen: true });
    };
    socket.onmessage = ({ data }) => this.#onMessage(JSON.parse(data));
    socket.onclose = ({ code }) => this.#onClose(code);
  }

  close() {
    this.#isClosed = true;
    this.#abort.abort();
    clearTimeout(this.#timer);
    this.#socket?.close(1000);
  }

  /** @param {Message} message */
  #onMessage(message) {
    this.emit('message', { message });
    const isCall = message.type === 'notification' && message.notification_type === 'CALL';
    TELLERS[isCall ? 'incoming' : message.type]?.(this, message);
  }

  /** @param {number} code */
  #onClose(code) {
    this.#socket = null;
    this.emit('connection', { isOpen: false });
    if (this.#isClosed || FINAL.includes(code)) return;
    this.#timer = setTimeout(() => this.connect(), backoffMs(this.#attempt++, Math.random()));
  }

  #retryNow() {
    clearTimeout(this.#timer);
    this.#attempt = 0;
    this.connect();
  }
}

/** @type {Record<string, (to: WeirNotifications, message: Message) => void>} */
const TELLERS = {
  incoming: (to, { call_id, call_type, title, content, initiator_id, created_at }) =>
    to.emit('incoming', {
      callId: String(call_id),
      callType: String(call_type),
      title: String(title),
      content: String(content),
      initiatorId: String(initiator_id ?? ''),
      createdAt: new Date(created_at),
    }),
  call_cancelled: (to, { call_id }) => to.emit('cancelled', { callId: String(call_id) }),
  call_answered_elsewhere: (to, { call_id }) => to.emit('answered-elsewhere', { callId: String(call_id) }),
  presence: (to, { user_id, online }) => to.emit('presence', { userId: String(user_id), online: Boolean(online) }),
  channel_changed: (to, { channel_id }) => to.emit('channel-changed', { channelId: String(channel_id) }),
  call_changed: (to, { call_id, channel_id = null, status }) =>
    to.emit('call-changed', { callId: String(call_id), channelId: channel_id, status: String(status) }),
};
