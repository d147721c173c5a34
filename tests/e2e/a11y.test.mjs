// Everybody can use the pages: axe-core finds nothing on any of them, neither light on a large screen
// nor dark on a phone; and the keyboard alone is enough.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launchChromium } from './lib/chromium.mjs';
import { startWeir } from './lib/server.mjs';
import { signedIn, openTab } from './lib/tabs.mjs';

const LOOKS = [['desktop', 'light'], ['phone', 'dark']];
const MINUTE = { timeout: 60_000 };

let weir;
let browser;
before(async () => { [weir, browser] = await Promise.all([startWeir(), launchChromium()]); }, { timeout: 60_000 });
after(async () => {
  await browser?.close();
  await weir?.stop();
});

// Keeps a picture of what is there, and asks axe-core about it.
async function check(tab, name) {
  await tab.shot(name);
  assert.deepEqual(await tab.obstacles(), [], name);
}

for (const [size, theme] of LOOKS) {
  const look = `${size}-${theme}`;

  test(`the first page is open to everybody (${look})`, MINUTE, async (t) => {
    const stranger = await openTab(browser, weir, 'Amina', { size, theme });
    t.after(() => stranger.close());
    await stranger.open('/');
    await stranger.page.locator('#name').waitFor();
    await check(stranger, `welcome-${look}`);
    await stranger.page.fill('#name', 'Amina Diallo');
    await stranger.page.press('#name', 'Enter');
    for (const view of ['channels', 'people', 'history', 'settings']) {
      await stranger.page.click(`nav a[data-view="${view}"]`);
      await stranger.page.getByRole('heading', { level: 1 }).waitFor();
      await stranger.page.waitForTimeout(200);
      await check(stranger, `${view}-${look}`);
    }
    await stranger.page.click('#open-link');
    await check(stranger, `open-link-${look}`);
    assert.deepEqual(stranger.errors, []);
  });

  test(`a call is open to everybody, from its ring to its end (${look})`, MINUTE, async (t) => {
    const [amina, jonas] = [await signedIn(browser, weir, 'Amina Diallo', { size, theme }), await signedIn(browser, weir, 'Jonas Berg', { size, theme })];
    t.after(() => Promise.all([amina.close(), jonas.close()]));
    await jonas.open('/');
    await jonas.page.locator('#app').waitFor();
    const call = await amina.call([jonas]);
    await amina.enter(call);
    await amina.reads(/Ringing…/);
    await check(amina, `calling-${look}`);
    await jonas.page.locator('#answer').waitFor();
    await check(jonas, `ring-${look}`);
    await jonas.page.click('#answer');
    await jonas.isIn();
    await amina.seesPictureOf(jonas);
    await check(amina, `call-${look}`);
    for (const panel of ['people', 'chat']) {
      await amina.page.click(`#${panel}`);
      await check(amina, `${panel}-panel-${look}`);
      await amina.page.keyboard.press('Escape');
    }
    await amina.page.click('#more');
    await check(amina, `more-${look}`);
    await amina.page.keyboard.press('Escape');
    for (const [name, file] of [['Polls', 'polls'], ['Statistics', 'stats']]) {
      await amina.pressInMenu(name);
      await amina.page.waitForTimeout(file === 'stats' ? 1_200 : 100);
      await check(amina, `${file}-${look}`);
      await amina.page.keyboard.press('Escape');
    }
    await amina.page.click('#leave');
    await amina.reads('You left the call');
    await check(amina, `left-${look}`);
    assert.deepEqual([...amina.errors, ...jonas.errors], []);
  });

  test(`the lobby and the page for developers are open to everybody (${look})`, MINUTE, async (t) => {
    const [host, guest] = [await signedIn(browser, weir, 'Amina Diallo'), await openTab(browser, weir, 'Mei Lin', { size, theme })];
    t.after(() => Promise.all([host.close(), guest.close()]));
    const call = await host.call([]);
    await guest.open(`/calls/${call}/`);
    await guest.page.locator('#lobby-camera[aria-pressed="true"]').waitFor();
    await check(guest, `lobby-${look}`);
    await guest.open('/docs/client');
    await guest.reads('new WeirClient(');
    await check(guest, `docs-${look}`);
    assert.deepEqual(guest.errors, []);
  });
}

test('the keyboard alone answers a call, mutes, writes and leaves', MINUTE, async (t) => {
  const [amina, jonas] = [await signedIn(browser, weir, 'Amina Diallo'), await signedIn(browser, weir, 'Jonas Berg')];
  t.after(() => Promise.all([amina.close(), jonas.close()]));
  await jonas.open('/');
  await jonas.page.locator('#app').waitFor();
  await amina.enter(await amina.call([jonas]));
  await jonas.page.locator('#answer').waitFor();
  await jonas.page.keyboard.press('Enter');
  await jonas.isIn();
  const { keyboard } = jonas.page;
  await jonas.seesPictureOf(amina);
  await keyboard.press('m');
  await amina.page.waitForFunction((id) => document.querySelector(`[data-user-id="${id}"]`)?.dataset.audio === 'off', jonas.userId);
  await keyboard.press('c');
  await keyboard.type('m is only a letter here');
  await keyboard.press('Enter');
  await amina.reads(/m is only a letter here/);
  await keyboard.press('Escape');
  assert.equal(await jonas.page.evaluate(() => document.activeElement.id), 'chat');
  await keyboard.press('?');
  await jonas.reads('Hold to speak while muted');
  await jonas.shot('keys');
  await keyboard.press('Escape');
  await jonas.page.locator('#leave').focus();
  await keyboard.press('Enter');
  await jonas.reads('You left the call');
  assert.equal(await jonas.page.evaluate(() => document.activeElement.textContent), 'You left the call');
});

test('who switches single keys off in the settings is left alone by them', MINUTE, async (t) => {
  const amina = await signedIn(browser, weir, 'Amina Diallo');
  t.after(() => amina.close());
  await amina.open('/#/settings');
  await amina.page.click('#set-shortcuts');
  await amina.enter(await amina.call([]));
  await amina.page.locator('#mic[aria-pressed="true"]').waitFor();
  await amina.page.keyboard.press('m');
  await amina.page.waitForTimeout(300);
  assert.equal(await amina.page.getAttribute('#mic', 'aria-pressed'), 'true');
});
