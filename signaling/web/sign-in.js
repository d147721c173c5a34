// Signing in by name, remembered by this browser so that nobody types it twice.

import { tabNote } from './settings.js';
import { cookieValue } from './weir-rest.js';

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
  await rest.signIn(wanted);
  remember(wanted);
  return action();
}

/**
 * The token of a host application, which opens our pages with it behind the hash (that no server's log
 * sees): kept by this tab for reloads. Empty when cookies count.
 * @returns {string}
 */
export function hostToken() {
  const given = new URLSearchParams(location.hash.slice(1)).get('token');
  return tabNote('token', given ?? undefined);
}
