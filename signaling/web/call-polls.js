// Polls: anyone asks, everybody answers once. The server relays and keeps nothing, so whoever asked
// says it again, with the votes so far, when somebody joins.

import { markPanel, openPanel, togglePanel } from './call-panels.js';
import { byId, button, element, toast } from './dom.js';
import { texts } from './texts.js';

/** @typedef {import('./weir-client.js').WeirClient} WeirClient */
/**
 * @typedef {object} Poll
 * @property {string} id
 * @property {string} question
 * @property {string[]} options
 * @property {string} by name of who asked
 * @property {boolean} isOwn
 * @property {Map<string, number>} votes by user id
 */

const MOST_OPTIONS = 8;
const MOST_POLLS = 50;
const TEXT_LIMIT = 200;

/** @param {any} raw @returns {{id: string, question: string, options: string[], votes: [string, number][]} | null} null: no poll */
export function readPoll(raw) {
  const options = Array.isArray(raw?.options) ? raw.options.slice(0, MOST_OPTIONS).map((/** @type {any} */ one) => String(one?.text ?? one).slice(0, TEXT_LIMIT)) : [];
  const question = String(raw?.question ?? '').slice(0, TEXT_LIMIT);
  if (raw?.id === undefined || question === '' || options.length < 2) return null;
  const votes = Array.isArray(raw.votes) ? raw.votes.filter((/** @type {any} */ one) => Array.isArray(one) && one[1] in options) : [];
  return { id: String(raw.id), question, options, votes: votes.map((/** @type {any} */ [user, index]) => [String(user), Number(index)]) };
}

export class Polls {
  /** @type {Map<string, Poll>} */
  #polls = new Map();
  #isAsking = false;

  /** @param {WeirClient} client */
  constructor(client) {
    this.client = client;
    client.on('poll', ({ name, poll }) => this.#onPoll(name, poll));
    client.on('poll-vote', ({ userId, pollId, optionIndex }) => this.#onVote(String(pollId), userId, optionIndex));
    client.on('participant-joined', () => client.state === 'connected' && this.#repeat());
    this.#show();
  }

  /** @param {string} name @param {any} raw */
  #onPoll(name, raw) {
    const poll = readPoll(raw);
    if (!poll) return;
    const known = this.#polls.get(poll.id);
    const votes = new Map([...poll.votes, ...(known?.votes ?? [])]);
    if (!known && this.#polls.size >= MOST_POLLS) return;
    this.#polls.set(poll.id, { ...poll, by: known?.by ?? name, isOwn: known?.isOwn ?? false, votes });
    this.#show();
    if (known || openPanel() === 'polls') return;
    markPanel('polls', true);
    toast(texts.polls.created(name, poll.question), 'info', { label: texts.chat.show, act: () => togglePanel('polls') });
  }

  /** @param {string} pollId @param {string} userId @param {number} index */
  #onVote(pollId, userId, index) {
    const poll = this.#polls.get(pollId);
    if (!poll || !(index in poll.options)) return;
    poll.votes.set(userId, index);
    this.#show();
  }

  #repeat() {
    for (const { id, question, options, votes, isOwn } of this.#polls.values())
      if (isOwn) this.client.createPoll({ id, question, options, votes: [...votes] });
  }

  /** @param {string} question @param {string[]} options */
  #ask(question, options) {
    const id = `${this.client.you.userId}-${Date.now()}`;
    this.#polls.set(id, { id, question, options, by: this.client.you.name, isOwn: true, votes: new Map() });
    this.client.createPoll({ id, question, options });
    this.#isAsking = false;
    this.#show();
  }

  #show() {
    const root = byId('polls');
    const polls = [...this.#polls.values()].reverse().map((poll) => this.#pollView(poll));
    if (this.#isAsking) return root.replaceChildren(this.#form(), ...polls);
    const create = button(texts.polls.create, 'plus', () => {
      this.#isAsking = true;
      this.#show();
      root.querySelector('input')?.focus();
    });
    const empty = polls.length === 0 ? [element('p', { class: 'soft small-text' }, texts.polls.empty)] : [];
    root.replaceChildren(...empty, create, ...polls);
  }

  /** @param {Poll} poll */
  #pollView({ id, question, options, by, votes }) {
    const own = votes.get(this.client.you.userId);
    const list = options.map((option, index) => {
      const count = [...votes.values()].filter((vote) => vote === index).length;
      const node = button(option, '', () => {
        this.client.votePoll(id, index);
        this.#onVote(id, this.client.you.userId, index);
      }, { class: 'option' });
      const bar = element('meter', { min: '0', max: String(Math.max(1, votes.size)), value: String(count), 'aria-hidden': 'true' });
      node.setAttribute('aria-pressed', String(own === index));
      node.append(element('b', {}, String(count)), bar);
      return node;
    });
    const head = element('div', { class: 'stack tight' }, element('h3', {}, question),
      element('p', { class: 'soft small-text' }, `${texts.polls.by(by)} · ${texts.polls.votes(votes.size)}`));
    return element('section', { class: 'poll stack', 'aria-label': question }, head, ...list);
  }

  #form() {
    const question = element('input', { maxlength: String(TEXT_LIMIT), required: '', 'aria-label': texts.polls.question, placeholder: texts.polls.question });
    const fields = element('div', { class: 'stack' });
    const addField = () => {
      const label = texts.polls.option(fields.children.length + 1);
      fields.append(element('input', { maxlength: String(TEXT_LIMIT), 'aria-label': label, placeholder: label }));
      more.hidden = fields.children.length >= MOST_OPTIONS;
    };
    const more = button(texts.polls.addOption, 'plus', addField, { class: 'small' });
    addField();
    addField();
    const cancel = button(texts.cancel, '', () => ((this.#isAsking = false), this.#show()));
    const form = element('form', { class: 'poll stack' }, question, fields, more,
      element('div', { class: 'row' }, element('button', { class: 'primary grow' }, texts.polls.send), cancel));
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      const options = [...fields.children].map((field) => /** @type {HTMLInputElement} */ (field).value.trim()).filter(Boolean);
      if (question.value.trim() === '' || options.length < 2) return toast(texts.polls.needs, 'problem');
      this.#ask(question.value.trim(), options);
    });
    return form;
  }
}
