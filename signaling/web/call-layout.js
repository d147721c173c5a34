// Where each picture stands on the stage: numbers in, rectangles out.

/** @typedef {{key: string, isBig: boolean}} Item */
/** @typedef {{x: number, y: number, width: number, height: number}} Box */

const GAP_PX = 8;
const RATIO = 16 / 9;
/** Below this nobody recognises anyone: then the grid scrolls, and the strip leaves people out. */
const MIN_WIDTH_PX = 120;

/**
 * The number of columns that makes `count` tiles largest in this area.
 * @param {number} count @param {number} width @param {number} height @param {number} [gap]
 * @param {number} [minRatio] tiles may be less wide than 16:9, down to this, where that fills the area better
 * @returns {{columns: number, tileWidth: number, tileHeight: number}} whole pixels
 */
export function bestGrid(count, width, height, gap = GAP_PX, minRatio = RATIO) {
  let best = { columns: 1, tileWidth: 0, tileHeight: 0 };
  for (let columns = 1; columns <= Math.max(1, count); columns++) {
    const rows = Math.ceil(count / columns) || 1;
    const cellWidth = (width - gap * (columns - 1)) / columns;
    const cellHeight = (height - gap * (rows - 1)) / rows;
    const ratio = Math.min(RATIO, Math.max(minRatio, cellWidth / cellHeight));
    const tileWidth = Math.max(0, Math.floor(Math.min(cellWidth, cellHeight * ratio)));
    const tileHeight = Math.floor(tileWidth / ratio);
    if (tileWidth * tileHeight > best.tileWidth * best.tileHeight) best = { columns, tileWidth, tileHeight };
  }
  return best;
}

/** Rows of equal tiles in the middle of a box, the last row centred. @param {Item[]} items @param {Box} box @param {number} minRatio @returns {Map<string, Box>} */
function fillGrid(items, box, minRatio) {
  let { columns, tileWidth, tileHeight } = bestGrid(items.length, box.width, box.height, GAP_PX, minRatio);
  if (tileWidth < MIN_WIDTH_PX) {
    columns = Math.max(1, Math.floor((box.width + GAP_PX) / (MIN_WIDTH_PX + GAP_PX)));
    tileWidth = Math.floor((box.width - GAP_PX * (columns - 1)) / columns);
    tileHeight = Math.floor(tileWidth / RATIO);
  }
  const rows = Math.ceil(items.length / columns);
  const top = box.y + Math.max(0, (box.height - rows * (tileHeight + GAP_PX) + GAP_PX) / 2);
  return new Map(items.map(({ key }, index) => {
    const row = Math.floor(index / columns);
    const inRow = Math.min(columns, items.length - row * columns);
    const left = box.x + (box.width - inRow * (tileWidth + GAP_PX) + GAP_PX) / 2;
    const x = left + (index % columns) * (tileWidth + GAP_PX);
    return [key, { x: Math.round(x), y: Math.round(top + row * (tileHeight + GAP_PX)), width: tileWidth, height: tileHeight }];
  }));
}

/** As many as can be recognised, the first ones. @param {Item[]} items @param {Box} box @returns {Map<string, Box>} */
function fillStrip(items, box) {
  const columns = Math.max(1, Math.floor((box.width + GAP_PX) / (MIN_WIDTH_PX + GAP_PX)));
  const rows = Math.max(1, Math.floor((box.height + GAP_PX) / (MIN_WIDTH_PX / RATIO + GAP_PX)));
  return fillGrid(items.slice(0, columns * rows), box, RATIO);
}

/**
 * @param {Item[]} items in the order to show them @param {number} width @param {number} height
 * @returns {Map<string, Box>} whoever is missing has no room
 */
export function arrange(items, width, height) {
  const isUpright = height > width;
  const box = { x: 0, y: 0, width, height };
  const big = items.filter((item) => item.isBig);
  const small = items.filter((item) => !item.isBig);
  if (big.length === 0) return fillGrid(items, box, isUpright ? 0.75 : 4 / 3);
  if (small.length === 0) return fillGrid(big, box, isUpright ? 0.75 : 4 / 3);
  const strip = isUpright ? Math.min(height * 0.3, 240) : Math.min(Math.max(150, width * 0.2), 280);
  const main = isUpright ? { ...box, height: height - strip - GAP_PX } : { ...box, width: width - strip - GAP_PX };
  const side = isUpright
    ? { ...box, y: main.height + GAP_PX, height: strip }
    : { ...box, x: main.width + GAP_PX, width: strip };
  return new Map([...fillGrid(big, main, isUpright ? 1 : 4 / 3), ...fillStrip(small, side)]);
}
