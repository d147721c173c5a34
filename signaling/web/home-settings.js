// Settings of this browser: how it looks, how it rings, what happens in calls.

import { button, element, render, toast } from './dom.js';
import { networkView } from './network-view.js';
import { startRingtone } from './ringtone.js';
import { changeSettings, settings } from './settings.js';
import { texts } from './texts.js';

/** @typedef {import('./settings.js').Settings} Settings */
/** @type {Settings['theme'][]} */
const THEMES = ['system', 'light', 'dark'];

export class SettingsView {
  /** @type {(() => void) | null} */
  #stopTone = null;
  /** @type {{root: HTMLElement, stop: () => void} | null} */
  #network = null;

  /** @param {import('./home.js').Home} home */
  constructor(home) {
    this.home = home;
  }

  /** @param {HTMLElement} root */
  show(root) {
    const { me, rest } = this.home;
    this.#network = networkView(rest.token);
    const section = (/** @type {string} */ title, /** @type {Node[]} */ ...nodes) =>
      element('section', { class: 'card stack', 'aria-label': title }, element('h2', {}, title), ...nodes);
    const profile = section(texts.settings.profile, element('p', {}, texts.settings.signedInAs(me.name)),
      ...(me.isDemo ? [button(texts.home.signOut, 'person', () => forgetMe(rest))] : []));
    render(root, element('div', { class: 'column' },
      element('div', { class: 'head' }, element('h1', {}, texts.settings.title)),
      section(texts.settings.appearance, this.#themes()),
      section(texts.settings.ringing, check('ringtone', texts.settings.ringtone), this.#tone(), this.#notifications()),
      section(texts.settings.calls, check('checkDevices', texts.settings.checkDevices), check('shortcuts', texts.settings.shortcuts)),
      section(texts.settings.network, this.#network.root),
      profile,
      element('p', {}, element('a', { href: '/docs/client' }, texts.home.docs))));
  }

  hide() {
    this.#network?.stop();
    this.#stopTone?.();
    this.#stopTone = null;
  }

  #themes() {
    const choices = THEMES.map((theme) => {
      const input = element('input', { type: 'radio', name: 'theme', value: theme });
      input.checked = settings().theme === theme;
      input.addEventListener('change', () => changeSettings({ theme }));
      return element('label', {}, input, element('span', {}, texts.settings.theme[theme]));
    });
    return element('div', { class: 'choice', role: 'radiogroup', 'aria-label': texts.settings.appearance }, ...choices);
  }

  #tone() {
    const node = button(texts.settings.ringtoneTry, 'sound', () => {
      if (this.#stopTone) this.#stopTone();
      this.#stopTone = this.#stopTone ? null : startRingtone();
      const label = node.querySelector('span');
      if (label) label.textContent = this.#stopTone ? texts.settings.ringtoneStop : texts.settings.ringtoneTry;
    }, { class: 'small fit' });
    return node;
  }

  #notifications() {
    const node = check('notifications', texts.settings.notifications);
    const input = /** @type {HTMLInputElement} */ (node.querySelector('input'));
    input.disabled = !('Notification' in window);
    input.addEventListener('change', async () => {
      if (!input.checked || (await Notification.requestPermission()) === 'granted') return;
      input.checked = false;
      changeSettings({ notifications: false });
      toast(texts.settings.notificationsDenied, 'problem');
    });
    return input.disabled ? element('p', { class: 'soft' }, texts.settings.notificationsMissing) : node;
  }
}

/** @param {'ringtone' | 'notifications' | 'shortcuts' | 'checkDevices'} name @param {string} label */
function check(name, label) {
  const input = element('input', { type: 'checkbox', id: `set-${name}` });
  input.checked = settings()[name];
  input.addEventListener('change', () => changeSettings({ [name]: input.checked }));
  return element('label', { class: 'check' }, input, element('span', {}, label));
}

/** Without the cookie that scripts see this page asks for a name again, even if the server does not answer. @param {import('./weir-client.js').WeirRest} rest */
async function forgetMe(rest) {
  await rest.signOut().catch(() => {});
  document.cookie = 'csrftoken=; path=/; max-age=0';
  location.href = '/';
}
