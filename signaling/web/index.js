// The first page: a name, and then a new call or the link of one.

import { byId, fillPage } from './dom.js';
import { rememberedName, signedInAs } from './sign-in.js';
import { texts } from './texts.js';
import { WeirRest } from './weir-rest.js';

const rest = new WeirRest();
const nameField = /** @type {HTMLInputElement} */ (byId('name'));
const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/i;

/** @param {string} text in words what is wrong; empty for nothing */
function showProblem(text) {
  byId('problem').textContent = text;
  byId('problem').hidden = text === '';
}

/** @param {SubmitEvent} event */
async function startCall(event) {
  event.preventDefault();
  const button = /** @type {HTMLButtonElement | null} */ (event.submitter);
  showProblem('');
  if (button) button.disabled = true;
  try {
    const type = button?.value === 'AUDIO' ? 'AUDIO' : 'VIDEO';
    const callId = await signedInAs(rest, nameField.value, () => rest.startCall(type));
    location.href = `/calls/${callId}/`;
  } catch (error) {
    showProblem(/** @type {Error} */ (error).message);
  } finally {
    if (button) button.disabled = false;
  }
}

/** @param {SubmitEvent} event */
async function openCall(event) {
  event.preventDefault();
  const found = UUID.exec(/** @type {HTMLInputElement} */ (byId('link')).value);
  if (!found) return showProblem(texts.signIn.noLink);
  const callId = found[0].toLowerCase();
  try {
    // Without a name the call's page asks for it.
    if (nameField.value.trim()) await signedInAs(rest, nameField.value, () => rest.joinCall(callId));
    location.href = `/calls/${callId}/`;
  } catch (error) {
    showProblem(/** @type {Error} */ (error).message);
  }
}

fillPage();
nameField.value = rememberedName();
byId('start').addEventListener('submit', startCall);
byId('open').addEventListener('submit', openCall);
