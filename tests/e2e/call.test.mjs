// Five people in one video call, in real pages of headless Chromium through the real binary.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { launchChromium } from './lib/chromium.mjs';
import { allMeet, eachPair, signInPeople } from './lib/meeting.mjs';
import { startWeir } from './lib/server.mjs';
import { eventually } from './lib/wait.mjs';

const ARTIFACTS = new URL('./artifacts/', import.meta.url);

let weir;
let browser;
let people;
let callId;

before(async () => {
  weir = await startWeir();
  browser = await launchChromium();
  people = await signInPeople(browser, weir.url, 5);
  callId = await people[0].initiate(people.slice(1));
}, { timeout: 60_000 });

after(async () => {
  await browser?.close();
  await weir?.stop();
});

const step = (name, run) => test(name, { timeout: 60_000 }, run);

const others = (person) => people.filter((other) => other !== person && other.userId);

const everyoneElse = (person, action) => Promise.all(others(person).map(action));

// The page's own clock: where the machine holds a page up it ticks slower.
const ownTimeMs = ({ tab }) => tab.evaluate(() => {
  if (window.ticks === undefined) setInterval(() => window.ticks++, 20);
  window.ticks ??= 0;
  return window.ticks * 20;
});

// Seen within a second of the page's own time.
async function seesSoon(person, other, options = {}) {
  const begun = await ownTimeMs(person);
  await person.sees(other, { ...options, within: 10_000 });
  const took = (await ownTimeMs(person)) - begun;
  assert.ok(took <= 1_000, `${person.name} saw ${other.name} after ${took} ms`);
  return took;
}

step('four people see each other\'s picture and hear each other\'s tone', async () => {
  const four = people.slice(0, 4);
  await Promise.all(four.map((person) => person.enter(callId)));
  await allMeet(four);
});

step('a late joiner is seen and heard by all, and none of them negotiates', async () => {
  const late = people[4];
  const four = people.slice(0, 4);
  const before = await Promise.all(four.map((person) => person.negotiations()));
  await late.enter(callId);
  await Promise.all(four.map((person) => person.isTold('user_joined', { user_id: late.userId }, { within: 10_000 })));
  await allMeet(people);
  assert.deepEqual(await Promise.all(four.map((person) => person.negotiations())), before);
});

step('the picture of the running call is kept', async () => {
  mkdirSync(ARTIFACTS, { recursive: true });
  await people[0].tab.page.screenshot({ path: new URL('call.png', ARTIFACTS).pathname });
});

step('who joins is seen by the others within a second of its first frame', async (t) => {
  const [, , , , late] = people;
  await late.press('leave');
  await everyoneElse(late, (other) => other.missed(late));
  await late.enter(callId);
  const first = people[0];
  await first.isTold('track_published', { user_id: late.userId, source: 'camera' }, { within: 10_000 });
  const told = performance.now();
  await eventually('its camera sends', () => late.tab.evaluate(() => window.senses.framesSent()), { within: 10_000, every: 20 });
  const sends = performance.now();
  const took = await Promise.all(people.slice(0, 4).map((person) => seesSoon(person, late)));
  t.diagnostic(`sent a frame ${Math.round(sends - told)} ms after it was published; seen after ${took.join(', ')} ms`);
});

step('mute silences at the others within a second, and unmute brings the tone back', async () => {
  const [, speaker] = people;
  await speaker.press('mic');
  await everyoneElse(speaker, (other) => other.isTold('audio_toggled', { user_id: speaker.userId, enabled: false }));
  await everyoneElse(speaker, (other) => other.hearsNothingOf(speaker));
  await speaker.press('mic');
  await everyoneElse(speaker, (other) => other.isTold('audio_toggled', { user_id: speaker.userId, enabled: true }));
  await everyoneElse(speaker, (other) => other.hears(speaker, { within: 1_000 }));
});

step('camera off shows at the others within a second, and on again too', async () => {
  const [, , shy] = people;
  await shy.press('camera');
  await everyoneElse(shy, (other) => other.isTold('video_toggled', { user_id: shy.userId, enabled: false }));
  await everyoneElse(shy, (other) => other.seesOff(shy));
  await shy.press('camera');
  await everyoneElse(shy, (other) => other.isTold('video_toggled', { user_id: shy.userId, enabled: true }));
  await everyoneElse(shy, (other) => seesSoon(other, shy));
});

step('a shared screen shows at the others within a second, beside the camera, and goes away', async () => {
  const presenter = people[3];
  const before = await Promise.all(others(presenter).map((person) => person.negotiations()));
  await presenter.press('screen');
  await everyoneElse(presenter, (other) => other.isTold('screen_share_toggled', { user_id: presenter.userId, is_sharing: true }));
  await everyoneElse(presenter, (other) => seesSoon(other, presenter, { source: 'screen' }));
  await everyoneElse(presenter, (other) => other.sees(presenter));
  await presenter.press('screen');
  await everyoneElse(presenter, (other) => other.seesOff(presenter, { source: 'screen' }));
  assert.deepEqual(await Promise.all(others(presenter).map((person) => person.negotiations())), before);
});

step('whoever leaves is gone at the others within a second, and the rest goes on', async () => {
  const leaver = people[4];
  await leaver.press('leave');
  await everyoneElse(leaver, (other) => other.missed(leaver));
  await everyoneElse(leaver, (other) => other.isTold('user_left', { user_id: leaver.userId }));
  await eachPair(people.slice(0, 4), (one, other) => one.sees(other));
});

step('no page logged an error', () => {
  assert.deepEqual(people.map((person) => person.tab.errors), people.map(() => []));
});

step('the initiator ends the call for all', async () => {
  const [initiator] = people;
  const answer = await initiator.post(`/calls/${callId}/end/`);
  assert.equal(answer.success, true);
  await Promise.all(people.slice(1, 4).map((person) => person.isTold('call_ended')));
  const status = await (await fetch(`${weir.url}/calls/${callId}/status/`, {
    headers: { Cookie: (await initiator.tab.context.cookies()).map(({ name, value }) => `${name}=${value}`).join('; ') },
  })).json();
  assert.equal(status.status, 'ENDED');
});
