// Who is in the call, what they publish, and which slot carries which track: the server's messages
// folded into one picture. Pure: messages in, changes out, no browser object in sight.

/** @typedef {'microphone' | 'camera' | 'screen' | 'screen_audio'} Source */
/** @typedef {'audio' | 'video'} Kind */
/**
 * @typedef {object} RemoteTrack
 * @property {string} trackId
 * @property {string} userId
 * @property {Kind} kind
 * @property {Source} source
 * @property {boolean} simulcast
 * @property {boolean} supported false: this browser cannot decode its codec
 */
/**
 * @typedef {object} Participant
 * @property {string} userId
 * @property {string} name
 * @property {boolean} audioEnabled
 * @property {boolean} videoEnabled
 * @property {boolean} screenSharing
 * @property {number | null} quality of the connection, 1 (bad) to 5, null before the server has said
 * @property {Direction | null} qualityUp
 * @property {Direction | null} qualityDown
 * @property {boolean} handRaised
 * @property {boolean} isSpeaking
 * @property {Map<Source, RemoteTrack>} tracks
 */
/** @typedef {{score: number, reason: string}} Direction reason: none, loss, delay, bandwidth or cpu */
/** @typedef {{userId: string, source: Source, trackId: string, isPaused: boolean}} SlotContent */
/**
 * @typedef {object} TileChange
 * @property {string} userId
 * @property {Source} source
 * @property {string | null} mid null: no slot
 * @property {false | 'bandwidth'} paused the network does not carry it
 */
/**
 * @typedef {{type: 'participant-joined' | 'participant-left' | 'participant-updated', detail: {participant: Participant}}
 *   | {type: 'track-published' | 'track-unpublished', detail: {track: RemoteTrack}}
 *   | {type: 'tile', detail: TileChange}} Change
 */
/** @typedef {Record<string, any>} Message */

/** @type {Record<Source, Kind>} */
export const KIND_OF_SOURCE = { microphone: 'audio', camera: 'video', screen: 'video', screen_audio: 'audio' };

/** @param {Message} raw a person as any message may describe one @returns {string} */
export function nameOf(raw) {
  return raw.full_name || raw.user_name || raw.name || raw.username || String(raw.user_id ?? '');
}

/** @param {string} userId @param {Source} source */
const tileKey = (userId, source) => `${source}:${userId}`;

export class Roster {
  constructor() {
    /** @type {string} */
    this.ownId = '';
    /** @type {Map<string, Participant>} */
    this.participants = new Map();
    /** @type {Map<string, SlotContent>} by mid */
    this.slots = new Map();
  }

  /**
   * @param {Message} message
   * @returns {Change[]} what is different now, in the order to tell it
   */
  apply(message) {
    const handler = HANDLERS[message.type];
    return handler ? handler(this, message) : [];
  }

  /** All slots are gone, with the peer connection they belonged to. @returns {Change[]} */
  clearSlots() {
    const before = this.#tiles();
    this.slots.clear();
    return this.#tileChanges(before);
  }

  /** @param {Kind} kind @returns {number} how many tracks of others this browser could show at once */
  countTracks(kind) {
    let count = 0;
    for (const { tracks } of this.participants.values())
      for (const track of tracks.values()) if (track.kind === kind && track.supported) count++;
    return count;
  }

  /** @param {string} userId @param {Source} source @returns {string | null} the slot that carries it */
  midOf(userId, source) {
    return this.#tiles().get(tileKey(userId, source))?.mid ?? null;
  }

  /** @param {string | null} mid @returns {boolean} whether the server has nothing left for it */
  isPaused(mid) {
    return (mid !== null && this.slots.get(mid)?.isPaused) || false;
  }

  /** @param {string} userId @param {Source} source @returns {string | null} null: not published, or of no use here */
  trackIdOf(userId, source) {
    const track = this.participants.get(userId)?.tracks.get(source);
    return track?.supported ? track.trackId : null;
  }

  /** Who of the others speaks, and nobody else does. @param {Set<string>} userIds @returns {Change[]} */
  setSpeaking(userIds) {
    const changed = [...this.participants.values()].filter((one) => one.isSpeaking !== userIds.has(one.userId));
    return changed.flatMap((one) => this.update(one.userId, { isSpeaking: userIds.has(one.userId) }));
  }

  /** @returns {TileChange[]} every filled slot */
  tiles() {
    return [...this.#tiles().values()];
  }

  /** @param {Message} message welcome @returns {Change[]} */
  welcome(message) {
    this.ownId = String(message.you?.user_id ?? this.ownId);
    /** @type {Change[]} */
    const changes = [];
    const present = new Set();
    for (const raw of message.participants ?? []) {
      if (raw.status && raw.status !== 'JOINED') continue;
      present.add(String(raw.user_id));
      changes.push(...this.join(raw));
    }
    for (const userId of [...this.participants.keys()])
      if (!present.has(userId)) changes.push(...this.leave(userId));
    return changes;
  }

  /** @param {Message} raw @returns {Change[]} */
  join(raw) {
    const userId = String(raw.user_id ?? '');
    if (userId === '' || userId === this.ownId) return [];
    const known = this.participants.get(userId);
    const participant = known ?? newParticipant(userId);
    participant.name = nameOf(raw);
    participant.audioEnabled = raw.is_audio_enabled ?? participant.audioEnabled;
    participant.videoEnabled = raw.is_video_enabled ?? participant.videoEnabled;
    participant.screenSharing = raw.is_screen_sharing ?? participant.screenSharing;
    if (raw.quality) setQuality(participant, raw.quality);
    this.participants.set(userId, participant);
    /** @type {Change[]} */
    const changes = [{ type: known ? 'participant-updated' : 'participant-joined', detail: { participant } }];
    if (Array.isArray(raw.tracks)) changes.push(...this.#reconcileTracks(participant, raw.tracks));
    return changes;
  }

  /** @param {string} userId @returns {Change[]} */
  leave(userId) {
    const participant = this.participants.get(userId);
    if (!participant) return [];
    const before = this.#tiles();
    this.participants.delete(userId);
    for (const [mid, content] of this.slots) if (content.userId === userId) this.slots.delete(mid);
    return [...this.#tileChanges(before), { type: 'participant-left', detail: { participant } }];
  }

  /** @param {string} userId @param {Partial<Participant>} fields @returns {Change[]} */
  update(userId, fields) {
    const participant = this.participants.get(userId);
    if (!participant) return [];
    Object.assign(participant, fields);
    return [{ type: 'participant-updated', detail: { participant } }];
  }

  /** @param {Message} raw @returns {Change[]} */
  publishTrack(raw) {
    const userId = String(raw.user_id);
    const participant = this.participants.get(userId);
    if (!participant || !(raw.source in KIND_OF_SOURCE)) return [];
    /** @type {RemoteTrack} */
    const track = {
      trackId: String(raw.track_id),
      userId,
      kind: raw.kind ?? KIND_OF_SOURCE[/** @type {Source} */ (raw.source)],
      source: raw.source,
      simulcast: Boolean(raw.simulcast),
      supported: raw.supported !== false,
    };
    const known = participant.tracks.get(track.source);
    if (known?.trackId === track.trackId && known.supported === track.supported) return [];
    participant.tracks.set(track.source, track);
    return [{ type: 'track-published', detail: { track } }];
  }

  /** @param {string} trackId @returns {Change[]} */
  unpublishTrack(trackId) {
    for (const { tracks } of this.participants.values())
      for (const track of tracks.values()) {
        if (track.trackId !== trackId) continue;
        const before = this.#tiles();
        tracks.delete(track.source);
        for (const [mid, content] of this.slots) if (content.trackId === trackId) this.slots.delete(mid);
        return [...this.#tileChanges(before), { type: 'track-unpublished', detail: { track } }];
      }
    return [];
  }

  /** @param {Message[]} entries only the slots that changed need to be named @returns {Change[]} */
  fillSlots(entries) {
    const before = this.#tiles();
    for (const entry of entries) {
      const mid = String(entry.mid);
      if (entry.track_id == null) this.slots.delete(mid);
      else
        this.slots.set(mid, {
          userId: String(entry.user_id),
          source: entry.source,
          trackId: String(entry.track_id),
          isPaused: entry.paused === 'bandwidth',
        });
    }
    return this.#tileChanges(before);
  }

  /** @param {Participant} participant @param {Message[]} tracks @returns {Change[]} */
  #reconcileTracks(participant, tracks) {
    const wanted = new Set(tracks.map((track) => String(track.track_id)));
    const gone = [...participant.tracks.values()].filter((track) => !wanted.has(track.trackId));
    return [
      ...gone.flatMap((track) => this.unpublishTrack(track.trackId)),
      ...tracks.flatMap((track) => this.publishTrack({ ...track, user_id: participant.userId })),
    ];
  }

  /** @returns {Map<string, TileChange>} */
  #tiles() {
    const tiles = new Map();
    for (const [mid, { userId, source, isPaused }] of this.slots)
      tiles.set(tileKey(userId, source), { userId, source, mid, paused: isPaused && 'bandwidth' });
    return tiles;
  }

  /** @param {Map<string, TileChange>} before @returns {Change[]} tiles that emptied first, then filled */
  #tileChanges(before) {
    const after = this.#tiles();
    /** @type {Change[]} */
    const changes = [];
    for (const [key, tile] of before)
      if (!after.has(key)) changes.push({ type: 'tile', detail: { ...tile, mid: null, paused: false } });
    for (const [key, tile] of after)
      if (before.get(key)?.mid !== tile.mid || before.get(key)?.paused !== tile.paused)
        changes.push({ type: 'tile', detail: tile });
    return changes;
  }
}

/** @param {Participant} participant @param {Message} message what `quality` says */
function setQuality(participant, { score, up = null, down = null }) {
  Object.assign(participant, { quality: Number(score), qualityUp: up, qualityDown: down });
}

/** @param {string} userId @returns {Participant} */
function newParticipant(userId) {
  return {
    userId,
    name: userId,
    audioEnabled: true,
    videoEnabled: true,
    screenSharing: false,
    quality: null,
    qualityUp: null,
    qualityDown: null,
    handRaised: false,
    isSpeaking: false,
    tracks: new Map(),
  };
}

/** @type {Record<string, (roster: Roster, message: Message) => Change[]>} */
const HANDLERS = {
  welcome: (roster, message) => roster.welcome(message),
  user_joined: (roster, message) => roster.join(message),
  user_left: (roster, message) => roster.leave(String(message.user_id)),
  audio_toggled: (roster, { user_id, enabled }) => roster.update(String(user_id), { audioEnabled: Boolean(enabled) }),
  video_toggled: (roster, { user_id, enabled }) => roster.update(String(user_id), { videoEnabled: Boolean(enabled) }),
  screen_share_toggled: (roster, { user_id, is_sharing }) =>
    roster.update(String(user_id), { screenSharing: Boolean(is_sharing) }),
  quality: (roster, { user_id, score, up = null, down = null }) =>
    roster.update(String(user_id), { quality: Number(score), qualityUp: up, qualityDown: down }),
  speakers: (roster, { speakers }) =>
    roster.setSpeaking(new Set(speakers.map((/** @type {Message} */ { user_id }) => String(user_id)))),
  track_published: (roster, message) => roster.publishTrack(message),
  track_unpublished: (roster, message) => roster.unpublishTrack(String(message.track_id)),
  slots: (roster, message) => roster.fillSlots(message.slots ?? []),
};
