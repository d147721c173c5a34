// Sounds without files: the ringtone, the tone that a caller hears, a chime, a test tone.

import { audioContext } from './level-meter.js';

const TONE_LOCK = 'weir.ringtone';
const CALL_LOCK = 'weir.in-call';

/** One note: a bell of two partials that dies away. @param {number} hz @param {number} at seconds from now @param {number} [seconds] @param {number} [volume] @returns {() => void} cuts it off */
function note(hz, at, seconds = 0.7, volume = 0.18) {
  const audio = audioContext();
  if (!audio) return () => {};
  const begin = audio.currentTime + at;
  const gain = new GainNode(audio, { gain: 0 });
  gain.gain.setValueAtTime(0, begin);
  gain.gain.linearRampToValueAtTime(volume, begin + 0.015);
  gain.gain.exponentialRampToValueAtTime(0.0001, begin + seconds);
  gain.connect(audio.destination);
  const partials = [1, 2.01].map((ratio) => new OscillatorNode(audio, { type: 'sine', frequency: hz * ratio }));
  for (const partial of partials) {
    partial.connect(gain);
    partial.start(begin);
    partial.stop(begin + seconds);
  }
  return () => gain.disconnect();
}

/** Plays a melody again and again. @param {[hz: number, at: number][]} melody @param {number} everyMs @param {number} [volume] @returns {() => void} stops it */
function repeat(melody, everyMs, volume) {
  /** @type {(() => void)[]} */
  let cuts = [];
  const play = () => (cuts = melody.map(([hz, at]) => note(hz, at, 0.7, volume)));
  play();
  const timer = setInterval(play, everyMs);
  return () => {
    clearInterval(timer);
    for (const cut of cuts) cut();
  };
}

/** Somebody calls. @returns {() => void} stops it */
export function startRingtone() {
  return repeat([[659, 0], [784, 0.16], [988, 0.32], [784, 0.64], [988, 0.8]], 2_400);
}

/**
 * Somebody calls, and several tabs know: one of them sounds, and none while one is in a call.
 * @returns {() => void} stops it
 */
export function startOneRingtone() {
  let isOver = false;
  let stop = () => {};
  const play = () => {
    if (!isOver) stop = startRingtone();
  };
  // A page that nobody has touched may not sound: it leaves that to another.
  if (navigator.locks && (navigator.userActivation?.hasBeenActive ?? true))
    navigator.locks.request(TONE_LOCK, { ifAvailable: true }, async (lock) => {
      if (!lock || (await isInCall())) return;
      play();
      await new Promise((resolve) => {
        const stopTone = stop;
        stop = () => (stopTone(), resolve(undefined));
        if (isOver) stop();
      });
    });
  else isInCall().then((isIn) => isIn || play());
  return () => {
    isOver = true;
    stop();
  };
}

/** Marks this tab as one that is in a call. @returns {() => void} takes the mark away */
export function markInCall() {
  let end = () => {};
  const whileIn = new Promise((resolve) => (end = () => resolve(undefined)));
  navigator.locks?.request(CALL_LOCK, { mode: 'shared' }, () => whileIn);
  return end;
}

/** Whether any tab of this browser is. */
async function isInCall() {
  const { held = [] } = (await navigator.locks?.query()) ?? {};
  return held.some(({ name }) => name === CALL_LOCK);
}

/** It rings at the other end. @returns {() => void} stops it */
export function startRingback() {
  return repeat([[440, 0], [440, 0.5]], 3_500, 0.06);
}

export function chime() {
  for (const [hz, at] of [[784, 0], [988, 0.18], [1175, 0.36]]) note(hz, at, 0.9, 0.12);
}

/** To a loudspeaker of one's choice, where the browser can. @param {string} deviceId */
export async function playTestTone(deviceId) {
  const audio = audioContext();
  if (!audio) return;
  const settable = /** @type {AudioContext & {setSinkId?: (id: string) => Promise<void>}} */ (audio);
  await settable.setSinkId?.(deviceId === 'default' ? '' : deviceId).catch(() => {});
  chime();
}
