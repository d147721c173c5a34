// A call of two that goes past the server: begun and ended by the server's word, or by what happens on
// the way. The connection to the server stays, and takes over again without a gap.

import { DirectPeer, SOURCES, receivedBy } from './weir-direct-peer.js';
import { DirectSpeakers, DirectState, TICK_MS } from './weir-direct-state.js';

/** @typedef {import('./weir-roster.js').Source} Source */
/** @typedef {import('./weir-roster.js').Message} Message */
/**
 * @typedef {object} DirectHooks
 * @property {(message: Message) => void} send
 * @property {import('./weir-lines.js').SendOptions} options
 * @property {() => import('./weir-direct-peer.js').Tracks} tracks what we send
 * @property {(isHeld: boolean) => void} hold whether the server is sent anything
 * @property {(userId: string) => Source[]} hidden what of the other nobody looks at
 * @property {(userId: string) => Promise<Map<Source, number>>} relayed what has come from the server so far
 * @property {(userId: string, sources: Source[]) => void} changed these come another way now
 * @property {(speakers: Message[]) => void} speakers
 * @property {() => string} ownId
 */

/** While nothing changes, statistics are looked at that much less often. */
const CALM_TICKS = 3;

export class Direct {
  /** @type {RTCIceServer[]} */
  iceServers = [];
  /** @type {DirectPeer | null} */
  peer = null;
  /** With whom. */
  userId = '';
  #state = new DirectState();
  #speakers = new DirectSpeakers();
  #spoke = '';
  #isHeld = false;
  #ticks = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {DirectHooks} hooks */
  constructor(hooks) {
    this.hooks = hooks;
  }

  /** Whether the other is seen and heard directly. */
  get isUp() {
    return this.#state.phase === 'up';
  }

  /** @param {string} userId @param {Source} source whether it is shown from the direct connection */
  carries(userId, source) {
    return userId === this.userId && this.#state.carried.has(source);
  }

  /** Whether the server need not send that. @param {string} userId @param {Source} source */
  replaces(userId, source) {
    return this.isUp && this.carries(userId, source);
  }

  /** @param {string} userId @param {Source} source @returns {MediaStreamTrack | null} null: it comes from the server */
  trackOf(userId, source) {
    return this.carries(userId, source) ? (this.peer?.trackOf(source) ?? null) : null;
  }

  /** @param {Message} message whom to connect to, or that it is over */
  onDirect({ user_id, should_offer }) {
    if (user_id == null) return this.leave();
    const isOn = this.peer && this.userId === String(user_id) && this.#state.phase !== 'leaving';
    if (isOn) return;
    this.close();
    this.userId = String(user_id);
    if (should_offer) this.#attempt(crypto.randomUUID?.() ?? String(Math.random())).offer().catch(() => this.#fail());
  }

  /** What the other end sends. @param {Message} message */
  onRelayed({ type, from_user_id, offer, answer, candidate }) {
    if (String(from_user_id) !== this.userId) return;
    if (type === 'offer' && offer.attempt !== this.peer?.attempt) {
      this.#stop();
      this.#attempt(String(offer.attempt)).answer(offer.sdp).catch(() => this.#fail());
    } else if (type === 'answer' && answer.attempt === this.peer?.attempt)
      this.peer?.onAnswer(answer.sdp).catch(() => this.#fail());
    else if (type === 'ice_candidate' && candidate?.attempt === this.peer?.attempt)
      this.peer?.onCandidate({ candidate: candidate.candidate, sdpMid: candidate.sdpMid, sdpMLineIndex: candidate.sdpMLineIndex });
  }

  /** Something else is sent, or wanted. */
  sync() {
    this.peer?.sync();
  }

  /** Over the server again; closes when that has taken over. */
  leave() {
    if (this.#state.phase === 'trying' || this.#state.phase === 'off') return this.close();
    this.#state.leave(performance.now());
    this.#spoke = '';
    this.#apply(this.#state.carried);
    this.hooks.changed(this.userId, []);
  }

  /** At once. */
  close() {
    this.#stop();
    this.userId = '';
  }

  #stop() {
    clearTimeout(this.#timer);
    const before = this.#state.carried;
    this.#state.end();
    this.#apply(before);
    this.peer?.close();
    this.peer = null;
  }

  /** @param {string} attempt */
  #attempt(attempt) {
    const to = this.userId;
    const peer = new DirectPeer({ iceServers: this.iceServers }, attempt, this.hooks.options, {
      send: (message) => this.hooks.send({ ...message, target_user_id: to }),
      tracks: this.hooks.tracks,
    });
    this.peer = peer;
    this.#state.begin(performance.now());
    this.#timer = setTimeout(() => this.#tick(peer), TICK_MS);
    return peer;
  }

  /** @param {DirectPeer} peer */
  async #tick(peer) {
    try {
      const seen = await this.#look(peer);
      if (peer !== this.peer) return;
      this.#decide(peer, seen);
    } catch {
      if (peer === this.peer) this.#fail();
    }
    if (peer === this.peer) this.#timer = setTimeout(() => this.#tick(peer), TICK_MS);
  }

  /** @param {DirectPeer} peer @param {import('./weir-direct-state.js').Seen} seen */
  #decide(peer, seen) {
    const before = this.#state.carried;
    const verdict = this.#state.look(performance.now(), seen);
    this.#apply(before);
    if (verdict === 'failed') this.#fail();
    else if (verdict === 'done') return this.close();
    peer.sync();
    const live = [...this.hooks.tracks()].filter(([, track]) => track?.readyState === 'live').map(([source]) => source);
    peer.tell({ sources: live, hidden: seen.hidden, isReceiving: this.#state.isReceiving });
  }

  /** @param {DirectPeer} peer @returns {Promise<import('./weir-direct-state.js').Seen>} */
  async #look(peer) {
    const isCalm = this.isUp && ++this.#ticks % CALM_TICKS !== 0;
    const [report, relayed] = await Promise.all([
      isCalm ? null : peer.pc.getStats(),
      this.#state.phase === 'leaving' ? this.hooks.relayed(this.userId) : null,
    ]);
    const sourceOf = (/** @type {string} */ id) => SOURCES.find((source) => peer.trackOf(source)?.id === id);
    if (report && this.isUp) this.#listen(report);
    const { isBroken, beats, beat } = peer;
    return { isBroken, beats, beat, hidden: this.hooks.hidden(this.userId), direct: report && receivedBy(report, sourceOf), relayed };
  }

  /** The server hears nobody: who speaks is found out here. @param {RTCStatsReport} report */
  #listen(report) {
    const microphone = this.hooks.tracks().get('microphone')?.id;
    const own = [...report.values()].find(({ type, trackIdentifier }) => type === 'media-source' && trackIdentifier === microphone);
    const levels = new Map([[this.hooks.ownId(), own?.audioLevel ?? 0], [this.userId, this.peer?.heardLevel() ?? 0]]);
    const speakers = this.#speakers.look(performance.now(), levels);
    const spoke = speakers.map(({ user_id }) => user_id).join();
    if (spoke !== this.#spoke) this.hooks.speakers(speakers);
    this.#spoke = spoke;
  }

  /** No way from here to there: the server tells the other end, and when to try again. */
  #fail() {
    if (this.#state.phase === 'leaving') return;
    this.hooks.send({ type: 'direct', state: 'failed' });
    this.leave();
  }

  /** Makes what was decided so. @param {ReadonlySet<Source>} before what was carried */
  #apply(before) {
    const { carried, isHeld } = this.#state;
    for (const source of SOURCES) {
      const track = this.peer?.trackOf(source);
      if (track) track.enabled = carried.has(source);
    }
    if (isHeld !== this.#isHeld) this.hooks.hold(isHeld);
    this.#isHeld = isHeld;
    const changed = SOURCES.filter((source) => carried.has(source) !== before.has(source));
    if (changed.length > 0) this.hooks.changed(this.userId, changed);
  }
}
