// Before signing in: a name, or the link of a call.

import { byId, element } from './dom.js';
import { callIdIn } from './home-start.js';
import { rememberedName, signedInAs } from './sign-in.js';
import { texts } from './texts.js';

/**
 * @param {import('./weir-client.js').WeirRest} rest
 * @param {() => Promise<void>} enter @param {string} [problem] in words
 */
export function showWelcome(rest, enter, problem = '') {
  const name = /** @type {HTMLInputElement} */ (byId('name'));
  byId('welcome').hidden = false;
  name.value = rememberedName();
  name.focus();
  showProblem('sign-in-problem', problem);
  byId('sign-in').addEventListener('submit', async (event) => {
    event.preventDefault();
    showProblem('sign-in-problem', '');
    try {
      await signedInAs(rest, name.value, enter);
    } catch (error) {
      const { status, message } = /** @type {import('./weir-client.js').WeirError} */ (error);
      showProblem('sign-in-problem', [401, 403, 404].includes(status) ? texts.signIn.host : message);
    }
  });
  byId('open').addEventListener('submit', async (event) => {
    event.preventDefault();
    const callId = callIdIn(/** @type {HTMLInputElement} */ (byId('link')).value);
    if (!callId) return showProblem('open-problem', texts.signIn.noLink);
    location.href = `/calls/${callId}/`; // Where a name is asked for, if need be.
  });
}

/** Who came from a host application, and not well. @param {string} words why */
export function showTurnedAway(words) {
  byId('welcome').hidden = false;
  byId('welcome-ways').replaceChildren(element('h2', {}, texts.host.title), element('p', { role: 'alert' }, words));
}

/** @param {string} id @param {string} text empty for nothing */
function showProblem(id, text) {
  byId(id).textContent = text;
  byId(id).hidden = text === '';
}
