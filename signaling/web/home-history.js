// History: what was, filtered, searched and paged; one click calls back.

import { button, element, emptyState, icon, nameNode, render } from './dom.js';
import { callChannel, callPeople, joinCall } from './home-start.js';
import { dayOf, lengthOf, readCalls, timeOf, titleOf } from './home-history-read.js';
import { texts } from './texts.js';

/** @typedef {import('./home-history-read.js').PastCall} PastCall */
const PAGE_SIZE = 20;
const TYPING_MS = 200;

export class HistoryView {
  #filter = { show: 'all', type: '', search: '', page: 1 };
  /** @type {PastCall[] | null} */
  #calls = null;
  #pages = 1;
  #problem = '';
  /** @type {HTMLElement | null} */
  #list = null;
  #turn = 0;

  /** @param {import('./home.js').Home} home */
  constructor(home) {
    this.home = home;
    home.notifications.on('call-changed', () => this.#list && this.#load());
    for (const type of /** @type {const} */ (['cancelled', 'answered-elsewhere']))
      home.notifications.on(type, () => this.#list && this.#load());
  }

  /** @param {HTMLElement} root */
  show(root) {
    this.#list = element('div', { 'aria-live': 'polite', class: 'stack' });
    root.replaceChildren(element('div', { class: 'column' },
      element('div', { class: 'head' }, element('h1', {}, texts.history.title)), this.#filters(), this.#list));
    this.#render();
    this.#load();
  }

  hide() {
    this.#list = null;
  }

  #filters() {
    const search = element('input', { type: 'search', placeholder: texts.history.search, 'aria-label': texts.history.search, class: 'grow' });
    search.value = this.#filter.search;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let typing;
    search.addEventListener('input', () => {
      clearTimeout(typing);
      typing = setTimeout(() => this.#change({ search: search.value.trim() }), TYPING_MS);
    });
    const { all, incoming, outgoing, missed, both, audio, video } = texts.history;
    const show = this.#select(texts.history.show, [['all', all], ['incoming', incoming], ['outgoing', outgoing], ['missed', missed]], this.#filter.show, (value) => this.#change({ show: value }));
    const type = this.#select(texts.history.type, [['', both], ['AUDIO', audio], ['VIDEO', video]], this.#filter.type, (value) => this.#change({ type: value }));
    return element('div', { class: 'filters' }, search, show, type);
  }

  /** @param {string} name @param {[string, string][]} options @param {string} value @param {(value: string) => void} onChange */
  #select(name, options, value, onChange) {
    const select = element('select', { 'aria-label': name }, ...options.map(([key, label]) => new Option(label, key)));
    select.value = value;
    select.addEventListener('change', () => onChange(select.value));
    return select;
  }

  /** @param {Partial<{show: string, type: string, search: string, page: number}>} changes */
  #change(changes) {
    this.#filter = { ...this.#filter, page: 1, ...changes };
    this.#load();
  }

  async #load() {
    const turn = ++this.#turn;
    const { show, type, search, page } = this.#filter;
    const isDirection = show === 'incoming' || show === 'outgoing';
    try {
      const answer = await this.home.rest.calls({
        ordering: '-created_at', page, page_size: PAGE_SIZE, call_type: type, search,
        direction: isDirection ? show : undefined, missed: show === 'missed' ? true : undefined,
      });
      await this.#nameChannels(answer);
      if (turn !== this.#turn) return; // A later question was answered first.
      ({ calls: this.#calls, pages: this.#pages } = readCalls(answer, this.home.me.userId, PAGE_SIZE));
      this.#problem = '';
    } catch (error) {
      this.#problem = /** @type {Error} */ (error).message;
    }
    this.#render();
  }

  /** Calls know their channel's id; people know its name. @param {Record<string, any>} answer */
  async #nameChannels(answer) {
    const calls = (answer.calls ?? answer.results ?? []).filter((/** @type {any} */ one) => one.channel_id && !one.channel_name);
    if (calls.length === 0) return;
    const { channels } = await this.home.rest.channels().catch(() => ({ channels: [] }));
    for (const call of calls) call.channel_name = channels.find((/** @type {any} */ one) => one.id === call.channel_id)?.name;
  }

  #render() {
    if (!this.#list) return;
    if (this.#problem) return render(this.#list, emptyState('warning', texts.history.title, this.#problem, button(texts.retry, '', () => this.#load())));
    if (!this.#calls) return render(this.#list, element('p', { class: 'soft' }, texts.loading));
    const { show, type, search } = this.#filter;
    const isFiltered = show !== 'all' || type !== '' || search !== '';
    if (this.#calls.length === 0)
      return render(this.#list, isFiltered ? emptyState('search', texts.history.nothing, texts.history.nothingHint) : emptyState('clock', texts.history.empty, texts.history.emptyHint));
    /** @type {Map<string, PastCall[]>} */
    const days = new Map();
    for (const call of this.#calls) days.set(dayOf(call.at), [...(days.get(dayOf(call.at)) ?? []), call]);
    const groups = [...days].flatMap(([day, calls]) => [element('h2', { class: 'group' }, day), element('ul', { class: 'people card' }, ...calls.map((call) => this.#row(call)))]);
    render(this.#list, ...groups, ...this.#pager());
  }

  /** @param {PastCall} call */
  #row(call) {
    const { callId, kind, isVideo, isRunning, at } = call;
    const title = titleOf(call);
    const sign = element('span', { class: `direction ${kind}` }, icon(kind));
    nameNode(sign, texts.history.direction[kind]);
    sign.setAttribute('role', 'img');
    const type = element('span', { class: 'kind' }, icon(isVideo ? 'camera' : 'phone'), isVideo ? texts.history.video : texts.history.audio);
    const facts = element('span', { class: 'soft small-text facts' }, type, element('span', {}, timeOf(at)), element('span', { class: kind === 'missed' ? 'problem' : '' }, lengthOf(call)));
    const again = isRunning ? button(texts.history.rejoin, 'phone', () => joinCall(callId), { class: 'go small' }) : this.#callBack(call, title);
    return element('li', { class: `person ${kind}`, 'data-call': callId }, sign, element('span', { class: 'two' }, element('b', {}, title), facts), ...(again ? [again] : []));
  }

  /** @param {PastCall} call @param {string} title */
  #callBack({ callId, isVideo, others, channelId }, title) {
    if (others.length === 0 && !channelId) return null;
    const { rest } = this.home;
    const type = isVideo ? 'VIDEO' : 'AUDIO';
    const act = () => (channelId ? callChannel(rest, type, channelId) : callPeople(rest, type, others.map(({ userId }) => userId)));
    return button(texts.history.callBack(title), isVideo ? 'camera' : 'phone', act, { class: 'round', quiet: true, id: `back-${callId}` });
  }

  #pager() {
    if (this.#pages <= 1) return [];
    const { page } = this.#filter;
    const newer = button(texts.history.previous, 'back', () => this.#change({ page: page - 1 }), { id: 'newer' });
    const older = button(texts.history.next, 'next', () => this.#change({ page: page + 1 }), { id: 'older' });
    newer.disabled = page <= 1;
    older.disabled = page >= this.#pages;
    return [element('div', { class: 'pager' }, newer, element('span', { class: 'soft' }, texts.history.page(page, this.#pages)), older)];
  }
}
