// What a test puts into a page before the page's own scripts, as one piece of text.

import { fakeDevices } from './page_devices.mjs';
import { installSenses } from './page_senses.mjs';
import { spy } from './page_spy.mjs';

export function pageScript(person, { relay = null, onlyTcp = false, ...devices } = {}) {
  const { colour, toneHz } = person;
  return `(${fakeDevices})(${JSON.stringify({ colour, toneHz, ...devices })});
(${spy})(${JSON.stringify({ relay, onlyTcp })});
(${installSenses})();`;
}
