// How a call was, as the server tells it afterwards: over a network that loses more on the way up than on
// the way down, and delays, the analytics say by how much. Of pictures alone: lost sound comes again in its
// own stream, and reports do not count it as lost then.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { launchChromium } from './lib/chromium.mjs';
import { attachTile, enterAs } from './lib/member.mjs';
import { signInPeople } from './lib/meeting.mjs';
import { startWeir } from './lib/server.mjs';
import { relaysFor } from './lib/udp_relay.mjs';
import { eventually, expectThat } from './lib/wait.mjs';

const MEASURED_MS = 24_000; // Of ten packets a second: in half of it 10 % are 4 % once in fifty times.
const isBetween = (value, least, most, what) => assert.ok(value >= least && value <= most, `${what}: ${value}`);
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

test('the analytics of a call tell loss each way, round trip and rates', { timeout: 90_000 }, async (t) => {
  const weir = await startWeir();
  const network = await relaysFor(weir, { delayMs: 40, seed: 7, up: { loss: 0.1 }, down: { loss: 0.03 } });
  const browser = await launchChromium();
  t.after(async () => {
    await browser.close();
    network.close();
    await weir.stop();
  });
  const people = await signInPeople(browser, weir.url, 2, { devices: { relay: network.ports, fps: 15 } });
  const [ada, blaise] = people;
  const call = await ada.initiate([blaise]);
  await Promise.all(people.map((person) => enterAs(person, call, { media: { video: true } })));
  await Promise.all([attachTile(ada, blaise), attachTile(blaise, ada)]);
  await sleep(MEASURED_MS);
  await Promise.all(people.map((person) => person.tab.evaluate(() => window.client.leave())));
  const analytics = await eventually('what was measured is stored', async () => {
    const answer = await ada.tab.evaluate(async (id) => (await fetch(`/api/v1/calls/${id}/analytics/`)).json(), call);
    expectThat(answer.participants, answer.participants?.every(({ quality }) => quality !== null));
    return answer;
  });
  for (const { username, quality, over_time: points } of analytics.participants) {
    t.diagnostic(`${username} ${JSON.stringify(quality)}`);
    isBetween(quality.up_loss, 0.05, 0.2, 'lost on the way up');
    // What is missing upstream is missing here too, until it is repaired.
    isBetween(quality.down_loss, 0.005, 0.13, 'lost on the way down');
    isBetween(quality.rtt_ms, 75, 400, 'round trip');
    isBetween(quality.up_bps, 3_000, 2_000_000, 'sent');
    isBetween(quality.down_bps, 3_000, 2_000_000, 'received');
    assert.ok(points.length > 0 && points.some((point) => point.up_bps > 0 && point.down_bps > 0), JSON.stringify(points));
  }
});
