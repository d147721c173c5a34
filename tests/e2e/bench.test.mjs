// The crowd against the real server: nothing is lost, its numbers make sense, and its exit status says
// how it went.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { SECRET } from './lib/api.mjs';
import { build, sanitized, scratch, startWeir } from './lib/server.mjs';
import { eventually } from './lib/wait.mjs';

const binary = path.join(build, 'weir-bench');
const folder = scratch('bench');
const duration = ['--settle-s', '0.3', '--duration-s', '1', '--quiet'];
let weir;

before(async () => { weir = await startWeir({ args: ['--max-connections-per-address', '0'] }); });
after(async () => {
  await weir.stop();
  rmSync(folder, { recursive: true, force: true });
});

// Starts it; `ended` is {code, text}.
function launch(args, url = weir.url) {
  const child = spawn(binary, [...args, ...(url ? ['--url', url] : [])]);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk));
  const timer = setTimeout(() => child.kill('SIGKILL'), sanitized ? 60_000 : 20_000);
  const ended = once(child, 'close').then(([code, signal]) => {
    clearTimeout(timer);
    return { code: code ?? signal, text };
  });
  return { child, ended };
}

let files = 0;

// Runs it to its end, which has to be good, and returns its JSON.
async function measure(args, url) {
  const file = path.join(folder, `results-${++files}.json`);
  const { code, text } = await launch([...args, ...duration, '--json', file], url).ended;
  assert.equal(code, 0, text);
  return JSON.parse(readFileSync(file, 'utf8'));
}

const window = (results) => results.steps.at(-1);

test('a broadcast to 20 by WHIP and WHEP loses nothing and is measured', async () => {
  const results = await measure(['broadcast', '--subscribers', '20', '--no-feedback', '--max-loss', '0']);
  assert.equal(results.joins.connected, 21);
  assert.equal(results.joins.failed, 0);
  const { media, server, crowd, seconds, watching } = window(results);
  assert.equal(watching, 20);
  assert.equal(media.lost, 0);
  // 30 pictures and 50 packets of sound a second and subscriber.
  assert.ok(media.pictures > 20 * 30 * seconds * 0.8 && media.pictures < 20 * 30 * seconds * 1.2, `${media.pictures} pictures`);
  assert.ok(media.sounds > 20 * 50 * seconds * 0.8 && media.sounds < 20 * 50 * seconds * 1.2, `${media.sounds} sounds`);
  assert.ok(media.bytes * 8 / seconds > 20 * 1.2e6, 'the rate');
  assert.ok(media.delay_of_pictures.p50_ms > 0 && media.delay_of_pictures.p50_ms < 500, 'the delay');
  assert.match(results.server, /^weir \d/);
  assert.ok(server.us_per_packet > 0 && server.us_per_packet < 1000, 'the cost');
  assert.ok(server.mb > 5 && server.mean_run >= 1, 'memory and runs');
  assert.ok(crowd.cores > 0 && crowd.cores < 2, 'the crowd measures itself');
});

test('a meeting by WebSocket: everyone sees the others in three layers', async () => {
  const results = await measure(['meeting', '--participants', '3', '--tiles', '2', '--no-feedback', '--tile-height', '0', '--speakers', '0']);
  assert.equal(results.joins.connected, 3);
  const { media, seconds } = window(results);
  assert.equal(media.lost, 0);
  assert.ok(media.pictures > 3 * 2 * 30 * seconds * 0.7, `${media.pictures} pictures`);
  assert.ok(media.sounds > 3 * 2 * 50 * seconds * 0.7, `${media.sounds} sounds`);
});

test('an audio room forwards the loudest three', async () => {
  const results = await measure(['audio-room', '--publishers', '8', '--subscribers', '12', '--turn-s', '60', '--max-loss', '0']);
  const { media, seconds } = window(results);
  assert.equal(results.joins.connected, 20);
  assert.equal(media.lost, 0);
  const perSubscriber = media.sounds / seconds / 12;
  assert.ok(perSubscriber > 110 && perSubscriber < 170, `${perSubscriber} packets a second for three of eight`);
});

test('with a secret it signs tokens itself', async () => {
  const secret = path.join(folder, 'secret');
  writeFileSync(secret, `${SECRET}\n`);
  const strict = await startWeir({ args: ['--secret-file', secret], demo: false });
  try {
    const all = await Promise.all(['whip', 'weir'].map((protocol) =>
      measure(['broadcast', '--protocol', protocol, '--subscribers', '2', '--secret-file', secret], strict.url)));
    for (const results of all) assert.equal(results.joins.connected, 3);
  } finally {
    await strict.stop();
  }
});

test('a network that loses shows, and what is repaired is not lost', async () => {
  const results = await measure(['broadcast', '--subscribers', '4', '--bad-share', '100', '--loss', '5', '--delay-ms', '10', '--no-audio', '--no-feedback']);
  const { media } = window(results);
  assert.ok(media.repairs > 10, `${media.repairs} repairs`);
  assert.ok(media.lost_percent < 2, `${media.lost_percent} % lost`);
  assert.ok(media.delay_of_pictures.p50_ms >= 10, `${media.delay_of_pictures.p50_ms} ms`);
});

test('a limit that is not kept is an exit status', async () => {
  const slow = ['broadcast', '--subscribers', '2', '--no-feedback', '--bad-share', '100', '--delay-ms', '50', '--max-p99-ms', '20'];
  const [late, wrong, nobody] = await Promise.all([
    launch([...slow, ...duration]).ended,
    launch(['broadcast', '--subscribers', 'many']).ended,
    launch(['broadcast', '--subscribers', '1', ...duration], 'http://127.0.0.1:1').ended]);
  assert.ok(late.code === 1 || late.code === 3, `${late.code}: ${late.text}`);
  assert.equal(wrong.code, 2);
  assert.equal(nobody.code, 1);
  assert.match(nobody.text, /the first failure\s+WHIP: /);
});

test('a ramp finds where it ends, and the page shows it', async () => {
  const page = path.join(folder, 'ramp.html');
  const results = await measure(['ramp', '--subscribers', '4', '--ramp-factor', '2', '--ramp-max', '8', '--no-video', '--max-p99-ms', '1000', '--html', page]);
  assert.equal(results.capacity, 8);
  assert.equal(results.steps.length, 2);
  const html = readFileSync(page, 'utf8');
  assert.match(html, /<svg/);
  assert.doesNotMatch(html, /src=|href=/);
});

test('Ctrl-C ends a run, with a report', async () => {
  const { child, ended } = launch(['broadcast', '--subscribers', '3', '--no-feedback', '--settle-s', '0.1', '--duration-s', '60']);
  await eventually('they have joined', async () => (await weir.metrics()).get('weir_sfu_participants') === 4, { within: 5_000 });
  await new Promise((resolve) => setTimeout(resolve, 700));
  child.kill('SIGINT');
  const { code, text } = await ended;
  assert.equal(code, 0, text);
  assert.match(text, /packets forwarded/);
  assert.match(text, /interrupted/);
});
