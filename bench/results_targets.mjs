// What Weir is to reach, row by row, and whether it does.

import { costOf, floorAt, median, number, rowsOf, runOf } from './results_runs.mjs';

/**
 * @typedef {import('./results_runs.mjs').Run} Run
 * @typedef {import('./results_runs.mjs').Row} Row
 * @typedef {{held: boolean | null, measured: string, note?: string}} Answer held null: it is not to be said, as the note explains
 * @typedef {{what: string, target: string, answer: (runs: Run[]) => Answer}} Target
 */

/** Thrown where a row that is needed has no figures. */
class NotMeasured extends Error {}

/** @param {Run[]} runs @param {string} kind @param {string} server @param {number} [size] without one the largest @returns {Row} */
function need(runs, kind, server, size) {
  const row = rowsOf(runs, kind).filter((one) => one.server === server && (size === undefined || one.size === size)).at(-1);
  if (!row) throw new NotMeasured('was not run');
  if (row.why) throw new NotMeasured(row.why);
  if (row.failed > 0) throw new NotMeasured(`${number(row.failed)} of its clients could not come`);
  return row;
}

/** Against what the crowd says when it was itself too slow. @param {Row} row @param {boolean} held @param {string} measured @returns {Answer} */
const judged = (row, held, measured) => (held || !row.isDoubtful ? { held, measured }
  : { held: null, measured, note: 'the crowd was too slow to judge' });

/** @param {number} subscribers @param {string} server @returns {(runs: Run[]) => Answer} */
const ofTheFloor = (subscribers, server) => (runs) => {
  const row = need(runs, 'pictures', server, subscribers);
  const us = costOf(row), meanRun = runOf(row), floor = floorAt(runs, subscribers, meanRun);
  if (us === null || floor === null) throw new NotMeasured('there is no floor to compare with');
  const due = floorAt(runs, subscribers, meanRun, 'rhythm');
  const paced = due === null ? '' : `; **${number(us / due, 2)} ×** what it takes in the rhythm of the media (${number(due, 2)} µs)`;
  const note = us > 1.25 * floor && due !== null && us <= 1.25 * due ? 'held in the rhythm of the media' : '';
  return { held: us <= 1.25 * floor, note, measured: `**${number(us / floor, 2)} ×** (${number(us, 2)} of ${number(floor, 2)} µs, at runs of ${number(meanRun, 1)})${paced}` };
};

/** @param {number} subscribers @param {string} server @param {number} times @returns {(runs: Run[]) => Answer} */
const ofJanus = (subscribers, server, times) => (runs) => {
  const us = costOf(need(runs, 'pictures', server, subscribers)) ?? 0;
  const loops = costOf(need(runs, 'pictures', 'janus-loops', subscribers)) ?? 0;
  const shipped = rowsOf(runs, 'pictures').find((row) => row.server === 'janus' && !row.why);
  const more = shipped ? `, 1/${number((costOf(shipped) ?? 0) / us, 1)} of Janus as shipped` : '';
  return { held: loops / us >= times, measured: `**1/${number(loops / us, 1)}** of ${number(loops, 1)} µs with \`event_loops = 1\`${more}` };
};

/** @param {string} server @param {number} rate @param {number} leastRun @returns {(runs: Run[]) => Answer} */
const holdsRate = (server, rate, leastRun) => (runs) => {
  const row = need(runs, 'rate', server);
  const packets = row.of((step) => step.packets_per_s) ?? 0, meanRun = runOf(row) ?? 0;
  const lost = row.of((step) => step.media.lost_percent) ?? 0, p99 = row.of((step) => step.media.delay_of_pictures.p99_ms) ?? 0;
  return judged(row, packets >= rate * 0.995 && lost === 0 && p99 <= 5 && meanRun >= leastRun,
    `${number(packets)} packets/s at runs of ${number(meanRun, 1)}, ${number(lost, 4)} % lost, p99 **${number(p99, 1)} ms**, server ${number((row.of((step) => step.server.cores) ?? 0) * 100)} % of its core`);
};

/** @param {number} share @param {number} most @returns {(runs: Run[]) => Answer} */
const staysInside = (share, most) => (runs) => {
  const row = need(runs, 'load', 'weir', share);
  const p99 = row.of((step) => step.server.inside_p99_ms), p50 = row.of((step) => step.server.inside_p50_ms);
  if (p99 === null) throw new NotMeasured('the server told no delays');
  return judged(row, p99 <= most, `p99 **${number(p99, 2)} ms**, half of them within ${number(p50, 2)}, at ${number(row.of((step) => step.packets_per_s))} packets/s`);
};

/** Beside one worker that serves as many as each of the two, since what a wake-up costs is shared by as many. @param {Run[]} runs @returns {Answer} */
function ofTwoWorkers(runs) {
  const row = need(runs, 'pictures', 'weir-workers');
  const two = costOf(row) ?? 0, one = costOf(need(runs, 'pictures', 'weir', row.size / 2)) ?? 0;
  const busiest = row.of((step) => step.server.busiest_share) ?? 1, faster = one / two / busiest;
  return { held: faster >= 1.8, measured: `**${number(faster, 2)} ×** by reckoning: ${number(two, 2)} µs a packet for ${number(row.size)} in one room, one worker ${number(one, 2)} for half as many, ${number(busiest * 100)} % of it on the busier worker`,
    note: 'reckoned: a crowd needs the second core' };
}

/** @param {Run[]} runs @returns {Answer} */
function ofIdleMemory(runs) {
  const most = need(runs, 'idle', 'weir', 1000), none = need(runs, 'idle', 'weir', 0);
  const mb = (/** @type {Row} */ row) => row.of((step) => step.server.mb) ?? 0;
  const clients = (most.of((step) => step.clients) ?? 0) - (none.of((step) => step.clients) ?? 0);
  const kb = (mb(most) - mb(none)) * 1024 / clients;
  return { held: kb <= 30, measured: `**${number(kb, 1)} KB** each of ${number(clients)}` };
}

/** @param {Run[]} runs @returns {Answer} */
function ofWatchingMemory(runs) {
  const row = need(runs, 'subscribers', 'weir', 1000);
  const kb = row.of((step) => step.server.kb_per_client) ?? 0;
  return { held: kb <= 64, measured: `**${number(kb, 1)} KB** each of ${number(row.size)}, all that is shared included` };
}

/** @param {Run[]} runs @returns {Answer} */
function ofJoins(runs) {
  const row = need(runs, 'joins', 'weir');
  const rate = row.of((step, data) => data.joins.left / step.seconds) ?? 0;
  const p99 = row.of((_, data) => data.joins.signaling_p99_ms) ?? 0;
  return judged(row, rate >= 0.97 * row.size && p99 <= 100,
    `${number(rate)} a second beside ${number(row.of((step) => step.packets_per_s))} packets/s: signaling p99 **${number(p99)} ms**, connected p99 ${number(row.of((_, data) => data.joins.connected_p99_ms))} ms`);
}

/** @param {Run[]} runs @returns {Answer} */
function ofStorm(runs) {
  const row = need(runs, 'storm', 'weir');
  const rate = row.of((_, data) => data.joins.per_s) ?? 0, keyframes = row.of((_, data) => data.joins.keyframes_per_s) ?? 0;
  return judged(row, keyframes <= 1 && rate >= 0.97 * 200,
    `${number(row.size)} in ${number(row.size / rate, 1)} s: **${number(keyframes, 2)} keyframes/s** asked for, first picture p99 ${number(row.of((_, data) => data.joins.first_picture_p99_ms))} ms`);
}

/** @param {Run[]} runs @returns {Answer} */
function ofJunk(runs) {
  const row = need(runs, 'junk', 'weir'), alone = need(runs, 'pictures', 'weir', row.size);
  const packets = (/** @type {Row} */ one) => one.of((step) => step.packets_per_s) ?? 0;
  const kept = packets(row) / packets(alone), junk = median(row.runs.map((run) => run.junk?.per_s)) ?? 0;
  const gone = row.of((step, data) => data.joins.connected - data.joins.left - step.clients) ?? 0;
  const fair = junk >= 190000;
  const measured = `**${number(Math.min(kept, 1) * 100, 1)} %** kept under ${number(junk)} a second, ${number(gone)} dropped, ${number(row.of((step) => step.media.lost_percent), 3)} % lost`;
  return fair ? judged(row, kept >= 0.8 && gone === 0, measured) : { held: null, measured, note: 'so much junk could not be sent' };
}

/** @param {string} kind @returns {(runs: Run[]) => Answer} */
const isFlat = (kind) => (runs) => {
  const rows = rowsOf(runs, kind).filter((row) => !row.why && !row.failed && costOf(row) !== null);
  if (rows.length < 2) throw new NotMeasured('was not run');
  const costs = rows.map((row) => costOf(row) ?? 0), least = Math.min(...costs), most = Math.max(...costs);
  const rises = costs[costs.length - 1] > 1.25 * least;
  return { held: most <= 1.25 * least, measured: `${number(least, 2)} to ${number(most, 2)} µs (**${number(most / least, 2)} ×**)`,
    note: most <= 1.25 * least ? '' : rises ? 'rises: see below' : 'dear where few share what all need: see below' };
};

/** @type {Target[]} */
const targets = [
  { what: 'CPU a packet of 1,100 bytes, 200 subscribers', target: '≤ 1.25 × the floor at the same run', answer: ofTheFloor(200, 'weir') },
  { what: '… 500 subscribers', target: '≤ 1.25 × the floor', answer: ofTheFloor(500, 'weir') },
  { what: '… 200, against Janus', target: '≤ 1/10', answer: ofJanus(200, 'weir', 10) },
  { what: '… 500, against Janus', target: '≤ 1/10', answer: ofJanus(500, 'weir', 10) },
  { what: '… 200, against Janus, GSO off', target: '≤ 1/4', answer: ofJanus(200, 'weir-no-gso', 4) },
  { what: '… 500, against Janus, GSO off', target: '≤ 1/4', answer: ofJanus(500, 'weir-no-gso', 4) },
  { what: 'One core, mean run ≥ 4', target: '400,000 packets/s, none lost, p99 < 5 ms', answer: holdsRate('weir', 400000, 4) },
  { what: 'One core, GSO off', target: '275,000 packets/s, none lost, p99 < 5 ms', answer: holdsRate('weir-no-gso', 275000, 1) },
  { what: 'Audio room, 3 loudest of 100 to 1,000', target: '≤ 1.8 µs a packet', answer: (runs) => {
    const us = costOf(need(runs, 'audio-room', 'weir')) ?? 0;
    const due = rowsOf(runs, 'rhythm').find((row) => row.size === 1000)?.of((data) => data.ns_per_packet);
    const floor = due ? `; the floor in the same rhythm ${number(due / 1000, 2)} µs` : '';
    return { held: us <= 1.8, measured: `**${number(us, 2)} µs**${floor}` };
  } },
  { what: 'Delay inside the server, half load', target: 'p99 ≤ 1 ms', answer: staysInside(50, 1) },
  { what: '… nine tenths of its capacity', target: 'p99 ≤ 5 ms', answer: staysInside(90, 5) },
  { what: 'Two workers, one room', target: '≥ 1.8 × one', answer: ofTwoWorkers },
  { what: 'Memory of who is idle', target: '≤ 30 KB', answer: ofIdleMemory },
  { what: 'Memory of who watches, over 1,000', target: '≤ 64 KB', answer: ofWatchingMemory },
  { what: 'Joins, media at half load', target: '300 a second, signaling p99 ≤ 100 ms', answer: ofJoins },
  { what: 'A room of 1,000 in 5 s', target: '≤ 1 keyframe/s of a publisher', answer: ofStorm },
  { what: 'Junk, 200,000 datagrams a second', target: '≥ 80 % kept, nobody dropped', answer: ofJunk },
  { what: 'CPU a packet by subscribers', target: 'flat (within 1.25 ×)', answer: isFlat('subscribers') },
  { what: '… by rooms, at constant traffic', target: 'flat', answer: isFlat('rooms') },
  { what: '… by idle participants', target: 'flat', answer: isFlat('idle') },
];

/** @param {Target} target @param {Run[]} runs */
function line(target, runs) {
  try {
    const { held, measured, note } = target.answer(runs);
    const verdict = held === null ? `open: ${note}` : (held ? '✔ held' : '✘ **not held**') + (note ? ` (${note})` : '');
    return `| ${target.what} | ${target.target} | ${measured} | ${verdict} |`;
  } catch (error) {
    if (!(error instanceof NotMeasured)) throw error;
    return `| ${target.what} | ${target.target} | not measured: ${error.message} | – |`;
  }
}

/** @param {Run[]} runs */
export const targetTable = (runs) => ['| | target | measured | |', '| --- | --- | --- | --- |', ...targets.map((target) => line(target, runs))].join('\n');
