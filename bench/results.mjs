// node bench/results.mjs RUNS WHERE NETWORK MODE: makes RESULTS.md and results.svg in WHERE out of the runs in RUNS,
// as far as they have come; bench/TRIED.md, which is written by hand, ends it.
// node bench/results.mjs --line RUNS NAME: one run in a line.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import path from 'node:path';
import { GROWTH, draw } from './results_plots.mjs';
import { costOf, floorAt, lineOf, median, number, readRun, readRuns, rowsOf, runOf } from './results_runs.mjs';
import { targetTable } from './results_targets.mjs';

/** @typedef {import('./results_runs.mjs').Run} Run */
/** @typedef {import('./results_runs.mjs').Row} Row */

if (process.argv[2] === '--line') {
  console.log(lineOf(readRun(process.argv[3], process.argv[4])));
  process.exit();
}

const [folder, where, network, mode] = process.argv.slice(2);
const here = import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname);
const runs = readRuns(folder);
const NAMES = { weir: 'Weir', 'weir-no-gso': 'Weir, GSO off', 'weir-workers': 'Weir, two workers', 'janus-loops': 'Janus, `event_loops = 1`', janus: 'Janus as shipped' };
const KINDS = { pictures: 'pictures alone', calls: 'sound and pictures', feedback: 'and transport-cc', 'audio-room': 'sound, 3 of 100' };

/** @param {string} program @param {string[]} args */
function ask(program, ...args) {
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return '';
  }
}

/** @param {string[]} head @param {(string | null)[][]} lines the first column is text, the others are figures */
function table(head, lines) {
  if (lines.length === 0) return '';
  return [head, head.map((_, i) => (i ? '--:' : '---')), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

// ---- What it ran on ----

/** @param {string} name @param {string} file */
const packageOf = (name, file) => ask('dpkg-query', '-W', '-f', '${Version}', file) && `${name} ${ask('dpkg-query', '-W', '-f', '${Version}', file)}`;

function circumstances() {
  const changed = ask('git', 'status', '--porcelain', '--untracked-files=no', '--', '.', ':!bench/RESULTS.md', ':!bench/results.svg') ? ' with changes' : '';
  const load = Number(existsSync(path.join(folder, 'load-before')) ? readFileSync(path.join(folder, 'load-before'), 'utf8') : 0);
  const flags = readFileSync('/proc/cpuinfo', 'utf8').match(/^flags.*$/m)?.[0] ?? '';
  const versions = [packageOf('Janus', 'janus') || 'Janus not installed', packageOf('libipsec-mb', 'libipsec-mb1'), packageOf('OpenSSL', 'libssl3'), packageOf('gcc', 'gcc')];
  return [
    `- **Machine**: ${cpus()[0].model.trim()}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GB, ${flags.includes('vaes') ? 'VAES' : 'no VAES'}; Linux ${release()}.`
      + (load > 0.5 ? ` **It was not idle: load ${load} before the first run.**` : ''),
    `- **Between them**: ${network}.`,
    `- **Versions**: Weir at ${ask('git', 'rev-parse', '--short', 'HEAD') || '?'}${changed}, ${versions.filter(Boolean).join(', ')}.`,
    `- **Measured** ${new Date().toISOString().slice(0, 10)} by \`${mode === 'quick' ? 'BENCH=quick ' : ''}make bench\`: servers in turn, medians of up to ${Math.max(1, ...runs.map((run) => run.round))} round(s).`,
  ].join('\n') + (mode === 'quick' ? '\n\n**A rehearsal: short runs of small crowds. Its figures mean little.**' : '');
}

// ---- Tables ----

/** @param {Row} row */
const sizeOf = (row) => number(row.size) + (row.failed ? ` (${number(row.failed)} could not come)` : '');

/** @param {Row} row */
function costLine(row) {
  const us = costOf(row), meanRun = runOf(row);
  const ofFloor = (/** @type {string} */ kind) => {
    const floor = row.server.startsWith('weir') && row.kind === 'pictures' ? floorAt(runs, row.size, meanRun, kind) : null;
    return us && floor ? number(us / floor, 2) : '–';
  };
  const percent = (/** @type {number | null} */ cores) => number(cores === null ? null : cores * 100);
  const delay = (/** @type {any} */ step) => step.media.delay_of_pictures.p99_ms || step.media.delay_of_sound.p99_ms;
  return [`${NAMES[/** @type {keyof NAMES} */ (row.server)]}, ${KINDS[/** @type {keyof KINDS} */ (row.kind)]}`, sizeOf(row), `**${number(us, 2)}**`, number(meanRun, 1),
    ofFloor('floor'), ofFloor('rhythm'), number(row.of((step) => step.packets_per_s)), number(row.of((step) => step.media.lost_percent), 3), number(row.of(delay)),
    percent(row.of((step) => step.server.cores)), percent(row.of((step) => step.crowd.cores)) + (row.isDoubtful ? ' (!)' : ''), number(row.of((step) => step.crowd.us_per_packet), 2)];
}

const costTable = () => table(['server and media', 'who watch', 'µs a packet', 'mean run', 'of the floor', 'in rhythm', 'packets/s', 'lost %', 'p99 ms', 'server %', 'crowd %', 'crowd’s µs'],
  Object.keys(KINDS).flatMap((kind) => rowsOf(runs, kind)).filter((row) => !row.why).map(costLine));

function floorTable() {
  const rows = [...rowsOf(runs, 'floor'), ...rowsOf(runs, 'rhythm')].filter((row) => !row.why);
  const ns = (/** @type {string} */ key, /** @type {string} */ kind) => rows.find((row) => row.kind === kind && keyOf(row) === key)?.of((data) => data.ns_per_packet);
  const keyOf = (/** @type {Row} */ row) => [row.of((data) => data.payload), row.size, row.server.slice(4)].join();
  return table(['bytes', 'destinations', 'packets in a message', 'ns without a rest', 'ns in the rhythm of the media', 'of that the cipher'],
    [...new Map(rows.map((row) => [keyOf(row), row]))].sort(([a], [b]) => b.localeCompare(a, 'en', { numeric: true })).map(([key, row]) => [...key.split(',').map((part) => number(Number(part))),
      number(ns(key, 'floor')), number(ns(key, 'rhythm')), number(row.of((data) => data.cipher_ns_per_packet))]));
}

function capacityTable() {
  return table(['server', 'rooms of 50', 'packets/s', 'p99 ms', 'server %', 'µs a packet', 'what ended it'], rowsOf(runs, 'capacity').filter((row) => !row.why).map((row) => {
    const { steps, capacity, status } = row.runs[0].data;
    const good = steps.filter((/** @type {any} */ step) => step.is_good).at(-1), end = steps.at(-1);
    const why = status === 3 ? 'the crowd' : end.is_good ? 'the end of the ramp'
      : end.packets_per_s / end.watching < 0.8 * steps[0].packets_per_s / steps[0].watching ? 'it paused pictures'
      : end.media.lost_percent > 0 ? `${number(end.media.lost_percent, 3)} % lost` : `p99 of ${number(end.media.delay_of_pictures.p99_ms)} ms`;
    return [NAMES[/** @type {keyof NAMES} */ (row.server)], `${status === 3 ? 'at least ' : ''}${number(capacity)}`, number(good?.packets_per_s), number(good?.media.delay_of_pictures.p99_ms),
      number(good ? good.server.cores * 100 : null), number(good?.server.us_per_packet, 2), why];
  }));
}

/** Why a cost does not stay the same, in figures of these runs. @type {Record<string, (rows: Row[]) => string>} */
const WHY = {
  subscribers: (rows) => {
    const few = rows[0], most = rows[rows.length - 1], us = (/** @type {Row} */ row) => costOf(row) ?? 0;
    const once = (us(few) - us(most)) / (1 / few.size - 1 / most.size), each = us(most) - once / most.size;
    const between = rows.slice(1, -1).map((row) => `With ${number(row.size)} that makes ${number(each + once / row.size, 2)} (measured ${number(us(row), 2)}).`);
    return [`Of this ${number(each, 2)} µs are a copy's own, and about ${number(once)} µs are spent once on every packet of the publisher, however many watch: waking up a core that slept, with cold
caches, receiving, decrypting, and the clocks and the RTCP of a process that has little else to do.`, ...between].join(' ');
  },
  rooms: () => `Here nothing is shared and no two packets leave together: each packet is received, authenticated and decrypted for one listener, and costs its own message, as the floor at runs of 1 does. In many
rooms they come one by one, so wake-ups are limited to 2,000 a second, and those that came meanwhile share one (\`sfu/wakeups\`).`,
  idle: (rows) => {
    const none = rows[0], cores = (/** @type {Row} */ row) => row.of((step) => step.server.cores) ?? 0;
    const each = rows.slice(1).map((row) => `${number((cores(row) - cores(none)) * 1e6 / row.size, 1)} µs with ${number(row.size)}`);
    return `What grows is not what a packet costs: who is idle sends RTCP once and ICE checks 0.4 times a second, gets answers, and has a clock of his own, and here all of that is divided by the same
18,000 packets. In CPU a second, each idle participant takes ${each.join(', ')}.`;
  },
};

function growthText() {
  return GROWTH.map(({ kind, title }) => {
    const rows = rowsOf(runs, kind).filter((row) => !row.why);
    const lines = rows.map((row) => [sizeOf(row), number(costOf(row), 2), number(runOf(row), 1),
      kind === 'rooms' ? '–' : number(floorAt(runs, row.size || 100, runOf(row)), 2), number(row.of((step) => step.packets_per_s)),
      number((row.of((step) => step.server.cores) ?? 0) * 100), number(row.of((step) => step.server.mb)), row.isDoubtful ? '(!)' : '']);
    return lines.length ? `By ${title}:\n\n${table([kind, 'µs a packet', 'mean run', 'floor at that run', 'packets/s', 'server %', 'MB', ''], lines)}\n\n${rows.length > 1 ? WHY[kind](rows) : ''}` : '';
  }).filter(Boolean).join('\n\n');
}

function missingText() {
  const lines = rowsOf(runs).filter((row) => row.why).map((row) => `- ${row.kind}, ${row.server}, ${number(row.size)}: ${row.why}`);
  return lines.length ? `## Not measured\n\n${lines.join('\n')}\n` : '';
}

const forwarding = median(runs.filter((run) => run.kind === 'forwarding' && !run.why).map((run) => run.data.flush_ns_per_packet));
const set = readFileSync(path.join(here, mode === 'quick' ? 'quick-set' : 'standard-set'), 'utf8').trim();
const picture = draw(runs);
if (picture) writeFileSync(path.join(where, 'results.svg'), picture);

const text = `# What forwarding costs

Weir beside Janus, and beside the *floor*: a bare loop that only encrypts the same packets for the same destinations and sends them in
the same batches. Nobody who forwards can be cheaper; what a server takes more is its own.

${circumstances()}

## What is to be reached

${targetTable(runs)}

${picture ? '![What a packet costs, what a core holds, how it grows](results.svg)' : ''}

## CPU a packet

A publisher sends 1.5 Mb/s of VP8 in packets of 1,100 bytes (and 32 kb/s of Opus where it says sound), and all who watch get all of it, with
AEAD_AES_128_GCM. *µs a packet*: user and system CPU of the server's whole process, divided by the packets that arrived. *Mean run*: datagrams that left in one message
(\`UDP_SEGMENT\`). *p99*: from the publisher's frame to the arrival of its last packet, by the kernel's stamps. *Crowd's µs*: what the crowd takes itself for a packet. (!): it was too slow in one of the rounds.
With 500 who watch Janus gets 400 kb/s, so that it is not overloaded.

${costTable()}

The floor, on this machine. *Without a rest* it sends as fast as it can: all that it needs stays in the caches, and whoever receives is awake. *In the rhythm of the media*
it sends a frame of six packets to everybody thirty times a second (or a packet of sound 150 times), as a server has to, and sleeps in between:

${floorTable()}

${forwarding === null ? '' : `Weir's own share, forwarding without the kernel (encryption included): ${number(forwarding)} ns a packet in runs of 6.`}

## Capacity of one core

Rooms of 50 who watch one publisher, more and more of them, until a packet is lost or the slowest of 100 frames takes more than 5 ms.

${capacityTable()}

## How cost grows

Flat is good. What is received once for all (a packet's arrival and decryption, a wake-up) is paid by fewer where few watch, and a run is cheaper
the longer it is: the floor at the same mean run stands beside it.

${growthText()}

${missingText()}
${readFileSync(path.join(here, 'TRIED.md'), 'utf8')}
## How to repeat it

\`make bench\` on a Debian 12 machine, as root; about 20 minutes, and the machine has to be idle. The server is
\`weir --workers 1 --data :memory: --demo --log-level warn\` with its limits of requests and participants lifted; Janus has Debian's configuration. The rows of
\`bench/${mode === 'quick' ? 'quick-set' : 'standard-set'}\` are options of \`weir-bench\`:

\`\`\`
${set}
\`\`\`
`;
writeFileSync(path.join(where, 'RESULTS.md'), text.replaceAll(/\n{3,}/g, '\n\n'));
