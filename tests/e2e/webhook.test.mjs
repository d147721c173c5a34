// What a host application is told of its calls: signed, in order, and nothing lost, by a receiver that
// is slow, refuses, dies and comes back, and by a server that is killed in between.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { SECRET, User, token } from './lib/api.mjs';
import { seeded } from './lib/random.mjs';
import { scratch, startWeir } from './lib/server.mjs';
import { eventually, expectThat } from './lib/wait.mjs';

const MINUTE = { timeout: 120_000 };
const HOOK_SECRET = 'the secret of the webhook, as long as it has to be';

const folder = scratch('webhook');
const files = {};
for (const [name, text] of [['secret', SECRET], ['hook', `${HOOK_SECRET}\n`]]) writeFileSync((files[name] = path.join(folder, name)), text);

// A host application. `answer(event, response)` may do what it likes; what it took by 2xx is in `taken`.
class Host {
  taken = [];
  attempts = [];
  answer = (_event, response) => response.writeHead(204).end();

  async listen(port = 0) {
    this.server = http.createServer((request, response) => this.receive(request, response));
    this.server.listen(port, '127.0.0.1');
    await once(this.server, 'listening');
    this.port = this.server.address().port;
    return this;
  }

  async receive(request, response) {
    let body = '';
    for await (const chunk of request) body += chunk;
    const [, time, mac] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(request.headers['weir-signature']) ?? [];
    const wanted = createHmac('sha256', HOOK_SECRET).update(`${time}.${body}`).digest('hex');
    const event = JSON.parse(body);
    this.attempts.push({ event, isSigned: mac === wanted && Math.abs(Number(time) - Date.now() / 1000) < 60, headers: request.headers, at: Date.now() });
    response.on('finish', () => response.statusCode < 300 && this.taken.push(event));
    this.answer(event, response);
  }

  async close() {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  of(call) {
    return this.taken.filter((event) => event.call.call_id === call);
  }

  types(call) {
    return this.of(call).map(({ type }) => type);
  }
}

// Each number once, or again with the same id, and never an older one behind a newer one.
function isInOrder(events) {
  const ids = new Map();
  let last = 0;
  for (const { seq, id } of events) {
    assert.ok(seq === last || seq === last + 1, `${seq} behind ${last}`);
    assert.equal(ids.get(seq) ?? id, id);
    ids.set(seq, id);
    last = seq;
  }
  return last;
}

const startHosted = (host, given = {}) => startWeir({
  demo: false, ...given,
  args: ['--secret-file', files.secret, '--webhook-url', `http://127.0.0.1:${host.port}/events`, '--webhook-secret-file', files.hook, ...(given.args ?? [])],
});

const isEmpty = (weir) => eventually('everything is delivered', async () => {
  const pending = (await weir.metrics()).get('weir_webhook_pending');
  return expectThat(pending, pending === 0);
}, { within: 60_000 });

let host;
let weir;
let ada;
let bob;
before(async () => {
  host = await new Host().listen();
  weir = await startHosted(host);
  [ada, bob] = ['ada', 'bob'].map((sub) => new User(weir.url, token({ sub, name: sub.toUpperCase() })));
}, { timeout: 30_000 });
after(async () => {
  await weir?.stop();
  await host?.close();
});

test('a call is told from its start to its end, signed, each message with the state of then', MINUTE, async () => {
  const call = await ada.initiate(['bob', 'carl']);
  await bob.post(`/calls/${call}/join/`);
  await bob.post(`/calls/${call}/leave/`);
  await ada.post(`/calls/${call}/end/`);
  await eventually('all is told', () => host.types(call).includes('call.ended'));
  assert.deepEqual(host.types(call), ['call.started', 'participant.joined', 'call.answered', 'participant.joined', 'participant.left',
    'participant.left', 'participant.missed', 'call.ended']);
  const [started, , answered, joined] = host.of(call);
  assert.equal(isInOrder(host.of(call)), 8);
  assert.deepEqual([started.call.status, answered.call.status, started.by, answered.by], ['RINGING', 'ACTIVE', 'ada', 'bob']);
  assert.deepEqual(started.call.participants.map(({ user_id, status }) => `${user_id} ${status}`), ['ada JOINED', 'bob INVITED', 'carl INVITED']);
  assert.deepEqual([joined.participant.user_id, joined.participant.status, joined.call.participants], ['bob', 'JOINED', undefined]);
  const ended = host.of(call).at(-1);
  assert.equal(ended.call.status, 'ENDED');
  assert.ok(ended.call.ended_at >= ended.call.started_at && ended.created_at >= started.created_at);
  for (const { isSigned, headers, event } of host.attempts) {
    assert.ok(isSigned);
    assert.deepEqual([headers['content-type'], headers['weir-event'], headers['weir-delivery']], ['application/json', event.type, event.id]);
  }
  await isEmpty(weir);
  const metrics = await weir.metrics();
  assert.equal(metrics.get('weir_webhook_failures_total'), 0);
  assert.ok(metrics.get('weir_webhook_delivered_total') >= 8);
});

test('a call that nobody answers is missed, one that is declined is rejected', MINUTE, async (t) => {
  const impatient = await startHosted(host, { args: ['--ring-timeout-s', '1'] });
  t.after(() => impatient.stop());
  const [caller, callee] = [new User(impatient.url, ada.jwt), new User(impatient.url, bob.jwt)];
  const missed = await caller.initiate(['bob']);
  await eventually('it is missed', () => host.types(missed).at(-1) === 'call.missed');
  assert.ok(host.types(missed).includes('participant.missed'));
  const rejected = await caller.initiate(['bob']);
  await callee.post(`/calls/${rejected}/reject/`);
  await eventually('it is rejected', () => host.types(rejected).at(-1) === 'call.rejected');
  assert.ok(host.types(rejected).includes('participant.rejected'));
});

test('what is refused comes again, later each time, and holds up its own call alone', MINUTE, async () => {
  const stuck = await ada.initiate(['bob']);
  await eventually('its start is told', () => host.types(stuck).length === 2);
  host.answer = (event, response) => response.writeHead(event.call.call_id === stuck ? 500 : 200).end('x'.repeat(200_000));
  await ada.post(`/calls/${stuck}/end/`);
  const other = await ada.initiate(['carl']);
  await ada.post(`/calls/${other}/end/`);
  await eventually('the other is told', () => host.types(other).at(-1) === 'call.ended');
  const tries = () => host.attempts.filter(({ event }) => event.call.call_id === stuck && event.seq > 2);
  await eventually('it was tried three times', () => tries().length >= 3, { within: 15_000 });
  assert.equal(new Set(tries().map(({ event }) => event.id)).size, 1);
  const [first, second, third] = tries().map(({ at }) => at);
  assert.ok(second - first >= 450 && third - second >= 950, `${second - first} ${third - second}`);
  host.answer = (_event, response) => response.writeHead(200).end();
  await eventually('it is told at last', () => host.types(stuck).at(-1) === 'call.ended', { within: 15_000 });
  isInOrder(host.of(stuck));
  await isEmpty(weir);
});

test('redirects are not followed, and hold up the message', MINUTE, async () => {
  let lured = 0;
  const trap = http.createServer((_request, response) => { lured++; response.end(); }).listen(0, '127.0.0.1');
  await once(trap, 'listening');
  host.answer = (_event, response) => response.writeHead(307, { Location: `http://127.0.0.1:${trap.address().port}/` }).end();
  const before = host.attempts.length;
  const call = await ada.initiate(['bob']);
  await eventually('it was tried', () => host.attempts.length > before + 1, { within: 8_000 });
  host.answer = (_event, response) => response.writeHead(200).end();
  await ada.post(`/calls/${call}/end/`);
  await eventually('it is told', () => host.types(call).at(-1) === 'call.ended', { within: 15_000 });
  assert.equal(lured, 0);
  trap.close();
});

test('a receiver with a certificate that nobody vouches for is told nothing', MINUTE, async (t) => {
  const [cert, key] = ['cert', 'key'].map((name) => path.join(folder, `${name}.pem`));
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=localhost', '-keyout', key, '-out', cert], { stdio: 'ignore' });
  let told = 0;
  const impostor = https.createServer({ cert: readFileSync(cert), key: readFileSync(key) }, (_request, response) => { told++; response.end(); }).listen(0, '127.0.0.1');
  await once(impostor, 'listening');
  const careful = await startHosted(host, { args: ['--webhook-url', `https://localhost:${impostor.address().port}/`] });
  t.after(async () => { await careful.stop(); impostor.close(); });
  await new User(careful.url, ada.jwt).initiate(['bob']);
  await eventually('it was tried twice', async () => (await careful.metrics()).get('weir_webhook_failures_total') >= 2);
  assert.equal(told, 0);
  assert.match(careful.log, /certificate/);
});

test('what has become too old is given up, and the next one goes', MINUTE, async (t) => {
  const dead = await new Host().listen();
  dead.answer = (event, response) => response.writeHead(event.type === 'call.started' ? 503 : 200).end();
  const hasty = await startHosted(dead, { args: ['--webhook-max-age-s', '2'] });
  t.after(async () => { await hasty.stop(); await dead.close(); });
  const call = await new User(hasty.url, ada.jwt).initiate(['bob']);
  await eventually('the next one comes', () => dead.types(call).includes('participant.joined'), { within: 20_000 });
  assert.equal((await hasty.metrics()).get('weir_webhook_given_up_total'), 1);
});

test('nothing is lost and nothing overtakes, while the receiver is slow, fails and dies, and the server is killed', { timeout: 180_000 }, async (t) => {
  const random = seeded(7);
  const data = scratch('kept');
  const shaky = await new Host().listen();
  const { port } = shaky;
  shaky.answer = (_event, response) => {
    const dice = Math.floor(random() * 10);
    if (dice < 5) response.writeHead(200).end();
    else if (dice < 7) setTimeout(() => response.writeHead(202).end(), 100);
    else if (dice < 9) response.writeHead(500).end();
    else response.destroy();
  };
  let server = await startHosted(shaky, { data });
  t.after(async () => { await server.stop(); await shaky.close(); });
  const calls = [];
  const user = (name) => new User(server.url, token({ sub: name }));
  for (let round = 0; round < 4; round++) {
    for (let i = 0; i < 5; i++) {
      const call = await user('ada').initiate(['bob']);
      calls.push(call);
      await user('bob').post(`/calls/${call}/join/`);
      if (i % 2) await user('bob').post(`/calls/${call}/leave/`);
      await user('ada').post(`/calls/${call}/end/`);
    }
    if (round === 1) {
      await shaky.close();
      await user('ada').initiate(['carl']).then((call) => (calls.push(call), user('ada').post(`/calls/${call}/end/`)));
      await shaky.listen(port);
    }
    await server.kill();
    server = await startHosted(shaky, { data });
  }
  shaky.answer = (_event, response) => response.writeHead(200).end();
  await isEmpty(server);
  assert.ok(shaky.attempts.length > shaky.taken.length);
  for (const call of calls) {
    const events = shaky.of(call);
    isInOrder(events);
    assert.deepEqual([events[0].type, events.at(-1).type], ['call.started', 'call.ended'], call);
    assert.ok(new Set(events.map(({ seq }) => seq)).size >= 5, call);
  }
});
