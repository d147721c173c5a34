// The drawings of the pages: outlines for buttons, and the small coloured pictures of reactions.

const SVG = 'http://www.w3.org/2000/svg';

/** Outlines on a grid of 24, stroked in the colour of the text. @type {Record<string, string>} */
const OUTLINES = {
  mic: 'M12 3a3 3 0 0 0-3 3v6a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3zM5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3M8.5 21h7',
  micOff: 'M15 10V6a3 3 0 0 0-5.7-1.3M9 9v3a3 3 0 0 0 4.6 2.5M5.5 11.5a6.5 6.5 0 0 0 10.4 5.2M18.5 11.5a6.5 6.5 0 0 1-.5 2.5M12 18v3M8.5 21h7M3.5 3.5l17 17',
  camera: 'M4.5 6.5h9a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2h-9a2 2 0 0 1-2-2v-7a2 2 0 0 1 2-2zM15.5 11l6-3.5v9l-6-3.5',
  cameraOff: 'M9.5 6.5h4a2 2 0 0 1 2 2v4M15.5 11l6-3.5v9l-4-2.3M14 17.4a2 2 0 0 1-.5.1h-9a2 2 0 0 1-2-2v-7a2 2 0 0 1 1.7-2M3.5 3.5l17 17',
  screen: 'M4 4.5h16a1.5 1.5 0 0 1 1.5 1.5v9.5A1.5 1.5 0 0 1 20 17H4a1.5 1.5 0 0 1-1.5-1.5V6A1.5 1.5 0 0 1 4 4.5zM8 20.5h8M12 14V8M9 10.5L12 7.5l3 3',
  swap: 'M7 4L3.5 7.5 7 11M3.5 7.5H17M17 13l3.5 3.5L17 20M20.5 16.5H7',
  leave: 'M3 13.5c5-4.6 13-4.6 18 0l-1.8 2.6-4-1.5v-2.4a10 10 0 0 0-6.4 0v2.4l-4 1.5z',
  phone: 'M6.2 3.5l3 .2 1.6 4-2 1.8a11 11 0 0 0 5.7 5.7l1.8-2 4 1.6.2 3a2 2 0 0 1-2 2.2A15.8 15.8 0 0 1 4 5.5a2 2 0 0 1 2.2-2z',
  people: 'M9 11.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 19.5a6.5 6.5 0 0 1 13 0M16 4.9a3.5 3.5 0 0 1 0 6.4M17.5 14a6.5 6.5 0 0 1 4 5.5',
  person: 'M12 11.5a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 20.5a7.5 7.5 0 0 1 15 0',
  chat: 'M4.5 4.5h15a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2H12l-5 4v-4H4.5a2 2 0 0 1-2-2v-8a2 2 0 0 1 2-2z',
  link: 'M10 14a4.5 4.5 0 0 0 6.4 0l3.2-3.2a4.5 4.5 0 0 0-6.4-6.4L12 5.6M14 10a4.5 4.5 0 0 0-6.4 0l-3.2 3.2a4.5 4.5 0 0 0 6.4 6.4L12 18.4',
  close: 'M6 6l12 12M18 6L6 18',
  back: 'M14.5 5.5L8 12l6.5 6.5',
  next: 'M9.5 5.5L16 12l-6.5 6.5',
  more: 'M12 4.6a.9.9 0 1 0 0 1.8.9.9 0 0 0 0-1.8zM12 11.1a.9.9 0 1 0 0 1.8.9.9 0 0 0 0-1.8zM12 17.6a.9.9 0 1 0 0 1.8.9.9 0 0 0 0-1.8z',
  down: 'M6.5 9.5l5.5 5.5 5.5-5.5',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  plus: 'M12 5v14M5 12h14',
  search: 'M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM15.3 15.3L20.5 20.5',
  sound: 'M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM15.5 9a4.2 4.2 0 0 1 0 6M18 6.5a8 8 0 0 1 0 11',
  soundOff: 'M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM16 9.5l5 5M21 9.5l-5 5',
  hash: 'M9.5 4L7.5 20M16.5 4l-2 16M4.5 9h16M3.5 15h16',
  clock: 'M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17zM12 7.5V12l3 2',
  timer: 'M12 21a7.5 7.5 0 1 0 0-15 7.5 7.5 0 0 0 0 15zM12 13.5V9.5M9.5 3h5M18 6.5l1.5 1.5',
  gear: 'M12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM12 3v2.6M12 18.4V21M3 12h2.6M18.4 12H21M5.6 5.6l1.9 1.9M16.5 16.5l1.9 1.9M5.6 18.4l1.9-1.9M16.5 7.5l1.9-1.9',
  hand: 'M7.5 13V6.2a1.4 1.4 0 0 1 2.8 0V11M10.3 11V4.4a1.4 1.4 0 0 1 2.8 0V11M13.1 11V5.6a1.4 1.4 0 0 1 2.8 0V13M15.9 11.5V8.4a1.4 1.4 0 0 1 2.8 0V15a6.2 6.2 0 0 1-6.2 6.2c-2.6 0-4-1-5.4-3.1L4 13.6a1.4 1.4 0 0 1 2.3-1.6L7.5 13.6',
  smile: 'M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17zM8.3 14a4.3 4.3 0 0 0 7.4 0M9 9.6v.01M15 9.6v.01',
  poll: 'M5 20v-6M12 20V4M19 20v-9',
  grid: 'M4 4.5h6.5v6.5H4zM13.5 4.5H20v6.5h-6.5zM4 14h6.5v5.5H4zM13.5 14H20v5.5h-6.5z',
  speaker: 'M3.5 5h17v9.5h-17zM3.5 17.5h4.5V20H3.5zM9.8 17.5h4.4V20H9.8zM16 17.5h4.5V20H16z',
  pin: 'M9 3.5h6l-.8 6.2 3.3 3.3v1.5H6.5V13l3.3-3.3zM12 14.5v6',
  full: 'M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5',
  pip: 'M4 5h16v14H4zM12.5 12h5v4.5h-5z',
  stats: 'M3.5 12h4l2.5-7 4 14 2.5-7h4',
  keys: 'M3.5 6.5h17v11h-17zM7 10v.01M10.3 10v.01M13.7 10v.01M17 10v.01M8 14h8',
  network: 'M4 9.5a12 12 0 0 1 16 0M7 13a7.5 7.5 0 0 1 10 0M10 16.3a3.2 3.2 0 0 1 4 0M12 19.5v.01',
  info: 'M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17zM12 11v5.5M12 7.8v.01',
  warning: 'M12 4L2.8 20h18.4zM12 10v4.5M12 17.3v.01',
  missed: 'M20.5 8.5l-7 7-8.5-8.5M4.5 12.5V7H10',
  incoming: 'M18.5 5.5l-11 11M7.5 8v8.5H16',
  outgoing: 'M5.5 18.5l11-11M8 7.5h8.5V16',
  book: 'M5 4.5h6.5a2 2 0 0 1 2 2V20a2 2 0 0 0-2-2H5zM19 4.5h-3.5a2 2 0 0 0-2 2V20a2 2 0 0 1 2-2H19z',
  play: 'M7.5 4.5v15l12-7.5z',
  send: 'M4 12L20 4.5 15.5 20l-4-6.5zM11.5 13.5L20 4.5',
  door: 'M13 4.5H6v15h7M10.5 12H21M17.5 8.5L21 12l-3.5 3.5',
};

/** [path, fill] on a grid of 32. @type {Record<string, [string, string][]>} */
const PICTURES = {
  thumb: [
    ['M3 14h6v14H3z', '#3b82f6'],
    ['M10 14l5-10c3-1 4.5 1 4 4l-1 5h8c2 0 3.3 1.6 3 3.400l-2 9.400c-.3 1.3-1.4 2.2-2.8 2.200H14c-1.5 0-3-.6-4-1.500z', '#ffc83d'],
  ],
  heart: [['M16 28S3 20 3 11.500C3 7.4 6.2 5 9.3 5c2.7 0 5 1.5 6.7 4 1.7-2.5 4-4 6.7-4C25.8 5 29 7.4 29 11.5 29 20 16 28 16 28z', '#e8384f']],
  laugh: [
    ['M16 2a14 14 0 1 0 0 28 14 14 0 0 0 0-28z', '#ffc83d'],
    ['M7.5 17h17c0 5.5-3.5 9-8.5 9s-8.5-3.5-8.5-9z', '#6b3a12'],
    ['M7.5 12.500c.7-2.3 1.7-3.3 3-3.300s2.3 1 3 3.300l-1.4.5c-.5-1.2-1-1.8-1.6-1.800s-1.1.6-1.6 1.800zM18.5 12.500c.7-2.3 1.7-3.3 3-3.300s2.3 1 3 3.300l-1.4.5c-.5-1.2-1-1.8-1.6-1.800s-1.1.6-1.6 1.800z', '#6b3a12'],
  ],
  wow: [
    ['M16 2a14 14 0 1 0 0 28 14 14 0 0 0 0-28z', '#ffc83d'],
    ['M10.5 10a2 2.4 0 1 0 0 4.8 2 2.4 0 0 0 0-4.800zM21.5 10a2 2.4 0 1 0 0 4.8 2 2.4 0 0 0 0-4.800zM16 17.500a4 4.8 0 1 0 0 9.6 4 4.8 0 0 0 0-9.600z', '#6b3a12'],
  ],
  party: [
    ['M4 28l6-17 11 11z', '#8b5cf6'],
    ['M21 8a2 2 0 1 0 0 4 2 2 0 0 0 0-4zM27 20a2 2 0 1 0 0 4 2 2 0 0 0 0-4z', '#e8384f'],
    ['M14 3l2 1-1.5 4-2-1zM24 13l5-1.5.6 2-5 1.500z', '#22a06b'],
    ['M25 3l2.5 2.5-4 3-1.5-1.500z', '#ffc83d'],
  ],
};

/** @param {string} className @param {number} size of the grid @param {[string, string?][]} paths */
function drawing(className, size, paths) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', `0 0 ${size} ${size}`);
  svg.setAttribute('class', className);
  svg.setAttribute('aria-hidden', 'true');
  for (const [d, fill] of paths) {
    const path = document.createElementNS(SVG, 'path');
    path.setAttribute('d', d);
    if (fill) path.setAttribute('fill', fill);
    svg.append(path);
  }
  return svg;
}

/** @param {string} name @returns {SVGSVGElement} */
export function icon(name) {
  return drawing('icon', 24, [[OUTLINES[name] ?? '']]);
}

/** @param {string} name of a reaction @returns {SVGSVGElement} */
export function picture(name) {
  return drawing('picture', 32, PICTURES[name] ?? []);
}

export const REACTIONS = Object.keys(PICTURES);
