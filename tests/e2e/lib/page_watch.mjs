// Runs inside the pages: what the decoders and the server say of what one participant gets of
// another, over time, in `window.watches`. Needs spy() and a page that joined by the library.
// No import may be used in here.

// Starts to watch a source of a user, whose picture is in the element of this id.
export function startWatch({ userId, source, element, everyMs }) {
  window.watches ??= {};
  const watch = { samples: [], gaps: [], stalls: [] };
  window.watches[`${userId} ${source}`] = watch;
  const midOf = () => window.client.tile(userId, source).mid;

  async function inbound() {
    const open = window.notes.connections.find((connection) => connection.connectionState !== 'closed');
    const reports = [...(await open.getStats()).values()].filter(({ type }) => type === 'inbound-rtp');
    return reports.find(({ mid }) => mid === midOf()) ?? {};
  }

  async function sample() {
    const [got, why] = await Promise.all([inbound(), window.client.why().catch(() => null)]);
    const slot = why?.slots.find(({ mid }) => mid === midOf());
    watch.samples.push({
      at: performance.now(), paused: window.client.tile(userId, source).paused,
      frames: got.framesDecoded ?? 0, height: got.frameHeight ?? 0, freezes: got.freezeCount ?? 0,
      frozenS: got.totalFreezesDuration ?? 0, dropped: got.framesDropped ?? 0, keys: got.keyFramesDecoded ?? 0,
      plis: got.pliCount ?? 0, nacks: got.nackCount ?? 0, repaired: got.retransmittedPacketsReceived ?? 0,
      bytes: got.bytesReceived ?? 0, delayS: got.jitterBufferDelay ?? 0, emitted: got.jitterBufferEmittedCount ?? 0,
      samples: got.totalSamplesReceived ?? 0, concealed: got.concealedSamples ?? 0, silent: got.silentConcealedSamples ?? 0,
      reason: slot?.reason ?? null, chosen: slot?.chosen?.height ?? 0, wanted: slot?.wanted?.height ?? 0,
      bps: why?.estimate.bps ?? 0, by: why?.estimate.limited_by ?? null, acked: why?.estimate.acked_bps ?? 0,
    });
    if (window.watches[`${userId} ${source}`] === watch) setTimeout(sample, everyMs);
  }

  // Times between shown frames, of 200 ms and more.
  function watchFrames(video) {
    let last = performance.now();
    const shown = (now) => {
      if (now - last >= 200) watch.gaps.push({ from: last, ms: now - last });
      last = now;
      video.requestVideoFrameCallback(shown);
    };
    video.requestVideoFrameCallback(shown);
    watch.openGap = () => ({ from: last, ms: performance.now() - last });
  }

  // How late the page's own timers are, by 100 ms and more: a machine that is too busy measures itself.
  let lastTick = performance.now();
  setInterval(() => {
    const now = performance.now();
    if (now - lastTick > 120) watch.stalls.push({ from: lastTick, ms: now - lastTick - 20 });
    lastTick = now;
  }, 20);

  const video = element && document.getElementById(element);
  if (video) watchFrames(video);
  sample();
  return performance.now();
}
