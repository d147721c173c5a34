// A participant by the client library alone, without the call page: `client` and what it told are in
// the page as window.client and window.told.

import { eventually, expectThat } from './wait.mjs';

const EVENTS = ['connection', 'tile', 'layers', 'speakers', 'quality', 'signal', 'hand', 'reaction', 'timer', 'poll', 'error',
  'participant-joined', 'participant-left', 'track-published'];

async function enterByLibrary({ callId, options, media, events }) {
  const { WeirClient } = await import('/static/weir-client.js');
  const client = new WeirClient({ callId, ...options });
  window.client = client;
  window.told = [];
  for (const type of events)
    client.on(type, (detail) => window.told.push({ at: performance.now(), type, ...JSON.parse(JSON.stringify(detail)) }));
  if (media) await client.publish(await navigator.mediaDevices.getUserMedia(media), { handOver: true });
  await client.join();
}

// Joins a call with the library's options; `media` as getUserMedia takes it, or null.
export function enterAs(person, callId, { options = {}, media = { audio: true, video: true } } = {}) {
  return person.tab.evaluate(enterByLibrary, { callId, options, media, events: EVENTS });
}

// Makes a video element of this size, in CSS pixels, for the other's source.
export function attachTile(person, other, { width = 640, height = 360, source = 'camera' } = {}) {
  return person.tab.evaluate(({ userId, from, style }) => {
    const video = document.createElement('video');
    video.id = `tile-${from}-${userId}`;
    video.muted = true;
    video.style.cssText = style;
    document.body.prepend(video);
    window.client.tile(userId, from).attach(video);
  }, { userId: other.userId, from: source, style: `display:block;width:${width}px;height:${height}px` });
}

// Changes the style of that element.
export function styleTile(person, other, style, source = 'camera') {
  return person.tab.evaluate(({ id, changes }) => Object.assign(document.getElementById(id).style, changes),
    { id: `tile-${source}-${other.userId}`, changes: style });
}

// The picture in that element: its size and how many frames it has shown.
export function tileOf(person, other, source = 'camera') {
  return person.tab.evaluate((id) => {
    const video = document.getElementById(id);
    const { totalVideoFrames } = video.getVideoPlaybackQuality();
    return { width: video.videoWidth, height: video.videoHeight, frames: totalVideoFrames };
  }, `tile-${source}-${other.userId}`);
}

// Outgoing video streams, by RID: what each has sent and whether it is on.
export function layersSent(person) {
  return person.tab.evaluate(async () => {
    const sent = {};
    for (const pc of window.notes.connections.filter((one) => one.connectionState !== 'closed'))
      for (const report of (await pc.getStats()).values())
        if (report.type === 'outbound-rtp' && report.kind === 'video')
          sent[report.rid ?? ''] = {
            ssrc: report.ssrc, frames: report.framesEncoded ?? 0, packets: report.packetsSent, width: report.frameWidth ?? 0,
            height: report.frameHeight ?? 0, active: report.active ?? null, mode: report.scalabilityMode ?? null,
          };
    return sent;
  });
}

// Notes from now on when a layer's frames do not come; the result asks for it: [{from, to}] by the
// clock, in milliseconds. A busy publisher leaves its highest layer out by itself.
export async function watchLayer(person, rid) {
  await person.tab.evaluate((wanted) => {
    const log = { stands: [], frames: -1, at: Date.now() };
    window.layerLog = log;
    const look = async () => {
      const open = window.notes.connections.filter((one) => one.connectionState !== 'closed');
      const reports = (await Promise.all(open.map((one) => one.getStats()))).flatMap((stats) => [...stats.values()]);
      const sent = reports.find((report) => report.type === 'outbound-rtp' && report.kind === 'video' && (report.rid ?? '') === wanted);
      const now = Date.now();
      if (sent?.framesEncoded !== log.frames) {
        if (now - log.at > 250) log.stands.push({ from: log.at, to: now });
        Object.assign(log, { frames: sent?.framesEncoded, at: now });
      }
      if (window.layerLog === log) setTimeout(look, 50);
    };
    look();
  }, rid);
  return () => person.tab.evaluate(() => {
    const { stands, at } = window.layerLog;
    return Date.now() - at > 250 ? [...stands, { from: at, to: Date.now() }] : stands;
  });
}

// The newest detail that the client told under this name for which the test holds.
export function isToldBy(person, type, isRight = () => true, { within = 10_000 } = {}) {
  return eventually(`${person.name}'s client tells ${type}`, async () => {
    const told = await person.tab.evaluate((wanted) => window.told.filter((one) => one.type === wanted), type);
    const found = told.reverse().find(isRight);
    expectThat(told.slice(0, 3), found, 'not that');
    return found;
  }, { within });
}

// Encoded frames of a layer grow, or stand still for a second. A browser begins its upper layers only
// when it has found out that its network carries them, which a busy machine delays.
export function layerRuns(person, rid, { within = 45_000 } = {}) {
  return eventually(`${person.name} encodes layer ${rid || 'of its camera'}`, async () => {
    const before = (await layersSent(person))[rid]?.frames ?? 0;
    await new Promise((resolve) => setTimeout(resolve, 300));
    const after = await layersSent(person);
    return expectThat(after, (after[rid]?.frames ?? 0) > before, 'it does not run');
  }, { within });
}

export function layerStands(person, rid, { within = 15_000 } = {}) {
  return eventually(`${person.name} encodes layer ${rid || 'of its camera'} no more`, async () => {
    const before = (await layersSent(person))[rid]?.frames ?? 0;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const after = await layersSent(person);
    return expectThat(after, (after[rid]?.frames ?? 0) === before, 'it runs');
  }, { within });
}
