// kill -9 at random moments while people start, answer and end calls: whatever was acknowledged is
// there afterwards, and no call is left open.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import WebSocket from 'ws';
import { SECRET, bearer, token } from './lib/api.mjs';
import { startPostgres } from './lib/postgres.mjs';
import { seeded } from './lib/random.mjs';
import { sanitized, scratch, weirBinary } from './lib/server.mjs';

const WORKERS = 4;
const exp = Math.floor(Date.now() / 1000) + 3600;
function person(id) {
  const jwt = token({ sub: id, name: id.toUpperCase(), exp });
  return { id, jwt, headers: bearer(jwt) };
}
const [ada, bob, cyn] = ['ada', 'bob', 'cyn'].map(person);

const agent = new http.Agent({ keepAlive: true });

// The status and body of a request, or null when the server died before it answered.
function ask(port, who, method, address, body) {
  return new Promise((resolve) => {
    const request = http.request({ port, host: '127.0.0.1', agent, method, path: address, headers: { ...who.headers, ...(body ? { 'Content-Type': 'application/json' } : {}) } }, (response) => {
      let text = '';
      response.on('data', (chunk) => (text += chunk));
      response.on('end', () => resolve(response.complete ? { status: response.statusCode, body: JSON.parse(text) } : null));
      response.on('error', () => resolve(null));
    });
    request.on('error', () => resolve(null));
    request.end(body ? JSON.stringify(body) : undefined);
  });
}

// A signaling socket: hear(type) is true when such a message comes, false when the server dies first.
class Line {
  constructor(port, who, call) {
    this.waiting = [];
    this.heard = new Set();
    this.socket = new WebSocket(`ws://127.0.0.1:${port}/ws/call/${call}/?access_token=${who.jwt}`);
    this.socket.on('message', (data) => {
      this.heard.add(JSON.parse(data).type);
      this.settle();
    });
    this.socket.on('error', () => {});
    this.socket.on('close', () => {
      this.isClosed = true;
      this.settle();
    });
  }

  settle() {
    this.waiting = this.waiting.filter(({ type, resolve }) => {
      if (!this.heard.has(type) && !this.isClosed) return true;
      resolve(this.heard.has(type));
      return false;
    });
  }

  hear(type) {
    return new Promise((resolve) => {
      this.waiting.push({ type, resolve });
      this.settle();
    });
  }
}

class Server {
  constructor(args) {
    this.child = spawn(weirBinary, ['--listen', '127.0.0.1:0', '--rtc-address', '127.0.0.1', '--rtc-port', '0', '--workers', '1',
      '--max-requests-per-second', '0', '--max-calls', '100000', '--log-level', 'warn', ...args]);
    this.log = '';
    this.exited = once(this.child, 'exit');
    for (const stream of [this.child.stdout, this.child.stderr]) stream.on('data', (chunk) => (this.log += chunk));
    this.ready = new Promise((resolve) => {
      this.child.stdout.on('data', () => {
        const port = /open http:\S+:(\d+)/.exec(this.log)?.[1];
        if (port) resolve(Number(port));
      });
      this.exited.then(() => resolve(null));
    });
  }

  async kill() {
    this.child.kill('SIGKILL');
    await this.exited;
  }
}

// What was acknowledged of one call, in its order.
const acknowledged = new Map();

// `welcome` acknowledges having joined, `call_ended` the end. False: the server died.
async function liveBySocket(port, call, caller, third, events) {
  const [own, other] = [new Line(port, caller, call), new Line(port, third, call)];
  if (await other.hear('welcome')) events.push({ event: 'JOIN', user: third.id });
  if (!(await own.hear('welcome')) || !(await other.hear('welcome'))) return false;
  own.socket.send(JSON.stringify({ type: 'end_call' }));
  const isOver = await other.hear('call_ended');
  if (isOver) events.push({ event: 'END', user: caller.id });
  for (const line of [own, other]) line.socket.terminate();
  return isOver;
}

// One call after another until the server dies. Each worker has users of its own, so that two of its calls
// never are the same one.
async function live(port, chance, number) {
  const name = (who) => `${who.id}${number}`;
  const [caller, callee, third] = [ada, bob, cyn].map((who) => person(name(who)));
  for (;;) {
    const made = await ask(port, caller, 'POST', '/calls/initiate/', { call_type: 'AUDIO', user_ids: [callee.id, third.id] });
    if (!made) return;
    assert.equal(made.status, 200, JSON.stringify(made.body));
    const call = made.body.call_id;
    const events = [{ event: 'START', user: caller.id }];
    acknowledged.set(call, events);
    const act = async (who, action, event) => {
      const answer = await ask(port, who, 'POST', `/calls/${call}/${action}/`);
      if (!answer) return false;
      assert.equal(answer.status, 200, `${action}: ${JSON.stringify(answer.body)}`);
      events.push({ event, user: who.id });
      return true;
    };
    if (chance() < 0.3) {
      if (await liveBySocket(port, call, caller, third, events)) continue;
      return;
    }
    const script = [[callee, 'join', 'JOIN'], [third, ...(chance() < 0.5 ? ['reject', 'REJECT'] : ['join', 'JOIN'])],
      [callee, 'leave', 'LEAVE'], [callee, 'join', 'JOIN'], [caller, 'end', 'END']];
    const steps = chance() < 0.7 ? script.length : Math.floor(chance() * script.length);
    for (const step of script.slice(0, steps)) if (!(await act(...step))) return;
    if (steps < script.length && !(await act(caller, 'end', 'END'))) return;
  }
}

// Every acknowledged event is stored, in the order in which it was acknowledged.
async function check(port, calls) {
  const owner = (events) => person(events[0].user);
  for (const call of calls) {
    const events = acknowledged.get(call);
    const { status, body } = await ask(port, owner(events), 'GET', `/api/v1/calls/${call}/analytics/`);
    assert.equal(status, 200, `${call} is lost: ${JSON.stringify(events)}`);
    let at = 0;
    for (const one of body.events) if (at < events.length && one.event === events[at].event && one.user_id === events[at].user) at++;
    assert.equal(at, events.length, `${call}: ${JSON.stringify(events[at])} is lost of ${JSON.stringify(events)}; stored: ${JSON.stringify(body.events)}`);
    if (events.at(-1).event === 'END') {
      assert.equal(body.status, 'ENDED', call);
      assert.ok(body.participants.every((one) => one.status !== 'JOINED' && one.status !== 'INVITED'), JSON.stringify(body.participants));
    }
  }
}

async function noneIsOpen(port, calls) {
  for (const call of calls) {
    const { body } = await ask(port, person(acknowledged.get(call)[0].user), 'GET', `/calls/${call}/status/`);
    assert.ok(['ENDED', 'MISSED', 'REJECTED'].includes(body.status), `${call} is ${body.status}`);
    assert.ok(body.ended_at >= body.created_at && Date.parse(body.ended_at) <= Date.now(), JSON.stringify(body));
  }
}

// `rounds` lives of the server, each ended by kill -9 within `span` ms, then a life that settles everything.
async function killAtRandom(t, rounds, args) {
  const folder = scratch('kill');
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const secretFile = path.join(folder, 'secret');
  writeFileSync(secretFile, SECRET);
  const common = ['--data', folder, '--secret-file', secretFile, ...args];
  const chance = seeded(20);
  acknowledged.clear();
  let checked = new Set();
  let kills = 0;
  for (let round = 0; round < rounds; round++) {
    const server = new Server([...common, '--ring-timeout-s', '600', '--resume-grace-s', '600']);
    if (chance() < 0.1) await new Promise((resolve) => setTimeout(resolve, chance() * 30)); // While it starts.
    else {
      const port = await server.ready;
      assert.ok(port, server.log);
      const fresh = [...acknowledged.keys()].filter((call) => !checked.has(call));
      await check(port, fresh);
      checked = new Set(acknowledged.keys());
      const lives = Promise.all(Array.from({ length: WORKERS }, (_, number) => live(port, chance, `${round}-${number}`)));
      await Promise.race([lives, new Promise((resolve) => setTimeout(resolve, 2 + chance() * 60))]);
      await server.kill();
      await lives;
    }
    await server.kill();
    kills++;
  }
  const last = new Server([...common, '--ring-timeout-s', '1', '--resume-grace-s', '0']);
  const port = await last.ready;
  assert.ok(port, last.log);
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  await check(port, acknowledged.keys());
  await noneIsOpen(port, acknowledged.keys());
  last.child.kill('SIGTERM');
  const [code] = await last.exited;
  assert.equal(code, 0, last.log);
  const events = [...acknowledged.values()].reduce((sum, list) => sum + list.length, 0);
  t.diagnostic(`${kills} kills, ${acknowledged.size} calls, ${events} acknowledged events`);
  assert.ok(events > rounds * 5, 'hardly anything was acknowledged');
}

const ROUNDS = Number(process.env.WEIR_KILLS ?? (sanitized ? 30 : 250));

test('SQLite: what was acknowledged survives kill -9 at any moment', { timeout: 300_000 }, (t) => killAtRandom(t, ROUNDS, []));

test('PostgreSQL: what was acknowledged survives kill -9 at any moment', { timeout: 300_000 }, async (t) => {
  const postgres = await startPostgres();
  t.after(() => postgres.stop());
  await killAtRandom(t, Math.ceil(ROUNDS / 5), ['--database', postgres.uri, '--server-name', 'one']);
});
