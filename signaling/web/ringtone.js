// Sounds without files: the ringtone, the tone that a caller hears, a chime, a test tone.

import { audioContext } from './level-meter.js';

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
