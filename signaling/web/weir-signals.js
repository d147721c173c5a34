// Small things that participants tell each other: raised hands, reactions, a timer, or whatever an
// application makes up. The server relays them and keeps nothing, so whoever has something that lasts
// says it again when somebody joins.

/** @typedef {import('./weir-types.js').Timer} Timer */
/** @typedef {import('./weir-roster.js').Message} Message */
/**
 * @typedef {object} SignalsHooks
 * @property {(message: Message) => void} send
 * @property {(userId: string, raised: boolean) => void} hand the hand of another
 * @property {import('./weir-emitter.js').Emitter<import('./weir-types.js').WeirEvents>['emit']} emit
 * @property {() => string} ownId
 */

/** A crowd that arrives together is told once. */
const REPEAT_MS = 300;

export class Signals {
  /** @type {Timer | null} */
  timer = null;
  handRaised = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #repeating;

  /** @param {SignalsHooks} hooks */
  constructor(hooks) {
    this.hooks = hooks;
  }

  /** @param {string} kind @param {unknown} [data] */
  send(kind, data = null) {
    this.hooks.send({ type: 'signal', kind, data });
  }

  /** @param {boolean} raised */
  raiseHand(raised) {
    this.handRaised = raised;
    this.send('hand', { raised });
    this.hooks.emit('hand', { userId: this.hooks.ownId(), raised });
  }

  /** @param {number} seconds 0 stops it */
  startTimer(seconds) {
    this.#setTimer(this.hooks.ownId(), seconds);
    this.#sendTimer();
  }

  /** Somebody new is here: what lasts is said again. */
  repeat() {
    clearTimeout(this.#repeating);
    this.#repeating = setTimeout(() => {
      if (this.handRaised) this.send('hand', { raised: true });
      if (this.timer?.userId === this.hooks.ownId() && this.timer.endsAt.getTime() > Date.now()) this.#sendTimer();
    }, REPEAT_MS);
  }

  /** @param {Message} message of type `signal` */
  on({ sender_id, sender_name, kind, data }) {
    const from = { userId: String(sender_id), name: String(sender_name) };
    if (kind === 'hand') this.#onHand(from.userId, Boolean(data?.raised));
    else if (kind === 'reaction') this.hooks.emit('reaction', { ...from, emoji: String(data?.emoji ?? '').slice(0, 16) });
    else if (kind === 'timer') this.#setTimer(from.userId, Number(data?.seconds) || 0);
    else this.hooks.emit('signal', { ...from, kind: String(kind), data });
  }

  close() {
    clearTimeout(this.#repeating);
  }

  /** @param {string} userId @param {boolean} raised */
  #onHand(userId, raised) {
    this.hooks.hand(userId, raised);
    this.hooks.emit('hand', { userId, raised });
  }

  /** What is left is told instead of its end: clocks differ. */
  #sendTimer() {
    const left = this.timer ? (this.timer.endsAt.getTime() - Date.now()) / 1000 : 0;
    this.send('timer', { seconds: Math.max(0, left) });
  }

  /** @param {string} userId @param {number} seconds */
  #setTimer(userId, seconds) {
    this.timer = seconds > 0 ? { userId, endsAt: new Date(Date.now() + seconds * 1000) } : null;
    this.hooks.emit('timer', { timer: this.timer });
  }
}
