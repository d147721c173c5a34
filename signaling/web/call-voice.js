// One's own voice: whether it is to be heard, and a word when it speaks into a muted microphone.

import { button, byId, element } from './dom.js';
import { icon } from './icons.js';
import { watchLevel } from './level-meter.js';
import { texts } from './texts.js';

/** Louder than this for so long is speech, not a chair. */
const SPEECH_LEVEL = 0.45;
const SPEECH_MS = 500;
const QUIET_MS = 600;
const NOTICE_MS = 6_000;
/** Said once, and not again soon. */
const PAUSE_MS = 20_000;

/** Loudness over time into "speaks" or "does not". Pure. */
export class SpeechDetector {
  #loudSince = 0;
  #loudAt = -Infinity;

  /** @param {number} level 0 to 1 @param {number} now in ms @returns {{isLoud: boolean, isLasting: boolean}} */
  on(level, now) {
    const wasLoud = now - this.#loudAt < QUIET_MS;
    if (level > SPEECH_LEVEL) {
      if (!wasLoud) this.#loudSince = now;
      this.#loudAt = now;
    }
    const isLoud = now - this.#loudAt < QUIET_MS;
    return { isLoud, isLasting: isLoud && this.#loudAt - this.#loudSince >= SPEECH_MS };
  }
}

/**
 * Listens through a copy of the microphone's track, since a muted track is silent.
 * @param {import('./weir-client.js').WeirClient} client
 * @param {(isSpeaking: boolean) => void} onOwn one speaks, and is heard
 */
export function wireVoice(client, onOwn) {
  const detector = new SpeechDetector();
  /** @type {MediaStreamTrack | null} */
  let original = null;
  let stop = () => {};
  let notedAt = -Infinity;
  let wasSpeaking = false;
  const onLevel = (/** @type {number} */ level) => {
    const now = performance.now();
    const { isLoud, isLasting } = detector.on(level, now);
    const isSpeaking = isLoud && client.local.audio;
    if (isSpeaking !== wasSpeaking) onOwn((wasSpeaking = isSpeaking));
    if (!isLasting || client.local.audio || now - notedAt < PAUSE_MS) return;
    notedAt = now;
    showNotice(client);
  };
  client.on('local', ({ audio }) => {
    if (audio) byId('voice').replaceChildren();
    const track = client.localTrack('microphone');
    if (!track || track === original) return;
    stop();
    original = track;
    const copy = track.clone();
    const stopWatching = watchLevel(copy, onLevel);
    stop = () => {
      stopWatching();
      copy.stop();
    };
    track.addEventListener('ended', stop, { once: true });
  });
  client.on('device-lost', ({ source }) => source === 'microphone' && stop());
  client.on('connection', ({ state }) => state === 'closed' && stop());
}

/** @param {import('./weir-client.js').WeirClient} client */
function showNotice(client) {
  const root = byId('voice');
  const unmute = button(texts.voice.unmute, 'mic', () => client.setMicrophoneEnabled(true), { class: 'small primary' });
  const note = element('div', { class: 'toast' }, icon('micOff'), element('p', {}, texts.voice.muted), unmute);
  root.replaceChildren(note);
  setTimeout(() => note.remove(), NOTICE_MS);
}
