// Waiting for something to become true, with a deadline and the last thing seen in the error.

import { setTimeout as sleep } from 'node:timers/promises';

// Calls look() until it returns something truthy and returns that, with how long it took in
// `eventually.lastMs`. look() may throw: what it threw last is the reason in the error.
export async function eventually(what, look, { within = 10_000, every = 50 } = {}) {
  const began = performance.now();
  let last;
  for (;;) {
    try {
      last = await look();
      if (last) return last;
    } catch (error) {
      last = error;
    }
    if (performance.now() - began > within) break;
    await sleep(every);
  }
  const seen = last instanceof Error ? last.message : JSON.stringify(last);
  throw new Error(`not within ${within} ms: ${what}; last seen: ${seen}`);
}

// A look() for eventually(): throws with the value seen until the condition holds.
export function expectThat(value, condition, words = 'unexpected') {
  if (!condition) throw new Error(`${words}: ${JSON.stringify(value)}`);
  return true;
}
