// Runs inside the pages: whether what comes of somebody goes on, by what a page gets to see and hear
// whichever way it comes. No import may be used in here: the function travels as text.

// Plays every track that the client ever tells of the other's microphone, as a page does, and watches
// the element of the camera. window.continuity[userId] has the longest stretches since the last reset,
// in ms: frozen, silent, and double (heard twice). Time in which the page itself stood still is left out.
export function startContinuity(userId) {
  const TICK_MS = 20;
  const watch = { frozen: 0, silent: 0, double: 0, frames: 0, tracks: 0 };
  (window.continuity ??= {})[userId] = watch;
  const audio = (window.continuityAudio ??= new AudioContext());
  const analysers = new Map();

  function play(track) {
    if (!track || analysers.has(track)) return;
    const player = new Audio(); // Chromium gives a remote track no sound before it is played.
    player.muted = true;
    player.srcObject = new MediaStream([track]);
    player.play();
    const analyser = new AnalyserNode(audio, { fftSize: 1024 });
    audio.createMediaStreamSource(new MediaStream([track])).connect(analyser);
    analysers.set(track, analyser);
    watch.tracks = analysers.size;
  }
  window.client.on('tile', ({ userId: whose, source, track }) => whose === userId && source === 'microphone' && play(track));
  play(window.client.trackOf(userId, 'microphone'));

  const video = document.getElementById(`tile-camera-${userId}`);
  let isShown = false;
  const shown = () => {
    isShown = true;
    watch.frames++;
    video.requestVideoFrameCallback(shown);
  };
  video.requestVideoFrameCallback(shown);

  const isLoud = (analyser) => {
    const samples = new Float32Array(analyser.fftSize);
    analyser.getFloatTimeDomainData(samples);
    return samples.some((value) => Math.abs(value) > 0.02);
  };
  const now = { frozen: 0, silent: 0, double: 0 };
  const note = (name, isSo, ms) => {
    now[name] = isSo ? now[name] + ms : 0;
    watch[name] = Math.max(watch[name], now[name]);
  };
  let last = performance.now();
  setInterval(() => {
    const ms = Math.min(performance.now() - last, 3 * TICK_MS);
    last = performance.now();
    const heard = [...analysers.values()].filter(isLoud).length;
    note('frozen', !isShown, ms);
    note('silent', heard === 0, ms);
    note('double', heard > 1, ms);
    isShown = false;
  }, TICK_MS);
  watch.reset = () => Object.assign(watch, { frozen: 0, silent: 0, double: 0 });
}
