// Firefox and Chromium in one call, both ways.

import { after, before, test } from 'node:test';
import { firefoxPerson, launchFirefox } from './lib/bidi.mjs';
import { launchChromium } from './lib/chromium.mjs';
import { chromiumPerson } from './lib/chromium_tab.mjs';
import { allMeet } from './lib/meeting.mjs';
import { PEOPLE } from './lib/people.mjs';
import { ownAddress, startWeir } from './lib/server.mjs';

let weir;
let chromium;
let firefox;
let inChromium;
let inFirefox;

before(async () => {
  [weir, chromium, firefox] = await Promise.all([
    startWeir({ rtcAddress: ownAddress() }), launchChromium(), launchFirefox(PEOPLE[1]),
  ]);
  inChromium = await (await chromiumPerson(chromium, PEOPLE[0], weir.url)).signIn();
  inFirefox = await (await firefoxPerson(firefox, PEOPLE[1], weir.url)).signIn();
}, { timeout: 60_000 });

after(async () => {
  await chromium?.close();
  await firefox?.close();
  await weir?.stop();
});

test('Firefox and Chromium see and hear each other', { timeout: 60_000 }, async () => {
  const callId = await inChromium.initiate([inFirefox]);
  await Promise.all([inChromium.enter(callId), inFirefox.enter(callId)]);
  await allMeet([inChromium, inFirefox]);
});

test('what Firefox mutes and switches off shows in Chromium, and the other way round', { timeout: 60_000 }, async () => {
  for (const [actor, watcher] of [[inFirefox, inChromium], [inChromium, inFirefox]]) {
    await actor.press('mic');
    await watcher.hearsNothingOf(actor);
    await actor.press('camera');
    await watcher.seesOff(actor);
    await actor.press('mic');
    await actor.press('camera');
    await watcher.hears(actor, { within: 2_000 });
    await watcher.sees(actor, { within: 2_000 });
  }
});

test('a screen that Firefox shares is seen in Chromium', { timeout: 60_000 }, async () => {
  await inFirefox.press('screen');
  await inChromium.sees(inFirefox, { source: 'screen', within: 3_000 });
  await inFirefox.press('screen');
  await inChromium.seesOff(inFirefox, { source: 'screen' });
});
