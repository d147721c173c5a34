// Who takes part in the tests' calls: each has a colour to be seen by and a tone to be heard by, far
// enough apart to survive the codecs.

export const PEOPLE = [
  { name: 'Ada', colour: [200, 40, 40], toneHz: 440 },
  { name: 'Blaise', colour: [40, 170, 40], toneHz: 660 },
  { name: 'Carl', colour: [50, 50, 210], toneHz: 880 },
  { name: 'Dorothy', colour: [200, 190, 40], toneHz: 1100 },
  { name: 'Emmy', colour: [190, 50, 190], toneHz: 1320 },
  { name: 'Felix', colour: [40, 180, 190], toneHz: 1540 },
  { name: 'Grace', colour: [230, 130, 40], toneHz: 1760 },
];

export const WHITE = [235, 235, 235];

const distance = (a, b) => Math.hypot(...a.map((value, i) => value - b[i]));

// Whether a decoded colour is this one: it lies near, and nobody else's lies nearer.
export function isColour(seen, wanted) {
  const others = [...PEOPLE.map((person) => person.colour), WHITE].filter((colour) => colour !== wanted);
  return distance(seen, wanted) < 60 && others.every((other) => distance(seen, other) > distance(seen, wanted));
}
