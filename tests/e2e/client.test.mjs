// The client library where it needs no browser: messages folded into tiles, waiting times, the grid.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MediaPath } from '../../signaling/web/weir-path.js';
import { Roster } from '../../signaling/web/weir-roster.js';
import { isWantedCodec, withoutStrayLines } from '../../signaling/web/weir-sdp.js';
import { backoffMs } from '../../signaling/web/weir-signaling.js';
import { slotLimit, slotsWanted, uploadFor } from '../../signaling/web/weir-slots.js';
import { bestGrid } from '../../signaling/web/call-stage.js';
import { hueOf, initials } from '../../signaling/web/call-tile.js';
import { cookieValue } from '../../signaling/web/weir-rest.js';
import { summarise } from '../../signaling/web/weir-stats.js';

const person = (id, fields = {}) => ({ user_id: id, full_name: id.toUpperCase(), status: 'JOINED', ...fields });
const slot = (mid, user, source = 'camera') => ({ mid, track_id: `${user}-${source}`, user_id: user, source });
const published = (user, source, fields = {}) =>
  ({ type: 'track_published', track_id: `${user}-${source}`, user_id: user, source, ...fields });

function rosterOf(...ids) {
  const roster = new Roster();
  roster.apply({ type: 'welcome', you: { user_id: 'me' }, participants: [person('me'), ...ids.map((id) => person(id))] });
  return roster;
}

const told = (changes) => changes.map(({ type, detail }) =>
  `${type} ${detail.participant?.userId ?? detail.track?.trackId ?? `${detail.userId}/${detail.source}=${detail.mid}`}`);

test('the welcome lists the others who are in, not oneself and not the invited', () => {
  const roster = new Roster();
  const changes = roster.apply({
    type: 'welcome', you: { user_id: 'me' },
    participants: [person('me'), person('a'), person('b', { status: 'INVITED' }), person('c', { is_video_enabled: false })],
  });
  assert.deepEqual(told(changes), ['participant-joined a', 'participant-joined c']);
  assert.equal(roster.participants.get('a').name, 'A');
  assert.equal(roster.participants.get('c').videoEnabled, false);
});

test('a second welcome, after a resumption, tells only what happened meanwhile', () => {
  const roster = rosterOf('a', 'b');
  const changes = roster.apply({ type: 'welcome', you: { user_id: 'me' }, participants: [person('b'), person('c')] });
  assert.deepEqual(told(changes), ['participant-updated b', 'participant-joined c', 'participant-left a']);
});

test('a slot that changes its source empties one tile and fills the other', () => {
  const roster = rosterOf('a', 'b');
  assert.deepEqual(told(roster.apply({ type: 'slots', slots: [slot('5', 'a')] })), ['tile a/camera=5']);
  assert.deepEqual(told(roster.apply({ type: 'slots', slots: [slot('5', 'b')] })), ['tile a/camera=null', 'tile b/camera=5']);
  assert.equal(roster.midOf('b', 'camera'), '5');
  assert.equal(roster.midOf('a', 'camera'), null);
});

test('two tiles that swap slots in one message are never empty', () => {
  const roster = rosterOf('a', 'b');
  roster.apply({ type: 'slots', slots: [slot('5', 'a'), slot('6', 'b')] });
  assert.deepEqual(told(roster.apply({ type: 'slots', slots: [slot('6', 'a'), slot('5', 'b')] })).sort(),
    ['tile a/camera=6', 'tile b/camera=5']);
});

test('an empty slot is an empty tile, and slots that are not named stay', () => {
  const roster = rosterOf('a', 'b');
  roster.apply({ type: 'slots', slots: [slot('5', 'a'), slot('6', 'b')] });
  assert.deepEqual(told(roster.apply({ type: 'slots', slots: [{ mid: '5', track_id: null }] })), ['tile a/camera=null']);
  assert.deepEqual(roster.tiles(), [{ userId: 'b', source: 'camera', mid: '6', paused: false }]);
});

test('a screen is a tile of its own beside the camera', () => {
  const roster = rosterOf('a');
  const changes = roster.apply({ type: 'slots', slots: [slot('5', 'a'), slot('6', 'a', 'screen')] });
  assert.deepEqual(told(changes), ['tile a/camera=5', 'tile a/screen=6']);
});

test('who leaves takes the tiles along, and messages about strangers are passed over', () => {
  const roster = rosterOf('a');
  roster.apply({ type: 'slots', slots: [slot('5', 'a')] });
  assert.deepEqual(told(roster.apply({ type: 'user_left', user_id: 'a' })), ['tile a/camera=null', 'participant-left a']);
  for (const type of ['user_left', 'audio_toggled', 'video_toggled', 'screen_share_toggled', 'quality'])
    assert.deepEqual(roster.apply({ type, user_id: 'nobody', enabled: true }), [], type);
  assert.deepEqual(roster.apply(published('nobody', 'camera')), []);
  assert.deepEqual(roster.apply({ type: 'of_the_future' }), []);
});

test('tracks are told once, replaced by source, and counted when they can be decoded', () => {
  const roster = rosterOf('a', 'b');
  assert.deepEqual(told(roster.apply(published('a', 'camera'))), ['track-published a-camera']);
  assert.deepEqual(roster.apply(published('a', 'camera')), []);
  roster.apply(published('b', 'camera', { supported: false }));
  roster.apply(published('a', 'screen'));
  roster.apply(published('a', 'microphone'));
  assert.deepEqual([roster.countTracks('video'), roster.countTracks('audio')], [2, 1]);
  assert.deepEqual(roster.apply(published('me', 'camera')), []);
  roster.apply({ type: 'track_unpublished', track_id: 'a-screen' });
  assert.equal(roster.countTracks('video'), 1);
});

test('states are kept on the participant', () => {
  const roster = rosterOf('a');
  roster.apply({ type: 'audio_toggled', user_id: 'a', enabled: false });
  roster.apply({ type: 'screen_share_toggled', user_id: 'a', is_sharing: true });
  const { audioEnabled, videoEnabled, screenSharing } = roster.participants.get('a');
  assert.deepEqual([audioEnabled, videoEnabled, screenSharing], [false, true, true]);
});

test('slots grow by fours, never shrink, and stop at the limit', () => {
  assert.equal(slotsWanted(3, 8, 24), 8);
  assert.equal(slotsWanted(8, 8, 24), 8);
  assert.equal(slotsWanted(9, 8, 24), 12);
  assert.equal(slotsWanted(40, 8, 24), 24);
  assert.equal(slotsWanted(40, 32, 24), 32);
});

test('an offer with all its slots stays below the message size of the server', () => {
  assert.equal(slotLimit(65_536), 15);
  assert.equal(slotLimit(262_144), 60);
  assert.equal(slotLimit(262_144, 32), 12);
});

test('the more watch a camera, the less it sends', () => {
  const rates = [1, 3, 4, 8, 9, 24].map((others) => uploadFor(others, 720).maxBitrate);
  assert.deepEqual(rates, [1_500_000, 1_500_000, 600_000, 600_000, 200_000, 200_000]);
  assert.deepEqual([2, 5, 12].map((others) => uploadFor(others, 720).scaleResolutionDownBy), [1, 2, 4]);
  assert.deepEqual([2, 5, 12].map((others) => uploadFor(others, 360).scaleResolutionDownBy), [1, 1, 2]);
});

test('reconnecting waits from half a second to ten, spread over half of that', () => {
  assert.equal(backoffMs(0, 0), 500);
  assert.equal(backoffMs(0, 1), 250);
  assert.equal(backoffMs(3, 0), 4_000);
  assert.equal(backoffMs(50, 0), 10_000);
});

// Node 18 has no mock timers.
function virtualTimers(t) {
  const real = { setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout };
  const waiting = new Map();
  let now = 0;
  let last = 0;
  globalThis.setTimeout = (run, ms = 0) => {
    waiting.set(++last, { at: now + ms, run });
    return last;
  };
  globalThis.clearTimeout = (id) => waiting.delete(id);
  t.after(() => Object.assign(globalThis, real));
  const next = (until) => [...waiting].filter(([, { at }]) => at <= until).sort(([, a], [, b]) => a.at - b.at)[0];
  return {
    tick(ms) {
      const until = now + ms;
      for (let due; (due = next(until));) {
        now = due[1].at;
        waiting.delete(due[0]);
        due[1].run();
      }
      now = until;
    },
  };
}

test('a path that fails is restarted at once, three times, and then given up', (t) => {
  const timers = virtualTimers(t);
  const done = [];
  const path = new MediaPath({
    canRestart: () => true, restart: () => done.push('restart'), giveUp: () => done.push('give up'), changed: () => {},
  });
  path.begin();
  path.on('connected');
  assert.equal(path.isUp, true);
  path.on('failed');
  timers.tick(1);
  assert.deepEqual(done, ['restart']);
  for (let waited = 0; waited < 3; waited++) timers.tick(10_000);
  assert.deepEqual(done, ['restart', 'restart', 'restart', 'give up']);
});

test('a path that comes back by itself is left alone, and none is restarted without signaling', (t) => {
  const timers = virtualTimers(t);
  let canRestart = true;
  const done = [];
  const path = new MediaPath({
    canRestart: () => canRestart, restart: () => done.push('restart'), giveUp: () => done.push('give up'), changed: () => {},
  });
  path.begin();
  path.on('connected');
  path.on('unstable');
  timers.tick(1_000);
  path.on('connected');
  timers.tick(60_000);
  assert.deepEqual(done, []);
  canRestart = false;
  path.on('failed');
  timers.tick(60_000);
  assert.deepEqual(done, []);
  canRestart = true;
  timers.tick(10_000);
  assert.deepEqual(done, ['restart']);
  path.end();
  timers.tick(60_000);
  assert.deepEqual(done, ['restart']);
});

test('the grid makes tiles of 16:9 as large as they fit', () => {
  assert.deepEqual(bestGrid(1, 1280, 720), { columns: 1, tileWidth: 1280, tileHeight: 720 });
  assert.equal(bestGrid(2, 1280, 720).columns, 2);
  assert.equal(bestGrid(2, 400, 800).columns, 1);
  assert.equal(bestGrid(4, 1280, 720).columns, 2);
  assert.equal(bestGrid(25, 1280, 720).columns, 5);
  for (let count = 1; count <= 49; count++) {
    const { columns, tileWidth, tileHeight } = bestGrid(count, 1000, 700, 8);
    const rows = Math.ceil(count / columns);
    assert.ok(columns * tileWidth + (columns - 1) * 8 <= 1000 && rows * tileHeight + (rows - 1) * 8 <= 700, `${count}`);
  }
  assert.deepEqual(bestGrid(3, 0, 0), { columns: 1, tileWidth: 0, tileHeight: 0 });
});

test('names become initials of whole letters, and always the same colour', () => {
  assert.equal(initials('Ada Lovelace'), 'AL');
  assert.equal(initials('  émile  de la Tour '), 'ÉT');
  assert.equal(initials('👩 Ö'), '👩Ö');
  assert.equal(initials(''), '?');
  assert.equal(hueOf('u1'), hueOf('u1'));
});

test('the csrf cookie is found among others', () => {
  assert.equal(cookieValue('csrftoken', 'xcsrftoken=no; csrftoken=a%3Db; z=1'), 'a=b');
  assert.equal(cookieValue('csrftoken', ''), '');
});

test('statistics name the participant whose track a slot carries', () => {
  const report = new Map([
    ['P', { type: 'candidate-pair', nominated: true, currentRoundTripTime: 0.05, availableOutgoingBitrate: 1e6 }],
    ['I', { type: 'inbound-rtp', kind: 'video', trackIdentifier: 't1', packetsReceived: 9, packetsLost: 1, framesDecoded: 4, codecId: 'C' }],
    ['E', { type: 'inbound-rtp', kind: 'video', trackIdentifier: 't2', packetsReceived: 0 }],
    ['C', { type: 'codec', mimeType: 'video/VP8' }],
  ]);
  const stats = summarise(report, new Map([['t1', { userId: 'a', source: 'camera', mid: '5' }]]));
  assert.deepEqual([stats.rttMs, stats.availableBps, stats.received.length], [50, 1e6, 1]);
  const [video] = stats.received;
  assert.deepEqual([video.userId, video.frames, video.packetsLost, video.codec], ['a', 4, 1, 'video/VP8']);
});

test('feedback for codecs that an m-line does not name is taken out of the offer, as Firefox 153 leaves it there', () => {
  const kept = ['v=0', 'm=audio 9 UDP/TLS/RTP/SAVPF 109', 'a=rtpmap:109 opus/48000/2', 'a=rtcp-fb:109 transport-cc',
    'm=video 0 UDP/TLS/RTP/SAVPF 120 124', 'a=fmtp:124 apt=120', 'a=rtcp-fb:* nack', 'a=rtcp-fb:120 nack pli', 'a=mid:1', ''];
  const stray = ['a=rtcp-fb:99 nack', 'a=rtcp-fb:123 ccm fir', 'a=rtcp-fb:109 nack'];
  const offer = [...kept.slice(0, 8), ...stray, ...kept.slice(8)].join('\r\n');
  assert.equal(withoutStrayLines(offer), kept.join('\r\n'));
});

test('offers name the codecs that are forwarded', () => {
  const wanted = (mimeType, sdpFmtpLine) => isWantedCodec({ mimeType, sdpFmtpLine, clockRate: 90_000 });
  for (const mimeType of ['audio/opus', 'audio/red', 'video/VP8', 'video/VP9', 'video/AV1', 'video/rtx']) assert.ok(wanted(mimeType), mimeType);
  assert.ok(wanted('video/H264', 'level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f'));
  assert.ok(!wanted('video/H264', 'level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42e01f'));
  assert.ok(!wanted('video/VP9', 'profile-id=2'));
  for (const mimeType of ['audio/PCMU', 'audio/telephone-event', 'video/ulpfec', 'video/flexfec-03']) assert.ok(!wanted(mimeType), mimeType);
});
