// What stands in front of the call: asking for a name, waiting, and why there is no call any more.

import { byId } from './dom.js';
import { rememberedName, signedInAs } from './sign-in.js';
import { texts } from './texts.js';
import { WeirError, WeirRest } from './weir-rest.js';

const form = byId('sign-in');
const notice = byId('notice');

/** @param {'entering' | 'name' | 'in' | 'over'} phase */
export function showPhase(phase) {
  document.body.dataset.phase = phase;
  byId('gate').hidden = phase === 'in';
  byId('entering').hidden = phase !== 'entering';
  form.hidden = phase !== 'name';
  notice.hidden = phase !== 'over';
}

/**
 * Comes in, asking for a name when the server wants to know who this is.
 * @param {() => Promise<void>} enter throws a WeirError
 */
export async function enterByName(enter) {
  try {
    await enter();
  } catch (error) {
    if (/** @type {WeirError} */ (error).status !== 401) throw error;
    await askName(enter);
  }
  showPhase('entering');
}

/** @param {() => Promise<void>} enter */
async function askName(enter) {
  const field = /** @type {HTMLInputElement} */ (byId('name'));
  showPhase('name');
  field.value = rememberedName();
  field.focus();
  for (;;) {
    await submitted();
    try {
      return await signedInAs(new WeirRest(), field.value, enter);
    } catch (error) {
      showProblem(/** @type {WeirError} */ (error));
    }
  }
}

/** @returns {Promise<void>} */
function submitted() {
  return new Promise((resolve) => {
    const onSubmit = (/** @type {Event} */ event) => {
      event.preventDefault();
      resolve();
    };
    form.addEventListener('submit', onSubmit, { once: true });
  });
}

/** @param {WeirError} error */
function showProblem(error) {
  // A wrong name is typed again; a call that is not there will not come.
  if ([403, 404, 409].includes(error.status)) throw error;
  byId('sign-in-problem').textContent = error.message;
  byId('sign-in-problem').hidden = false;
}

/** @param {{title: string, text?: string, canReturn?: boolean}} what */
export function showOver({ title, text = '', canReturn = true }) {
  showPhase('over');
  byId('notice-title').textContent = title;
  byId('notice-text').textContent = text;
  byId('notice-text').hidden = text === '';
  byId('again').hidden = !canReturn;
}

/** @param {WeirError} error */
export function showRefusal(error) {
  const isFinal = [403, 404, 409, 4403, 4404, 4409].includes(error.status);
  showOver({
    title: isFinal ? texts.closedTitle : texts.failedTitle,
    text: texts.closed[error.code] ?? error.message,
    canReturn: !isFinal,
  });
}

byId('again').addEventListener('click', () => location.reload());
// A page that comes back from the browser's memory has left its call.
addEventListener('pageshow', (event) => event.persisted && location.reload());
