// A call of several people in one Chromium process, everybody invited by the first.

import { chromiumPerson } from './chromium_tab.mjs';
import { PEOPLE } from './people.mjs';

export async function signInPeople(browser, origin, count, { first = 0, devices = {} } = {}) {
  return Promise.all(PEOPLE.slice(first, first + count).map(async (identity) =>
    (await chromiumPerson(browser, identity, origin, devices)).signIn()));
}

// Every pair of different people, both ways, through action(one, other).
export function eachPair(people, action) {
  return Promise.all(people.flatMap((one) =>
    people.filter((other) => other !== one).map((other) => action(one, other))));
}

// Waits until everybody sees and hears everybody.
export async function allMeet(people, { within = 20_000 } = {}) {
  await eachPair(people, (one, other) => one.sees(other, { within }));
  await eachPair(people, (one, other) => one.hears(other, { within }));
}
