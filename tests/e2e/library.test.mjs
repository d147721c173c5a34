// The client library where it needs no browser: what is encoded, what is asked of slots, what is signalled.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { activate, encodingsFor, isLayered, isSameShape, rateFor, sendingOrder } from '../../signaling/web/weir-layers.js';
import { withVoiceWishes } from '../../signaling/web/weir-sdp.js';
import { Signals } from '../../signaling/web/weir-signals.js';
import { repository } from './lib/server.mjs';
import { asksForMore, planSlots, roundedUp } from '../../signaling/web/weir-wishes.js';

const VP8 = { codec: 'vp8', simulcast: true, red: true };

// --- Encodings ---

const ladder = (source, lines, options = VP8) =>
  encodingsFor(source, lines, options).map(({ rid = '', scaleResolutionDownBy = 1 }) => `${rid}/${scaleResolutionDownBy}`).join(' ');

test('a camera is sent in as many layers as a browser encodes of its size, from low to high', () => {
  assert.equal(ladder('camera', 1080), 'q/4 h/2 f/1');
  assert.equal(ladder('camera', 720), 'q/4 h/2 f/1');
  assert.equal(ladder('camera', 540), 'q/4 h/2 f/1');
  assert.equal(ladder('camera', 480), 'h/2 f/1');
  assert.equal(ladder('camera', 360), 'h/2 f/1');
  assert.equal(ladder('camera', 180), '/1');
});

test('a layer costs no more than its picture is worth', () => {
  const rates = encodingsFor('camera', 720, VP8).map(({ maxBitrate }) => maxBitrate);
  assert.deepEqual(rates, [160_000, 600_000, 2_000_000]);
  assert.ok(rateFor(4000) === rateFor(1080));
});

test('VP9 and AV1 send one stream of spatial layers that lean on each other in keyframes alone', () => {
  for (const codec of ['vp9', 'av1']) {
    const encodings = encodingsFor('camera', 720, { ...VP8, codec });
    assert.deepEqual(encodings.map(({ scalabilityMode }) => scalabilityMode), ['L3T3_KEY']);
    assert.ok(isLayered(encodings));
  }
  assert.equal(ladder('camera', 720, { ...VP8, codec: 'h264' }), 'q/4 h/2 f/1');
});

test('without simulcast a camera is one stream, and so is sound', () => {
  assert.equal(ladder('camera', 720, { ...VP8, simulcast: false }), '/1');
  assert.ok(!isLayered(encodingsFor('camera', 720, { ...VP8, simulcast: false })));
  assert.equal(ladder('microphone', 720), '/1');
});

test('a screen is readable at few frames a second, with a small layer for thumbnails', () => {
  const [small, full] = encodingsFor('screen', 1080, VP8);
  assert.deepEqual([small.maxFramerate, full.maxFramerate, full.scaleResolutionDownBy], [5, 15, 1]);
  assert.equal(ladder('screen', 360), '/1');
});

test('an m-line is taken again by what has the same layers', () => {
  const camera = encodingsFor('camera', 720, VP8);
  assert.ok(isSameShape(camera, encodingsFor('camera', 1080, VP8)));
  assert.ok(!isSameShape(camera, encodingsFor('camera', 180, VP8)));
  assert.ok(!isSameShape(camera, encodingsFor('screen', 1080, VP8)));
});

test('publish_layers switches layers by name, and a stream without layers as a whole', () => {
  const camera = encodingsFor('camera', 720, VP8);
  activate(camera, { q: true, h: true, f: false }, true);
  assert.deepEqual(camera.map(({ active }) => active), [true, true, false]);
  activate(camera, { q: false }, false);
  assert.deepEqual(camera.map(({ active }) => active), [false, true, false]);
  const single = encodingsFor('camera', 180, VP8);
  activate(single, {}, false);
  assert.equal(single[0].active, false);
});

const mimes = (kind, ...names) => names.map((name) => ({ mimeType: `${kind}/${name}` }));
const names = (list) => list.map(({ mimeType }) => mimeType.split('/')[1]).join(' ');

test('the wanted codec is offered first, redundancy for voices alone', () => {
  const video = mimes('video', 'VP8', 'rtx', 'VP9', 'H264', 'AV1');
  assert.equal(names(sendingOrder(video, 'camera', { ...VP8, codec: 'av1' })), 'AV1 VP8 rtx VP9 H264');
  assert.equal(names(sendingOrder(video, 'camera', { ...VP8, codec: 'h265' })), 'VP8 rtx VP9 H264 AV1');
  const audio = mimes('audio', 'opus', 'red');
  assert.equal(names(sendingOrder(audio, 'microphone', VP8)), 'red opus');
  assert.equal(names(sendingOrder(audio, 'microphone', { ...VP8, red: false })), 'opus');
  assert.equal(names(sendingOrder(audio, 'screen_audio', VP8)), 'opus');
});

test('the offer asks for lost sound and for no silence, once', () => {
  const offer = 'a=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1\r\na=rtpmap:96 VP8/90000\r\na=fmtp:96 x=1\r\n';
  const wished = withVoiceWishes(offer);
  assert.match(wished, /a=rtcp-fb:111 nack\r\n/);
  assert.match(wished, /a=fmtp:111 minptime=10;useinbandfec=1;usedtx=1\r\n/);
  assert.match(wished, /a=fmtp:96 x=1\r\n/);
  assert.equal(withVoiceWishes(wished), wished);
});

// --- Slots ---

const tile = (key, fields = {}) =>
  ({ key, kind: 'video', trackId: `track-${key}`, isShown: true, isPinned: false, maxWidth: 640, maxHeight: 368, ...fields });
const slot = (mid, key, fields = {}) => ({ mid, kind: 'video', key, ...fields });
const plan = (slots, tiles, isHidden = false) => Object.fromEntries(planSlots(slots, tiles, isHidden).map((entry) => [entry.mid, entry]));

test('a slot is asked for as much as its tile shows', () => {
  const { 1: entry } = plan([slot('1', 'a')], [tile('a', { maxWidth: 320, maxHeight: 192, priority: 3 })]);
  assert.deepEqual({ ...entry }, { mid: '1', trackId: null, maxWidth: 320, maxHeight: 192, maxFps: undefined, priority: 3, paused: false });
});

test('the slot of a hidden tile is paused', () => {
  const entries = plan([slot('1', 'a'), slot('2', 'b')], [tile('a'), tile('b', { isShown: false })]);
  assert.deepEqual([entries[1].paused, entries[2].paused], [false, true]);
});

test('what a page says nothing of is open to anything, and paused only with the whole page', () => {
  const slots = [slot('1', 'a'), slot('2', null), slot('3', 'a-voice', { kind: 'audio' })];
  const paused = (isHidden) => planSlots(slots, [], isHidden).map((entry) => entry.paused);
  assert.deepEqual(paused(false), [false, false, false]);
  assert.deepEqual(paused(true), [true, false, false]);
  assert.ok(planSlots(slots, [], false).every(({ trackId, maxWidth }) => trackId === null && maxWidth === undefined));
});

test('a pinned tile keeps its slot, or takes one: an empty one first', () => {
  const pinned = tile('c', { isPinned: true });
  assert.equal(plan([slot('1', 'c')], [pinned])[1].trackId, 'track-c');
  const entries = plan([slot('1', 'a'), slot('2', null)], [tile('a'), pinned]);
  assert.deepEqual([entries[1].trackId, entries[2].trackId], [null, 'track-c']);
});

test('without an empty slot a pinned tile takes that of a hidden one, then that of the smallest', () => {
  const pinned = tile('c', { isPinned: true });
  const hidden = plan([slot('1', 'a'), slot('2', 'b')], [tile('a'), tile('b', { isShown: false }), pinned]);
  assert.deepEqual([hidden[1].trackId, hidden[2].trackId, hidden[2].paused], [null, 'track-c', false]);
  const small = plan([slot('1', 'a', {}), slot('2', 'b')], [tile('a', { maxHeight: 96 }), tile('b'), pinned]);
  assert.deepEqual([small[1].trackId, small[2].trackId], ['track-c', null]);
});

test('no pinned tile takes the slot of another', () => {
  const entries = plan([slot('1', 'a')], [tile('a', { isPinned: true }), tile('b', { isPinned: true })]);
  assert.equal(entries[1].trackId, 'track-a');
});

test('a shown tile without a slot takes that of a hidden one, which does not take it back', () => {
  const first = plan([slot('1', 'a')], [tile('a', { isShown: false }), tile('b')]);
  assert.equal(first[1].trackId, 'track-b');
  const then = plan([slot('1', 'b')], [tile('a', { isShown: false }), tile('b')]);
  assert.deepEqual([then[1].trackId, then[1].paused], [null, false]);
});

test('a tile that is not published asks for nothing, and sound takes no slot of pictures', () => {
  assert.equal(plan([slot('1', null)], [tile('a', { trackId: null, isPinned: true })])[1].trackId, null);
  assert.equal(plan([slot('1', null)], [tile('a', { kind: 'audio', isPinned: true })])[1].trackId, null);
});

test('sizes go up in steps', () => {
  assert.deepEqual([1, 16, 17, 359.5].map(roundedUp), [16, 16, 32, 368]);
});

test('more is asked for at once, less later', () => {
  const entry = { mid: '1', trackId: null, maxHeight: 176, paused: false };
  assert.ok(asksForMore(undefined, entry));
  assert.ok(asksForMore(entry, { ...entry, maxHeight: 368 }));
  assert.ok(asksForMore(entry, { ...entry, maxHeight: undefined }));
  assert.ok(asksForMore({ ...entry, paused: true }, entry));
  assert.ok(!asksForMore(entry, { ...entry, paused: true }));
  assert.ok(!asksForMore(entry, { ...entry, maxHeight: 96 }));
});

// --- Signals ---

function signalsOf() {
  const sent = [];
  const told = [];
  const hands = new Map();
  const signals = new Signals({
    send: (message) => sent.push(message), hand: (userId, raised) => hands.set(userId, raised),
    emit: (type, detail) => told.push({ type, ...detail }), ownId: () => 'me',
  });
  return { signals, sent, told, hands };
}

test('hands, reactions and anything else are told by what they are', () => {
  const { signals, told, hands } = signalsOf();
  const from = { sender_id: 'a', sender_name: 'Ada' };
  signals.on({ ...from, kind: 'hand', data: { raised: true } });
  signals.on({ ...from, kind: 'reaction', data: { emoji: '👍' } });
  signals.on({ ...from, kind: 'reaction', data: null });
  signals.on({ ...from, kind: 'cursor', data: { x: 1 } });
  assert.deepEqual(told.map(({ type }) => type), ['hand', 'reaction', 'reaction', 'signal']);
  assert.equal(hands.get('a'), true);
  assert.deepEqual([told[1].emoji, told[2].emoji, told[3].data.x], ['👍', '', 1]);
});

test('a timer is told by what is left of it, and stops for all', () => {
  const { signals, sent } = signalsOf();
  signals.startTimer(60);
  assert.equal(sent[0].data.seconds > 59, true);
  const other = signalsOf();
  other.signals.on({ sender_id: 'me', sender_name: 'Me', ...sent[0] });
  assert.ok(Math.abs(other.signals.timer.endsAt - signals.timer.endsAt) < 100);
  other.signals.on({ sender_id: 'me', kind: 'timer', data: { seconds: 0 } });
  assert.equal(other.signals.timer, null);
});

test('who joins is told once of what lasts, by whom it is', async () => {
  const { signals, sent } = signalsOf();
  signals.raiseHand(true);
  signals.on({ sender_id: 'a', kind: 'timer', data: { seconds: 60 } });
  for (let i = 0; i < 5; i++) signals.repeat();
  await new Promise((resolve) => setTimeout(resolve, 400));
  assert.deepEqual(sent.map(({ kind }) => kind), ['hand', 'hand']);
});

// --- Types ---

const CONSUMER = `
import { WeirClient, WeirError, type Tile, type Participant } from 'weir-client';
const client = new WeirClient({ callId: 'x', codec: 'vp9' });
client.on('speakers', ({ speakers }) => speakers.map(({ userId, dominant }) => \`\${userId} \${dominant}\`));
client.on('error', (error: WeirError) => error.code);
const tile: Tile = client.tile('a', 'camera').attach(document.createElement('video'));
const people: ReadonlyMap<string, Participant> = client.participants;
const ends: Date | undefined = client.timer?.endsAt;
// @ts-expect-error there is no such event
client.on('nothing', () => {});
// @ts-expect-error nor such a codec
new WeirClient({ callId: 'x', codec: 'h261' });
export { tile, people, ends };
`;

test('the package comes with types that a TypeScript program compiles against', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'weir-types-'));
  const tsc = path.join(repository, 'tests/e2e/node_modules/.bin/tsc');
  const home = path.join(folder, 'weir-client');
  try {
    cpSync(path.join(repository, 'signaling/web'), home, { recursive: true });
    const { scripts } = JSON.parse(readFileSync(path.join(home, 'package.json'), 'utf8'));
    execFileSync(tsc, scripts.types.split(' ').slice(1), { cwd: home });
    cpSync(home, path.join(folder, 'node_modules/weir-client'), { recursive: true });
    writeFileSync(path.join(folder, 'page.ts'), CONSUMER);
    execFileSync(tsc, ['page.ts', '--strict', '--noEmit', '--target', 'es2022', '--module', 'es2022',
      '--moduleResolution', 'bundler', '--lib', 'es2022,dom,dom.iterable'], { cwd: folder });
  } catch (error) {
    assert.fail(String(error.stdout ?? error));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
