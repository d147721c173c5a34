// Who comes to the call page, and how: through the lobby, or straight in.

import { settings } from './settings.js';
import { seemsSignedIn } from './sign-in.js';
import { texts } from './texts.js';

/** @typedef {{needsName: boolean, needsLobby: boolean, isVideo: boolean, who: string, title: string}} Visit */
const NAMES_SHOWN = 3;

/**
 * Whoever is called, or has called, has said already that they want in; whoever follows a link looks
 * into the mirror first. `?join` and `?join=audio` are for pages that asked already, `?lobby` for those
 * that want the lobby all the same.
 * @param {import('./weir-client.js').WeirRest} rest @param {string} callId
 * @param {{wasIn: boolean, token: string}} before wasIn: this tab was in the call, and reloads
 * @returns {Promise<Visit>} throws a WeirError
 */
export async function lookAtCall(rest, callId, { wasIn, token }) {
  const query = new URLSearchParams(location.search);
  if (location.search || location.hash) history.replaceState(null, '', location.pathname);
  const isUnknown = token === '' && !seemsSignedIn(); // Then there is no use in asking.
  const status = isUnknown ? null : await rest.callStatus(callId).catch((error) => {
    if (error.status !== 401 || token) throw error;
    return null;
  });
  const isVideo = status?.call_type !== 'AUDIO' && query.get('join') !== 'audio';
  if (!status) return { needsName: true, needsLobby: true, isVideo: true, who: '', title: '' };
  const isInvited = await isOneOf(rest, status.participants ?? []);
  const asked = query.has('join') || wasIn;
  const needsLobby = query.has('lobby') || (!asked && (settings().checkDevices || !isInvited));
  return { needsName: false, needsLobby, isVideo, who: whoIsIn(status.participants ?? []), title: await titleOf(rest, status) };
}

/** The channel's name, if it is a channel's call. @param {import('./weir-client.js').WeirRest} rest @param {Record<string, any>} status */
async function titleOf(rest, { channel_id, channel_name }) {
  if (channel_name || !channel_id) return String(channel_name ?? '');
  const answer = await rest.channel(String(channel_id)).catch(() => null);
  return String(answer?.channel?.name ?? '');
}

/** @param {import('./weir-client.js').WeirRest} rest @param {Record<string, any>[]} participants */
async function isOneOf(rest, participants) {
  const me = await rest.me().catch(() => null);
  return me === null || participants.some((one) => String(one.user_id) === String(me.user_id));
}

/** @param {Record<string, any>[]} participants @returns {string} in words */
export function whoIsIn(participants) {
  const names = participants.filter(({ status }) => status === 'JOINED').map((one) => String(one.full_name || one.username));
  if (names.length === 0) return texts.lobby.nobody;
  const shown = names.slice(0, NAMES_SHOWN).join(', ');
  return texts.lobby.inCall(names.length > NAMES_SHOWN ? texts.lobby.more(shown, names.length - NAMES_SHOWN) : shown);
}
