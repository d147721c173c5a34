// Starting a call, from wherever on the first page, and joining one by its link.

import { byId, button, element, toast } from './dom.js';
import { tabNote } from './settings.js';
import { texts } from './texts.js';

/** @typedef {import('./weir-client.js').WeirRest} WeirRest */
const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/i;
let isStarting = false;

/** @param {string} text a link, or an id @returns {string} empty for none */
export function callIdIn(text) {
  return UUID.exec(text)?.[0].toLowerCase() ?? '';
}

/** @param {() => Promise<string>} start resolves with the call's id */
async function go(start) {
  if (isStarting) return; // Two clicks are one call.
  isStarting = true;
  try {
    location.href = `/calls/${await start()}/?join`;
  } catch (error) {
    toast(texts.failed(/** @type {Error} */ (error).message), 'problem');
  } finally {
    isStarting = false;
  }
}

/**
 * Who is busy is known now alone: the page of the call shall say it.
 * @param {WeirRest} rest @param {'AUDIO' | 'VIDEO'} type @param {object} whom
 */
export async function initiate(rest, type, whom) {
  const { call_id, busy_user_ids: busy = [] } = await rest.request('POST', '/calls/initiate/', { call_type: type, ...whom });
  tabNote(`busy.${call_id}`, busy.join(' '));
  return String(call_id);
}

/** A call that nobody is invited to: its link is what others come by. @param {WeirRest} rest */
export const startMeeting = (rest) => go(() => initiate(rest, 'VIDEO', { user_ids: [] }));

/** @param {WeirRest} rest @param {'AUDIO' | 'VIDEO'} type @param {string[]} userIds */
export const callPeople = (rest, type, userIds) => go(() => initiate(rest, type, { user_ids: userIds }));

/** @param {WeirRest} rest @param {'AUDIO' | 'VIDEO'} type @param {string} channelId */
export const callChannel = (rest, type, channelId) => go(() => initiate(rest, type, { channel_id: channelId }));

/** @param {string} callId */
export const joinCall = (callId) => go(async () => callId);

export function wireOpenLink() {
  byId('open-link').addEventListener('click', () => {
    ask({
      title: texts.home.openLink,
      label: texts.signIn.link,
      placeholder: texts.signIn.linkPlaceholder,
      go: texts.signIn.join,
      act: async (text) => {
        const callId = callIdIn(text);
        if (!callId) throw new Error(texts.signIn.noLink);
        location.href = `/calls/${callId}/`;
      },
    });
  });
}

/**
 * Asks for one line of text; stays open with the reason while act() fails.
 * @param {{title: string, label: string, placeholder: string, go: string, act: (text: string) => Promise<void>}} question
 */
export function ask({ title, label, placeholder, go: goLabel, act }) {
  const dialog = /** @type {HTMLDialogElement} */ (byId('ask'));
  const field = element('input', { required: '', maxlength: '200', placeholder, autocomplete: 'off' });
  const problem = element('p', { class: 'problem-line', role: 'alert' });
  const form = element('form', { class: 'stack' },
    element('h2', { id: 'ask-title' }, title), element('label', {}, label, field), problem,
    element('div', { class: 'row' }, element('button', { class: 'primary grow' }, goLabel), button(texts.cancel, '', () => dialog.close())));
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    try {
      await act(field.value.trim());
      dialog.close();
    } catch (error) {
      problem.textContent = /** @type {Error} */ (error).message;
    }
  });
  dialog.replaceChildren(form);
  dialog.showModal();
  field.focus();
}
