// Channels: the list on one side, the chosen one with its members and its call buttons on the other.

import { button, element, emptyState, icon, render, toast } from './dom.js';
import { ask, callChannel, joinCall } from './home-start.js';
import { personRow } from './home-people.js';
import { texts } from './texts.js';

/** @typedef {import('./home.js').Home} Home */
/**
 * @typedef {object} Channel
 * @property {string} id
 * @property {string} name
 * @property {boolean} is_member
 * @property {number} member_count
 * @property {number} online_count
 * @property {string | null} call_id of the call that is on
 * @property {string | null} [call_type]
 */
/** @typedef {Channel & {members: import('./home-people.js').User[]}} WholeChannel */

const GATHER_MS = 200;

export class ChannelsView {
  /** @type {Channel[] | null} null: not asked yet */
  #channels = null;
  /** @type {WholeChannel | null} */
  #chosen = null;
  #chosenId = '';
  #problem = '';
  /** @type {HTMLElement | null} */
  #root = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #soon;

  /** @param {Home} home */
  constructor(home) {
    this.home = home;
    // What changes at once (a server that was restarted, a call of many) is asked for once.
    const again = () => {
      this.#soon ??= setTimeout(() => {
        this.#soon = undefined;
        if (this.#root) this.#load();
      }, GATHER_MS);
    };
    home.notifications.on('channel-changed', again);
    home.notifications.on('call-changed', again);
    home.notifications.on('presence', again);
  }

  /** @param {HTMLElement} root @param {string} channelId */
  show(root, channelId) {
    this.#root = root;
    this.#chosenId = channelId;
    if (this.#chosen?.id !== channelId) this.#chosen = null;
    this.#render();
    this.#load();
  }

  hide() {
    this.#root = null;
  }

  async #load() {
    const { rest } = this.home;
    try {
      const [{ channels }, whole] = await Promise.all([rest.channels(), this.#chosenId ? rest.channel(this.#chosenId) : null]);
      this.#channels = channels;
      this.#chosen = whole?.channel ?? null;
      this.#problem = '';
    } catch (error) {
      const { status, message } = /** @type {import('./weir-client.js').WeirError} */ (error);
      this.#problem = status === 404 && this.#chosenId === '' ? texts.notYet : message;
    }
    this.#render();
  }

  #render() {
    if (!this.#root) return;
    const list = element('section', { class: 'list-pane', 'aria-label': texts.channels.title },
      element('div', { class: 'head' }, element('h1', {}, texts.channels.title),
        button(texts.channels.create, 'plus', () => this.#create(), { class: 'bare', quiet: true, id: 'create-channel' })),
      ...this.#list());
    const detail = element('section', { class: 'detail-pane' }, ...(this.#chosen ? this.#detail(this.#chosen) : [this.#nothingChosen()]));
    const panes = element('div', { class: `panes${this.#chosenId ? ' has-choice' : ''}` }, list, detail);
    render(this.#root, panes);
  }

  #list() {
    if (this.#problem) return [emptyState('warning', texts.channels.title, this.#problem, button(texts.retry, '', () => this.#load()))];
    if (!this.#channels) return [element('p', { class: 'soft', role: 'status' }, texts.loading)];
    if (this.#channels.length === 0)
      return [emptyState('hash', texts.channels.empty, texts.channels.emptyHint, button(texts.channels.create, 'plus', () => this.#create(), { class: 'primary' }))];
    const [own, others] = [true, false].map((isMember) => (this.#channels ?? []).filter((one) => one.is_member === isMember));
    return [...this.#group(texts.channels.yours, own), ...this.#group(texts.channels.others, others)];
  }

  /** @param {string} title @param {Channel[]} channels */
  #group(title, channels) {
    if (channels.length === 0) return [];
    return [element('h2', { class: 'group' }, title), element('ul', {}, ...channels.map((channel) => this.#item(channel)))];
  }

  /** @param {Channel} channel */
  #item({ id, name, member_count, online_count, call_id }) {
    const facts = element('span', { class: 'soft small-text' }, `${texts.channels.members(member_count)} · ${texts.channels.online(online_count)}`);
    const link = element('a', { class: 'item', href: `#/channels/${encodeURIComponent(id)}`, id: `channel-${id}` },
      element('span', { class: 'tag', 'aria-hidden': 'true' }, icon('hash')),
      element('span', { class: 'two' }, element('b', {}, name), facts));
    if (call_id) link.append(element('span', { class: 'live', title: texts.channels.running }, icon('phone'), element('span', { class: 'heard' }, texts.channels.running)));
    if (id === this.#chosenId) link.setAttribute('aria-current', 'true');
    return element('li', {}, link);
  }

  #nothingChosen() {
    return this.#chosenId ? element('p', { class: 'soft pad', role: 'status' }, this.#problem || texts.loading)
      : emptyState('people', texts.channels.pick, texts.channels.pickHint);
  }

  /** @param {WholeChannel} channel */
  #detail(channel) {
    const { id, name, is_member, members, call_id } = channel;
    const { rest, me } = this.home;
    const back = element('a', { class: 'button bare back', href: '#/channels', 'aria-label': texts.back }, icon('back'));
    const call = (/** @type {'AUDIO' | 'VIDEO'} */ type) => () => callChannel(rest, type, id);
    const calls = is_member && !call_id
      ? [button(texts.channels.audio, 'phone', call('AUDIO'), { id: 'call-audio' }), button(texts.channels.video, 'camera', call('VIDEO'), { class: 'primary', id: 'call-video' })]
      : [];
    const online = members.filter((one) => one.online).length;
    const head = element('div', { class: 'detail-head' }, back,
      element('div', { class: 'two' }, element('h2', {}, name),
        element('span', { class: 'soft small-text' }, `${texts.channels.members(members.length)} · ${texts.channels.online(online)}`)),
      element('div', { class: 'row' }, ...calls));
    const running = call_id && is_member
      ? [element('div', { class: 'running' }, icon('phone'), element('b', {}, texts.channels.running), button(texts.channels.joinCall, '', () => joinCall(call_id), { class: 'go', id: 'join-call' }))]
      : [];
    const invite = is_member ? [] : [element('div', { class: 'running plain' }, element('p', {}, texts.channels.notMember),
      button(texts.channels.join, 'plus', () => this.#change(() => rest.joinChannel(id)), { class: 'primary', id: 'join-channel' }))];
    const sorted = [...members].sort((a, b) => Number(b.online) - Number(a.online) || a.name.localeCompare(b.name));
    const list = element('ul', { class: 'people' }, ...sorted.map((user) => personRow(user, rest, me.userId)));
    const leave = is_member ? [button(texts.channels.leave, 'door', () => this.#change(() => rest.leaveChannel(id)), { class: 'small' })] : [];
    return [head, ...running, ...invite, element('h3', { class: 'group' }, texts.channels.membersTitle), list, element('div', { class: 'row' }, ...leave)];
  }

  /** @param {() => Promise<unknown>} change */
  async #change(change) {
    await change().catch((error) => toast(texts.failed(error.message), 'problem'));
    await this.#load();
  }

  #create() {
    ask({
      title: texts.channels.createTitle,
      label: texts.channels.name,
      placeholder: texts.channels.namePlaceholder,
      go: texts.channels.createGo,
      act: async (name) => {
        const { channel } = await this.home.rest.createChannel(name);
        location.hash = `#/channels/${encodeURIComponent(channel.id)}`;
        await this.#load();
      },
    });
  }
}

