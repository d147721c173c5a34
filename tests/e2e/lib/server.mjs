// The real binary, started for one test file and judged when it stops: a sanitizer's report or a
// wrong exit status fails the test that stops it.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePorts } from './ports.mjs';
import { eventually } from './wait.mjs';

export const repository = fileURLToPath(new URL('../../..', import.meta.url));
export const build = path.resolve(repository, process.env.WEIR_BUILD ?? 'build');
export const weirBinary = path.join(build, 'weir');

const REPORT = /AddressSanitizer|UndefinedBehavior|runtime error|ThreadSanitizer|LeakSanitizer|Assertion .* failed/;

// A sanitized build is many times slower: what depends on time is given more of it.
export const sanitized = existsSync(weirBinary) &&
  ['__asan_', '__tsan_'].some((symbol) => readFileSync(weirBinary).includes(symbol));

// A new folder, gone when the tests of this file are.
const folders = [];
export function scratch(prefix) {
  folders.push(mkdtempSync(path.join(tmpdir(), `weir-${prefix}-`)));
  return folders.at(-1);
}

const running = new Set();
process.on('exit', () => {
  running.forEach((child) => child.kill('SIGKILL'));
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
});

// All tests come from one address, and some make thousands of calls; args may set other limits.
const UNLIMITED = ['sign-ins', 'calls', 'channels', 'chats'].flatMap((what) => [`--max-${what}-per-minute`, '0']);

// An address of this machine that is not loopback, for clients that use no other; traffic to it
// stays inside the machine all the same.
export function ownAddress() {
  const all = Object.values(networkInterfaces()).flat();
  return all.find((one) => one.family === 'IPv4' && !one.internal)?.address ?? '127.0.0.1';
}

// Runs the binary to its end: for --help, wrong flags and the like.
export async function runWeir(args, { env = {}, within = 10_000 } = {}) {
  const child = spawn(weirBinary, args, { env: { ...process.env, ...env }, cwd: tmpdir() });
  const timer = setTimeout(() => child.kill('SIGKILL'), within);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => (stdout += chunk));
  child.stderr.on('data', (chunk) => (stderr += chunk));
  const [code, signal] = await once(child, 'close');
  clearTimeout(timer);
  return { code, signal, stdout, stderr };
}

function readyUrl(log) {
  const found = /\bhttps?:\/\/[^\s"',]+/.exec(log);
  return found ? new URL(found[0]) : null;
}

// Starts a server on free ports. `args` are added to the command line; `demo: false` leaves --demo
// out, for servers with a secret. `data` is a folder that stays, for a server that is started again;
// `limitKb` is how large its files may grow. The result's `url` is the origin without a trailing slash.
export async function startWeir({ args = [], demo = true, env = {}, rtcAddress = '127.0.0.1', workers, data: kept, limitKb } = {}) {
  const count = Number(process.env.WEIR_WORKERS ?? workers ?? 2);
  const rtcPort = await freePorts(count);
  const data = kept ?? scratch('data');
  const line = ['--listen', '127.0.0.1:0', '--rtc-address', rtcAddress, '--rtc-port', String(rtcPort),
    '--workers', String(count), '--data', data, '--drain-deadline-s', '2', ...UNLIMITED,
    ...(demo ? ['--demo'] : []), ...args];
  const [program, ...before] = limitKb ? ['bash', '-c', `ulimit -f ${limitKb}; exec "$@"`, '--', weirBinary] : [weirBinary];
  const child = spawn(program, [...before, ...line], { env: { ...process.env, ...env }, cwd: data });
  running.add(child);
  const weir = new Weir(child, { rtcPort, workers: count, data, isKept: kept !== undefined });
  try {
    const url = await eventually('the server prints its address', () => {
      if (weir.exited) throw new Error(`exited with ${weir.exited.code}: ${weir.log}`);
      return readyUrl(weir.stdout) ?? (weir.stdout === '' && readyUrl(weir.log));
    }, { within: 15_000, every: 20 });
    weir.url = url.origin;
    weir.port = Number(url.port);
    return weir;
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
}

class Weir {
  constructor(child, given) {
    Object.assign(this, given, { child, pid: child.pid, stdout: '', log: '', exited: null });
    child.stdout.on('data', (chunk) => { this.stdout += chunk; this.log += chunk; });
    child.stderr.on('data', (chunk) => (this.log += chunk));
    this.closed = once(child, 'close').then(([code, signal]) => {
      this.exited = { code, signal };
      running.delete(child);
      if (!this.isKept) rmSync(this.data, { recursive: true, force: true });
      return this.exited;
    });
  }

  // SIGTERM, and the verdict. Calls that still run get the two seconds of our drain deadline.
  async stop() {
    if (!this.exited) this.child.kill('SIGTERM');
    const limit = setTimeout(() => this.child.kill('SIGKILL'), 20_000);
    const { code, signal } = await this.closed;
    clearTimeout(limit);
    this.checkLog();
    if (code !== 0) throw new Error(`weir exited with ${code ?? signal}:\n${this.tail()}`);
  }

  // kill -9: nothing is written any more.
  async kill() {
    this.child.kill('SIGKILL');
    await this.closed;
    this.checkLog();
  }

  checkLog() {
    const at = this.log.search(REPORT);
    if (at >= 0) throw new Error(`weir reported:\n${this.log.slice(Math.max(0, at - 200), at + 6_000)}`);
  }

  tail(lines = 40) {
    return this.log.split('\n').slice(-lines).join('\n');
  }

  // Name (with labels) to number, of everything in /metrics, or of the families of one type.
  async metrics(type = '') {
    const text = await (await fetch(`${this.url}/metrics`)).text();
    const types = new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, of]) => [name, of]));
    const samples = [...text.matchAll(/^([a-z_][\w:]*)(\{.*\})? (\S+)$/gim)];
    return new Map(samples.filter(([, name]) => !type || types.get(name) === type)
      .map(([, name, labels = '', value]) => [name + labels, Number(value)]));
  }

  rssKb() {
    return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'))[1]);
  }

  openFiles() {
    return readdirSync(`/proc/${this.pid}/fd`).length;
  }
}
