// results.svg: what a packet costs whom, what a core holds, and how cost grows. It needs nothing else and follows
// the reader's light or dark.

import { costOf, floorAt, number, rowsOf, runOf } from './results_runs.mjs';

/**
 * @typedef {import('./results_runs.mjs').Run} Run
 * @typedef {{x: number, y: number, label: string}} Point
 * @typedef {{name: string, style: string, points: Point[]}} Line
 */

const WIDTH = 1000, GAP = 56, STYLES = ['a', 'b', 'c', 'd'];

const STYLE = `text{font:12px system-ui,-apple-system,"Segoe UI",sans-serif;fill:#57606a}.h{font-size:14px;font-weight:600;fill:#1f2328}.e{text-anchor:end}.m{text-anchor:middle}
.grid{stroke:#d8dee4}.axis{stroke:#8c959f}polyline{fill:none;stroke-width:2;stroke-linejoin:round}
.a{stroke:#1668c7}.b{stroke:#c2571a}.c{stroke:#57606a}.d{stroke:#8250df}.floor{stroke:#8c959f;stroke-dasharray:4 4}circle{stroke-width:0}
.fa{fill:#1668c7}.fb{fill:#c2571a}.fc{fill:#57606a}.fd{fill:#8250df}.ffloor{fill:#8c959f}
@media(prefers-color-scheme:dark){text{fill:#9198a1}.h{fill:#f0f6fc}.grid{stroke:#30363d}.a{stroke:#6cb2ff}.b{stroke:#ff9d5c}.c{stroke:#9198a1}.d{stroke:#c297ff}
.fa{fill:#6cb2ff}.fb{fill:#ff9d5c}.fc{fill:#9198a1}.fd{fill:#c297ff}}`;

/** @param {number} value */
const short = (value) => (value >= 1000 ? `${number(value / 1000, value % 1000 ? 1 : 0)}k` : number(value, value < 10 && value % 1 ? 1 : 0));

/** 1, 2 or 5 times a power of ten, for about four lines. @param {number} most */
function stepOf(most) {
  const power = 10 ** Math.floor(Math.log10(most / 4));
  return power * ([1, 2, 5, 10].find((times) => most / (times * power) <= 5) ?? 10);
}

// ---- What a packet costs whom ----

/** @param {Run[]} runs */
function bars(runs) {
  const names = { weir: 'Weir', 'weir-no-gso': 'Weir, GSO off', 'janus-loops': 'Janus, event_loops = 1', janus: 'Janus as shipped' };
  const shown = Object.entries(names).flatMap(([server, name]) => {
    const row = rowsOf(runs, 'pictures').find((one) => one.server === server && costOf(one) !== null);
    return row ? [{ name: `${name}, ${row.size} watch`, us: costOf(row) ?? 0, style: server.startsWith('weir') ? 'a' : 'b', row }] : [];
  });
  const floor = shown.length && shown[0].style === 'a' ? floorAt(runs, shown[0].row.size, runOf(shown[0].row)) : null;
  if (floor !== null) shown.unshift({ name: 'the floor: encrypt and send', us: floor, style: 'floor', row: shown[0].row });
  return shown;
}

/** @param {Run[]} runs @param {number} top @returns {{height: number, text: string}} */
function drawBars(runs, top) {
  const shown = bars(runs), left = 216, most = Math.max(...shown.map((bar) => bar.us));
  if (shown.length === 0) return { height: 0, text: '' };
  const lines = shown.map((bar, i) => {
    const y = top + 30 + i * 26, width = Math.max(2, (WIDTH - left - 90) * bar.us / most);
    return `<text class="e" x="${left - 10}" y="${y + 13}">${bar.name}</text><rect class="f${bar.style}" x="${left}" y="${y}" width="${width.toFixed(1)}" height="18" rx="3"/>`
      + `<text x="${(left + width + 8).toFixed(1)}" y="${y + 13}">${number(bar.us, 2)} µs</text>`;
  });
  return { height: 48 + shown.length * 26, text: `<text class="h" x="0" y="${top + 14}">CPU of the server a forwarded packet</text>${lines.join('')}` };
}

// ---- Lines ----

/**
 * @param {{title: string, left: number, top: number, width: number, height: number, lines: Line[], most?: number, logarithmic?: boolean, unit: string}} plot
 */
function drawLines({ title, left, top, width, height, lines, most, logarithmic, unit }) {
  const points = lines.flatMap((line) => line.points);
  const high = most ?? Math.max(...points.map((point) => point.y)) * 1.2, step = stepOf(high);
  const along = (/** @type {number} */ value) => (logarithmic ? Math.log10(value + 1) : value);
  const furthest = Math.max(...points.map((point) => along(point.x))) || 1;
  const x = (/** @type {number} */ value) => left + width * along(value) / furthest;
  const y = (/** @type {number} */ value) => top + height - height * Math.min(value, high) / high;
  let text = `<text class="h" x="${left - 34}" y="${top - 18}">${title}</text>`;
  for (let value = 0; value <= high; value += step) {
    text += `<line class="${value ? 'grid' : 'axis'}" x1="${left}" x2="${left + width}" y1="${y(value).toFixed(1)}" y2="${y(value).toFixed(1)}"/>`
      + `<text class="e" x="${left - 6}" y="${(y(value) + 4).toFixed(1)}">${short(value)}</text>`;
  }
  const marked = new Map(logarithmic ? lines[0].points.map((point) => [x(point.x), point.label]) : []);
  for (let value = 0; !logarithmic && value <= furthest; value += stepOf(furthest)) marked.set(x(value), short(value));
  let last = -100;
  for (const [at, label] of marked) {
    if (at - last >= 26) text += `<text class="m" x="${at.toFixed(1)}" y="${top + height + 17}">${label}</text>`;
    last = at - last >= 26 ? at : last;
  }
  text += `<text class="e" x="${left + width}" y="${top + height + 34}">${unit}</text>`;
  lines.forEach((line) => {
    const path = line.points.map((point) => `${x(point.x).toFixed(1)},${y(point.y).toFixed(1)}`);
    text += `<polyline class="${line.style}" points="${path.join(' ')}"/>`
      + (line.style === 'floor' ? '' : path.map((at) => `<circle class="f${line.style}" cx="${at.split(',')[0]}" cy="${at.split(',')[1]}" r="3"/>`).join(''));
  });
  let legend = left;
  for (const line of lines.length > 1 ? lines : []) {
    text += `<text class="f${line.style}" x="${legend}" y="${top + height + 34}">${line.name}</text>`;
    legend += 20 + line.name.length * 6.5;
  }
  return text;
}

/** How late frames come as the load of one core grows. @param {Run[]} runs @returns {Line[]} */
function ramps(runs) {
  const names = { weir: 'Weir', 'weir-no-gso': 'Weir, GSO off', 'janus-loops': 'Janus, event_loops = 1', janus: 'Janus as shipped' };
  return Object.entries(names).flatMap(([server, name], i) => {
    const row = rowsOf(runs, 'capacity').find((one) => one.server === server && one.runs.length);
    const points = (row?.runs[0].data.steps ?? []).map((/** @type {any} */ step) => ({ x: step.packets_per_s, y: step.media.delay_of_pictures.p99_ms, label: '' }));
    return points.length > 1 ? [{ name, style: STYLES[i], points }] : [];
  });
}

export const GROWTH = [
  { kind: 'subscribers', title: 'subscribers of one publisher', short: 'by subscribers' },
  { kind: 'rooms', title: 'rooms that share constant traffic', short: 'by rooms, constant traffic' },
  { kind: 'idle', title: 'idle participants beside a broadcast to 100', short: 'by idle participants' },
];

/** @param {Run[]} runs @param {string} kind @returns {Line[]} */
function growth(runs, kind) {
  const rows = rowsOf(runs, kind).filter((row) => !row.failed && costOf(row) !== null);
  const line = (/** @type {string} */ name, /** @type {string} */ style, /** @type {(row: any) => number | null} */ pick) => ({
    name, style, points: rows.flatMap((row) => { const y = pick(row); return y === null ? [] : [{ x: row.size, y, label: short(row.size) }]; }) });
  const floor = kind === 'rooms' ? [] : [line('the floor', 'floor', (row) => floorAt(runs, row.size, runOf(row)))];
  return rows.length > 1 ? [line('Weir', 'a', costOf), ...floor.filter((one) => one.points.length > 1)] : [];
}

/** The whole picture; "" when there is nothing to draw yet. @param {Run[]} runs */
export function draw(runs) {
  const top = drawBars(runs, 6);
  let height = top.height, text = top.text;
  const ramp = ramps(runs);
  if (ramp.length) {
    text += drawLines({ title: 'Delay of 99 of 100 frames as one core is loaded, ms', left: 40, top: height + 46, width: WIDTH - 60, height: 170, lines: ramp, most: 20, unit: 'packets a second' });
    height += 46 + 170 + 50;
  }
  const grown = GROWTH.map((one) => ({ ...one, lines: growth(runs, one.kind) })).filter((one) => one.lines.length);
  const width = (WIDTH - 20 - GAP * 3) / 3;
  grown.forEach((one, i) => {
    text += drawLines({ title: `µs a packet, ${one.short}`, left: 40 + i * (width + GAP), top: height + 46, width, height: 150, lines: one.lines, logarithmic: true, unit: one.kind });
  });
  height += grown.length ? 46 + 150 + 44 : 0;
  return height ? `<svg xmlns="http://www.w3.org/2000/svg" viewBox="-6 0 ${WIDTH + 12} ${height}" role="img"><style>${STYLE}</style>${text}</svg>\n` : '';
}
