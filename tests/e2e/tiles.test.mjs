// What a page shows decides what it is sent: sizes, hidden tiles, background tabs, pins; and what the
// server tells of it: speakers, quality, why.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launchChromium } from './lib/chromium.mjs';
import { chromiumPerson } from './lib/chromium_tab.mjs';
import { attachTile, enterAs, isToldBy, styleTile, tileOf } from './lib/member.mjs';
import { PEOPLE } from './lib/people.mjs';
import { startWeir } from './lib/server.mjs';
import { eventually, expectThat } from './lib/wait.mjs';

let weir;
let browser;
let people;
let ada;
let blaise;
let carl;

before(async () => {
  weir = await startWeir();
  browser = await launchChromium();
  const all = PEOPLE.slice(0, 3).map((who) => chromiumPerson(browser, who, weir.url, { width: 640, height: 360, fps: 10 }));
  people = await Promise.all((await Promise.all(all)).map((person) => person.signIn()));
  [ada, blaise, carl] = people;
  const callId = await ada.initiate([blaise, carl]);
  for (const person of people) await enterAs(person, callId);
  await attachTile(carl, ada);
  await attachTile(carl, blaise);
}, { timeout: 60_000 });

after(async () => {
  await browser?.close();
  await weir?.stop();
});

const step = (name, run) => test(name, { timeout: 60_000 }, run);

const asked = (person) => person.tab.evaluate(() =>
  window.notes.messages.filter(({ sent, type }) => sent && type === 'subscribe').flatMap(({ slots }) => slots));

const midOf = (person, other) => person.tab.evaluate((userId) => window.client.tile(userId, 'camera').mid, other.userId);

// Waits until the newest wish for the slot of the other's camera is of this kind.
function asks(person, other, what, isRight, { within = 5_000 } = {}) {
  return eventually(`${person.name} asks for ${what}`, async () => {
    const mid = await midOf(person, other);
    const wish = (await asked(person)).filter((slot) => slot.mid === mid).pop();
    return expectThat(wish, wish && isRight(wish));
  }, { within });
}

async function framesGrow(person, other, { within = 10_000 } = {}) {
  const { frames } = await tileOf(person, other);
  return eventually(`${person.name} sees ${other.name} in motion`, async () => {
    const now = await tileOf(person, other);
    return expectThat(now, now.frames >= frames + 5);
  }, { within });
}

function framesStand(person, other, { within = 5_000 } = {}) {
  return eventually(`${person.name} sees ${other.name} stand still`, async () => {
    const { frames } = await tileOf(person, other);
    await new Promise((resolve) => setTimeout(resolve, 500));
    const now = await tileOf(person, other);
    return expectThat(now, now.frames === frames);
  }, { within });
}

const hidePage = (person, isHidden) => person.tab.evaluate((hidden) => {
  Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden });
  document.dispatchEvent(new Event('visibilitychange'));
}, isHidden);

step('a tile asks for its size, and is seen', async () => {
  await framesGrow(carl, ada);
  await asks(carl, ada, 'the size of its tile', (wish) => wish.max_width === 640 && wish.max_height === 368 && !wish.paused);
});

step('a tile that grows asks for more at once, and for less a little later', async () => {
  await styleTile(carl, ada, { width: '200px', height: '112px' });
  await asks(carl, ada, 'less', (wish) => wish.max_height === 112);
  await styleTile(carl, ada, { width: '640px', height: '360px' });
  await asks(carl, ada, 'more', (wish) => wish.max_height === 368, { within: 1_000 });
});

step('dragging a window costs few messages', async () => {
  const before = (await asked(carl)).length;
  await carl.tab.evaluate(async (id) => {
    for (let width = 640; width > 320; width -= 4) {
      document.getElementById(id).style.width = `${width}px`;
      await new Promise(requestAnimationFrame);
    }
  }, `tile-camera-${ada.userId}`);
  await asks(carl, ada, 'the last size', (wish) => wish.max_width === 336);
  const count = (await asked(carl)).length - before;
  assert.ok(count <= 8, `${count} wishes`);
  await styleTile(carl, ada, { width: '640px' });
});

step('a hidden tile is paused and gets nothing, and moves again when it is shown', async () => {
  await styleTile(carl, ada, { display: 'none' });
  await asks(carl, ada, 'nothing', (wish) => wish.paused);
  await framesStand(carl, ada);
  assert.equal(await carl.tab.evaluate((id) => window.client.tile(id, 'camera').paused, ada.userId), 'hidden');
  await framesGrow(carl, blaise);
  await styleTile(carl, ada, { display: 'block' });
  await asks(carl, ada, 'the picture again', (wish) => !wish.paused);
  await framesGrow(carl, ada);
});

step('a tile that is scrolled out of sight is paused', async () => {
  await styleTile(carl, ada, { position: 'absolute', top: '20000px' });
  await asks(carl, ada, 'nothing', (wish) => wish.paused);
  await styleTile(carl, ada, { position: 'static', top: '' });
  await asks(carl, ada, 'the picture again', (wish) => !wish.paused);
});

step('a background tab gets no pictures, and all of them again in front', async () => {
  await hidePage(carl, true);
  await asks(carl, ada, 'nothing', (wish) => wish.paused);
  await asks(carl, blaise, 'nothing', (wish) => wish.paused);
  await framesStand(carl, ada);
  await hidePage(carl, false);
  await Promise.all([framesGrow(carl, ada), framesGrow(carl, blaise)]);
});

step('what is wanted is said again after a dropped connection', async () => {
  await styleTile(carl, ada, { display: 'none' });
  await asks(carl, ada, 'nothing', (wish) => wish.paused);
  const before = (await asked(carl)).length;
  await carl.tab.evaluate(() => window.notes.sockets.at(-1).close());
  const mid = await midOf(carl, ada);
  await eventually('the wish is repeated', async () => {
    const again = (await asked(carl)).slice(before).filter((slot) => slot.mid === mid);
    return expectThat(again, again.length > 0 && again.every(({ paused }) => paused));
  });
  await styleTile(carl, ada, { display: 'block' });
  await asks(carl, ada, 'the picture again', (wish) => !wish.paused);
  await framesGrow(carl, ada);
});

step('a pinned tile is asked for by its track, and no more when it is unpinned', async () => {
  await carl.tab.evaluate((id) => window.client.tile(id, 'camera').pin(), blaise.userId);
  const trackId = await carl.tab.evaluate((id) => window.client.participants.get(id).tracks.get('camera').trackId, blaise.userId);
  await asks(carl, blaise, 'its track', (wish) => wish.track_id === trackId);
  await carl.tab.evaluate((id) => window.client.tile(id, 'camera').unpin(), blaise.userId);
  await asks(carl, blaise, 'no track', (wish) => wish.track_id === null);
  await framesGrow(carl, blaise);
});

step('speakers are those who make a sound, and the tone of who is muted is not among them', async () => {
  const speaks = (who) => ({ speakers }) => speakers.some(({ userId }) => userId === who.userId);
  await ada.tab.evaluate(() => window.client.setMicrophoneEnabled(false));
  await isToldBy(carl, 'speakers', (detail) => speaks(blaise)(detail) && !speaks(ada)(detail), { within: 15_000 });
  await ada.tab.evaluate(() => window.client.setMicrophoneEnabled(true));
  await blaise.tab.evaluate(() => window.client.setMicrophoneEnabled(false));
  await eventually('Carl is told that Ada speaks and Blaise does not', async () => {
    const now = await carl.tab.evaluate(() => window.client.speakers.map(({ userId }) => userId));
    return expectThat(now, now.includes(ada.userId) && !now.includes(blaise.userId));
  }, { within: 15_000 });
  await carl.tab.evaluate(() => window.client.setMicrophoneEnabled(false));
  // Whether she is dominant is another matter: a tone that never changes is noise in the end.
  await isToldBy(carl, 'speakers', ({ speakers }) => speakers.length === 1 && speakers[0].userId === ada.userId, { within: 15_000 });
  assert.equal(await carl.tab.evaluate((id) => window.client.participants.get(id).isSpeaking, ada.userId), true);
  for (const person of [blaise, carl]) await person.tab.evaluate(() => window.client.setMicrophoneEnabled(true));
});

step('what is heard and seen says when it was made', async () => {
  await carl.tab.evaluate((userId) => {
    const audio = document.body.appendChild(document.createElement('audio'));
    window.client.tile(userId, 'microphone').attach(audio);
  }, ada.userId);
  await eventually('both kinds carry capture times', async () => {
    const kinds = await carl.tab.evaluate(() => window.notes.connections[0].getReceivers().flatMap((receiver) =>
      receiver.getSynchronizationSources().filter(({ captureTimestamp }) => captureTimestamp > 0).map(() => receiver.track.kind)));
    return expectThat(kinds, kinds.includes('audio') && kinds.includes('video'));
  });
});

step('a microphone is sent with redundancy, and heard as it is', async () => {
  const codecs = await ada.tab.evaluate(async () => {
    const { sent } = await window.client.stats();
    const sdp = window.notes.connections[0].remoteDescription.sdp;
    return { bytes: sent.find(({ kind }) => kind === 'audio').bytes > 0, first: /^m=audio \S+ \S+ (\d+)/m.exec(sdp)[1], red: /a=rtpmap:(\d+) red\/48000\/2/.exec(sdp)[1] };
  });
  assert.equal(codecs.first, codecs.red);
});

step('why says what a slot is wanted for, what there is, and what it gets', async () => {
  const answer = await eventually('a slot with a choice', async () => {
    const why = await carl.tab.evaluate(() => window.client.why());
    const found = why.slots.find(({ user_id, kind }) => user_id === ada.userId && kind === 'video');
    expectThat(why, found?.available.length > 0 && found.chosen, 'no choice');
    return { why, found };
  });
  assert.equal(answer.why.user_id, carl.userId);
  assert.ok(answer.why.estimate.bps > 0);
  assert.equal(answer.found.wish.max_width, 640);
  assert.ok(answer.found.available.some(({ rid }) => rid === answer.found.chosen.rid));
  assert.equal(typeof answer.found.reason, 'string');
  const other = await ada.tab.evaluate((id) => window.client.why(id), carl.userId);
  assert.equal(other.user_id, carl.userId);
});

step('hands, reactions, a timer, polls and signals of any kind reach the others', async () => {
  await ada.tab.evaluate(() => {
    window.client.raiseHand(true);
    window.client.react('👍');
    window.client.startTimer(60);
    window.client.createPoll({ question: 'Tea?' });
    window.client.signal('cursor', { x: 1 });
  });
  await isToldBy(carl, 'hand', ({ userId, raised }) => userId === ada.userId && raised);
  await isToldBy(carl, 'reaction', ({ emoji }) => emoji === '👍');
  await isToldBy(carl, 'timer', ({ timer }) => timer?.userId === ada.userId);
  await isToldBy(carl, 'poll', ({ poll }) => poll.question === 'Tea?');
  await isToldBy(carl, 'signal', ({ kind, data }) => kind === 'cursor' && data.x === 1);
  assert.equal(await carl.tab.evaluate((id) => window.client.participants.get(id).handRaised, ada.userId), true);
});

step('quality is told of everybody', async () => {
  await isToldBy(carl, 'quality', ({ userId, score }) => userId === ada.userId && score >= 1 && score <= 5, { within: 20_000 });
});

step('no page logged an error', () => {
  assert.deepEqual(people.map((person) => person.tab.errors), people.map(() => []));
});

step('the initiator removes somebody, who is told so and cannot come back', async () => {
  await ada.tab.evaluate((id) => window.client.remove(id), carl.userId);
  const { reason } = await isToldBy(carl, 'connection', ({ state }) => state === 'closed');
  assert.equal(reason.code, 'removed');
  await isToldBy(blaise, 'participant-left', ({ participant }) => participant.userId === carl.userId);
  const again = await carl.tab.evaluate(async () => {
    const { WeirClient } = await import('/static/weir-client.js');
    const callId = window.notes.sockets[0].url.split('/')[5];
    return new WeirClient({ callId }).join().then(() => 'in', (error) => error.code);
  });
  assert.equal(again, 'removed');
});
