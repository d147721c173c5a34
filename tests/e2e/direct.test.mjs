// Two who are alone in a call send to each other past the server, and over the server again when they
// are not, without anybody seeing or hearing it happen.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { DirectSpeakers, DirectState } from '../../signaling/web/weir-direct-state.js';
import { launchChromium } from './lib/chromium.mjs';
import { chromiumPerson } from './lib/chromium_tab.mjs';
import { attachTile, enterAs, isToldBy, styleTile, tileOf } from './lib/member.mjs';
import { startContinuity } from './lib/page_continuity.mjs';
import { PEOPLE } from './lib/people.mjs';
import { startWeir } from './lib/server.mjs';
import { eventually, expectThat } from './lib/wait.mjs';

const CAMERA = { width: 640, height: 360, fps: 15 };
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// ---- What is decided, in virtual time ----

// A state that is looked at every 200 ms; `see` changes what it sees from then on.
function staged() {
  const state = new DirectState();
  const seen = { isBroken: false, beats: 0, beat: null, hidden: [], direct: new Map(), relayed: null };
  let nowMs = 1_000;
  state.begin(nowMs);
  return {
    state,
    pass(ms, changes = {}, { isSilent = false } = {}) {
      Object.assign(seen, changes);
      let verdict = null;
      for (const end = nowMs + ms; nowMs < end && !verdict;) {
        nowMs += 200;
        if (!isSilent) seen.beats++;
        verdict = state.look(nowMs, seen);
      }
      return verdict;
    },
    leave: () => state.leave(nowMs),
  };
}

const beat = (sources, isReceiving = false) => ({ sources, hidden: [], isReceiving });
const BOTH = ['microphone', 'camera'];

function stagedUp() {
  const stage = staged();
  stage.pass(400, { beat: beat(BOTH, true), direct: new Map([['microphone', 9], ['camera', 2]]) });
  assert.equal(stage.state.phase, 'up');
  return stage;
}

test('nothing is shown directly before all of it comes', () => {
  const { state, pass } = staged();
  pass(1_000, { beat: beat(BOTH), direct: new Map([['microphone', 50]]) });
  assert.deepEqual([state.phase, state.isReceiving, state.isHeld, state.carried.size], ['trying', false, false, 0]);
  pass(200, { direct: new Map([['microphone', 60], ['camera', 1]]) });
  assert.deepEqual([state.phase, state.isReceiving, state.isHeld, [...state.carried]], ['up', true, false, BOTH]);
  pass(200, { beat: beat(BOTH, true) });
  assert.equal(state.isHeld, true);
});

test('a picture that nobody looks at is not waited for', () => {
  const { state, pass } = staged();
  pass(400, { beat: beat(BOTH), direct: new Map([['microphone', 50]]), hidden: ['camera'] });
  assert.deepEqual([state.phase, [...state.carried]], ['up', ['microphone']]);
  pass(200, { direct: new Map([['microphone', 50], ['camera', 1]]), hidden: [] });
  assert.deepEqual([...state.carried], BOTH);
});

test('a connection that does not come about within 12 seconds has failed, and one that is silent for a second', () => {
  assert.equal(staged().pass(11_800, {}, { isSilent: true }), null);
  assert.equal(staged().pass(12_000, {}, { isSilent: true }), 'failed');
  assert.equal(stagedUp().pass(800, {}, { isSilent: true }), null);
  assert.equal(stagedUp().pass(1_000, {}, { isSilent: true }), 'failed');
  assert.equal(stagedUp().pass(200, { isBroken: true }), 'failed');
});

test('on the way back each source changes over when the server delivers it, and the other is waited for', () => {
  const { state, pass, leave } = stagedUp();
  leave();
  assert.deepEqual([state.phase, state.isHeld, state.isReceiving], ['leaving', false, true]);
  pass(400, { relayed: new Map([['microphone', 100], ['camera', 40]]) });
  assert.deepEqual([...state.carried], BOTH);
  pass(200, { relayed: new Map([['microphone', 105], ['camera', 40]]) });
  assert.deepEqual([...state.carried], ['camera']);
  assert.equal(pass(200, { relayed: new Map([['microphone', 110], ['camera', 41]]) }), null);
  assert.deepEqual([state.carried.size, state.isReceiving], [0, false]);
  assert.equal(pass(200, { beat: beat(BOTH, false) }), 'done');
});

test('on the way back nothing is waited for in vain', () => {
  const off = stagedUp();
  off.leave();
  assert.equal(off.pass(400, { relayed: new Map([['microphone', 9]]), beat: beat([], false) }), 'done');
  const never = stagedUp();
  never.leave();
  assert.equal(never.pass(4_800, { relayed: new Map() }), null);
  assert.equal(never.pass(200), 'done');
  assert.equal(never.state.carried.size, 0);
});

test('who is louder than a room speaks, and a second longer', () => {
  const speakers = new DirectSpeakers();
  const who = (nowMs, levels) => speakers.look(nowMs, new Map(levels)).map(({ user_id, dominant }) => [user_id, dominant]);
  assert.deepEqual(who(0, [['a', 0.001], ['b', 0.1]]), [['b', true]]);
  assert.deepEqual(who(900, [['a', 0.3], ['b', 0]]), [['a', true], ['b', false]]);
  assert.deepEqual(who(1_100, [['a', 0], ['b', 0]]), [['a', true]]);
  assert.deepEqual(who(2_000, [['a', 0], ['b', 0]]), []);
});

// ---- Real browsers ----

let weir;
let browser;
let ada;
let blaise;
let carl;
let callId;
let people;

const openPeople = async (origin, count) => {
  const opened = PEOPLE.slice(0, count).map((who) => chromiumPerson(browser, who, origin, CAMERA));
  return Promise.all((await Promise.all(opened)).map((person) => person.signIn()));
};

before(async () => {
  // Without this, addresses are hidden behind names that only a network with mDNS can tell.
  [weir, browser] = await Promise.all([startWeir({ args: ['--direct-calls'] }),
    launchChromium({ flags: ['--disable-features=WebRtcHideLocalIpsWithMdns'] })]);
  people = await openPeople(weir.url, 3);
  [ada, blaise, carl] = people;
  callId = await ada.initiate([blaise, carl]);
  for (const person of [ada, blaise]) await enterAs(person, callId);
}, { timeout: 60_000 });

after(async () => {
  await browser?.close();
  await weir?.stop();
});

const step = (name, run) => test(name, { timeout: 60_000 }, run);
const pairs = (list) => list.flatMap((one) => list.filter((other) => other !== one).map((other) => [one, other]));
const pathOf = (person) => person.tab.evaluate(async () => (await window.client.stats()).path);
const reset = (person, other) => person.tab.evaluate((id) => { window.continuity[id].reset(); }, other.userId);
const continuity = (person, other) => person.tab.evaluate((id) => ({ ...window.continuity[id] }), other.userId);

async function goes(path, { within = 20_000 } = {}) {
  for (const person of [ada, blaise])
    await eventually(`${person.name} goes ${path}`, async () => {
      const now = await pathOf(person);
      return expectThat(now, now === path);
    }, { within });
}

async function begin(person, other) {
  await attachTile(person, other);
  await moves(person, other);
  await person.tab.evaluate(startContinuity, other.userId);
  await eventually(`${person.name} hears ${other.name}`, async () => {
    await reset(person, other);
    await sleep(200);
    const now = await continuity(person, other);
    return expectThat(now, now.silent < 100 && now.frozen < 190);
  });
  await reset(person, other);
}

async function moves(person, other, { source = 'camera', within = 15_000 } = {}) {
  const { frames } = await tileOf(person, other, source);
  await eventually(`${person.name} sees the ${source} of ${other.name} in motion`, async () => {
    const now = await tileOf(person, other, source);
    return expectThat(now, now.width > 0 && (now.frames < frames ? now.frames > 3 : now.frames > frames + 3));
  }, { within });
}

// Nothing stood still or was silent for so long, nor was heard twice, since the last reset.
async function isUnbroken(person, other, { limitMs = 1_000 } = {}) {
  const now = await continuity(person, other);
  const isWell = now.frozen < limitMs && now.silent < limitMs && now.double < 300;
  assert.ok(isWell, `${person.name} of ${other.name}: ${JSON.stringify(now)}`);
  return now;
}

const forwarded = async () => (await weir.metrics()).get('weir_sfu_rtp_forwarded_total');

const sentToServer = (person) => person.tab.evaluate(async () => {
  const stats = await window.notes.connections[0].getStats();
  return [...stats.values()].reduce((sum, { type, packetsSent = 0 }) => (type === 'outbound-rtp' ? sum + packetsSent : sum), 0);
});

// The address that each end of the newest connection sends from and to.
const ends = (person) => person.tab.evaluate(async () => {
  const stats = await window.notes.connections.at(-1).getStats();
  const transport = [...stats.values()].find(({ type }) => type === 'transport');
  const pair = stats.get(transport.selectedCandidatePairId);
  return { local: stats.get(pair.localCandidateId).port, remote: stats.get(pair.remoteCandidateId).port };
});

step('two who are alone see and hear each other directly, and none of the change', async (t) => {
  await Promise.all([begin(ada, blaise), begin(blaise, ada)]);
  await goes('direct');
  await Promise.all([moves(ada, blaise), moves(blaise, ada)]);
  for (const [one, other] of [[ada, blaise], [blaise, ada]])
    t.diagnostic(JSON.stringify(await isUnbroken(one, other)));
});

step('the server gets and forwards nothing then, and each is the other\'s only address', async () => {
  await eventually('the server has nothing to forward', async () => {
    const before = [await forwarded(), await sentToServer(ada), await sentToServer(blaise)];
    await sleep(1_000);
    const now = [await forwarded(), await sentToServer(ada), await sentToServer(blaise)];
    return expectThat([before, now], now.every((count, i) => count === before[i]));
  }, { within: 8_000 });
  await Promise.all([moves(ada, blaise), moves(blaise, ada)]);
  const [one, other] = await Promise.all([ends(ada), ends(blaise)]);
  assert.deepEqual([one.local, one.remote], [other.remote, other.local]);
});

step('mute, camera, screen and another device are what they are over the server', async () => {
  const { track } = await isToldBy(blaise, 'tile', ({ userId, source }) => userId === ada.userId && source === 'camera');
  assert.ok(track);
  await ada.tab.evaluate(async () => {
    await window.client.setCameraEnabled(false);
    await window.client.setMicrophoneEnabled(false);
  });
  await blaise.isTold('video_toggled', { user_id: ada.userId, enabled: false });
  await eventually('Blaise hears nothing', async () => expectThat(null, (await continuity(blaise, ada)).silent > 300));
  await ada.tab.evaluate(async () => {
    await window.client.setCameraEnabled(true);
    await window.client.setMicrophoneEnabled(true);
    await window.client.useDevice('camera', '');
  });
  await moves(blaise, ada);
  await ada.tab.evaluate(() => window.client.startScreenShare());
  await attachTile(blaise, ada, { source: 'screen' });
  await moves(blaise, ada, { source: 'screen' });
  assert.deepEqual([await pathOf(ada), await pathOf(blaise)], ['direct', 'direct']);
  await ada.tab.evaluate(() => window.client.stopScreenShare());
  await eventually('Ada is told that Blaise speaks', async () =>
    ada.tab.evaluate((id) => window.client.speakers.some(({ userId }) => userId === id), blaise.userId));
});

step('a picture that nobody looks at is not sent directly either', async () => {
  const sent = () => ada.tab.evaluate(async () => {
    const stats = await window.notes.connections.at(-1).getStats();
    return [...stats.values()].filter(({ type, kind }) => type === 'outbound-rtp' && kind === 'video').reduce((sum, { framesEncoded = 0 }) => sum + framesEncoded, 0);
  });
  await styleTile(blaise, ada, { display: 'none' });
  await eventually('Ada encodes nothing', async () => {
    const before = await sent();
    await sleep(500);
    return expectThat(before, (await sent()) === before);
  });
  await styleTile(blaise, ada, { display: 'block' });
  await moves(blaise, ada);
});

step('a third comes, and all see and hear all, without a gap', async (t) => {
  for (const [one, other] of [[ada, blaise], [blaise, ada]]) await reset(one, other);
  await enterAs(carl, callId);
  await goes('sfu');
  for (const person of [ada, blaise]) {
    await attachTile(person, carl);
    await attachTile(carl, person);
  }
  await Promise.all(pairs([ada, blaise, carl]).map(([one, other]) => moves(one, other)));
  for (const [one, other] of [[ada, blaise], [blaise, ada]])
    t.diagnostic(JSON.stringify(await isUnbroken(one, other)));
  const connections = await ada.tab.evaluate(() => window.notes.connections.map(({ connectionState }) => connectionState));
  assert.deepEqual(connections.filter((state) => state === 'connected').length, 1);
});

step('they go directly again when the third has left', async (t) => {
  for (const [one, other] of [[ada, blaise], [blaise, ada]]) await reset(one, other);
  await carl.tab.evaluate(() => window.client.leave());
  await goes('direct');
  await Promise.all([moves(ada, blaise), moves(blaise, ada)]);
  for (const [one, other] of [[ada, blaise], [blaise, ada]])
    t.diagnostic(JSON.stringify(await isUnbroken(one, other)));
});

step('when the direct path is cut they are over the server again within two seconds', async (t) => {
  for (const [one, other] of [[ada, blaise], [blaise, ada]]) await reset(one, other);
  await ada.tab.evaluate(() => window.notes.connections.at(-1).close());
  await goes('sfu', { within: 4_000 });
  await Promise.all([moves(ada, blaise), moves(blaise, ada)]);
  for (const [one, other] of [[ada, blaise], [blaise, ada]])
    t.diagnostic(JSON.stringify(await isUnbroken(one, other, { limitMs: 2_000 })));
  await ada.isTold('direct', { user_id: null, reason: 'failed' });
});

step('no page logged an error', async () => {
  assert.deepEqual(people.map((person) => person.tab.errors), people.map(() => []));
  for (const person of [ada, blaise])
    assert.equal(await person.tab.evaluate(() => window.told.filter(({ type }) => type === 'error').length), 0);
});

step('where the server does not allow it, nothing of it happens', async () => {
  await Promise.all(people.map(({ tab }) => tab.close()));
  const plain = await startWeir();
  try {
    const [one, other] = await openPeople(plain.url, 2);
    const id = await one.initiate([other]);
    for (const person of [one, other]) await enterAs(person, id);
    await attachTile(one, other);
    await moves(one, other);
    await sleep(3_000); // It would have begun after two.
    const seen = await one.tab.evaluate(() => ({
      welcome: window.notes.messages.find(({ type }) => type === 'welcome').direct_calls,
      direct: window.notes.messages.filter(({ type }) => type === 'direct').length,
      connections: window.notes.connections.length,
    }));
    assert.deepEqual(seen, { welcome: false, direct: 0, connections: 1 });
    assert.equal(await pathOf(one), 'sfu');
  } finally {
    await plain.stop();
  }
});
