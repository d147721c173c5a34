// How many slots a client has, and what a camera without layers sends to a crowd. Pure.

/** @typedef {import('./weir-roster.js').Kind} Kind */

/**
 * How many slots of a kind to have: as many as there are tracks, in steps of four so that a crowd
 * arriving one by one costs a re-offer for every fourth, never fewer than now, never above the limit.
 * @param {number} tracks @param {number} have @param {number} limit
 */
export function slotsWanted(tracks, have, limit) {
  if (tracks <= have) return have;
  return Math.max(have, Math.min(limit, Math.ceil(tracks / 4) * 4));
}

/** A video slot with its codecs and an audio slot take some 3.4 kB of an offer; own tracks share the rest. */
const SLOT_PAIR_BYTES = 3_500;
const OWN_BYTES = 12_000;
const OWN_MLINES = 8;

/**
 * How many slots of each kind an offer may have.
 * @param {number} [maxMessageBytes] of the server @param {number} [maxMlines] of an offer
 */
export function slotLimit(maxMessageBytes = 65_536, maxMlines = 128) {
  const byBytes = (maxMessageBytes - OWN_BYTES) / SLOT_PAIR_BYTES;
  return Math.max(1, Math.floor(Math.min(byBytes, (maxMlines - OWN_MLINES) / 2)));
}

/**
 * @param {{max_message_bytes?: number, max_mlines_per_offer?: number}} limits the server's
 * @param {{maxAudioSlots: number, maxVideoSlots: number}} options
 * @returns {Record<Kind, number>}
 */
export function slotLimits({ max_message_bytes, max_mlines_per_offer }, { maxAudioSlots, maxVideoSlots }) {
  const most = slotLimit(max_message_bytes, max_mlines_per_offer);
  return { audio: Math.min(most, maxAudioSlots), video: Math.min(most, maxVideoSlots) };
}

/**
 * What a camera without simulcast should send when so many others watch it in a grid.
 * @param {number} others
 * @param {number} height of its picture
 * @returns {{scaleResolutionDownBy: number, maxBitrate: number}}
 */
export function uploadFor(others, height) {
  const [maxHeight, maxBitrate] = others <= 3 ? [720, 1_500_000] : others <= 8 ? [360, 600_000] : [180, 200_000];
  return { scaleResolutionDownBy: Math.max(1, height / maxHeight), maxBitrate };
}
