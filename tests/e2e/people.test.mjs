// People, channels and who is online; and who may do what: cookies, tokens for one call, limits.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, before, describe, test } from 'node:test';
import { Line, SECRET, User, cookieLines, token } from './lib/api.mjs';
import { launchChromium } from './lib/chromium.mjs';
import { scratch, startWeir } from './lib/server.mjs';
import { signedIn } from './lib/tabs.mjs';
import { eventually } from './lib/wait.mjs';

const MINUTE = { timeout: 60_000 };

let weir;
before(async () => (weir = await startWeir()), { timeout: 30_000 });
after(() => weir?.stop());

function isError({ status, body }, wanted, code) {
  assert.equal(status, wanted, JSON.stringify(body));
  assert.equal(body.code, code);
}

const signIn = (name) => User.signIn(weir.url, name);

async function listen(user, origin = weir.url) {
  const query = user.jwt ? `?access_token=${user.jwt}` : '';
  const line = new Line(`${origin.replace('http', 'ws')}/ws/notifications/${query}`, { headers: { Origin: origin, ...(user.jwt ? {} : { Cookie: user.cookieHeader }) } });
  await line.opened;
  return line;
}

let channels = 0;
async function makeChannel(user, name = `channel ${++channels}`) {
  const { status, body } = await user.post('/api/v1/channels/', { name });
  assert.equal(status, 201, JSON.stringify(body));
  return body.channel;
}

const listed = async (user, id) => (await user.get('/api/v1/channels/')).body.channels.find((one) => one.id === id);
const detail = async (user, id) => (await user.get(`/api/v1/channels/${id}/`)).body.channel;

describe('people', () => {
  test('are listed by name with a search, a page at a time, as soon as they have signed in', async () => {
    const users = [];
    for (const name of ['Zora One', 'zora two', 'ZORA Three', 'Nils']) users.push(await signIn(name));
    assert.deepEqual((await users[0].get('/api/v1/me/')).body, { success: true, user_id: users[0].userId, name: 'Zora One', demo: true });
    const { body } = await users[0].get('/api/v1/users/?search=zora');
    assert.deepEqual({ count: body.count, page: body.page, pages: body.pages }, { count: 3, page: 1, pages: 1 });
    assert.deepEqual(body.users.map(({ name }) => name), ['Zora One', 'ZORA Three', 'zora two']);
    assert.deepEqual(body.users[0], { user_id: users[0].userId, name: 'Zora One', online: false });
    const second = (await users[0].get('/api/v1/users/?search=zora&page=2&page_size=2')).body;
    assert.deepEqual({ pages: second.pages, names: second.users.map(({ name }) => name) }, { pages: 2, names: ['zora two'] });
    for (const wrong of ['page=0', 'page=x', 'page_size=101', `search=${'x'.repeat(101)}`]) isError(await users[0].get(`/api/v1/users/?${wrong}`), 400, 'bad_request');
  });

  test('are online with a connection, told to others; a page change is not noticed, leaving is after some seconds', MINUTE, async () => {
    const [ada, bob] = [await signIn('Ada'), await signIn('Bob')];
    const ears = await listen(ada);
    let line = await listen(bob);
    await ears.expect('presence', { user_id: bob.userId, online: true });
    const isOnline = async () => (await ada.get(`/api/v1/users/?search=Bob`)).body.users.find(({ user_id }) => user_id === bob.userId).online;
    assert.equal(await isOnline(), true);
    await line.close();
    line = await listen(bob);
    await sleep(1000);
    assert.equal(ears.messages.filter(({ user_id }) => user_id === bob.userId).length, 1);
    await line.close();
    assert.equal(await isOnline(), true);
    await ears.expect('presence', { user_id: bob.userId, online: false }, 8_000);
    assert.equal(await isOnline(), false);
    await ears.close();
  });

  test('are online while they are in a call', MINUTE, async () => {
    const [ada, bob] = [await signIn('Ada'), await signIn('Bob')];
    const ears = await listen(ada);
    const call = await bob.initiate();
    const line = await bob.connect(call);
    await ears.expect('presence', { user_id: bob.userId, online: true });
    await line.close();
    await ears.expect('presence', { user_id: bob.userId, online: false }, 8_000);
    await ears.close();
  });

  test('who have signed in stay signed in when the server dies, and so do their channels', MINUTE, async (t) => {
    const data = scratch('kept');
    const first = await startWeir({ data });
    const ada = await User.signIn(first.url, 'Ada');
    const { body } = await ada.post('/api/v1/channels/', { name: 'kept' });
    await first.kill();
    const second = await startWeir({ data });
    t.after(() => second.stop());
    ada.origin = second.url;
    assert.equal((await ada.get('/api/v1/me/')).body.user_id, ada.userId);
    assert.equal((await ada.post(`/api/v1/channels/${body.channel.id}/join/`)).status, 200);
    assert.equal((await ada.get('/api/v1/channels/')).body.channels[0].member_count, 1);
    assert.equal((await ada.request('DELETE', '/session/')).status, 200);
    assert.equal((await ada.get('/api/v1/me/')).status, 401);
  });
});

describe('channels', () => {
  test('are made, joined and left, with members and who of them is online', async () => {
    const [ada, bob] = [await signIn('Ada'), await signIn('Bob')];
    const line = await listen(bob);
    const channel = await makeChannel(ada);
    await line.expect('channel_changed', { channel_id: channel.id });
    assert.deepEqual(await listed(bob, channel.id), { id: channel.id, name: channel.name, is_member: false, member_count: 1, online_count: 0, call_id: null, call_type: null });
    assert.equal((await bob.post(`/api/v1/channels/${channel.id}/join/`)).status, 200);
    assert.equal((await bob.post(`/api/v1/channels/${channel.id}/join/`)).status, 200);
    assert.deepEqual({ ...(await listed(bob, channel.id)), name: '' }, { id: channel.id, name: '', is_member: true, member_count: 2, online_count: 1, call_id: null, call_type: null });
    assert.deepEqual((await detail(bob, channel.id)).members, [
      { user_id: ada.userId, name: 'Ada', online: false }, { user_id: bob.userId, name: 'Bob', online: true }]);
    assert.equal((await bob.post(`/api/v1/channels/${channel.id}/leave/`)).status, 200);
    assert.equal((await detail(ada, channel.id)).member_count, 1);
    await line.close();
  });

  test('have names that are trimmed, and unique whatever the case', async () => {
    const ada = await signIn('Ada');
    assert.equal((await makeChannel(ada, '  Team \u00a0  Blau ')).name, 'Team Blau');
    for (const same of ['team blau', 'TEAM  BLAU']) isError(await ada.post('/api/v1/channels/', { name: same }), 409, 'name_taken');
    for (const wrong of ['', '   ', 'a\u0007b', 'a\u202eb', 'a\nb', 'x'.repeat(65), 7, null, undefined]) {
      isError(await ada.post('/api/v1/channels/', { name: wrong }), 400, 'bad_name');
    }
    assert.equal((await makeChannel(ada, '語'.repeat(64))).name, '語'.repeat(64));
    for (const unknown of [randomUUID(), '%20']) isError(await ada.get(`/api/v1/channels/${unknown}/`), 404, 'unknown_channel');
    isError(await ada.post(`/api/v1/channels/${randomUUID()}/join/`), 404, 'unknown_channel');
    isError(await ada.post(`/api/v1/channels/${randomUUID()}/leave/`), 404, 'unknown_channel');
  });

  test('have one call at a time, which members see and are told of, and others are not', async () => {
    const [ada, bob, eve] = [await signIn('Ada'), await signIn('Bob'), await signIn('Eve')];
    const channel = await makeChannel(ada);
    await bob.post(`/api/v1/channels/${channel.id}/join/`);
    const [ears, foreign] = [await listen(bob), await listen(eve)];
    const { body } = await ada.post('/calls/initiate/', { call_type: 'VIDEO', channel_id: channel.id });
    await ears.expect('call_changed', { call_id: body.call_id, channel_id: channel.id, status: 'RINGING' });
    assert.equal((await ears.expect('notification', { call_id: body.call_id })).notification_type, 'CALL');
    const seen = await listed(bob, channel.id);
    assert.deepEqual([seen.call_id, seen.call_type], [body.call_id, 'VIDEO']);
    assert.equal((await listed(eve, channel.id)).call_id, null);
    isError(await eve.post('/calls/initiate/', { channel_id: channel.id }), 403, 'not_member');
    const joined = await bob.post('/calls/initiate/', { channel_id: channel.id });
    assert.deepEqual([joined.body.call_id, joined.body.is_new], [body.call_id, false]);
    await ears.expect('call_changed', { call_id: body.call_id, status: 'ACTIVE' });
    await ada.post(`/calls/${body.call_id}/end/`);
    await ears.expect('call_changed', { call_id: body.call_id, status: 'ENDED' });
    assert.equal((await listed(bob, channel.id)).call_id, null);
    assert.equal(foreign.count('call_changed'), 0);
    await Promise.all([ears.close(), foreign.close()]);
  });

  test('and people are on the first page, and change there by themselves', MINUTE, async (t) => {
    const browser = await launchChromium();
    t.after(() => browser.close());
    const [amina, jonas] = await Promise.all(['Amina Home', 'Jonas Home'].map((name) => signedIn(browser, weir, name)));
    await amina.open('/');
    await amina.page.click('#create-channel');
    await amina.page.fill('#ask input', 'Page  channel');
    await amina.page.press('#ask input', 'Enter');
    await amina.page.getByRole('heading', { name: 'Page channel' }).waitFor();
    const id = decodeURIComponent(new URL(amina.page.url()).hash.split('/')[2]);
    await jonas.open(`/#/channels/${id}`);
    await jonas.page.click('#join-channel');
    await amina.page.locator('.detail-pane .person', { hasText: 'Jonas Home' }).locator('.face.online').waitFor();
    await amina.page.locator(`#channel-${id}`, { hasText: '2 online' }).waitFor();
    const { call_id } = await amina.request('POST', '/calls/initiate/', { channel_id: id, call_type: 'AUDIO' });
    await jonas.page.locator('#ring[open]').waitFor();
    await jonas.page.locator('#join-call').waitFor();
    await amina.request('POST', `/calls/${call_id}/end/`);
    await jonas.page.locator('#join-call').waitFor({ state: 'detached' });
    await amina.open('/#/people');
    await amina.page.fill('input[type=search]', 'jonas h');
    await amina.page.locator('.person', { hasText: 'Jonas Home' }).locator('.face.online').waitFor();
    await jonas.page.close();
    await amina.page.locator('.person', { hasText: 'Jonas Home' }).locator('.face:not(.online)').waitFor({ timeout: 9_000 });
    assert.deepEqual([...amina.errors, ...jonas.errors], []);
  });
});

describe('who may do what', () => {
  test('every request that changes something needs the token against forgery', async () => {
    const ada = await signIn('Ada');
    const call = await ada.initiate();
    const channel = await makeChannel(ada);
    const routes = ['/calls/initiate/', ...['join', 'leave', 'end', 'reject', 'missed'].map((what) => `/calls/${call}/${what}/`),
      `/calls/${call}/participants/x/remove/`, '/api/v1/channels/', `/api/v1/channels/${channel.id}/join/`, `/api/v1/channels/${channel.id}/leave/`];
    for (const route of routes) for (const csrf of ['', 'wrong']) isError(await ada.request('POST', route, {}, { 'X-CSRFToken': csrf }), 403, 'forged');
    isError(await ada.request('DELETE', '/session/', undefined, { 'X-CSRFToken': '' }), 403, 'forged');
    await ada.post(`/calls/${call}/end/`);
  });

  test('cookies are HttpOnly where scripts need none, SameSite, and Secure under TLS', async (t) => {
    const folder = scratch('tls');
    const [cert, key] = ['cert', 'key'].map((name) => path.join(folder, `${name}.pem`));
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=localhost', '-keyout', key, '-out', cert], { stdio: 'ignore' });
    const safe = await startWeir({ args: ['--tls-cert', cert, '--tls-key', key] });
    t.after(() => safe.stop());
    const curl = execFileSync('curl', ['-sk', '-D', '-', '-o', '/dev/null', '-H', 'Content-Type: application/json', '-d', '{"name":"Ada"}', `${safe.url}/session/`], { encoding: 'utf8' });
    const [session, csrf] = ['sessionid', 'csrftoken'].map((name) => curl.split('\r\n').find((line) => line.toLowerCase().startsWith(`set-cookie: ${name}=`)));
    for (const line of [session, csrf]) assert.match(line, /; Secure/);
    assert.match(session, /; HttpOnly/);
    const plain = cookieLines(await fetch(`${weir.url}/session/`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"name":"Ada"}' }));
    for (const line of plain) assert.match(line, /SameSite=Lax/);
    assert.deepEqual(plain.map((line) => /; HttpOnly/.test(line)), [true, false]);
    assert.ok(plain.every((line) => !/; Secure/.test(line)));
  });

  test('a socket with a cookie is for pages of ours', async () => {
    const ada = await signIn('Ada');
    const call = await ada.initiate();
    for (const address of ['/ws/notifications/', `/ws/call/${call}/`]) {
      for (const origin of ['https://evil.example.org', 'null']) {
        const line = new Line(`${weir.url.replace('http', 'ws')}${address}`, { headers: { Cookie: ada.cookieHeader, Origin: origin } });
        await assert.rejects(line.opened, /403/);
      }
    }
    await ada.post(`/calls/${call}/end/`);
  });

  test('a token for one call opens that call, and nothing else', MINUTE, async (t) => {
    const secretFile = path.join(scratch('secret'), 'secret');
    writeFileSync(secretFile, SECRET);
    const host = await startWeir({ demo: false, args: ['--secret-file', secretFile] });
    t.after(() => host.stop());
    const [ada, bob] = ['ada', 'bob'].map((sub) => new User(host.url, token({ sub })));
    const mine = await ada.initiate(['bob', 'guest']);
    const other = await ada.initiate(['eve', 'guest']);
    const past = await ada.initiate(['guest', 'joe']);
    await ada.post(`/calls/${past}/end/`);
    const guest = new User(host.url, token({ sub: 'guest', call: mine, grants: ['publish', 'subscribe', 'admin'] }));
    for (const call of [other, past]) {
      for (const what of ['join', 'leave', 'end', 'reject', 'missed', 'participants/ada/remove']) {
        const { status, body } = await guest.post(`/calls/${call}/${what}/`);
        assert.ok(status === 403 || (call === past && status === 409), `${what}: ${status} ${JSON.stringify(body)}`);
      }
      for (const what of [`/calls/${call}/status/`, `/api/v1/calls/${call}/analytics/`, `/api/v1/calls/${call}/participants/ada/why/`]) {
        const { status } = await guest.get(what);
        assert.ok(status === 403 || (call === past && status === 409), `${what}: ${status}`);
      }
      assert.equal((await fetch(`${host.url}/whip/${call}`, { method: 'POST', headers: { ...guest.headers(), 'Content-Type': 'application/sdp' }, body: 'v=0\r\n' })).ok, false);
      assert.equal(await (await guest.connect(call)).closeCode(), call === past ? 4409 : 4403);
    }
    for (const route of ['/api/v1/calls/', '/api/v1/users/', '/api/v1/channels/', `/api/v1/channels/${randomUUID()}/`]) isError(await guest.get(route), 403, 'wrong_token');
    for (const route of ['/calls/initiate/', '/api/v1/channels/', `/api/v1/channels/${randomUUID()}/join/`, `/api/v1/channels/${randomUUID()}/leave/`]) isError(await guest.post(route), 403, 'wrong_token');
    isError(await guest.get('/api/v1/server/'), 403, 'not_admin');
    assert.equal(await (await listen(guest, host.url)).closeCode(), 4403);
    // Not even by pressing "call" for the people of another one.
    isError(await guest.post('/calls/initiate/', { user_ids: ['ada'] }), 403, 'wrong_token');
    assert.equal((await guest.get('/api/v1/me/')).body.user_id, 'guest');
    assert.equal((await guest.get('/api/v1/ice-servers/')).status, 200);
    assert.equal((await guest.get(`/calls/${mine}/status/`)).status, 200);
    assert.equal((await guest.post(`/calls/${mine}/join/`)).status, 200);
    const line = await guest.connect(mine);
    await line.expect('welcome');
    await line.close();
    isError(await bob.get('/api/v1/users/'), 404, 'host_mode');
    isError(await bob.get('/api/v1/channels/'), 404, 'host_mode');
    await Promise.all([mine, other].map((call) => ada.post(`/calls/${call}/end/`)));
  });

  test('sign-ins, calls, channels and chat have limits, and who is over one is told when to come again', MINUTE, async (t) => {
    const limits = { 'sign-ins': 3, calls: 2, channels: 2, chats: 3 };
    const strict = await startWeir({ args: Object.entries(limits).flatMap(([what, n]) => [`--max-${what}-per-minute`, String(n)]) });
    t.after(() => strict.stop());
    const [ada, bob] = [await User.signIn(strict.url, 'Ada'), await User.signIn(strict.url, 'Bob')];
    const isLimited = (answer, atMost) => {
      isError(answer, 429, 'rate_limited');
      const seconds = Number(answer.response.headers.get('retry-after'));
      assert.ok(seconds >= 1 && seconds <= atMost, String(seconds));
    };
    await User.signIn(strict.url, 'Carl');
    isLimited(await new User(strict.url).post('/session/', { name: 'Dora' }), 21);
    const calls = [await ada.initiate(), await ada.initiate()];
    isLimited(await ada.post('/calls/initiate/', {}), 31);
    calls.push(await bob.initiate());
    for (const name of ['one', 'two']) assert.equal((await ada.post('/api/v1/channels/', { name })).status, 201);
    isLimited(await ada.post('/api/v1/channels/', { name: 'three' }), 31);
    const line = await ada.connect(calls[0]);
    for (let i = 0; i < 5; i++) line.send({ type: 'chat_message', message: `${i}` });
    assert.match((await line.expect('error', { in_reply_to: 'chat_message', code: 'rate_limited' })).message, /in \d+ s/);
    await eventually('two are refused', () => line.count('error') === 2);
    await line.close();
    await eventually('the metrics count them', async () => (await strict.metrics()).get('weir_rate_limited_total{kind="calls"}') === 1);
  });
});
