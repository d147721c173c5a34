// Debian's PostgreSQL for one test file: a cluster in a temporary folder, reached by a socket in it.
// The server refuses root, so that root starts it as the user that its package made.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { scratch } from './server.mjs';
import { eventually } from './wait.mjs';

const VERSIONS = '/usr/lib/postgresql';

function programs() {
  const newest = readdirSync(VERSIONS).sort((a, b) => Number(a) - Number(b)).at(-1);
  return path.join(VERSIONS, newest, 'bin');
}

const idOf = (...flags) => Number(execFileSync('id', [...flags, 'postgres']));

// {uri, say(sql), stop()}: the database is empty.
export async function startPostgres() {
  const folder = scratch('postgres');
  const as = process.getuid() === 0 ? { uid: idOf('-u'), gid: idOf('-g') } : {};
  if (as.uid !== undefined) chownSync(folder, as.uid, as.gid);
  const options = { ...as, cwd: '/', stdio: 'ignore' };
  const data = path.join(folder, 'data');
  const bin = programs();
  execFileSync(path.join(bin, 'initdb'), ['-D', data, '-A', 'trust', '-U', 'weir', '--no-sync', '-E', 'UTF8'], options);
  const server = spawn(path.join(bin, 'postgres'), ['-D', data, '-k', folder, '-c', 'listen_addresses=', '-c', 'fsync=off'], options);
  const exited = once(server, 'exit');
  const quit = () => server.kill('SIGQUIT');
  process.on('exit', quit);
  await eventually('PostgreSQL answers', () => execFileSync(path.join(bin, 'pg_isready'), ['-h', folder], options) ?? true, { within: 20_000, every: 50 });
  return {
    uri: `postgresql:///postgres?host=${folder}&user=weir`,
    say(sql) {
      execFileSync(path.join(bin, 'psql'), ['-q', '-h', folder, '-U', 'weir', '-d', 'postgres', '-c', sql], { ...options, stdio: ['ignore', 'ignore', 'inherit'] });
    },
    async stop() {
      server.kill('SIGINT');
      await exited;
      process.off('exit', quit);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
