// From what the client knows to what the stage and the list of people show.

import { showPeople } from './call-people.js';
import { texts } from './texts.js';

/** @typedef {import('./weir-client.js').WeirClient} WeirClient */
/** @typedef {import('./weir-client.js').Participant} Participant */
/** @typedef {import('./call-stage.js').Stage} Stage */

/** Big pictures are served first when the network is short. */
const PRIORITY_PINNED = 200;

/** What a stage asks of the client for each of its tiles. @param {WeirClient} client @returns {import('./call-stage.js').StageHooks} */
export function stageHooks(client) {
  return {
    shown: (tile) => {
      if (tile.isOwn) tile.setTrack(client.localTrack(tile.source));
      else client.tile(tile.userId, tile.source).attach(tile.video);
    },
    hidden: (tile) => {
      if (!tile.isOwn) client.tile(tile.userId, tile.source).detach();
    },
    pinned: (tile, isPinned) => {
      if (tile.isOwn) return;
      const wanted = client.tile(tile.userId, tile.source);
      if (isPinned) wanted.pin();
      else wanted.unpin();
      wanted.priority = isPinned ? PRIORITY_PINNED : 0;
    },
  };
}

export class View {
  /** @param {WeirClient} client @param {Stage} stage @param {() => import('./call-people.js').Awaited[]} awaited */
  constructor(client, stage, awaited) {
    this.client = client;
    this.stage = stage;
    this.awaited = awaited;
  }

  /** @param {Participant} participant */
  show(participant) {
    this.#showCamera(participant);
    this.#showScreen(participant);
  }

  /** @param {string} userId */
  showTrackOf(userId) {
    const participant = this.client.participants.get(userId);
    if (participant) this.show(participant);
  }

  /** @param {string} userId */
  hide(userId) {
    this.stage.hide(userId, 'camera');
    this.stage.hide(userId, 'screen');
  }

  showOwn() {
    const { userId, name } = this.client.you;
    const { audio, video, screen } = this.client.local;
    const camera = this.client.localTrack('camera');
    const shared = this.client.localTrack('screen');
    const isSwapped = screen && shared !== null && shared === camera;
    const own = { userId, name, isOwn: true, isAudioOn: audio, isVideoOn: true, hasHand: this.client.handRaised };
    this.stage.show({ ...own, source: 'camera', label: texts.you(name), track: camera, isVideoOn: video, isFlat: isSwapped });
    if (screen && !isSwapped) this.stage.show({ ...own, source: 'screen', label: texts.call.yourScreen, track: shared });
    else this.stage.hide('own', 'screen');
  }

  showList() {
    const { client } = this;
    const { audio, video, screen } = client.local;
    const { userId, name } = client.you;
    const own = { userId, name, label: texts.you(name), audioEnabled: audio, videoEnabled: video, screenSharing: screen, handRaised: client.handRaised };
    showPeople([own, ...client.participants.values()], this.awaited());
  }

  /** @param {Participant} participant */
  #showCamera({ userId, name, audioEnabled, videoEnabled, tracks, handRaised, quality }) {
    const isUnsupported = videoEnabled && tracks.get('camera')?.supported === false;
    this.stage.show({
      userId,
      source: 'camera',
      name,
      label: name,
      track: this.client.trackOf(userId, 'camera'),
      isVideoOn: videoEnabled,
      isAudioOn: audioEnabled,
      hasHand: handRaised,
      quality,
      note: isUnsupported ? texts.call.unsupported : '',
    });
  }

  /** @param {Participant} participant */
  #showScreen({ userId, name, tracks }) {
    const screen = tracks.get('screen');
    if (!screen) return this.stage.hide(userId, 'screen');
    this.stage.show({
      userId,
      source: 'screen',
      name,
      label: texts.call.screenOf(name),
      track: this.client.trackOf(userId, 'screen'),
      isVideoOn: true,
      isAudioOn: true,
      note: screen.supported ? '' : texts.call.unsupported,
    });
  }
}
