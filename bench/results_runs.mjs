// The runs of bench/run as they lie in a folder, KIND.SERVER.SIZE.ROUND.json each, or .why in its place;
// and the statistics of them.

import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';

/**
 * @typedef {{kind: string, server: string, size: number, round: number, name: string, data: any, why: string, junk: any}} Run
 * @typedef {{kind: string, server: string, size: number, runs: Run[], why: string,
 *   of: (pick: (step: any, data: any) => number | null) => number | null, isDoubtful: boolean, failed: number}} Row
 */

const SERVERS = ['weir', 'weir-no-gso', 'weir-workers', 'janus-loops', 'janus'];

/** @param {string} file */
function parse(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}

/** @param {string} folder @param {string} name @returns {Run | null} */
export function readRun(folder, name) {
  const found = /^([\w-]+)\.([\w-]+)\.(\d+)\.(\d+)$/.exec(name);
  if (!found) return null;
  const file = path.join(folder, name);
  const data = parse(`${file}.json`);
  let why = existsSync(`${file}.why`) ? readFileSync(`${file}.why`, 'utf8').trim() : '';
  if (!why && !data) why = 'it ended without a word';
  if (!why && data.steps?.length === 0) why = data.joins?.failure || 'nobody came in';
  return { kind: found[1], server: found[2], size: Number(found[3]), round: Number(found[4]), name, data, why, junk: parse(`${file}.junk`) };
}

/** @param {string} folder @returns {Run[]} */
export function readRuns(folder) {
  const names = new Set(readdirSync(folder).filter((file) => /\.(json|why)$/.test(file)).map((file) => file.replace(/\.\w+$/, '')));
  return [...names].map((name) => readRun(folder, name)).filter((run) => run !== null);
}

/** @param {(number | null | undefined)[]} values */
export function median(values) {
  const sorted = values.filter((value) => typeof value === 'number').sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return null;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** @param {number | null | undefined} value */
export const number = (value, digits = 0) => (typeof value !== 'number' ? '–'
  : value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits }));


/** The rounds of one row of the set as medians. @param {Run[]} runs @returns {Row} */
function toRow(runs) {
  const good = runs.filter((run) => !run.why);
  return {
    kind: runs[0].kind,
    server: runs[0].server,
    size: runs[0].size,
    runs: good,
    why: good.length ? '' : runs[0].why,
    of: (pick) => median(good.map((run) => pick(run.data.steps?.at(-1) ?? run.data, run.data))),
    isDoubtful: good.some((run) => run.data.steps?.at(-1)?.crowd.is_bottleneck),
    failed: Math.max(0, ...good.map((run) => run.data.joins?.failed ?? 0)),
  };
}

/** All rows, or those of a kind, by server in the order of their coming and by size. @param {Run[]} runs @returns {Row[]} */
export function rowsOf(runs, kind = '') {
  /** @type {Map<string, Run[]>} */
  const groups = new Map();
  for (const run of runs.filter((one) => !kind || one.kind === kind)) {
    const key = `${run.kind}.${run.server}.${run.size}`;
    groups.set(key, [...(groups.get(key) ?? []), run]);
  }
  return [...groups.values()].map(toRow).sort((a, b) => a.kind.localeCompare(b.kind)
    || SERVERS.indexOf(a.server) - SERVERS.indexOf(b.server) || a.size - b.size);
}

/** @param {Row | undefined} row */
export const costOf = (row) => row?.of((step) => step.server?.us_per_packet ?? null) ?? null;
/** @param {Row | undefined} row */
export const runOf = (row) => row?.of((step) => step.server?.mean_run ?? null) ?? null;

/**
 * What encrypting and sending alone costs in µs a packet at a mean run length, to the nearest measured
 * number of destinations, without a rest ('floor') or in the rhythm of the media ('rhythm'). A system
 * call and its route are paid once a run: a + b / run.
 * @param {Run[]} runs @param {number} subscribers @param {number | null} meanRun
 */
export function floorAt(runs, subscribers, meanRun, kind = 'floor') {
  const rows = rowsOf(runs, kind).filter((row) => row.runs.length);
  const sizes = [...new Set(rows.map((row) => row.size))].sort((a, b) => Math.abs(a - subscribers) - Math.abs(b - subscribers));
  const known = rows.filter((row) => row.size === sizes[0])
    .map((row) => ({ run: Number(row.server.slice(4)), us: (row.of((data) => data.ns_per_packet) ?? 0) / 1000 })).sort((a, b) => a.run - b.run);
  if (meanRun === null || known.length < 2) return null;
  const first = known[0], end = known[known.length - 1];
  const b = (first.us - end.us) / (1 / first.run - 1 / end.run);
  return end.us + b * (1 / Math.max(meanRun, 1) - 1 / end.run);
}

/** One run in a line, for who waits. @param {Run | null} run */
export function lineOf(run) {
  if (!run) return 'nothing';
  const what = `${run.kind} ${run.server} ${run.size}: `;
  if (run.why) return `${what}not measured: ${run.why}`;
  const step = run.data.steps?.at(-1);
  if (!step) return `${what}${number(run.data.ns_per_packet)} ns a packet`;
  const capacity = run.data.capacity === null ? '' : `capacity ${run.data.capacity}; `;
  return `${what}${capacity}${number(step.server.us_per_packet, 2)} µs a packet, ${number(step.packets_per_s)} packets/s, `
    + `lost ${number(step.media.lost_percent, 3)} %, p99 ${number(step.media.delay_of_pictures.p99_ms || step.media.delay_of_sound.p99_ms)} ms`
    + (run.data.joins.failed ? `, ${run.data.joins.failed} could not come` : '') + (step.crowd.is_bottleneck ? ', THE CROWD WAS TOO SLOW' : '');
}
