// The REST interface at every door: what it answers, and what it says to what is wrong.

import assert from 'node:assert/strict';
import net from 'node:net';
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { SECRET, User, token, cookieLines } from './lib/api.mjs';
import { scratch, startWeir } from './lib/server.mjs';
import { eventually } from './lib/wait.mjs';

let weir;
let ada;
let blaise;
before(async () => {
  weir = await startWeir();
  ada = await User.signIn(weir.url, 'Ada');
  blaise = await User.signIn(weir.url, 'Blaise');
}, { timeout: 30_000 });
after(() => weir?.stop());

// The error body of the interface, with this status and, if given, this code.
function isError({ status, body }, wanted, code) {
  assert.equal(status, wanted, JSON.stringify(body));
  assert.equal(body.success, false);
  assert.ok(body.error.length > 0);
  assert.match(body.code, /^[a-z0-9_]+$/);
  if (code) assert.equal(body.code, code);
}

const statusOf = async (user, call) => (await user.get(`/calls/${call}/status/`)).body;
const inCall = (status, user) => status.participants.find((one) => one.user_id === user.userId);

describe('a call', () => {
  test('rings for who is invited, becomes active when one joins, and ends when the last one leaves', async () => {
    const { status, body } = await ada.post('/calls/initiate/', { call_type: 'VIDEO', user_ids: [blaise.userId] });
    assert.equal(status, 200);
    assert.equal(body.success, true);
    assert.match(body.call_id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.ok(body.room_id);
    const call = body.call_id;
    const ringing = await statusOf(ada, call);
    assert.equal(ringing.status, 'RINGING');
    assert.equal(ringing.call_type, 'VIDEO');
    assert.equal(inCall(ringing, ada).status, 'JOINED');
    assert.match(inCall(ringing, blaise).status, /INVITED|RINGING/);
    const joined = await blaise.post(`/calls/${call}/join/`);
    assert.deepEqual({ status: joined.status, success: joined.body.success, room: joined.body.room_id }, { status: 200, success: true, room: body.room_id });
    const active = await statusOf(ada, call);
    assert.equal(active.status, 'ACTIVE');
    for (const key of ['user_id', 'username', 'full_name', 'status', 'is_audio_enabled', 'is_video_enabled', 'is_screen_sharing']) {
      assert.ok(key in inCall(active, blaise), key);
    }
    assert.equal((await ada.post(`/calls/${call}/leave/`)).body.success, true);
    assert.equal((await blaise.post(`/calls/${call}/leave/`)).body.success, true);
    assert.equal((await statusOf(ada, call)).status, 'ENDED');
    isError(await blaise.post(`/calls/${call}/join/`), 409);
  });

  test('is AUDIO unless said otherwise', async () => {
    const { body } = await ada.post('/calls/initiate/', { user_ids: [blaise.userId] });
    assert.equal((await statusOf(ada, body.call_id)).call_type, 'AUDIO');
    await ada.post(`/calls/${body.call_id}/end/`);
  });

  test('that everybody rejects is REJECTED, that everybody misses is MISSED', async () => {
    for (const [action, wanted] of [['reject', 'REJECTED'], ['missed', 'MISSED']]) {
      const call = await ada.initiate([blaise.userId]);
      assert.equal((await blaise.post(`/calls/${call}/${action}/`)).body.success, true);
      assert.equal((await statusOf(ada, call)).status, wanted);
    }
  });

  test('rings out by itself after the ring timeout', async (t) => {
    const short = await startWeir({ args: ['--ring-timeout-s', '1'] });
    t.after(() => short.stop());
    const [caller, callee] = [await User.signIn(short.url, 'Ada'), await User.signIn(short.url, 'Blaise')];
    const call = await caller.initiate([callee.userId]);
    await eventually('the call is missed', async () => (await statusOf(caller, call)).status === 'MISSED', { within: 4_000 });
    assert.equal(inCall(await statusOf(caller, call), callee).status, 'MISSED');
  });

  test('of the demo mode may be joined by anyone who has its link', async () => {
    const call = await ada.initiate([blaise.userId]);
    const carl = await User.signIn(weir.url, 'Carl');
    assert.equal((await carl.post(`/calls/${call}/join/`)).status, 200);
    await ada.post(`/calls/${call}/end/`);
  });

  test('may be left twice', async () => {
    const call = await ada.initiate([blaise.userId]);
    await blaise.post(`/calls/${call}/join/`);
    for (let i = 0; i < 2; i++) assert.equal((await blaise.post(`/calls/${call}/leave/`)).status, 200);
    await ada.post(`/calls/${call}/end/`);
  });

  test('is ended for all by its initiator only', async () => {
    const call = await ada.initiate([blaise.userId]);
    await blaise.post(`/calls/${call}/join/`);
    isError(await blaise.post(`/calls/${call}/end/`), 403);
    assert.equal((await ada.post(`/calls/${call}/end/`)).body.success, true);
    const status = await statusOf(blaise, call);
    assert.equal(status.status, 'ENDED');
    assert.ok(status.participants.every((one) => one.status === 'LEFT'));
  });

  test('has a page, with and without the slash', async () => {
    const call = await ada.initiate([blaise.userId]);
    for (const address of [`/calls/${call}/`, `/calls/${call}`]) {
      const { status, body, response } = await ada.get(address);
      assert.equal(status, 200);
      assert.match(response.headers.get('content-type'), /^text\/html/);
      assert.match(body, /<!doctype html>/i);
    }
    await ada.post(`/calls/${call}/end/`);
  });
});

describe('what is wrong', () => {
  test('no credentials are 401, on every route that needs them', async () => {
    const stranger = new User(weir.url);
    for (const [method, address] of [['POST', '/calls/initiate/'], ['POST', `/calls/${randomUUID()}/join/`],
      ['GET', `/calls/${randomUUID()}/status/`], ['GET', '/api/v1/ice-servers/']]) {
      isError(await stranger.request(method, address, method === 'POST' ? {} : undefined), 401);
    }
  });

  test('a cookie without the CSRF header, or with another one, is 403', async () => {
    for (const header of ['', 'wrong']) {
      isError(await ada.request('POST', '/calls/initiate/', {}, { 'X-CSRFToken': header }), 403);
    }
  });

  test('an unknown call is 404', async () => {
    for (const action of ['join', 'leave', 'end', 'reject', 'missed']) {
      isError(await ada.post(`/calls/${randomUUID()}/${action}/`), 404);
    }
    isError(await ada.get(`/calls/${randomUUID()}/status/`), 404);
    isError(await ada.get('/calls/not-a-uuid/status/'), 404);
  });

  test('an unknown path is 404 in JSON, an unknown method 405 with Allow', async () => {
    isError(await ada.get('/no/such/thing'), 404);
    const answer = await ada.request('PUT', '/calls/initiate/', {});
    isError(answer, 405);
    assert.match(answer.response.headers.get('allow'), /POST/);
  });

  test('a body that is no JSON object is 400, of another type 415, too large 413', async () => {
    const send = async (body, type = 'application/json') => {
      const response = await fetch(`${weir.url}/calls/initiate/`, { method: 'POST', headers: ada.headers({ 'Content-Type': type }), body });
      return { status: response.status, body: await response.json() };
    };
    for (const body of ['{', '[]', '"text"', 'null', '{"call_type":"VIDEO"', '\xff\xfe', `${'['.repeat(5000)}`, '{"a":1}x']) isError(await send(body), 400);
    isError(await send('call_type=VIDEO', 'application/x-www-form-urlencoded'), 415);
    isError(await send(JSON.stringify({ x: 'y'.repeat(300_000) })), 413);
  });

  test('fields of the wrong kind are 400', async () => {
    for (const body of [{ call_type: 'FAX' }, { call_type: 7 }, { user_ids: 'Ada' }, { user_ids: [1] }, { user_ids: [{}] },
      { user_ids: [''] }, { user_ids: ['x'.repeat(10_000)] }, { channel_id: [] }]) {
      isError(await ada.post('/calls/initiate/', { user_ids: [blaise.userId], ...body }), 400);
    }
  });

  test('names that are empty, endless or no text are 400', async () => {
    for (const name of ['', '   ', 'x'.repeat(1000), 7, null, ['Ada'], undefined]) {
      const response = await fetch(`${weir.url}/session/`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ name }) });
      isError({ status: response.status, body: await response.json() }, 400);
    }
  });

  test('requests that are no HTTP get an error or a closed connection, and the next one is served', async () => {
    const nonsense = ['\0\0\0\0\r\n\r\n', 'GET\r\n\r\n', `GET /${'a'.repeat(100_000)} HTTP/1.1\r\n\r\n`,
      `GET / HTTP/1.1\r\nHost: x\r\n${'X-Header: y\r\n'.repeat(5_000)}\r\n`,
      'POST /session/ HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n',
      'POST /session/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZZ\r\n'];
    for (const text of nonsense) {
      const socket = net.connect(weir.port, '127.0.0.1');
      socket.on('error', () => {});
      socket.resume();
      socket.end(text);
      const timer = setTimeout(() => socket.destroy(), 2_000);
      await once(socket, 'close');
      clearTimeout(timer);
    }
    assert.equal((await fetch(`${weir.url}/healthz`)).status, 200);
  });
});

describe('sessions and tokens', () => {
  test('the session cookie is HttpOnly and SameSite=Lax, the CSRF cookie can be read by the page', async () => {
    const response = await fetch(`${weir.url}/session/`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"name":"Dora"}' });
    const cookies = cookieLines(response);
    const session = cookies.find((line) => line.startsWith('sessionid='));
    assert.match(session, /HttpOnly/i);
    assert.match(session, /SameSite=Lax/i);
    assert.doesNotMatch(session, /Secure/i);
    assert.doesNotMatch(cookies.find((line) => line.startsWith('csrftoken=')), /HttpOnly/i);
  });

  test('both cookies outlive the browser, each visit renews both, and with what is left of them one is still oneself', async () => {
    const given = await fetch(`${weir.url}/session/`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"name":"Emil"}' });
    const read = (response) => Object.fromEntries(cookieLines(response).map((line) => {
      const [, name, value, seconds] = /^(\w+)=(\w+);.*Max-Age=(\d+)/.exec(line);
      return [name, { value, seconds: Number(seconds) }];
    }));
    const first = read(given);
    assert.deepEqual([first.sessionid.seconds, first.csrftoken.seconds], [86_400, 86_400]);
    const emil = new User(weir.url);
    // A browser that was closed and opened again has kept what has a Max-Age.
    emil.cookies = Object.fromEntries(Object.entries(first).map(([name, { value }]) => [name, value]));
    assert.ok(await emil.initiate());
    for (const path of ['/api/v1/me/', '/session/']) assert.deepEqual(read((await emil.get(path)).response), first, path);
    emil.cookies.csrftoken = 'wrong';
    assert.deepEqual(cookieLines((await emil.get('/api/v1/me/')).response), []);
  });

  test('with a secret, signing in by name is refused and tokens are taken', async (t) => {
    const file = path.join(scratch('secret'), 'secret');
    writeFileSync(file, SECRET);
    const guarded = await startWeir({ demo: false, args: ['--secret-file', file] });
    t.after(() => guarded.stop());
    const refused = await fetch(`${guarded.url}/session/`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"name":"Ada"}' });
    isError({ status: refused.status, body: await refused.json() }, 403);
    const host = new User(guarded.url, token({ sub: 'host', name: 'The Host' }));
    const call = await host.initiate(['guest']);
    const status = await statusOf(host, call);
    assert.deepEqual(status.participants.map((one) => one.user_id).sort(), ['guest', 'host']);
    assert.equal(status.participants.find((one) => one.user_id === 'host').full_name, 'The Host');
    isError(await new User(guarded.url, token({ sub: 'stranger' })).post(`/calls/${call}/join/`), 403);
    const bound = new User(guarded.url, token({ sub: 'guest', call: randomUUID() }));
    isError(await bound.post(`/calls/${call}/join/`), 403);
    isError(await new User(guarded.url, token({ sub: 'host' }, { alg: 'none' })).get(`/calls/${call}/status/`), 401);
    isError(await new User(guarded.url, token({ sub: 'host', exp: 1_000_000 })).get(`/calls/${call}/status/`), 401);
    assert.equal((await host.get('/api/v1/server/')).status, 403);
    const admin = await new User(guarded.url, token({ sub: 'root', grants: ['admin'] })).get('/api/v1/server/');
    assert.equal(admin.status, 200, JSON.stringify(admin.body));
    assert.ok(admin.body.version);
  });

  test('who one is: the id and the name of the session', async () => {
    const { status, body } = await ada.get('/api/v1/me/');
    assert.deepEqual([status, body.user_id, body.name, body.demo], [200, ada.userId, 'Ada', true]);
    isError(await new User(weir.url).get('/api/v1/me/'), 401);
  });

  test('ICE servers come with time-limited TURN credentials', async (t) => {
    const relay = await startWeir({ args: ['--turn-url', 'turn:127.0.0.1:3478', '--turn-secret', 'a-turn-secret'] });
    t.after(() => relay.stop());
    const user = await User.signIn(relay.url, 'Ada');
    const { body } = await user.get('/api/v1/ice-servers/');
    const turn = body.iceServers.find((one) => [one.urls].flat().some((url) => url.startsWith('turn:127.0.0.1:3478')));
    assert.match(turn.username, /^\d+:/);
    assert.ok(Number(turn.username.split(':')[0]) > Date.now() / 1000);
    assert.match(turn.credential, /^[A-Za-z0-9+/]{27}=$/);
  });
});

describe('operations', () => {
  test('healthz and readyz are 200', async () => {
    for (const address of ['/healthz', '/readyz']) assert.equal((await fetch(`${weir.url}${address}`)).status, 200);
  });

  test('metrics are in the Prometheus text format, every family with help and type', async () => {
    const response = await fetch(`${weir.url}/metrics`);
    assert.match(response.headers.get('content-type'), /^text\/plain; version=0\.0\.4/);
    const text = await response.text();
    const typed = new Set([...text.matchAll(/^# TYPE (\S+) (?:counter|gauge|histogram)$/gm)].map((found) => found[1]));
    assert.ok(typed.size > 5);
    for (const line of text.split('\n').filter((one) => one && !one.startsWith('#'))) {
      assert.match(line, /^weir_[a-z0-9_]+(\{([a-z_]+="(\\.|[^"\\])*",?)*\})? -?[0-9.e+-]+$|^weir_\S+ \+Inf$/);
      const name = /^[a-z0-9_]+/.exec(line)[0];
      assert.ok(typed.has(name) || typed.has(name.replace(/_(bucket|sum|count)$/, '')), name);
    }
  });

  test('too many requests are 429 with Retry-After', async (t) => {
    const strict = await startWeir({ args: ['--max-requests-per-second', '2'] });
    t.after(() => strict.stop());
    const answers = [];
    for (let i = 0; i < 40; i++) answers.push(await fetch(`${strict.url}/readyz`));
    const refused = answers.find((response) => response.status === 429);
    assert.ok(refused, 'none of 40 was refused');
    assert.ok(Number(refused.headers.get('retry-after')) > 0);
    isError({ status: 429, body: await refused.json() }, 429);
  });
});

describe('SIGTERM', () => {
  test('drains: not ready, no new calls, the running one goes on, and it exits when empty', async () => {
    const drained = await startWeir({ args: ['--drain-deadline-s', '30'] });
    const [caller, callee] = [await User.signIn(drained.url, 'Ada'), await User.signIn(drained.url, 'Blaise')];
    const call = await caller.initiate([callee.userId]);
    const line = await caller.connect(call);
    line.send({ type: 'join', media: 'sfu' });
    await line.expect('welcome');
    drained.child.kill('SIGTERM');
    await eventually('it is not ready', async () => (await fetch(`${drained.url}/readyz`)).status === 503);
    assert.equal((await fetch(`${drained.url}/healthz`)).status, 200);
    const refused = await caller.post('/calls/initiate/', {});
    isError(refused, 503);
    assert.ok(Number(refused.response.headers.get('retry-after')) > 0);
    isError(await callee.post(`/calls/${call}/join/`), 503);
    line.send({ type: 'toggle_audio', enabled: false });
    await eventually('the running call goes on', async () =>
      inCall(await statusOf(caller, call), caller).is_audio_enabled === false);
    assert.equal(drained.exited, null);
    await caller.post(`/calls/${call}/leave/`);
    await line.closed;
    const { code } = await drained.closed;
    assert.equal(code, 0);
    drained.checkLog();
  }, { timeout: 30_000 });

  test('with a call still running at the deadline it exits with 0 all the same', async () => {
    const drained = await startWeir({ args: ['--drain-deadline-s', '1'] });
    const caller = await User.signIn(drained.url, 'Ada');
    const line = await caller.connect(await caller.initiate());
    line.send({ type: 'join', media: 'sfu' });
    await line.expect('welcome');
    const began = performance.now();
    drained.child.kill('SIGTERM');
    const { code } = await drained.closed;
    assert.equal(code, 0);
    assert.ok(performance.now() - began > 900, 'it did not wait');
    drained.checkLog();
  }, { timeout: 30_000 });

  test('without a call it exits with 0 at once, and so does SIGINT', async () => {
    for (const signal of ['SIGTERM', 'SIGINT']) {
      const idle = await startWeir();
      idle.child.kill(signal);
      assert.equal((await idle.closed).code, 0);
      idle.checkLog();
    }
  }, { timeout: 30_000 });
});
