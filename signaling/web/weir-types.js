// What a WeirClient takes and tells, as types alone: no page loads this file.

import { WeirError } from './weir-rest.js';

/** @typedef {import('./weir-roster.js').Participant} Participant */
/** @typedef {import('./weir-roster.js').RemoteTrack} RemoteTrack */
/** @typedef {import('./weir-roster.js').Source} Source */
/** @typedef {import('./weir-roster.js').Message} Message */
/** @typedef {import('./weir-local.js').LocalState} LocalState */
/** @typedef {'idle' | 'connecting' | 'connected' | 'reconnecting' | 'closed'} ConnectionState */
/** @typedef {{userId: string, source: Source, mid: string | null, track: MediaStreamTrack | null}} Tile */
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
 * @property {Tile} tile
 * @property {LocalState} local
 * @property {{source: Source}} device-lost
 * @property {{speakers: {userId: string, levelDb: number}[]}} speakers
 * @property {{userId: string, score: number, up: any, down: any}} quality
 * @property {{userId: string, name: string, text: string}} chat
 * @property {{userId: string}} call-ended
 * @property {{message: Message}} message
 * @property {WeirError} error
 */

export {};
