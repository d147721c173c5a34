// What the server's messages mean to a client, besides who is in the call (the roster's business).

import { WeirError } from './weir-rest.js';
import { nameOf } from './weir-roster.js';

/** @typedef {Record<string, any>} Message */

/** @param {Message | undefined} you @returns {import('./weir-types.js').You} */
export function youOf(you) {
  return { userId: String(you?.user_id ?? ''), name: you ? nameOf(you) : '' };
}

/** @param {Message | undefined} raw @param {import('./weir-types.js').CallInfo} known @returns {import('./weir-types.js').CallInfo} */
export function callOf(raw, known) {
  return {
    type: raw?.call_type ?? known.type,
    initiatorId: String(raw?.initiator_id ?? raw?.initiator?.user_id ?? raw?.initiator ?? known.initiatorId),
    startedAt: raw?.started_at ? new Date(raw.started_at) : known.startedAt,
  };
}

/** @param {import('./weir-types.js').SlotWish[]} slots @returns {Message} */
export function subscribeMessage(slots) {
  return {
    type: 'subscribe',
    slots: slots.map(({ mid, trackId = null, maxWidth, maxHeight, maxFps, priority, paused }) => ({
      mid,
      track_id: trackId,
      max_width: maxWidth,
      max_height: maxHeight,
      max_fps: maxFps,
      priority,
      paused,
    })),
  };
}

/** @param {Message} one @returns {import('./weir-types.js').Speaker} */
function speakerOf({ user_id, level_db, dominant }) {
  return { userId: String(user_id), levelDb: Number(level_db), dominant: Boolean(dominant) };
}

/**
 * @typedef {object} Reactions what a message may lead to besides a change of the roster
 * @property {(sdp: string) => void} answer
 * @property {(error: WeirError) => void} offerError
 * @property {() => boolean} subscribeError whether that is taken care of
 * @property {(message: Message) => void} direct whom to connect to without the server, or no more
 * @property {(message: Message) => void} relayed what that one says
 * @property {() => void} restart
 * @property {(mid: string, rids: Record<string, boolean>, active: boolean) => void} layers
 * @property {(speakers: import('./weir-types.js').Speaker[]) => void} speakers
 * @property {(message: Message) => void} signal
 * @property {(userId: string) => void} ended
 * @property {import('./weir-emitter.js').Emitter<import('./weir-types.js').WeirEvents>['emit']} emit
 */
/** What the server says of offers, answers and candidates that it cannot pass on. */
const TO_A_PEER = new Set(['target_uses_sfu', 'unknown_target']);

/** @type {Record<string, (react: Reactions, message: Message) => void>} */
export const MESSAGE_HANDLERS = {
  answer: (react, message) => (message.from_user_id === 'sfu' ? react.answer(message.answer.sdp) : react.relayed(message)),
  offer: (react, message) => react.relayed(message),
  ice_candidate: (react, message) => react.relayed(message),
  direct: (react, message) => react.direct(message),
  call_ended: (react, { user_id }) => react.ended(String(user_id)),
  publish_layers: (react, { mid, rids = {}, active }) =>
    react.layers(String(mid), rids, active ?? Object.values(rids).some(Boolean)),
  chat_message: (react, { sender_id, sender_name, message }) =>
    react.emit('chat', { userId: String(sender_id), name: String(sender_name), text: String(message) }),
  speakers: (react, { speakers }) => react.speakers(speakers.map(speakerOf)),
  signal: (react, message) => react.signal(message),
  poll_created: (react, { sender_id, sender_name, poll }) =>
    react.emit('poll', { userId: String(sender_id), name: String(sender_name), poll }),
  poll_vote: (react, { sender_id, poll_id, option_index }) =>
    react.emit('poll-vote', { userId: String(sender_id), pollId: poll_id, optionIndex: option_index }),
  quality: (react, { user_id, score, up = null, down = null }) =>
    react.emit('quality', { userId: String(user_id), score, up, down }),
  error: (react, { code, message, in_reply_to }) => {
    const error = new WeirError(String(code), String(message));
    if (code === 'ice_timeout') react.restart();
    else if (TO_A_PEER.has(error.code)) return; // They were on their way when it ended.
    else if (in_reply_to === 'subscribe' && react.subscribeError()) return;
    else if (in_reply_to === 'offer' || in_reply_to === 'webrtc_offer') react.offerError(error);
    else react.emit('error', error);
  },
};
