// The inside of a WeirClient: who is connected to what. It joins the parts (signaling, peer connection,
// tracks, roster, tiles) and decides what one's news means for the others.

import { Direct } from './weir-direct.js';
import { receivedBy } from './weir-direct-peer.js';
import { Roster } from './weir-roster.js';
import { LocalTracks } from './weir-local.js';
import { MESSAGE_HANDLERS, callOf, subscribeMessage, youOf } from './weir-messages.js';
import { DEFAULTS } from './weir-options.js';
import { MediaPath } from './weir-path.js';
import { Peer } from './weir-peer.js';
import { WeirError, WeirRest } from './weir-rest.js';
import { Signaling, socketUrl } from './weir-signaling.js';
import { Signals } from './weir-signals.js';
import { slotLimits, slotsWanted, uploadFor } from './weir-slots.js';
import { Tiles } from './weir-tiles.js';

/** @typedef {import('./weir-roster.js').Source} Source */
/** @typedef {import('./weir-roster.js').Kind} Kind */
/** @typedef {import('./weir-roster.js').Message} Message */
/** @typedef {import('./weir-types.js').ConnectionState} ConnectionState */
/** @typedef {import('./weir-emitter.js').Emitter<import('./weir-types.js').WeirEvents>['emit']} Emit */

export class Session {
  roster = new Roster();
  /** @type {Signaling | null} */
  signaling = null;
  /** @type {Peer | null} */
  peer = null;
  /** @type {ConnectionState} */
  state = 'idle';
  /** @type {import('./weir-types.js').You} */
  you = { userId: '', name: '' };
  /** @type {import('./weir-types.js').CallInfo} */
  call = { type: 'VIDEO', initiatorId: '', startedAt: null };
  /** @type {import('./weir-types.js').Speaker[]} */
  speakers = [];
  #path = new MediaPath({
    canRestart: () => this.signaling?.isOpen ?? false,
    restart: () => this.peer?.negotiate({ iceRestart: true }),
    giveUp: () => {
      this.emit('error', new WeirError('no_media', 'Sound and picture do not get through this network'));
      this.#startOver();
    },
    changed: () => this.#updateState(),
  });
  #isEntered = false;
  /** @type {{resolve: () => void, reject: (error: WeirError) => void} | null} */
  #joining = null;
  /** @type {Record<Kind, number>} */
  #slotLimit = { audio: 0, video: 0 };
  #abort = new AbortController();

  /** @param {import('./weir-types.js').WeirOptions} options @param {Emit} emit */
  constructor(options, emit) {
    this.options = { ...DEFAULTS, ...options };
    this.emit = emit;
    this.rest = new WeirRest(this.options);
    this.local = new LocalTracks({
      simulcast: this.options.simulcast,
      lines: () => this.peer?.lines ?? null,
      negotiate: () => this.peer?.negotiate(),
      send: (message) => this.signaling?.send(message),
      changed: (state) => (emit('local', state), this.#tuneUpload(), this.direct.sync()),
      lost: (source) => emit('device-lost', { source }),
    });
    this.signals = new Signals({
      send: (message) => this.signaling?.send(message),
      hand: (userId, raised) => this.roster.update(userId, { handRaised: raised }).forEach((change) => this.#tell(change)),
      emit,
      ownId: () => this.you.userId,
    });
    /** @type {Direct} */
    this.direct = new Direct({
      send: (message) => this.signaling?.send(message),
      options: this.options,
      tracks: () => this.peer?.lines.tracks ?? new Map(),
      hold: (isHeld) => this.peer?.lines.hold(isHeld),
      hidden: (userId) => this.tiles.hiddenOf(userId),
      relayed: (userId) => this.#receivedOf(userId),
      changed: (userId, sources) => this.#onWayChanged(userId, sources),
      speakers: (speakers) => {
        this.roster.apply({ type: 'speakers', speakers }).forEach((change) => this.#tell(change));
        MESSAGE_HANDLERS.speakers(this.#reactions, { speakers });
      },
      ownId: () => this.you.userId,
    });
    /** @type {Tiles} */
    this.tiles = new Tiles({
      roster: this.roster,
      mids: () => this.peer?.slotMids ?? { audio: [], video: [] },
      trackOf: (mid) => this.trackOf(mid),
      isElsewhere: (userId, source) => this.direct.replaces(userId, source),
      subscribe: (entries) => this.signaling?.sendNow(subscribeMessage(entries)) ?? false,
      pauseHidden: this.options.pauseHidden,
    });
  }

  async enter() {
    await this.rest.joinCall(this.options.callId);
    const status = await this.rest.callStatus(this.options.callId).catch(() => null);
    if (status?.call_type) this.call.type = status.call_type;
    this.#isEntered = true;
  }

  /** @returns {Promise<void>} */
  join() {
    if (this.signaling || this.state === 'closed')
      return Promise.reject(new WeirError('wrong_state', 'A client joins once'));
    const signaling = new Signaling(socketUrl(this.options), {
      direct: this.options.direct,
      enter: () => this.#enterOnce(),
      onWelcome: (message, resumed) => this.#onWelcome(message, resumed),
      onMessage: (message) => this.#onMessage(message),
      onDrop: () => this.#updateState(),
      onRefused: (error) => this.close(error),
    });
    this.signaling = signaling;
    this.#listenToWindow();
    this.#updateState();
    return new Promise((resolve, reject) => {
      this.#joining = { resolve, reject };
      signaling.connect();
    });
  }

  async leave() {
    const wasIn = this.signaling !== null && this.state !== 'closed';
    this.close(null);
    if (wasIn) await this.rest.leaveCall(this.options.callId).catch(() => {});
  }

  /** @param {string | null} mid */
  trackOf(mid) {
    if (mid === null) return null;
    const content = this.roster.slots.get(mid);
    const direct = content ? this.direct.trackOf(content.userId, content.source) : null;
    return direct ?? this.peer?.trackOf(mid) ?? null;
  }

  /** @param {WeirError | null} reason null when it was our wish or the call's end */
  close(reason) {
    if (this.state === 'closed') return;
    this.#abort.abort();
    this.signaling?.close();
    this.#dropPeer();
    this.local.close();
    this.signals.close();
    this.tiles.close();
    this.#setState('closed', reason);
    this.#joining?.reject(reason ?? new WeirError('left', 'Left before the server answered'));
    this.#joining = null;
  }

  async #enterOnce() {
    if (!this.#isEntered) await this.enter();
    this.#isEntered = false; // A later connection that is no resumption has to ask again.
  }

  /** @param {Message} message @param {boolean} resumed */
  #onWelcome(message, resumed) {
    this.you = youOf(message.you);
    this.call = callOf(message.call, this.call);
    this.#slotLimit = slotLimits(message.limits ?? {}, this.options);
    this.direct.iceServers = message.ice_servers ?? [];
    if (!resumed || !this.peer) this.#replacePeer(message.ice_servers ?? []);
    this.#applyToRoster(message);
    this.local.announce();
    this.signals.repeat();
    this.#growSlots();
    if (resumed) this.peer?.resend();
    else this.peer?.negotiate();
    this.tiles.repeat();
    this.#joining?.resolve();
    this.#joining = null;
    this.#updateState();
  }

  /** @param {RTCIceServer[]} iceServers */
  #replacePeer(iceServers) {
    this.#dropPeer();
    const peer = new Peer({ iceServers }, this.options, {
      send: (message) => this.signaling?.sendNow(message) ?? false,
      onPath: (state) => this.#onPath(state),
      onAnswered: () => this.tiles.changed(),
      onRejected: (error, sources) => this.#onOfferRejected(error, sources),
      onBroken: () => this.#startOver(),
    });
    this.peer = peer;
    this.#path.begin();
    this.local.attach();
    peer.growSlots('audio', this.options.audioSlots);
    peer.growSlots('video', this.options.videoSlots);
  }

  #dropPeer() {
    this.#path.end();
    this.direct.close();
    this.peer?.close();
    this.peer = null;
    this.tiles.forget();
    this.roster.clearSlots().forEach((change) => this.#tell(change));
  }

  /** @param {Message} message */
  #onMessage(message) {
    if (message.type === 'speakers' && this.direct.isUp) return; // It hears nobody.
    this.#applyToRoster(message);
    this.emit('message', { message });
    MESSAGE_HANDLERS[message.type]?.(this.#reactions, message);
  }

  /** @type {import('./weir-messages.js').Reactions} */
  #reactions = {
    answer: (sdp) => this.peer?.onAnswer(sdp),
    offerError: (error) => this.peer?.onOfferError(error),
    subscribeError: () => this.tiles.onRefused(),
    restart: () => this.#path.restart(),
    direct: (message) => this.direct.onDirect(message),
    relayed: (message) => this.direct.onRelayed(message),
    layers: (mid, rids, active) => {
      const source = this.peer?.lines.chooseLayers(mid, rids, active);
      if (source) this.emit('layers', { source, rids, active });
    },
    speakers: (speakers) => {
      this.speakers = speakers;
      this.emit('speakers', { speakers });
    },
    signal: (message) => this.signals.on(message),
    ended: (userId) => {
      this.emit('call-ended', { userId });
      this.close(null);
    },
    emit: (type, detail) => this.emit(type, detail),
  };

  /** @param {Message} message */
  #applyToRoster(message) {
    const changes = this.roster.apply(message);
    changes.forEach((change) => this.#tell(change));
    if (message.type === 'slots' || changes.some(({ type }) => type === 'tile')) this.#showTiles();
    if (message.type === 'track_published') {
      this.#growSlots();
      this.tiles.changed();
    }
    if (message.type === 'user_joined') this.signals.repeat();
    if (message.type === 'user_joined' || message.type === 'user_left') this.#tuneUpload();
  }

  /** @param {import('./weir-roster.js').Change} change */
  #tell(change) {
    if (change.type === 'participant-left') {
      const { userId } = change.detail.participant;
      this.tiles.drop(userId);
      if (userId === this.direct.userId) this.direct.close();
    }
    if (change.type === 'tile') this.emit('tile', { ...change.detail, track: this.trackOf(change.detail.mid) });
    else this.emit(change.type, /** @type {any} */ (change.detail));
  }

  /** What a slot carries is silent while it comes directly, also for who plays the slot's track itself. */
  #showTiles() {
    for (const mid of Object.values(this.peer?.slotMids ?? {}).flat()) {
      const content = this.roster.slots.get(mid);
      const track = this.peer?.trackOf(mid);
      if (track) track.enabled = !content || !this.direct.carries(content.userId, content.source);
    }
    this.tiles.show();
  }

  /** @param {string} userId @param {Source[]} sources that come another way now */
  #onWayChanged(userId, sources) {
    this.#showTiles();
    const tiles = this.roster.tiles().filter((tile) => tile.userId === userId && sources.includes(tile.source));
    for (const detail of tiles) this.#tell({ type: 'tile', detail });
  }

  /** What of this one the slots have received so far. @param {string} userId */
  async #receivedOf(userId) {
    const sources = new Map(this.roster.tiles().filter((tile) => tile.userId === userId)
      .map(({ mid, source }) => [this.peer?.trackOf(mid ?? '')?.id ?? '', source]));
    const report = await this.peer?.pc.getStats();
    return report ? receivedBy(report, (trackId) => sources.get(trackId)) : new Map();
  }

  /** More tracks in the call than slots to show them: one more offer. */
  #growSlots() {
    const { peer } = this;
    if (!peer) return;
    let grew = false;
    for (const kind of /** @type {Kind[]} */ (['audio', 'video'])) {
      const have = peer.slots[kind].length;
      const want = slotsWanted(this.roster.countTracks(kind), have, this.#slotLimit[kind]);
      peer.growSlots(kind, want);
      grew ||= want > have;
    }
    if (grew) peer.negotiate();
  }

  /** A camera in one layer is the same for all: the more watch, the less it can be. */
  #tuneUpload() {
    const camera = this.local.track('camera');
    if (!camera || this.peer?.lines.isLayered('camera')) return;
    const upload = uploadFor(this.roster.participants.size, camera.getSettings().height ?? 720);
    this.peer?.lines.tune('camera', (encodings) => encodings.forEach((encoding) => Object.assign(encoding, upload)));
  }

  /** @param {'connected' | 'unstable' | 'failed'} state */
  #onPath(state) {
    this.#path.on(state);
    if (state === 'connected') this.#tuneUpload();
  }

  /** @param {WeirError} error @param {Source[]} sources */
  #onOfferRejected(error, sources) {
    const { audio, video } = this.peer?.slots ?? { audio: [], video: [] };
    this.#slotLimit = { audio: audio.length, video: video.length };
    this.local.forget(sources);
    this.emit('error', error);
    if (audio.length + video.length === 0) this.close(error);
  }

  #startOver() {
    this.#dropPeer();
    this.signaling?.startOver();
    this.#updateState();
  }

  #updateState() {
    if (this.state === 'closed') return;
    const isWhole = Boolean(this.signaling?.isOpen) && this.#path.isUp;
    const wasUp = this.state === 'connected' || this.state === 'reconnecting';
    this.#setState(isWhole ? 'connected' : wasUp ? 'reconnecting' : 'connecting', null);
  }

  /** @param {ConnectionState} state @param {WeirError | null} reason */
  #setState(state, reason) {
    if (state === this.state) return;
    this.state = state;
    this.emit('connection', { state, reason });
  }

  #listenToWindow() {
    const { signal } = this.#abort;
    const retry = () => this.signaling?.retryNow();
    addEventListener('online', () => (retry(), this.#path.restart()), { signal });
    document.addEventListener('visibilitychange', () => document.hidden || retry(), { signal });
    addEventListener('pagehide', () => this.close(null), { signal });
    navigator.mediaDevices?.addEventListener('devicechange', () => this.emit('devices-changed', {}), { signal });
  }
}
