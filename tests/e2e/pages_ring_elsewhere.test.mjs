// A call reaches people wherever they are on these pages: reading the documentation, before another
// call, in another call, in several tabs at once.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launchChromium } from './lib/chromium.mjs';
import { startWeir } from './lib/server.mjs';
import { openTab, signedIn } from './lib/tabs.mjs';
import { eventually } from './lib/wait.mjs';

const MINUTE = { timeout: 60_000 };
// How many notes have been played, of a ringtone or a chime.
const COUNTS_NOTES = `{
  window.notesPlayed = 0;
  const { start } = OscillatorNode.prototype;
  OscillatorNode.prototype.start = function (...given) {
    window.notesPlayed++;
    return start.apply(this, given);
  };
}`;
const CHIME_NOTES = 6;

let weir;
let browser;
let amina;
let mei;
before(async () => {
  [weir, browser] = await Promise.all([startWeir(), launchChromium()]);
  [amina, mei] = await Promise.all([signedIn(browser, weir, 'Amina Diallo'), signedIn(browser, weir, 'Mei Lin')]);
}, { timeout: 60_000 });
after(async () => {
  await browser?.close();
  await weir?.stop();
});

const step = (name, run) => test(name, MINUTE, run);

async function jonasIn(t, options) {
  const tab = await signedIn(browser, weir, 'Jonas Berg', { script: COUNTS_NOTES, ...options });
  t.after(async () => {
    assert.deepEqual(tab.errors, []);
    await tab.close();
  });
  return tab;
}

const secondPage = async (tab, path) => {
  const page = await tab.context.newPage();
  await page.goto(`${weir.url}${path}`);
  return page;
};

// Jonas is in a call with Mei.
async function inCallWithMei(jonas) {
  const call = await mei.call([jonas]);
  await Promise.all([mei.enter(call), jonas.enter(call)]);
  await jonas.seesPictureOf(mei);
  return call;
}

const notes = (page) => page.evaluate(() => window.notesPlayed);

step('who reads the page for developers is called, and answers from there', async (t) => {
  const jonas = await jonasIn(t);
  await jonas.open('/docs/client');
  await jonas.reads('new WeirClient(');
  const call = await amina.call([jonas]);
  await jonas.reads('Amina Diallo is calling');
  assert.deepEqual(await jonas.obstacles(), []);
  await jonas.shot('ring-docs');
  await jonas.press('Answer');
  await jonas.isIn();
  assert.ok(jonas.page.url().includes(call));
});

step('who stands before one call is called to another; but not to the one before whose door they stand', async (t) => {
  const jonas = await jonasIn(t);
  const meeting = await mei.call([]);
  await jonas.open(`/calls/${meeting}/`);
  await jonas.page.locator('#lobby-camera').waitFor();
  const first = await amina.call([jonas]);
  await jonas.reads('Amina Diallo is calling');
  await jonas.shot('ring-lobby');
  await jonas.press('Decline');
  await jonas.page.locator('#ring').waitFor({ state: 'detached' });
  const { participants } = await amina.request('GET', `/calls/${first}/status/`);
  assert.equal(participants.find(({ user_id }) => user_id === jonas.userId).status, 'REJECTED');
  assert.equal(await jonas.page.locator('#join').isVisible(), true);
  const second = await amina.call([jonas]);
  await jonas.page.locator('#ring').waitFor();
  await jonas.open(`/calls/${second}/?lobby`);
  await jonas.page.locator('#lobby-camera').waitFor();
  await jonas.page.waitForTimeout(500); // It would be told at once.
  assert.equal(await jonas.page.locator('#ring').count(), 0);
  await amina.request('POST', `/calls/${second}/end/`);
});

step('who is in a call is told in a line, without a ringtone, and may decline and go on', async (t) => {
  const jonas = await jonasIn(t);
  await inCallWithMei(jonas);
  await jonas.page.click('#chat');
  const before = await notes(jonas.page);
  const call = await amina.call([jonas], 'AUDIO');
  await jonas.page.locator('#ring-line').getByText('Amina Diallo is calling').waitFor();
  await jonas.reads('Audio call');
  assert.equal(await jonas.page.locator('#ring').count(), 0);
  assert.equal(await jonas.page.evaluate(() => document.activeElement.id), 'chat-text'); // One may be writing.
  await jonas.page.waitForTimeout(2_600); // A ringtone would begin again.
  assert.equal((await notes(jonas.page)) - before, CHIME_NOTES);
  assert.deepEqual(await jonas.obstacles(), []);
  await jonas.shot('ring-in-call');
  await jonas.press('Decline');
  await jonas.page.locator('#ring-line').waitFor({ state: 'detached' });
  const { status } = await amina.request('GET', `/calls/${call}/status/`).then(({ participants }) => participants.find(({ user_id }) => user_id === jonas.userId));
  assert.equal(status, 'REJECTED');
  assert.equal(await jonas.page.evaluate(() => window.weir.state), 'connected');
  await jonas.page.click('#leave');
});

step('who is in a call leaves it by one click and answers the other; a call that is given up is gone from the line', async (t) => {
  const jonas = await jonasIn(t, { size: 'phone', theme: 'dark' });
  await inCallWithMei(jonas);
  const given = await amina.call([jonas]);
  await jonas.page.locator('#ring-line').waitFor();
  await amina.request('POST', `/calls/${given}/end/`);
  await jonas.reads('Amina Diallo hung up before you answered');
  await jonas.page.locator('#ring-line').waitFor({ state: 'detached' });
  await amina.enter(await amina.call([jonas]));
  await jonas.page.locator('#ring-line').waitFor();
  assert.deepEqual(await jonas.obstacles(), []);
  await jonas.shot('ring-in-call-phone');
  await jonas.press('Leave this one and answer');
  await jonas.seesPictureOf(amina);
  await mei.tileOf(jonas).waitFor({ state: 'detached' });
  await jonas.page.click('#leave');
});

step('a call that rings in the line while the other one ends rings as anywhere then', async (t) => {
  const jonas = await jonasIn(t);
  await inCallWithMei(jonas);
  const call = await amina.call([jonas]);
  await jonas.page.locator('#ring-line').waitFor();
  await jonas.page.click('#leave');
  await jonas.reads('Amina Diallo is calling');
  await jonas.page.locator('#ring[open]').waitFor();
  assert.equal(await jonas.page.locator('#ring-line').count(), 0);
  await jonas.press('Answer without video');
  await jonas.isIn();
  assert.ok(jonas.page.url().includes(call));
});

step('of several tabs one sounds, all show the call, and what is done in one holds for all', async (t) => {
  const jonas = await jonasIn(t);
  await jonas.open('/');
  await jonas.page.locator('#app').waitFor();
  const other = await secondPage(jonas, '/docs/client');
  for (const page of [jonas.page, other]) await page.locator('h1:visible').first().click();
  const call = await amina.call([jonas]);
  for (const page of [jonas.page, other]) await page.locator('#ring[open]').waitFor();
  await eventually('it sounds', async () => (await notes(jonas.page)) + (await notes(other)) > 0);
  await jonas.page.waitForTimeout(500);
  const counts = [await notes(jonas.page), await notes(other)];
  assert.equal(counts.filter((count) => count > 0).length, 1, `${counts}`);
  await other.getByRole('button', { name: 'Decline' }).click();
  await jonas.reads('Answered or declined elsewhere');
  assert.equal(await jonas.page.locator('#ring').count(), 0);
  await amina.request('POST', `/calls/${call}/end/`).catch(() => {});
});

step('while one tab is in a call the others are silent', async (t) => {
  const jonas = await jonasIn(t);
  await inCallWithMei(jonas);
  const other = await secondPage(jonas, '/');
  await other.locator('#app').waitFor();
  await other.locator('h1:visible').first().click();
  await amina.call([jonas]);
  await other.locator('#ring[open]').waitFor();
  await jonas.page.locator('#ring-line').waitFor();
  await other.waitForTimeout(1_000);
  assert.equal(await notes(other), 0);
  await jonas.press('Decline');
  await other.getByText('Answered or declined elsewhere').waitFor();
  await jonas.page.click('#leave');
});

step('a guest who came by a link can be called from then on', async (t) => {
  const guest = await openTab(browser, weir, 'Ravi Patel');
  t.after(() => guest.close());
  await guest.open(`/calls/${await mei.call([])}/`);
  await guest.page.fill('#name', 'Ravi Patel');
  await guest.page.click('#join');
  await guest.isIn();
  guest.userId = await guest.page.evaluate(() => window.weir.you.userId);
  await amina.call([guest]);
  await guest.page.locator('#ring-line').getByText('Amina Diallo is calling').waitFor();
});
