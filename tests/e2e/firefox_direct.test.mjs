// Firefox and Chromium, alone in a call whose server lets them: they send to each other, by the buttons
// of the call page, and over the server again when a third comes.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { firefoxPerson, launchFirefox } from './lib/bidi.mjs';
import { launchChromium } from './lib/chromium.mjs';
import { chromiumPerson } from './lib/chromium_tab.mjs';
import { allMeet, eachPair } from './lib/meeting.mjs';
import { PEOPLE } from './lib/people.mjs';
import { ownAddress, startWeir } from './lib/server.mjs';
import { eventually, expectThat } from './lib/wait.mjs';

let weir;
let chromium;
let firefox;
let ada;
let blaise;
let carl;

before(async () => {
  // Firefox pairs no loopback address with another: Chromium has to show the machine's own.
  [weir, chromium, firefox] = await Promise.all([
    startWeir({ rtcAddress: ownAddress(), args: ['--direct-calls'] }),
    launchChromium({ flags: ['--disable-features=WebRtcHideLocalIpsWithMdns'] }), launchFirefox(PEOPLE[1]),
  ]);
  ada = await (await chromiumPerson(chromium, PEOPLE[0], weir.url)).signIn();
  blaise = await (await firefoxPerson(firefox, PEOPLE[1], weir.url)).signIn();
  carl = await (await chromiumPerson(chromium, PEOPLE[2], weir.url)).signIn();
}, { timeout: 60_000 });

after(async () => {
  await chromium?.close();
  await firefox?.close();
  await weir?.stop();
});

const step = (name, run) => test(name, { timeout: 60_000 }, run);
const pathOf = (person) => person.tab.evaluate(async () => (await window.weir.stats()).path);
const go = (people, path) => Promise.all(people.map((person) => eventually(`${person.name} goes ${path}`, async () => {
  const now = await pathOf(person);
  return expectThat(now, now === path);
}, { within: 20_000 })));

let call;
step('the two find the direct way, and see and hear each other on it', async () => {
  call = await ada.initiate([blaise, carl]);
  await Promise.all([ada.enter(call), blaise.enter(call)]);
  await go([ada, blaise], 'direct');
  await allMeet([ada, blaise]);
  await eventually('the server forwards nothing', async () => {
    const forwarded = async () => (await weir.metrics()).get('weir_sfu_rtp_forwarded_total');
    const before = await forwarded();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    return expectThat(before, (await forwarded()) === before);
  }, { within: 10_000 });
});

step('what either mutes, switches off and shares shows at the other', async () => {
  for (const [actor, watcher] of [[blaise, ada], [ada, blaise]]) {
    await actor.press('mic');
    await watcher.hearsNothingOf(actor, { within: 3_000 });
    await actor.press('camera');
    await watcher.seesOff(actor, { within: 3_000 });
    await actor.press('mic');
    await actor.press('camera');
    await watcher.hears(actor);
    await watcher.sees(actor);
    await actor.press('screen');
    await watcher.sees(actor, { source: 'screen' });
    await actor.press('screen');
    await watcher.seesOff(actor, { source: 'screen', within: 3_000 });
  }
  assert.deepEqual([await pathOf(ada), await pathOf(blaise)], ['direct', 'direct']);
});

step('a third comes, and all see and hear all over the server; when the third has left, the two are direct again', async () => {
  await carl.enter(call);
  await go([ada, blaise], 'sfu');
  await allMeet([ada, blaise, carl]);
  await carl.press('leave');
  await go([ada, blaise], 'direct');
  await eachPair([ada, blaise], (one, other) => one.sees(other));
});
