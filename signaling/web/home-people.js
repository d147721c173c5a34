// People: everybody who has signed in here, who of them is online, and a call to each.

import { avatar, button, element, emptyState, render } from './dom.js';
import { callPeople } from './home-start.js';
import { texts } from './texts.js';

/** @typedef {{user_id: string, name: string, online: boolean}} User */
const TYPING_MS = 200;
const GATHER_MS = 200; // Many who come at once are asked for once.

/** @param {User} user @param {import('./weir-client.js').WeirRest} rest @param {string} ownId */
export function personRow({ user_id, name, online }, rest, ownId) {
  const isOwn = String(user_id) === ownId;
  const face = element('span', { class: `face${online ? ' online' : ''}` }, avatar(name, String(user_id)));
  const state = element('span', { class: 'soft small-text' }, online ? texts.persons.online : texts.persons.offline);
  const row = element('li', { class: 'person', 'data-user': String(user_id) }, face,
    element('span', { class: 'two' }, element('b', {}, isOwn ? texts.you(name) : name), state));
  if (isOwn) return row;
  row.append(
    button(texts.persons.callAudio(name), 'phone', () => callPeople(rest, 'AUDIO', [String(user_id)]), { class: 'round', quiet: true, id: `audio-${user_id}` }),
    button(texts.persons.callVideo(name), 'camera', () => callPeople(rest, 'VIDEO', [String(user_id)]), { class: 'round', quiet: true, id: `video-${user_id}` }));
  return row;
}

export class PeopleView {
  /** @type {User[] | null} */
  #users = null;
  #page = 1;
  #pages = 1;
  #search = '';
  #problem = '';
  /** @type {HTMLElement | null} */
  #list = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #typing;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #soon;

  /** @param {import('./home.js').Home} home */
  constructor(home) {
    this.home = home;
    home.notifications.on('presence', ({ userId, online }) => {
      const known = this.#users?.find((user) => String(user.user_id) === userId);
      if (known) known.online = online;
      if (known) this.#render();
      else this.#soon ??= setTimeout(() => {
        this.#soon = undefined;
        if (this.#list) this.#load();
      }, GATHER_MS);
    });
  }

  /** @param {HTMLElement} root */
  show(root) {
    const field = element('input', { type: 'search', placeholder: texts.persons.search, 'aria-label': texts.persons.search });
    field.value = this.#search;
    field.addEventListener('input', () => {
      clearTimeout(this.#typing);
      this.#typing = setTimeout(() => {
        this.#search = field.value.trim();
        this.#page = 1;
        this.#load();
      }, TYPING_MS);
    });
    this.#list = element('div', { 'aria-live': 'polite' });
    root.replaceChildren(element('div', { class: 'column' },
      element('div', { class: 'head' }, element('h1', {}, texts.persons.title)), field, this.#list));
    this.#render();
    this.#load();
  }

  hide() {
    this.#list = null;
  }

  async #load() {
    try {
      const { users, pages = 1 } = await this.home.rest.users({ search: this.#search, page: this.#page });
      this.#users = this.#page === 1 ? users : [...(this.#users ?? []), ...users];
      this.#pages = pages;
      this.#problem = '';
    } catch (error) {
      const { status, message } = /** @type {import('./weir-client.js').WeirError} */ (error);
      this.#problem = status === 404 ? texts.notYet : message;
    }
    this.#render();
  }

  #render() {
    if (!this.#list) return;
    const { rest, me } = this.home;
    if (this.#problem) return render(this.#list, emptyState('warning', texts.persons.title, this.#problem, button(texts.retry, '', () => this.#load())));
    if (!this.#users) return render(this.#list, element('p', { class: 'soft' }, texts.loading));
    const others = this.#users.filter((user) => String(user.user_id) !== me.userId);
    if (others.length === 0)
      return render(this.#list, this.#search ? emptyState('search', texts.persons.none(this.#search), '') : emptyState('people', texts.persons.empty, texts.persons.emptyHint));
    const sorted = others.sort((a, b) => Number(b.online) - Number(a.online) || a.name.localeCompare(b.name));
    const more = this.#page < this.#pages ? [button(texts.persons.more, 'down', () => (this.#page++, this.#load()), { id: 'more-people' })] : [];
    render(this.#list, element('ul', { class: 'people card' }, ...sorted.map((user) => personRow(user, rest, me.userId))), ...more);
  }
}
