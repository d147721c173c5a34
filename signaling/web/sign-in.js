// Signing in by name, remembered by this browser so that nobody types it twice.

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
  const seemsSignedIn = cookieValue('csrftoken', document.cookie) !== '' && rememberedName() === wanted;
  if (seemsSignedIn) {
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
