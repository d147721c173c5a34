// What the pages decide, where that needs no browser: layouts, verdicts, what is read out of messages.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { arrange } from '../../signaling/web/call-layout.js';
import { readPoll } from '../../signaling/web/call-polls.js';
import { readRinging, unanswered } from '../../signaling/web/call-ringing.js';
import { whoIsIn } from '../../signaling/web/call-visit.js';
import { SpeechDetector } from '../../signaling/web/call-voice.js';
import { clockOf } from '../../signaling/web/dom.js';
import { readReference } from '../../signaling/web/docs-reference.js';
import { dayOf, lengthOf, readCalls, titleOf } from '../../signaling/web/home-history-read.js';
import { callIdIn } from '../../signaling/web/home-start.js';
import { loudness } from '../../signaling/web/level-meter.js';
import { judge } from '../../signaling/web/network-test.js';
import { readCaller } from '../../signaling/web/ring.js';
import { textAt, texts } from '../../signaling/web/texts.js';

const WEB = new URL('../../signaling/web/', import.meta.url);
const items = (count, big = []) => Array.from({ length: count }, (_, i) => ({ key: `t${i}`, isBig: big.includes(i) }));
const overlap = (a, b) => a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

test('1 to 49 tiles stand beside each other, none outside a desktop window, none too small to recognise anyone', () => {
  for (let count = 1; count <= 49; count++) {
    const boxes = [...arrange(items(count), 1256, 590).values()];
    assert.equal(boxes.length, count);
    for (const [i, box] of boxes.entries()) {
      assert.ok(box.width >= 120 && box.x >= 0 && box.x + box.width <= 1256 && box.y >= 0 && box.y + box.height <= 590, `${count}: ${JSON.stringify(box)}`);
      assert.ok(boxes.slice(i + 1).every((other) => !overlap(box, other)), `${count}`);
    }
  }
});

test('a crowd on a phone scrolls instead of shrinking', () => {
  const boxes = [...arrange(items(49), 374, 620).values()];
  assert.equal(boxes.length, 49);
  assert.ok(boxes.every((box) => box.width >= 120 && box.x >= 0 && box.x + box.width <= 374));
  assert.ok(Math.max(...boxes.map((box) => box.y + box.height)) > 620);
});

test('one that is big has most of the stage, and the strip leaves out whom it has no room for', () => {
  for (const [width, height] of [[1256, 590], [374, 620]]) {
    const boxes = arrange(items(30, [3]), width, height);
    const big = boxes.get('t3');
    assert.ok(big.width * big.height > 0.4 * width * height);
    const small = [...boxes].filter(([key]) => key !== 't3');
    assert.ok(small.length > 0 && small.length < 29);
    assert.ok(small.every(([, box]) => !overlap(box, big) && box.width >= 110));
    assert.deepEqual(small.map(([key]) => key), items(30).map(({ key }) => key).filter((key) => key !== 't3').slice(0, small.length));
  }
});

test('the network test says what calls would be like', () => {
  const found = { protocol: 'udp', rttMs: 30, loss: 0, bps: 2_000_000, isTcpOpen: true };
  assert.equal(judge(found), 'good');
  assert.equal(judge({ ...found, loss: 0.05 }), 'fair');
  assert.equal(judge({ ...found, rttMs: 300 }), 'fair');
  assert.equal(judge({ ...found, bps: 100_000 }), 'audio');
  assert.equal(judge({ ...found, rttMs: 1_500 }), 'bad');
  assert.equal(judge({ ...found, bps: 10_000 }), 'bad');
  assert.equal(judge({ ...found, protocol: '', bps: 0 }), 'none');
});

test('silence is 0, full scale is 1, and speech in between', () => {
  assert.equal(loudness(new Float32Array(512)), 0);
  assert.equal(loudness(new Float32Array(512).fill(1)), 1);
  const speech = loudness(Float32Array.from({ length: 512 }, (_, i) => 0.05 * Math.sin(i / 5)));
  assert.ok(speech > 0.4 && speech < 0.6, `${speech}`);
});

test('half a second of sound is speech, a knock on the table is not', () => {
  const speech = new SpeechDetector();
  const run = (detector, from, to, level) => {
    let last;
    for (let now = from; now <= to; now += 80) last = detector.on(level, now);
    return last;
  };
  assert.deepEqual(run(speech, 0, 400, 0.7), { isLoud: true, isLasting: false });
  assert.deepEqual(run(speech, 480, 640, 0.7), { isLoud: true, isLasting: true });
  assert.deepEqual(run(speech, 720, 1_600, 0), { isLoud: false, isLasting: false });
  const knock = new SpeechDetector();
  knock.on(0.9, 0);
  assert.equal(run(knock, 80, 560, 0).isLasting, false);
});

test('polls of others are read with care', () => {
  assert.deepEqual(readPoll({ id: 1, question: 'Why?', options: ['a', { text: 'b' }], votes: [['u', 1], ['v', 9], 'x'] }),
    { id: '1', question: 'Why?', options: ['a', 'b'], votes: [['u', 1]] });
  for (const wrong of [null, {}, 'poll', { id: 1, question: '', options: ['a', 'b'] }, { id: 1, question: 'x', options: ['a'] }, { id: 1, question: 'x', options: 5 }])
    assert.equal(readPoll(wrong), null);
});

const person = (user_id, status) => ({ user_id, full_name: user_id.toUpperCase(), status });

test('a call that nobody answered says why: declined by all, or missed', () => {
  const ended = (status, ...others) => unanswered(readRinging({ status, call_type: 'VIDEO', participants: [person('me', 'LEFT'), ...others] }, 'me'));
  assert.equal(ended('REJECTED', person('a', 'REJECTED'), person('b', 'REJECTED')), 'REJECTED');
  assert.equal(unanswered(readRinging({ status: 'MISSED', participants: [person('me', 'LEFT'), person('a', 'MISSED')] }, 'me', ['a'])), 'BUSY');
  assert.equal(ended('MISSED', person('a', 'MISSED'), person('b', 'REJECTED')), 'MISSED');
  assert.equal(ended('ENDED', person('a', 'LEFT')), null);
  assert.equal(ended('ACTIVE', person('a', 'JOINED'), person('b', 'RINGING')), null);
});

test('the lobby names the first three who are in', () => {
  assert.equal(whoIsIn([person('a', 'LEFT')]), texts.lobby.nobody);
  assert.equal(whoIsIn([person('a', 'JOINED'), person('b', 'INVITED')]), 'In the call: A');
  assert.equal(whoIsIn(['a', 'b', 'c', 'd', 'e'].map((id) => person(id, 'JOINED'))), 'In the call: A, B, C and 2 more');
});

test('the history is read in either spelling, and says what happened', () => {
  const raw = {
    call_id: 'x', status: 'MISSED', call_type: 'AUDIO', direction: 'incoming', is_missed: true, created_at: '2026-01-02T10:00:00Z', started_at: null,
    duration: 0, participants: [person('a', 'LEFT'), person('me', 'MISSED')],
  };
  const { calls: [missed], pages } = readCalls({ count: 41, results: [raw] }, 'me', 20);
  assert.deepEqual([missed.kind, missed.isVideo, titleOf(missed), lengthOf(missed), pages], ['missed', false, 'A', 'Missed', 3]);
  const outgoing = { ...raw, direction: 'outgoing', is_missed: false };
  const { calls: [done] } = readCalls({ pages: 1, calls: [{ ...outgoing, status: 'ENDED', started_at: raw.created_at, duration: 3725, channel_name: 'design' }] }, 'me', 20);
  assert.deepEqual([done.kind, titleOf(done), lengthOf(done)], ['outgoing', '#design', '1:02:05']);
  const kinds = [['REJECTED', 'Declined'], ['MISSED', 'Not answered'], ['ACTIVE', 'Going on'], ['ENDED', 'Not answered']];
  for (const [status, words] of kinds) assert.equal(lengthOf(readCalls({ calls: [{ ...outgoing, status }] }, 'me', 20).calls[0]), words);
  assert.equal(titleOf({ channelName: '', others: [] }), 'Meeting by link');
  assert.equal(titleOf({ channelName: '', others: [{ name: 'A' }, { name: 'B' }, { name: 'C' }] }), 'A and 2 others');
});

test('days are called by what they are from today', () => {
  const now = new Date(2026, 2, 1, 0, 30);
  assert.equal(dayOf(new Date(2026, 2, 1, 0, 1), now), 'Today');
  assert.equal(dayOf(new Date(2026, 1, 28, 23, 59), now), 'Yesterday');
  assert.match(dayOf(new Date(2025, 11, 24), now), /2025/);
});

test('who calls is read from the notification, with or without the channel', () => {
  const message = { call_id: 'x', call_type: 'VIDEO', content: 'Ada Lovelace is calling you', initiator_id: 'u1' };
  assert.deepEqual(readCaller(message), { callId: 'x', name: 'Ada Lovelace', initiatorId: 'u1', channel: '', channelId: '', isVideo: true });
  assert.equal(readCaller({ ...message, call_type: 'AUDIO', channel_name: 'design' }).channel, 'design');
});

test('a call is found in whatever was pasted', () => {
  const id = '12345678-9abc-4def-8123-456789abcdef';
  for (const text of [id, id.toUpperCase(), `https://x.org/calls/${id}/`, ` see ${id}, please `]) assert.equal(callIdIn(text), id);
  assert.equal(callIdIn('https://x.org/calls/12345/'), '');
});

test('clocks', () => {
  assert.deepEqual([0, 61, 3600, -5].map(clockOf), ['00:00', '01:01', '1:00:00', '00:00']);
});

test('the reference of the library is read from its own head', () => {
  const parts = readReference(readFileSync(new URL('weir-client.js', WEB), 'utf8'));
  const all = parts.flatMap(({ items: list }) => list.map(({ code }) => code));
  for (const method of ['join()', 'sendChat(text)', 'raiseHand(on)']) assert.ok(all.includes(method), method);
  assert.ok(parts.length >= 7 && parts.every(({ title, items: list }) => title && list.length > 0));
  assert.deepEqual(readReference('import x;'), []);
});

test('the example is as long as the page says, and needs nothing but the library', () => {
  const source = readFileSync(new URL('example.js', WEB), 'utf8');
  assert.ok(source.trim().split('\n').length <= 20);
  assert.deepEqual([...source.matchAll(/from '(.*)'/g)].map((found) => found[1]), ['./weir-client.js']);
});

test('every text that a page asks for is there', () => {
  for (const page of ['index.html', 'call.html', 'docs.html']) {
    const html = readFileSync(new URL(page, WEB), 'utf8');
    for (const [, path] of html.matchAll(/data-(?:text|label|placeholder)="([^"]+)"/g)) assert.ok(textAt(path), path);
    assert.doesNotMatch(html, / style=| on[a-z]+=|<script>|<style>|(?:src|href)="(?:https?:)?\/\//, page);
  }
});
