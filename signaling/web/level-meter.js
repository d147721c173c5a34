// How loud a microphone is, from 0 to 1, a few times a second.

const INTERVAL_MS = 80;
/** Quieter than this counts as silence; speech in front of a laptop is around -30. */
const FLOOR_DB = -60;

/** @type {AudioContext | null} one for the page: browsers allow but a few */
let context = null;

/** @returns {AudioContext | null} null where the browser has none */
export function audioContext() {
  if (!('AudioContext' in window)) return null;
  context ??= new AudioContext();
  if (context.state === 'suspended') context.resume().catch(() => {});
  return context;
}

/** @param {Float32Array} samples @returns {number} 0 for silence, 1 for the loudest */
export function loudness(samples) {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  const db = 10 * Math.log10(sum / Math.max(1, samples.length) + 1e-12);
  return Math.min(1, Math.max(0, 1 - db / FLOOR_DB));
}

/**
 * @param {MediaStreamTrack} track which the caller keeps
 * @param {(level: number) => void} onLevel
 * @returns {() => void} stops it
 */
export function watchLevel(track, onLevel) {
  const audio = audioContext();
  if (!audio) return () => {};
  const source = audio.createMediaStreamSource(new MediaStream([track]));
  const analyser = new AnalyserNode(audio, { fftSize: 1024 });
  source.connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    onLevel(loudness(samples));
  }, INTERVAL_MS);
  return () => {
    clearInterval(timer);
    source.disconnect();
  };
}
