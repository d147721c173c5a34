// node bench/results.mjs RUNS WHERE NETWORK MODE: makes RESULTS.md and results.svg in WHERE out of the
// files KIND.SERVER.SIZE.ROUND.json in RUNS. What stands in an earlier RESULTS.md from "## What was
// tried" on is kept: that is written by hand.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import path from 'node:path';

const [runs, where, network, mode] = process.argv.slice(2);
const KEPT = '## What was tried';
const NAMES = { weir: 'Weir', 'weir-video': 'Weir, pictures alone', 'weir-feedback': 'Weir, clients with transport-cc', 'janus-loops': 'Janus, event_loops = 1', janus: 'Janus as shipped' };

/** @typedef {{kind: string, server: string, size: number, round: number, data: any}} Run */

const ask = (/** @type {string} */ program, /** @type {string[]} */ ...args) => {
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return '';
  }
};

const median = (/** @type {number[]} */ values) => {
  const sorted = values.filter((value) => value !== null && value !== undefined).sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length === 0 ? null : sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

const number = (/** @type {number | null} */ value, digits = 0) =>
  (value === null ? '–' : value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits }));

/** @returns {Run[]} */
function readRuns() {
  return readdirSync(runs).flatMap((file) => {
    const found = /^(\w+)\.([\w-]+)\.(\d+)\.(\d+)\.json$/.exec(file);
    if (!found) return [];
    try {
      const data = JSON.parse(readFileSync(path.join(runs, file), 'utf8'));
      return [{ kind: found[1], server: found[2], size: Number(found[3]), round: Number(found[4]), data }];
    } catch {
      return []; // It broke; the text beside it says why.
    }
  });
}

const all = readRuns();
const last = (/** @type {Run} */ run) => run.data.steps?.at(-1);

// The runs of one kind as rows: one for each server and size, with a function for medians.
function rows(/** @type {string} */ kind) {
  const groups = new Map();
  for (const run of all.filter((one) => one.kind === kind)) {
    const key = `${run.server}.${run.size}`;
    groups.set(key, [...(groups.get(key) ?? []), run]);
  }
  return [...groups.values()].map((group) => ({
    server: group[0].server,
    size: group[0].size,
    runs: group,
    of: (/** @type {(step: any, run: Run) => number} */ pick) =>
      median(group.filter((/** @type {Run} */ run) => last(run)).map((/** @type {Run} */ run) => pick(last(run), run))),
  })).sort((a, b) => Object.keys(NAMES).indexOf(a.server) - Object.keys(NAMES).indexOf(b.server) || a.size - b.size);
}

const cost = (/** @type {any} */ row) => row.of((/** @type {any} */ step) => step.server.us_per_packet);
const floorNs = (/** @type {string} */ name) => median(all.filter((run) => run.kind === 'floor' && run.server === name)
  .map((run) => run.data.ns_per_packet));

// What sending alone costs at a run length: between the two lengths that were measured.
function floorAt(/** @type {number | null} */ meanRun) {
  const known = [['run1', 1], ['run4', 4], ['run6', 6]].map(([name, run]) => ({ run: Number(run), ns: floorNs(String(name)) }))
    .filter((one) => one.ns !== null);
  if (meanRun === null || known.length < 2) return null;
  // A system call and its route are paid once a run: the cost is a + b / run.
  const first = known[0], end = known[known.length - 1];
  const b = (first.ns - end.ns) / (1 / first.run - 1 / end.run);
  return (end.ns + b * (1 / meanRun - 1 / end.run)) / 1000;
}

const doubtful = (/** @type {any} */ row) => (row.runs.some((/** @type {Run} */ run) => last(run)?.crowd.is_bottleneck) ? ' (!)' : '');

function broadcastTable() {
  const weir = new Map(rows('broadcast').filter((row) => row.server === 'weir').map((row) => [row.size, cost(row)]));
  const some = [...weir.values()][0] ?? null;
  const lines = rows('broadcast').map((row) => {
    const us = cost(row), meanRun = row.of((step) => step.server.mean_run), floor = floorAt(meanRun);
    const ofWeir = row.server.startsWith('weir') ? null : us && some ? us / (weir.get(row.size) ?? some) : null;
    return `| ${NAMES[row.server]} | ${row.size} | ${number(us, 2)} | ${number(meanRun, 1)} | `
      + `${us && floor ? number(us / floor, 2) : '–'} | ${ofWeir ? number(ofWeir, 1) : '–'} | `
      + `${number(row.of((step) => step.packets_per_s))} | ${number(row.of((step) => step.media.lost_percent), 4)} | `
      + `${number(row.of((step) => step.media.delay_of_pictures.p99_ms))} | ${number(row.of((step) => step.server.kb_per_client))} | `
      + `${number(row.of((step) => step.crowd.cores * 100))}${doubtful(row)} |`;
  });
  return ['| server | subscribers | µs a packet | mean run | of the floor | of Weir | packets/s | lost % | p99 ms | KB a client | crowd % |',
    '| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: |', ...lines].join('\n');
}

function floorTable() {
  const lines = ['run1', 'run4', 'run6'].map((name) => `| ${name.slice(3)} | ${number(floorNs(name))} | ${number(
    median(all.filter((run) => run.kind === 'floor' && run.server === name).map((run) => run.data.cipher_ns_per_packet)))} |`);
  return ['| packets in a message | ns a packet | of that the cipher |', '| --: | --: | --: |', ...lines].join('\n');
}

function otherLines() {
  const lines = [];
  for (const row of rows('forwarding')) {
    lines.push(`- Forwarding without the kernel: ${number(median(row.runs.map((/** @type {Run} */ run) => run.data.flush_ns_per_packet)))} ns a packet.`);
  }
  for (const row of rows('audio')) {
    lines.push(`- Audio room, 3 loudest of 100 to ${number(row.size)}: ${number(cost(row), 2)} µs a packet, `
      + `${number(row.of((step) => step.media.lost_percent), 4)} % lost${doubtful(row)}.`);
  }
  for (const row of rows('storm')) {
    lines.push(`- ${number(row.size)} join in five seconds: signaling p99 ${number(row.of((_, run) => run.data.joins.signaling_p99_ms))} ms, `
      + `connected p99 ${number(row.of((_, run) => run.data.joins.connected_p99_ms))} ms, ${number(row.of((_, run) => run.data.joins.failed))} failed.`);
  }
  return lines.join('\n');
}

function rampTable() {
  const lines = rows('ramp').map((row) => {
    const data = row.runs[0].data;
    const good = data.steps.filter((/** @type {any} */ step) => step.is_good).at(-1);
    const most = data.status === 3 ? 'at least ' : '';
    return `| ${NAMES[row.server]} | ${most}${number(data.capacity)} | ${number(good?.packets_per_s ?? null)} | `
      + `${number(good ? good.server.cores * 100 : null)} | ${number(good?.server.us_per_packet ?? null, 2)} |`;
  });
  return lines.length ? ['| server | subscribers | packets/s | CPU % | µs a packet |', '| --- | --: | --: | --: | --: |', ...lines].join('\n') : '';
}

// ---- How cost grows ----

const growth = [
  { name: 'subscribers', title: 'subscribers of one publisher' },
  { name: 'rooms', title: 'rooms, 1,000 people with sound in all' },
  { name: 'idle', title: 'idle participants beside a broadcast to 100' },
].map((one) => ({ ...one, points: rows('growth').filter((row) => row.server === one.name && cost(row) !== null)
  .map((row) => ({ x: row.size, y: cost(row), doubtful: doubtful(row) })) }));

if (growth[0].points.length > 0) {
  for (const row of rows('broadcast').filter((one) => one.server === 'weir' && cost(one) !== null)) {
    growth[0].points.push({ x: row.size, y: cost(row), doubtful: doubtful(row) });
  }
  growth[0].points.sort((a, b) => a.x - b.x);
}

function panel(/** @type {any} */ one, /** @type {number} */ index) {
  const width = 280, height = 150, left = 60 + index * 330, top = 64;
  const most = Math.max(...one.points.map((/** @type {any} */ point) => point.y)) * 1.25;
  const largest = Math.log10(one.points.at(-1).x + 1) || 1;
  const x = (/** @type {number} */ value) => left + width * Math.log10(value + 1) / largest;
  const y = (/** @type {number} */ value) => top + height - height * value / most;
  const line = one.points.map((/** @type {any} */ point) => `${x(point.x).toFixed(1)},${y(point.y).toFixed(1)}`).join(' ');
  const marks = one.points.map((/** @type {any} */ point) => `<circle cx="${x(point.x).toFixed(1)}" cy="${y(point.y).toFixed(1)}" r="3"/>`
    + `<text x="${x(point.x).toFixed(1)}" y="${top + height + 16}" text-anchor="middle">${point.x}</text>`
    + `<text x="${x(point.x).toFixed(1)}" y="${(y(point.y) - 8).toFixed(1)}" text-anchor="middle">${point.y.toFixed(2)}</text>`).join('');
  return `<text x="${left}" y="${top - 20}">${one.title}</text><path d="M${left},${top}V${top + height}H${left + width}"/><polyline points="${line}"/>${marks}`;
}

function svg() {
  const drawn = growth.filter((one) => one.points.length > 1);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${60 + drawn.length * 330} 245"><style>
text{font:11px system-ui,sans-serif;fill:#57606a}path{fill:none;stroke:#8c959f}polyline{fill:none;stroke:#1668c7;stroke-width:2}circle{fill:#1668c7}
@media(prefers-color-scheme:dark){text{fill:#adbac7}polyline{stroke:#6cb2ff}circle{fill:#6cb2ff}}</style>
<text x="60" y="18">CPU a forwarded packet in µs, by the number of</text>${drawn.map(panel).join('')}</svg>\n`;
}

function growthText() {
  const drawn = growth.filter((one) => one.points.length > 1);
  if (drawn.length === 0) return '';
  const lines = drawn.map((one) => `- ${one.title}: ${one.points.map((/** @type {any} */ point) =>
    `${number(point.y, 2)} at ${number(point.x)}${point.doubtful}`).join(', ')}.`);
  return `## How cost grows\n\nCPU a forwarded packet in µs; flat is good.\n\n![CPU a packet](results.svg)\n\n${lines.join('\n')}\n`;
}

function circumstances() {
  const changed = ask('git', 'status', '--porcelain', '--untracked-files=no') ? ' with changes' : '';
  return [
    `- Machine: ${cpus()[0].model.trim()}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GB, Linux ${release()}.`,
    `- Between them: ${network}.`,
    `- Weir at ${ask('git', 'rev-parse', '--short', 'HEAD')}${changed}; Janus ${ask('dpkg-query', '-W', '-f', '${Version}', 'janus') || 'not installed'}.`,
    `- Measured ${new Date().toISOString().slice(0, 10)} by \`${mode === 'quick' ? 'BENCH=quick ' : ''}make bench\`; medians of ${Math.max(0, ...all.map((run) => run.round))} round(s).`,
  ].join('\n');
}

const earlier = path.join(where, 'RESULTS.md');
const before = existsSync(earlier) ? readFileSync(earlier, 'utf8') : '';
const kept = before.includes(KEPT) ? before.slice(before.indexOf(KEPT)) : `${KEPT}\n\nNothing is written down yet.\n`;

const ramp = rampTable();
const text = `# What forwarding costs

${circumstances()}

A publisher sends 1.5 Mb/s of VP8 in packets of 1,100 bytes and 32 kb/s of Opus; all subscribers watch, with AEAD_AES_128_GCM and,
but where it says so, without bandwidth feedback: every server sends everything. µs a packet: user and system CPU of the server's process by packets that arrived. (!): the crowd itself was too
slow in one of the rounds.

${broadcastTable()}

The floor: a bare loop that encrypts and sends the same packets, one message a run.

${floorTable()}

${otherLines()}

${ramp ? `## Capacity of one core\n\nUntil 0.1 % is lost or 1 of 100 pictures takes more than 100 ms.\n\n${ramp}\n` : ''}
${growthText()}
${kept}`;
writeFileSync(path.join(where, 'RESULTS.md'), text.replaceAll(/\n{3,}/g, '\n\n'));
if (growth.some((one) => one.points.length > 1)) writeFileSync(path.join(where, 'results.svg'), svg());
