// The signaling WebSocket without a browser: who gets in, what is told to whom, and what happens to
// messages that are wrong.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Line, SECRET, User, token } from './lib/api.mjs';
import { linesOf, offer, valueOf } from './lib/sdp.mjs';
import { scratch, startWeir } from './lib/server.mjs';
import { eventually } from './lib/wait.mjs';

let weir;
let ada;
let blaise;
let carl;
before(async () => {
  weir = await startWeir();
  [ada, blaise, carl] = await Promise.all(['Ada', 'Blaise', 'Carl'].map((name) => User.signIn(weir.url, name)));
}, { timeout: 30_000 });
after(() => weir?.stop());

const CALL_OFFER = offer([
  { kind: 'audio', direction: 'sendonly', ssrc: 0x22222222 }, { kind: 'video', direction: 'sendonly', ssrc: 0x11111111 },
  ...Array.from({ length: 4 }, () => ({ kind: 'audio', direction: 'recvonly' })),
  ...Array.from({ length: 4 }, () => ({ kind: 'video', direction: 'recvonly' }))]);

// A call of these users; everybody has joined by REST and has a line, the SFU clients are welcomed.
async function meeting(t, users, { media = 'sfu' } = {}) {
  const [first, ...rest] = users;
  const call = await first.initiate(rest.map((user) => user.userId));
  const lines = [];
  for (const user of users) {
    if (user !== first) await user.post(`/calls/${call}/join/`);
    const line = await user.connect(call);
    line.send({ type: 'join', ...(media ? { media } : {}) });
    if (media) await line.expect('welcome');
    lines.push(line);
  }
  t.after(async () => {
    lines.forEach((line) => line.socket.terminate());
    await first.post(`/calls/${call}/end/`).catch(() => {}); // The server may be gone already.
  });
  return { call, lines };
}

// Nothing of this type has come by the time a later message has.
async function isNotTold(line, type, nudge) {
  await nudge();
  assert.equal(line.count(type), 0, type);
}

describe('who gets in', () => {
  const closeOf = async (promise) => (await promise).closeCode();

  test('nobody without credentials: 4401', async () => {
    const call = await ada.initiate([blaise.userId]);
    assert.equal(await closeOf(new User(weir.url).connect(call, { headers: { Cookie: '' } })), 4401);
    await ada.post(`/calls/${call}/end/`);
  });

  test('nobody into a call that does not exist: 4404, or is over: 4409', async () => {
    assert.equal(await closeOf(ada.connect(randomUUID())), 4404);
    const call = await ada.initiate([blaise.userId]);
    await ada.post(`/calls/${call}/end/`);
    assert.equal(await closeOf(ada.connect(call)), 4409);
  });

  test('no page of another site: a cookie needs an Origin that is ours', async () => {
    const call = await ada.initiate([blaise.userId]);
    for (const Origin of ['https://evil.example', 'null', `${weir.url}.evil.example`]) {
      const outcome = await ada.connect(call, { headers: { Origin } }).then((line) => line.closeCode(), (error) => error.message);
      assert.ok(outcome === 4403 || outcome === 4401 || /40[13]/.test(outcome), `${Origin}: ${outcome}`);
    }
    await ada.post(`/calls/${call}/end/`);
  });

  test('a token in the query gets in; an expired one, one for another call and who is not invited do not', async (t) => {
    const file = path.join(scratch('secret'), 'secret');
    writeFileSync(file, SECRET);
    const guarded = await startWeir({ demo: false, args: ['--secret-file', file] });
    t.after(() => guarded.stop());
    const host = new User(guarded.url, token({ sub: 'host' }));
    const call = await host.initiate();
    const connect = (jwt) => new Line(`${guarded.url.replace('http', 'ws')}/ws/call/${call}/?access_token=${jwt}`);
    const line = connect(token({ sub: 'host', call }));
    await line.opened;
    line.send({ type: 'join', media: 'sfu' });
    assert.equal((await line.expect('welcome')).you.user_id, 'host');
    await line.close();
    assert.equal(await connect(token({ sub: 'host', exp: 1_000_000 })).closeCode(), 4401);
    assert.equal(await connect(token({ sub: 'host' }, { alg: 'none' })).closeCode(), 4401);
    assert.equal(await connect(token({ sub: 'host', call: randomUUID() })).closeCode(), 4403);
    assert.equal(await connect(token({ sub: 'stranger' })).closeCode(), 4403);
  });
});

describe('an SFU client', () => {
  test('is welcomed with who it is, the call, the participants, ICE servers, limits and a resume token', async (t) => {
    const { call, lines: [first, second] } = await meeting(t, [ada, blaise]);
    const welcome = await second.expect('welcome');
    assert.equal(welcome.you.user_id, blaise.userId);
    assert.equal(welcome.call.id ?? welcome.call.call_id, call);
    assert.ok(welcome.participants.some((one) => one.user_id === ada.userId));
    assert.ok(Array.isArray(welcome.ice_servers));
    assert.equal(typeof welcome.limits, 'object');
    assert.ok(welcome.resume_token.length >= 16);
    const joined = await first.expect('user_joined', { user_id: blaise.userId });
    assert.equal(joined.should_create_offer, false);
    for (const key of ['user_name', 'username', 'full_name']) assert.equal(typeof joined[key], 'string', key);
  });

  test('is answered, and what it publishes is told to the others and put into their slots', async (t) => {
    const { lines: [first, second] } = await meeting(t, [ada, blaise]);
    for (const line of [first, second]) line.send({ type: 'offer', offer: { type: 'offer', sdp: CALL_OFFER } });
    const answer = await first.expect('answer', { from_user_id: 'sfu' });
    const sdp = answer.answer.sdp;
    assert.equal(answer.answer.type, 'answer');
    assert.equal(linesOf(sdp, 'm=').length, linesOf(CALL_OFFER, 'm=').length);
    assert.equal(valueOf(sdp, 'a=group:BUNDLE '), valueOf(CALL_OFFER, 'a=group:BUNDLE '));
    assert.equal(linesOf(sdp, 'a=sendonly').length, 8);
    assert.equal(linesOf(sdp, 'a=recvonly').length, 2);
    const camera = await second.expect('track_published', { user_id: ada.userId, source: 'camera' });
    const microphone = await second.expect('track_published', { user_id: ada.userId, source: 'microphone' });
    assert.equal(camera.kind, 'video');
    assert.equal(microphone.kind, 'audio');
    await eventually('both tracks are in slots', () => {
      const slots = second.messages.filter((message) => message.type === 'slots').flatMap((message) => message.slots);
      return [camera, microphone].every((track) => slots.some((slot) => slot.track_id === track.track_id && slot.user_id === ada.userId));
    });
  });

  test('gets no SDP when someone else joins', async (t) => {
    const { lines: [first, second] } = await meeting(t, [ada, blaise]);
    first.send({ type: 'offer', offer: { type: 'offer', sdp: CALL_OFFER } });
    await first.expect('answer');
    second.send({ type: 'offer', offer: { type: 'offer', sdp: CALL_OFFER } });
    await first.expect('track_published', { user_id: blaise.userId, source: 'camera' });
    assert.equal(first.count('answer'), 1);
    assert.equal(first.count('offer'), 0);
  });

  test('may name the SFU as the target, and spell it webrtc_offer', async (t) => {
    const { lines: [line] } = await meeting(t, [ada]);
    line.send({ type: 'webrtc_offer', offer: { type: 'offer', sdp: CALL_OFFER }, target_user_id: 'sfu' });
    await eventually('an answer', () => line.count('answer') + line.count('webrtc_answer') > 0);
    line.send({ type: 'ice_candidate', candidate: { candidate: 'candidate:1 1 udp 1 192.0.2.9 9 typ host', sdpMid: '0' } });
    line.send({ type: 'ice_candidate', candidate: null });
    await isNotTold(line, 'error', () => line.send({ type: 'offer', offer: { type: 'offer', sdp: CALL_OFFER } }));
  });

  test('tells its states to the others and not to itself', async (t) => {
    const { call, lines: [first, second] } = await meeting(t, [ada, blaise]);
    second.send({ type: 'toggle_audio', enabled: false });
    second.send({ type: 'toggle_video', enabled: true });
    second.send({ type: 'start_screen_share', is_sharing: true });
    second.send({ type: 'chat_message', message: 'good <b>morning</b> 👋' });
    second.send({ type: 'poll_created', poll: { id: 7, question: 'Lunch?', options: ['yes', 'no'] } });
    second.send({ type: 'poll_vote', poll_id: 7, option_index: 1 });
    await first.expect('audio_toggled', { user_id: blaise.userId, enabled: false });
    await first.expect('video_toggled', { user_id: blaise.userId, enabled: true });
    await first.expect('screen_share_toggled', { user_id: blaise.userId, is_sharing: true });
    await first.expect('chat_message', { message: 'good <b>morning</b> 👋', sender_id: blaise.userId, sender_name: 'Blaise' });
    assert.equal((await first.expect('poll_created')).poll.question, 'Lunch?');
    await first.expect('poll_vote', { poll_id: 7, option_index: 1 });
    for (const type of ['audio_toggled', 'chat_message', 'poll_vote']) assert.equal(second.count(type), 0, type);
    const { body } = await ada.get(`/calls/${call}/status/`);
    const state = body.participants.find((one) => one.user_id === blaise.userId);
    assert.deepEqual([state.is_audio_enabled, state.is_video_enabled, state.is_screen_sharing], [false, true, true]);
  });

  test('that closes properly leaves at once, that leaves by REST too', async (t) => {
    const { call, lines: [first, second, third] } = await meeting(t, [ada, blaise, carl]);
    await second.close();
    await first.expect('user_left', { user_id: blaise.userId });
    await carl.post(`/calls/${call}/leave/`);
    await first.expect('user_left', { user_id: carl.userId });
    await third.closed;
  });

  test('that is dropped resumes within the grace time, and the others see nothing', async (t) => {
    const { call, lines: [first, second] } = await meeting(t, [ada, blaise]);
    const { resume_token: resume } = await second.expect('welcome');
    second.socket.terminate();
    await second.closed;
    const back = await blaise.connect(call, { query: `?resume=${resume}` });
    t.after(() => back.socket.terminate());
    await back.expect('welcome');
    back.send({ type: 'toggle_audio', enabled: false });
    await first.expect('audio_toggled', { user_id: blaise.userId });
    assert.equal(first.count('user_left'), 0);
    assert.equal(first.count('user_joined'), 1);
  });

  test('cannot be resumed by someone else, nor with a wrong token', async (t) => {
    const { call, lines: [, second] } = await meeting(t, [ada, blaise, carl]);
    const { resume_token: resume } = await second.expect('welcome');
    const thief = await carl.connect(call, { query: `?resume=${resume}` });
    t.after(() => thief.socket.terminate());
    await eventually('the thief is refused or is himself', () =>
      thief.closing || thief.messages.some((message) => message.type === 'error' || message.you?.user_id === carl.userId));
    assert.ok(!thief.messages.some((message) => message.you?.user_id === blaise.userId));
  });

  test('that does not come back within the grace time has left', async (t) => {
    const hasty = await startWeir({ args: ['--resume-grace-s', '1'] });
    t.after(() => hasty.stop());
    const [one, two] = [await User.signIn(hasty.url, 'Ada'), await User.signIn(hasty.url, 'Blaise')];
    const { lines: [first, second] } = await meeting(t, [one, two]);
    second.socket.terminate();
    await first.expect('user_left', { user_id: two.userId }, 4_000);
  });

  test('that connects twice is one participant: the older connection is closed', async (t) => {
    const { call, lines: [first, second] } = await meeting(t, [ada, blaise]);
    const again = await blaise.connect(call);
    t.after(() => again.socket.terminate());
    again.send({ type: 'join', media: 'sfu' });
    await again.expect('welcome');
    await second.closeCode();
    again.send({ type: 'chat_message', message: 'me again' });
    await first.expect('chat_message', { message: 'me again' });
    const welcome = await again.expect('welcome');
    assert.equal(welcome.participants.filter((one) => one.user_id === ada.userId).length, 1);
  });

  test('that is the initiator ends the call for all, another one cannot', async (t) => {
    const { lines: [first, second] } = await meeting(t, [ada, blaise]);
    second.send({ type: 'end_call' });
    await second.expect('error');
    assert.equal(first.count('call_ended'), 0);
    first.send({ type: 'end_call' });
    await second.expect('call_ended', { user_id: ada.userId });
  });
});

describe('mesh clients', () => {
  test('are told to offer to who joins, and their messages are relayed under the same type', async (t) => {
    const { lines: [first, second] } = await meeting(t, [ada, blaise], { media: null });
    const joined = await first.expect('user_joined', { user_id: blaise.userId });
    assert.equal(joined.should_create_offer, true);
    for (const target of ['to_user_id', 'target_user_id']) {
      for (const type of ['offer', 'webrtc_offer']) {
        first.send({ type, offer: { type: 'offer', sdp: `v=0 ${type} ${target}` }, [target]: blaise.userId });
        await eventually('the offer', () => second.messages.some((message) =>
          message.type === type && message.offer?.sdp === `v=0 ${type} ${target}` && message.from_user_id === ada.userId
          && message.sender_id === ada.userId && message.sender_name === 'Ada'));
      }
      for (const type of ['answer', 'webrtc_answer']) {
        second.send({ type, answer: { type: 'answer', sdp: `v=0 ${type} ${target}` }, [target]: ada.userId });
        await eventually('the answer', () => first.messages.some((message) =>
          message.type === type && message.answer?.sdp === `v=0 ${type} ${target}` && message.from_user_id === blaise.userId));
      }
      second.send({ type: 'ice_candidate', candidate: { candidate: target }, [target]: ada.userId });
      await eventually('the candidate', () => first.messages.some((message) =>
        message.type === 'ice_candidate' && message.candidate?.candidate === target && message.from_user_id === blaise.userId));
    }
  });

  test('are not relayed to who is not in the call', async (t) => {
    const { lines: [first] } = await meeting(t, [ada, blaise], { media: null });
    first.send({ type: 'offer', offer: { type: 'offer', sdp: 'v=0' }, to_user_id: carl.userId });
    await first.expect('error');
  });

  test('and SFU clients are never told to offer to each other', async (t) => {
    const { lines: [mesh] } = await meeting(t, [ada], { media: null });
    const call = await ada.initiate([blaise.userId, carl.userId]);
    t.after(() => ada.post(`/calls/${call}/end/`));
    mesh.socket.terminate();
    const sfuClient = await ada.connect(call);
    sfuClient.send({ type: 'join', media: 'sfu' });
    await sfuClient.expect('welcome');
    await blaise.post(`/calls/${call}/join/`);
    const meshClient = await blaise.connect(call);
    meshClient.send({ type: 'join' });
    assert.equal((await sfuClient.expect('user_joined', { user_id: blaise.userId })).should_create_offer, false);
    sfuClient.socket.terminate();
    meshClient.socket.terminate();
  });
});

describe('what is wrong', () => {
  test('gets an error that names it, and the connection and the others go on', async (t) => {
    const { lines: [first, second] } = await meeting(t, [ada, blaise]);
    const wrong = ['{', '[]', '"text"', '7', 'null', '{}', '{"type":7}', '{"type":"no_such_type"}', '{"type":null}',
      '{"type":"toggle_audio"}', '{"type":"toggle_audio","enabled":"yes"}', '{"type":"offer"}', '{"type":"offer","offer":"v=0"}',
      '{"type":"offer","offer":{"type":"offer","sdp":"nonsense"}}', '{"type":"offer","offer":{"type":"offer","sdp":7}}',
      '{"type":"offer","offer":{"type":"answer","sdp":"v=0"}}', '{"type":"subscribe"}', '{"type":"subscribe","slots":[{"mid":7}]}',
      '{"type":"subscribe","slots":"all"}', '{"type":"publish"}', '{"type":"publish","tracks":[{"mid":"0","source":"telescope"}]}',
      '{"type":"chat_message"}', '{"type":"chat_message","message":{}}', '{"type":"poll_vote","poll_id":1}',
      '{"type":"answer","answer":{},"to_user_id":"nobody"}', `{"type":"x","a":${'['.repeat(200)}${']'.repeat(200)}}`];
    for (const message of wrong) {
      const before = second.count('error');
      second.send(message);
      await eventually(`an error for ${message.slice(0, 60)}`, () => second.count('error') > before, { within: 2_000, every: 5 });
    }
    for (const error of second.messages.filter((message) => message.type === 'error')) {
      assert.match(error.code, /^[a-z0-9_]+$/);
      assert.ok(error.message.length > 0);
    }
    assert.equal(second.closing, null);
    second.send({ type: 'chat_message', message: 'still here' });
    await first.expect('chat_message', { message: 'still here' });
    assert.equal(first.count('error'), 0);
  });

  test('an offer with more m-lines than the limit is an error, and the next one is answered', async (t) => {
    const { lines: [line] } = await meeting(t, [ada]);
    const many = offer(Array.from({ length: 200 }, () => ({ kind: 'audio', direction: 'recvonly', codec: ['a=rtpmap:111 opus/48000/2'] })));
    line.send({ type: 'offer', offer: { type: 'offer', sdp: many } });
    await line.expect('error');
    line.send({ type: 'offer', offer: { type: 'offer', sdp: CALL_OFFER } });
    await line.expect('answer');
  });

  test('a message over the limit closes with 1009, a binary one or bad UTF-8 closes too', async (t) => {
    const outcomes = [['x'.repeat(300_000), [1009]], [Buffer.from([1, 2, 3]), [1003, 1002, 1008]]];
    for (const [message, codes] of outcomes) {
      const { lines: [line] } = await meeting(t, [ada]);
      line.socket.send(message);
      const code = await line.closeCode();
      assert.ok(codes.includes(code), String(code));
    }
    const { lines: [line] } = await meeting(t, [ada]);
    line.socket._socket.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28]));
    assert.equal(await line.closeCode(), 1007);
  });

  test('frames that break the protocol close with 1002', async (t) => {
    const frames = { 'not masked': [0x81, 0x02, 0x7b, 0x7d], 'reserved bits': [0xf1, 0x80, 0, 0, 0, 0],
      'unknown opcode': [0x83, 0x80, 0, 0, 0, 0], 'a fragmented ping': [0x09, 0x80, 0, 0, 0, 0] };
    for (const [name, bytes] of Object.entries(frames)) {
      const { lines: [line] } = await meeting(t, [ada]);
      line.socket._socket.write(Buffer.from(bytes));
      const code = await line.closeCode();
      assert.ok([1002, 1006].includes(code), `${name}: ${code}`);
    }
  });

  test('a flood of messages closes its own connection only', async (t) => {
    const { lines: [first, second] } = await meeting(t, [ada, blaise]);
    for (let i = 0; i < 2_000; i++) second.send({ type: 'toggle_audio', enabled: i % 2 === 0 });
    assert.equal(await second.closeCode(), 1008);
    first.send({ type: 'offer', offer: { type: 'offer', sdp: CALL_OFFER } });
    await first.expect('answer');
  });
});
