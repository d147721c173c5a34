// What a WeirClient takes and tells, as types alone: no page loads this file.

import { WeirError } from './weir-rest.js';

/** @typedef {import('./weir-roster.js').Participant} Participant */
/** @typedef {import('./weir-roster.js').RemoteTrack} RemoteTrack */
/** @typedef {import('./weir-roster.js').Source} Source */
/** @typedef {import('./weir-roster.js').Message} Message */
/** @typedef {import('./weir-local.js').LocalState} LocalState */
/** @typedef {'idle' | 'connecting' | 'connected' | 'reconnecting' | 'closed'} ConnectionState */
/**
 * @typedef {object} TileState what is in a slot
 * @property {string} userId
 * @property {Source} source
 * @property {string | null} mid null: no slot
 * @property {MediaStreamTrack | null} track
 * @property {false | 'bandwidth'} paused the network does not carry it
 */
/** @typedef {{userId: string, levelDb: number, dominant: boolean}} Speaker levelDb: 0 the loudest, to -127 */
/** @typedef {{userId: string, endsAt: Date}} Timer and who started it */
/** @typedef {import('./weir-roster.js').Direction} Direction */
/** @typedef {{userId: string, name: string}} You */
/** @typedef {{type: string, initiatorId: string, startedAt: Date | null}} CallInfo */
/**
 * @typedef {object} SlotWish what to show in a slot; without a trackId the server chooses
 * @property {string} mid
 * @property {string | null} [trackId]
 * @property {number} [maxWidth]
 * @property {number} [maxHeight]
 * @property {number} [maxFps]
 * @property {number} [priority]
 * @property {boolean} [paused]
 */
/**
 * @typedef {object} WeirOptions
 * @property {string} callId
 * @property {string} [baseUrl] of the server; the page's own when absent
 * @property {string} [token] a JWT; the session cookie counts when absent
 * @property {import('./weir-layers.js').VideoCodec} [codec] for camera and screen: vp8 unless said otherwise; where the
 *   browser cannot encode it, its own first choice
 * @property {boolean} [simulcast] send the camera in several layers, so that the server can choose for each who watches
 * @property {boolean} [red] send the microphone with redundancy (RFC 2198), where the browser has it
 * @property {boolean} [pauseHidden] receive no pictures that nobody can see
 * @property {boolean} [direct] send straight to the other in a call of two, where the server allows it
 * @property {number} [audioSlots] tracks to hear at once before the first re-offer
 * @property {number} [videoSlots]
 * @property {number} [maxAudioSlots]
 * @property {number} [maxVideoSlots]
 */
/**
 * @typedef {object} WeirEvents
 * @property {{state: ConnectionState, reason: WeirError | null}} connection
 * @property {{participant: Participant}} participant-joined
 * @property {{participant: Participant}} participant-left
 * @property {{participant: Participant}} participant-updated
 * @property {{track: RemoteTrack}} track-published
 * @property {{track: RemoteTrack}} track-unpublished
 * @property {TileState} tile
 * @property {LocalState} local
 * @property {{source: Source}} device-lost
 * @property {Record<string, never>} devices-changed
 * @property {{source: Source, rids: Record<string, boolean>, active: boolean}} layers which of our layers anybody watches
 * @property {{speakers: Speaker[]}} speakers the dominant one first
 * @property {{userId: string, score: number, up: Direction | null, down: Direction | null}} quality
 * @property {{userId: string, name: string, text: string}} chat
 * @property {{userId: string, raised: boolean}} hand
 * @property {{userId: string, name: string, emoji: string}} reaction
 * @property {{timer: Timer | null}} timer
 * @property {{userId: string, name: string, poll: any}} poll
 * @property {{userId: string, pollId: string | number, optionIndex: number}} poll-vote
 * @property {{userId: string, name: string, kind: string, data: any}} signal
 * @property {{userId: string}} call-ended
 * @property {{message: Message}} message
 * @property {WeirError} error
 */

export {};
