// Signing in by name, remembered by this browser so that nobody types it twice.

import { tabNote } from './settings.js';
import { texts } from './texts.js';
import { cookieValue, WeirError } from './weir-rest.js';

const KEY = 'weir.name';

/** @returns {string} */
export function rememberedName() {
  try {
    return localStorage.getItem(KEY) ?? '';
  } catch {
    return ''; // Storage may be forbidden.
  }
}

/** @param {string} name */
function remember(name) {
  try {
    localStorage.setItem(KEY, name);
  } catch {
    // Then it is typed again next time.
  }
}

/** Whether this browser holds the cookie of a session, which the server may have forgotten. */
export const seemsSignedIn = () => cookieValue('csrftoken', document.cookie) !== '';

/**
 * Does something that needs a session under this name, signing in before it when there is none.
 * @template T
 * @param {import('./weir-rest.js').WeirRest} rest
 * @param {string} name
 * @param {() => Promise<T>} action
 * @returns {Promise<T>}
 */
export async function signedInAs(rest, name, action) {
  const wanted = name.trim();
  if (seemsSignedIn() && rememberedName() === wanted) {
    try {
      return await action();
    } catch (error) {
      // The server has forgotten the session: it was restarted, or a long time has passed.
      if (/** @type {import('./weir-rest.js').WeirError} */ (error).status !== 401) throw error;
    }
  }
  await rest.signIn(wanted).catch((error) => {
    throw error.code === 'demo_off' ? new WeirError(error.code, texts.signIn.host, error.status) : error;
  });
  remember(wanted);
  return action();
}

/**
 * The token of a host application, which opens our pages with it behind the hash (that no server's log
 * sees): kept by this tab for reloads, and not left in the address, which people copy. Empty when cookies count.
 * @returns {string}
 */
export function hostToken() {
  const given = new URLSearchParams(location.hash.slice(1)).get('token');
  if (given !== null) history.replaceState(null, '', location.pathname + location.search);
  return tabNote('token', given ?? undefined);
}

/** @param {string} token a JWT @returns {Record<string, any>} what it claims; whether that is so the server knows */
function claimsOf(token) {
  try {
    const bytes = atob(token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/'));
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(bytes, (byte) => byte.charCodeAt(0))));
  } catch {
    return {};
  }
}

/**
 * Why a host application's token does not open this, in words.
 * @param {string} token @param {import('./weir-rest.js').WeirError} error @param {string} [callId]
 * @returns {string} empty: that is not why
 */
export function tokenProblem(token, { status }, callId = '') {
  if (!token) return '';
  const { exp, call } = claimsOf(token);
  if (status === 401 || status === 4401) return Number(exp) * 1000 < Date.now() ? texts.host.expired : texts.host.wrong;
  const isOther = (status === 403 || status === 4403) && call && callId && String(call).toLowerCase() !== callId.toLowerCase();
  return isOther ? texts.host.otherCall : '';
}
