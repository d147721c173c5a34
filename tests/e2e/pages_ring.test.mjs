// A call from its ring to its end, by the buttons of the pages: answered, declined, missed, hung up,
// answered on another device; and what each side is told in words.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launchChromium } from './lib/chromium.mjs';
import { startWeir } from './lib/server.mjs';
import { signedIn } from './lib/tabs.mjs';
import { eventually } from './lib/wait.mjs';

const MINUTE = { timeout: 60_000 };

let weir;
let browser;
let amina;
let jonas;
before(async () => {
  [weir, browser] = await Promise.all([startWeir(), launchChromium()]);
  [amina, jonas] = await Promise.all(['Amina Diallo', 'Jonas Berg'].map((name) => signedIn(browser, weir, name)));
}, { timeout: 60_000 });
after(async () => {
  await browser?.close();
  await weir?.stop();
});

const atHome = async (tab) => {
  await tab.open('/');
  await tab.page.locator('#app').waitFor();
};

// Amina calls Jonas, who has the first page open.
async function ring(callType) {
  await atHome(jonas);
  const call = await amina.call([jonas], callType);
  await amina.enter(call);
  await jonas.page.locator('#ring[open]').waitFor();
  return call;
}

test('a call rings with who it is and what it will be, in the title too, and both meet when it is answered', MINUTE, async () => {
  await ring('VIDEO');
  await jonas.reads('Amina Diallo is calling');
  await jonas.reads('Video call');
  await jonas.page.waitForFunction(() => document.title.includes('Amina Diallo is calling'));
  await amina.reads('Ringing…');
  await amina.shot('outgoing');
  await jonas.shot('incoming');
  await jonas.press('Answer');
  await jonas.isIn();
  await Promise.all([amina.seesPictureOf(jonas), jonas.seesPictureOf(amina)]);
  assert.equal(await amina.page.locator('.ringing').count(), 0);
  await amina.page.click('#leave');
  await jonas.page.click('#leave');
});

test('who answers without video is heard and not seen', MINUTE, async () => {
  await ring('VIDEO');
  await jonas.press('Answer without video');
  await jonas.isIn();
  await jonas.seesPictureOf(amina);
  await jonas.page.locator('#mic[aria-pressed="true"]').waitFor();
  assert.equal(await jonas.page.getAttribute('#camera', 'aria-pressed'), 'false');
  await amina.page.waitForFunction((id) => document.querySelector(`[data-user-id="${id}"]`)?.dataset.video === 'off', jonas.userId);
  await jonas.page.click('#leave');
  await amina.page.click('#leave');
});

test('an audio call opens no camera, and offers none in the ring', MINUTE, async () => {
  await ring('AUDIO');
  await jonas.reads('Audio call');
  assert.equal(await jonas.page.locator('#answer-audio').count(), 0);
  await jonas.press('Answer');
  await jonas.isIn();
  for (const tab of [amina, jonas]) {
    await tab.page.locator('#mic[aria-pressed="true"]').waitFor();
    assert.equal(await tab.page.getAttribute('#camera', 'aria-pressed'), 'false');
  }
  await jonas.page.click('#leave');
  await amina.page.click('#leave');
});

test('a declined call says so to the caller, who can call again', MINUTE, async () => {
  await ring('VIDEO');
  await jonas.press('Decline');
  await jonas.page.locator('#ring').waitFor({ state: 'detached' });
  await amina.reads('Your call was declined');
  await amina.shot('declined');
  await amina.press('Call again');
  await jonas.page.locator('#ring[open]').waitFor();
  await amina.isIn();
  await amina.press('Hang up');
  await jonas.reads('Amina Diallo hung up before you answered');
  await jonas.shot('cancelled');
  assert.equal(await jonas.page.locator('#ring[open]').count(), 0);
  await jonas.page.waitForFunction(() => !document.title.includes('calling'));
});

test('a call that nobody answers is missed: the caller reads it, the callee finds it marked', MINUTE, async (t) => {
  const brief = await startWeir({ args: ['--ring-timeout-s', '6'] });
  const [caller, callee] = await Promise.all(['Amina Diallo', 'Jonas Berg'].map((name) => signedIn(browser, brief, name)));
  t.after(async () => {
    await Promise.all([caller, callee].map((tab) => tab.close()));
    await brief.stop();
  });
  await atHome(callee);
  await caller.enter(await caller.call([callee]));
  await caller.reads('Nobody answered', { within: 25_000 });
  await caller.shot('not-answered');
  await callee.page.locator('#ring').waitFor({ state: 'detached' });
  await callee.page.locator('#missed-count').waitFor();
  await callee.page.click('nav a[data-view="history"]');
  await callee.page.locator('.person.missed').first().waitFor();
  await callee.shot('history-missed');
  assert.match(await callee.page.locator('.person.missed').first().innerText(), /Amina Diallo/);
});

test('answering on one device stops the ringing on the other', MINUTE, async (t) => {
  await atHome(jonas);
  const other = await jonas.context.newPage();
  t.after(() => other.close());
  await other.goto(`${weir.url}/`);
  await other.locator('#app').waitFor();
  await amina.enter(await amina.call([jonas]));
  await Promise.all([jonas.page, other].map((page) => page.locator('#ring[open]').waitFor()));
  await Promise.all([other.getByText('Answered or declined elsewhere').waitFor(), jonas.press('Answer')]);
  assert.equal(await other.locator('#ring[open]').count(), 0);
  await jonas.isIn();
  await jonas.page.click('#leave');
  await amina.page.click('#leave');
});

test('the ringtone sounds, unless it is switched off in the settings', MINUTE, async () => {
  const count = () => jonas.page.evaluate(() => window.notesPlayed);
  await jonas.context.addInitScript(() => {
    window.notesPlayed = 0;
    const { start } = OscillatorNode.prototype;
    OscillatorNode.prototype.start = function (...given) {
      window.notesPlayed++;
      return start.apply(this, given);
    };
  });
  await ring('VIDEO');
  await eventually('it sounds', async () => (await count()) > 0);
  await jonas.press('Decline');
  await jonas.open('/#/settings');
  await jonas.page.click('#set-ringtone');
  await ring('VIDEO');
  assert.equal(await count(), 0);
  await jonas.press('Decline');
  await amina.reads('Your call was declined');
});

test('a hidden tab shows the browser\'s own notification, when that was wished for', MINUTE, async () => {
  await jonas.context.addInitScript(() => {
    window.shownNotes = [];
    window.Notification = class {
      static permission = 'granted';
      static requestPermission = async () => 'granted';
      constructor(title, options) {
        window.shownNotes.push({ title, ...options });
      }
      close() {}
    };
    Object.defineProperty(document, 'hidden', { get: () => true });
  });
  await jonas.open('/#/settings');
  await jonas.page.click('#set-notifications');
  await ring('VIDEO');
  const [note] = await jonas.page.evaluate(() => window.shownNotes);
  assert.equal(note.title, 'Amina Diallo is calling');
  await jonas.press('Decline');
});

test('no page threw', () => assert.deepEqual([...amina.errors, ...jonas.errors], []));
