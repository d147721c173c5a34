// What else a machine does is not what these tests measure: where it is allowed, this process and
// all that it starts from now on go before others.

import os from 'node:os';

export function goBeforeOthers() {
  try {
    os.setPriority(0, -15);
  } catch {
    // Not for us to say: then the bounds have to do.
  }
}
