// Runs inside the pages: eyes and ears for what the participant gets, `window.senses`. Needs spy()
// for who is in which slot. No import may be used in here.

export function installSenses() {
  const canvas = document.createElement('canvas');
  const analysers = new Map();
  const gaps = new Map();
  const framesShown = new WeakMap();
  let audio = null;

  const tileOf = (userId, source) =>
    document.querySelector(`[data-user-id="${CSS.escape(userId)}"][data-source="${source}"]`);

  function meanColour(context, x, y, size) {
    const { data } = context.getImageData(x - size / 2, y - size / 2, size, size);
    const sum = [0, 0, 0];
    for (let i = 0; i < data.length; i++) if (i % 4 < 3) sum[i % 4] += data[i];
    return sum.map((value) => Math.round(value / (size * size)));
  }

  // Row of the moving bar's middle, of 90: it differs from frame to frame.
  function barRow(context) {
    const { data } = context.getImageData(133, 0, 1, 90);
    let sum = 0;
    let count = 0;
    for (let y = 0; y < 90; y++) if (data[y * 4 + 1] > 128) { sum += y; count++; }
    return count ? Math.round(sum / count) : -1;
  }

  // Frames that this video has shown since it was first asked about.
  function countFrames(video) {
    if (!framesShown.has(video)) {
      framesShown.set(video, 0);
      const shown = () => {
        framesShown.set(video, framesShown.get(video) + 1);
        video.requestVideoFrameCallback(shown);
      };
      video.requestVideoFrameCallback(shown);
    }
    return framesShown.get(video);
  }

  function lookAt(video) {
    canvas.width = 160;
    canvas.height = 90;
    const context = canvas.getContext('2d', { willReadFrequently: true });
    context.drawImage(video, 0, 0, 160, 90);
    return {
      width: video.videoWidth, height: video.videoHeight, top: meanColour(context, 40, 22, 16),
      bottom: meanColour(context, 40, 67, 16), bar: barRow(context),
      frames: countFrames(video),
    };
  }

  // What the participant's tile of this source shows, or null while there is no such tile.
  function see(userId, source) {
    const tile = tileOf(userId, source);
    if (!tile) return null;
    const shown = { on: tile.dataset.video === 'on', text: tile.textContent.trim() };
    const video = tile.querySelector('video');
    return video?.videoWidth ? { ...shown, ...lookAt(video) } : shown;
  }

  function audioTrackOf(userId) {
    const known = window.weir?.trackOf(userId, 'microphone'); // By the page's own client, whichever way it comes.
    if (known) return known;
    for (const connection of [...window.notes.connections].reverse()) {
      for (const transceiver of connection.getTransceivers()) {
        const slot = window.notes.sources.get(transceiver.mid);
        const { track } = transceiver.receiver;
        if (slot?.user_id === userId && slot.source === 'microphone' && track.kind === 'audio') return track;
      }
    }
    return null;
  }

  function analyserOf(track) {
    if (!analysers.has(track)) {
      const analyser = new AnalyserNode(audio, { fftSize: 8192, smoothingTimeConstant: 0 });
      audio.createMediaStreamSource(new MediaStream([track])).connect(analyser);
      analysers.set(track, analyser);
    }
    return analysers.get(track);
  }

  function analyse(track) {
    const analyser = analyserOf(track);
    const levels = new Float32Array(analyser.frequencyBinCount);
    analyser.getFloatFrequencyData(levels);
    const peak = levels.indexOf(Math.max(...levels));
    return { hz: Math.round((peak * audio.sampleRate) / analyser.fftSize), db: Math.round(levels[peak]) };
  }

  async function record(track, ms) {
    const recorder = new MediaRecorder(new MediaStream([track]));
    const parts = [];
    recorder.ondataavailable = (event) => parts.push(event.data);
    const stopped = new Promise((resolve) => { recorder.onstop = resolve; });
    recorder.start();
    setTimeout(() => recorder.stop(), ms);
    await stopped;
    const bytes = await new Blob(parts).arrayBuffer();
    return (await new OfflineAudioContext(1, 48000, 48000).decodeAudioData(bytes)).getChannelData(0);
  }

  // Where no AudioContext runs: a short recording, whose zero crossings give the tone.
  async function recordAndCount(track) {
    const samples = (await record(track, 400)).slice(-9600);
    let energy = 0;
    let crossings = 0;
    for (let i = 1; i < samples.length; i++) {
      energy += samples[i] * samples[i];
      if (samples[i - 1] < 0 && samples[i] >= 0) crossings++;
    }
    const db = 10 * Math.log10(energy / samples.length + 1e-12);
    return { hz: Math.round((crossings * 48000) / samples.length), db: Math.round(db) };
  }

  // The loudest frequency of what this participant says, or null while no slot carries it.
  async function hear(userId) {
    const track = audioTrackOf(userId);
    if (!track) return null;
    audio ??= new AudioContext();
    return audio.state === 'running' ? analyse(track) : recordAndCount(track);
  }

  // From now on, the times between shown frames of this tile; longestGap() reads them.
  function watchGaps(userId, source) {
    const video = tileOf(userId, source).querySelector('video');
    const watch = { frames: 0, longestMs: 0, longestAt: 0, last: performance.now() };
    gaps.set(`${userId} ${source}`, watch);
    const shown = (now) => {
      if (now - watch.last > watch.longestMs) Object.assign(watch, { longestMs: now - watch.last, longestAt: now });
      watch.last = now;
      watch.frames++;
      video.requestVideoFrameCallback(shown);
    };
    video.requestVideoFrameCallback(shown);
  }

  // Frames shown and the longest time between two, counting the time since the last one.
  function longestGap(userId, source) {
    const { frames, longestMs, longestAt, last } = gaps.get(`${userId} ${source}`);
    return { frames, longestMs: Math.round(Math.max(longestMs, performance.now() - last)), longestAt };
  }

  // How late the page's own timers have been at most since watchStalls(): a machine that is too busy.
  let longestStallMs = 0;
  function watchStalls() {
    let last = performance.now();
    longestStallMs = 0;
    setInterval(() => {
      longestStallMs = Math.max(longestStallMs, performance.now() - last - 20);
      last = performance.now();
    }, 20);
  }
  const longestStall = () => Math.round(longestStallMs);

  async function reports(type) {
    const open = window.notes.connections.filter((connection) => connection.connectionState !== 'closed');
    const all = await Promise.all(open.map((connection) => connection.getStats()));
    return all.flatMap((stats) => [...stats.values()].filter((report) => report.type === type));
  }

  // What comes in, with whose it is now.
  async function inboundStats() {
    const incoming = (await reports('inbound-rtp')).filter((report) => report.packetsReceived > 0);
    return incoming.map((report) => ({ ...report, userId: window.notes.sources.get(report.mid)?.user_id }));
  }

  async function framesSent() {
    return (await reports('outbound-rtp')).reduce((sum, report) => sum + (report.framesSent ?? 0), 0);
  }

  window.senses = { see, hear, watchGaps, longestGap, watchStalls, longestStall, inboundStats, framesSent };
}
