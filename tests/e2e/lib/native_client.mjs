// A C client of tests/e2e, speaking one JSON object per line on its standard input and output.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import readline from 'node:readline';
import { build } from './server.mjs';
import { eventually } from './wait.mjs';

export class NativeClient {
  constructor(name, ...args) {
    // Leaks inside GLib and GStreamer are not ours to find.
    const env = { ...process.env, ASAN_OPTIONS: 'detect_leaks=0', TSAN_OPTIONS: 'report_bugs=0' };
    this.name = `${name} ${args.join(' ')}`;
    this.child = spawn(path.join(build, 'tests/e2e', name), args, { env });
    this.exited = once(this.child, 'exit');
    this.seen = {};
    this.log = '';
    this.child.stderr.on('data', (chunk) => (this.log += chunk));
    this.child.stdin.on('error', () => {});
    readline.createInterface({ input: this.child.stdout }).on('line', (line) => Object.assign(this.seen, JSON.parse(line)));
  }

  send(message) {
    this.child.stdin.write(`${JSON.stringify(message)}\n`);
  }

  // Waits until condition(everything told so far, later lines over earlier ones) holds.
  until(what, condition, within = 10_000) {
    return eventually(`${this.name}: ${what}`, () => {
      if (this.child.exitCode) throw new Error(`exited with ${this.child.exitCode}: ${this.log}`);
      if (condition(this.seen)) return this.seen;
      throw new Error(`${JSON.stringify({ ...this.seen, offer: undefined, local: undefined })} ${this.log}`);
    }, { within });
  }

  async stop() {
    this.child.stdin.end();
    const limit = setTimeout(() => this.child.kill('SIGKILL'), 3_000);
    if (this.child.exitCode === null && this.child.signalCode === null) await this.exited;
    clearTimeout(limit);
  }
}
