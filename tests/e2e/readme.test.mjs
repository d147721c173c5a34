// The README's examples of curl, run as they stand.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { test } from 'node:test';
import { SECRET } from './lib/api.mjs';
import { scratch, startWeir } from './lib/server.mjs';

const MINUTE = { timeout: 60_000 };
const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
const section = readme.slice(readme.indexOf('\n### With curl\n')).split(/\n##? /)[0];
const blocks = [...section.matchAll(/```sh\n(.*?)```/gs)].map(([, block]) => block);

// The answers that a block prints, one on each line.
async function run(block, weir, folder) {
  const { stdout, stderr } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', block], { cwd: folder, env: { ...process.env, WEIR: weir.url } });
  assert.equal(stderr, '');
  const answers = stdout.trim().split('\n').map((line) => JSON.parse(line));
  for (const answer of answers) assert.equal(answer.success, true, JSON.stringify(answer));
  return answers;
}

test('there are two', () => assert.equal(blocks.length, 2));

test('a call by cookies: signed in, called, joined, ended, and in the history', MINUTE, async (t) => {
  const weir = await startWeir();
  t.after(() => weir.stop());
  const [signedIn, joined, status, ended, history] = await run(blocks[0], weir, scratch('curl'));
  assert.equal(signedIn.name, 'Ada');
  assert.equal(status.status, 'ACTIVE');
  assert.deepEqual(status.participants.map((one) => [one.full_name, one.status]), [['Ada', 'JOINED'], ['Bob', 'JOINED']]);
  assert.deepEqual([joined.room_id, ended.success], [status.room_id, true]);
  assert.equal(history.count, 1);
  const [call] = history.calls;
  assert.deepEqual([call.call_id, call.status, call.direction, call.call_type], [status.call_id, 'ENDED', 'incoming', 'VIDEO']);
});

test('a call by a token of the host application', MINUTE, async (t) => {
  const folder = scratch('curl');
  writeFileSync(path.join(folder, 'secret'), `${SECRET}\n`);
  const weir = await startWeir({ demo: false, args: ['--secret-file', path.join(folder, 'secret')] });
  t.after(() => weir.stop());
  const [made, history] = await run(blocks[1], weir, folder);
  assert.equal(history.calls[0].call_id, made.call_id);
  assert.deepEqual(history.calls[0].initiator, { user_id: '42', full_name: 'Ada' });
});
