// The command line: help, version, configuration from file, environment and flags, and what is wrong
// with one.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { runWeir, scratch, startWeir } from './lib/server.mjs';

const folder = scratch('cli');
const file = (name, text) => {
  const where = path.join(folder, name);
  writeFileSync(where, text);
  return where;
};

test('--help and --version print and exit with 0', async () => {
  const help = await runWeir(['--help']);
  assert.equal(help.code, 0);
  for (const flag of ['--listen', '--rtc-address', '--rtc-port', '--workers', '--announce', '--data', '--secret-file',
    '--tls-cert', '--tls-key', '--demo', '--config', '--check-config', '--log-format']) assert.ok(help.stdout.replaceAll('[no-]', '').includes(`${flag} `), flag);
  const version = await runWeir(['--version']);
  assert.equal(version.code, 0);
  assert.match(version.stdout, /^weir \d+\.\d+\.\d+\n$/);
});

test('a wrong value exits with 2 and names the value and where it stands', async () => {
  const config = file('wrong.conf', 'workers = many\n');
  const secret = file('short-secret', 'short');
  const cases = [
    [['--no-such-flag'], /no-such-flag/], [['--workers', 'many'], /workers.*many/], [['--workers', '-1'], /workers.*-1/],
    [['--workers', '1000000'], /workers.*1000000/], [['--rtc-port', '70000'], /rtc-port.*70000/], [['--rtc-port'], /rtc-port/],
    [['--listen', 'nowhere'], /listen.*nowhere/], [['--rtc-address', '300.1.1.1'], /rtc-address.*300\.1\.1\.1/],
    [['--announce', 'example.org'], /announce.*example\.org/], [['--log-format', 'xml'], /log-format.*xml/],
    [['--config', '/no/such/file'], /\/no\/such\/file/], [['--config', config], /wrong\.conf.*many/],
    [['--secret-file', '/no/such/file'], /\/no\/such\/file/], [['--secret-file', secret], /short-secret/],
    [['--tls-cert', '/no/such/file'], /tls/], [['stray'], /stray/]];
  for (const [args, words] of cases) {
    const { code, stderr } = await runWeir([...args, '--check-config']);
    assert.equal(code, 2, `${args}: ${stderr}`);
    assert.match(stderr, words);
  }
  const { code, stderr } = await runWeir(['--check-config'], { env: { WEIR_WORKERS: 'several' } });
  assert.equal(code, 2);
  assert.match(stderr, /WEIR_WORKERS.*several/);
});

test('several wrong values are all named at once', async () => {
  const { code, stderr } = await runWeir(['--workers', 'many', '--rtc-port', 'none', '--check-config']);
  assert.equal(code, 2);
  assert.match(stderr, /many/);
  assert.match(stderr, /none/);
});

test('--check-config of a good configuration exits with 0', async () => {
  const config = file('good.conf', 'listen = 127.0.0.1:8080\nworkers = 1\n');
  const { code, stderr } = await runWeir(['--config', config, '--check-config']);
  assert.equal(code, 0, stderr);
});

test('the environment goes over the file, and flags over both', async () => {
  const config = file('layers.conf', 'rtc-port = 41001\nworkers = 3\nring-timeout-s = 11\n');
  const { code, stdout } = await runWeir(['--config', config, '--check-config', '--workers', '1'],
    { env: { WEIR_RTC_PORT: '41002', WEIR_WORKERS: '2' } });
  assert.equal(code, 0);
  const value = (name) => new RegExp(`^\\s*${name}\\s*=?\\s*(\\S+)`, 'm').exec(stdout)?.[1];
  assert.deepEqual(['rtc-port', 'workers', 'ring-timeout-s'].map(value), ['41002', '1', '11'], stdout);
});

test('a port that is taken exits with 1 and names it', async (t) => {
  const weir = await startWeir();
  t.after(() => weir.stop());
  const { code, stderr, stdout } = await runWeir(['--listen', `127.0.0.1:${weir.port}`, '--rtc-port', '0', '--rtc-address', '127.0.0.1']);
  assert.equal(code, 1);
  assert.match(stderr + stdout, new RegExp(String(weir.port)));
  const media = await runWeir(['--listen', '127.0.0.1:0', '--rtc-address', '127.0.0.1', '--rtc-port', String(weir.rtcPort), '--workers', '1']);
  assert.equal(media.code, 1);
  assert.match(media.stderr + media.stdout, new RegExp(String(weir.rtcPort)));
});

test('with --log-format json every line of the log is a JSON object', async () => {
  const weir = await startWeir({ args: ['--log-format', 'json', '--log-level', 'debug'] });
  await fetch(`${weir.url}/no/such/thing`);
  await weir.stop();
  const lines = weir.log.split('\n').filter((line) => line.startsWith('{'));
  assert.ok(lines.length > 0, weir.log);
  for (const line of lines) assert.equal(typeof JSON.parse(line), 'object');
});

test('the table of options in the README is that of --help', async () => {
  const { stdout } = await runWeir(['--help']);
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const said = [...stdout.matchAll(/^  --(?:\[no-\])?([a-z-]+)(?: \S+)? {2,}(.*?)(?: \[([^\]]*)\])?$/gm)]
    .filter(([, name]) => !['check-config', 'help', 'version'].includes(name));
  assert.ok(said.length > 20, stdout);
  for (const [, name, words, fallback] of said) {
    const row = readme.split('\n').find((line) => line.startsWith(`| \`${name}\``));
    assert.ok(row?.includes(words) && (!fallback || row.includes(`\`${fallback}\``)), `${name}: ${row}`);
  }
});
