// What people do in a call, by the buttons of the page: three of them, each in a real page.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launchChromium } from './lib/chromium.mjs';
import { fakeDevices } from './lib/page_devices.mjs';
import { startWeir } from './lib/server.mjs';
import { openTab, signedIn } from './lib/tabs.mjs';
import { eventually } from './lib/wait.mjs';

const HALF_MINUTE = { timeout: 40_000 };
// A tone without a pause counts as speech; Chromium's own fake microphone only beeps.
const speaks = (toneHz, colour) => `(${fakeDevices})(${JSON.stringify({ colour, toneHz })});`;

let weir;
let browser;
let amina;
let jonas;
let mei;
let call;
before(async () => {
  [weir, browser] = await Promise.all([startWeir(), launchChromium({ flags: ['--use-fake-device-for-media-stream=device-count=3'] })]);
  [amina, jonas, mei] = await Promise.all([
    signedIn(browser, weir, 'Amina Diallo'),
    signedIn(browser, weir, 'Jonas Berg', { script: speaks(660, [40, 170, 40]) }),
    openTab(browser, weir, 'Mei Lin', { size: 'phone', theme: 'dark' }),
  ]);
  call = await amina.call([jonas]);
  await Promise.all([amina.enter(call), jonas.enter(call)]);
  await Promise.all([amina.seesPictureOf(jonas), jonas.seesPictureOf(amina)]);
}, { timeout: 60_000 });
after(async () => {
  await browser?.close();
  await weir?.stop();
});

// Chromium's second fake camera is one of depth, whose pictures no encoder takes: the third is a camera again.
const THIRD = 'fake_device_2';

const step = (name, run) => test(name, HALF_MINUTE, run);
const widthOf = async (tab, other) => (await tab.tileOf(other).boundingBox())?.width ?? 0;

step('who follows the link looks into the mirror, sees who is there, and joins under a name', async () => {
  await mei.open(`/calls/${call}/`);
  await mei.page.locator('#lobby-camera[aria-pressed="true"]').waitFor();
  await mei.page.waitForFunction(() => document.querySelector('.preview video').videoWidth > 0);
  await eventually('the level moves', () => mei.page.evaluate(() => document.querySelector('.level meter').value > 0.1), { within: 8_000 });
  await mei.page.click('#lobby-mic');
  await mei.page.locator('#lobby-mic[aria-pressed="false"]').waitFor();
  await mei.shot('lobby');
  await mei.page.fill('#name', 'Mei Lin');
  await mei.page.click('#join');
  await mei.isIn();
  mei.userId = await mei.page.evaluate(() => window.weir.you.userId);
  await Promise.all([amina.seesPictureOf(mei), mei.seesPictureOf(jonas)]);
  assert.equal(await mei.page.getAttribute('#mic', 'aria-pressed'), 'false');
  await mei.shot('call-phone');
});

step('who is signed in and follows the link is told who is in the call', async () => {
  const guest = await signedIn(browser, weir, 'Ravi Patel');
  await guest.open(`/calls/${call}/`);
  await guest.page.locator('#who').getByText(/^In the call: Amina Diallo, Jonas Berg, Mei Lin$/).waitFor();
  await guest.page.locator('select[data-device="camera"] option').nth(2).waitFor({ state: 'attached' });
  await guest.page.selectOption('select[data-device="camera"]', { label: THIRD });
  await guest.page.waitForFunction((label) => document.querySelector('.preview video').srcObject?.getVideoTracks()[0]?.label === label, THIRD);
  await guest.close();
});

step('a raised hand shows on the tile and in the list, until it is lowered', async () => {
  await jonas.page.click('#hand');
  await amina.reads('Jonas Berg raised a hand');
  await amina.tileOf(jonas).locator('.hand:visible').waitFor();
  await amina.page.click('#people');
  assert.match(await amina.page.locator('#people-list li').first().innerText(), /Jonas Berg/);
  await amina.shot('people');
  await jonas.page.click('#hand');
  await amina.tileOf(jonas).locator('.hand').waitFor({ state: 'hidden' });
});

step('a reaction rises from the tile of who sent it', async () => {
  await jonas.page.click('#reactions');
  await jonas.page.getByRole('button', { name: 'Heart' }).click();
  await amina.tileOf(jonas).locator('.reaction').waitFor({ state: 'attached', timeout: 3_000 });
});

step('a chat message is announced where the chat is closed, and is read where it is opened', async () => {
  await jonas.page.click('#chat');
  await jonas.page.fill('#chat-text', 'Notes: https://example.org/notes, <b>as text</b>');
  await jonas.page.press('#chat-text', 'Enter');
  await mei.page.locator('#chat.unread').waitFor();
  await mei.page.click('#chat');
  await mei.page.locator('.bubble', { hasText: '<b>as text</b>' }).waitFor();
  assert.equal(await mei.page.locator('.bubble a').getAttribute('href'), 'https://example.org/notes');
  await mei.shot('chat-phone');
  await mei.page.keyboard.press('Escape');
  await jonas.shot('chat');
  await jonas.page.keyboard.press('Escape');
});

step('a chat that is opened shows what was said last, and stays where one reads while more is said', async () => {
  const say = (texts) => jonas.page.evaluate((list) => list.forEach((text) => window.weir.sendChat(text)), texts);
  await say(Array.from({ length: 30 }, (_, i) => `Line ${i}`));
  await mei.reads(/Jonas Berg: Line 29/);
  await mei.page.click('#chat');
  const last = (text) => mei.page.locator('.bubble', { hasText: text });
  await eventually('the last line is in sight', () => last(/^Line 29$/).evaluate((node) => node.getBoundingClientRect().bottom <= document.querySelector('#chat-form').getBoundingClientRect().top));
  const list = mei.page.locator('#chat-list');
  await list.evaluate((node) => (node.scrollTop = 0));
  await say(['One more']);
  await last('One more').waitFor();
  assert.equal(await list.evaluate((node) => node.scrollTop), 0);
  await mei.page.keyboard.press('Escape');
});

step('a poll is answered by everybody, and everybody sees the count', async () => {
  await amina.pressInMenu('Polls');
  await amina.press('New poll');
  const fields = amina.page.locator('#polls form input');
  for (const [i, text] of ['Where do we eat?', 'Canteen', 'Noodles'].entries()) await fields.nth(i).fill(text);
  await amina.press('Ask everybody');
  await jonas.pressInMenu('Polls');
  await jonas.page.locator('.option', { hasText: 'Noodles' }).click();
  await amina.page.locator('.option', { hasText: 'Noodles' }).click();
  for (const tab of [amina, jonas]) await tab.page.locator('.option', { hasText: 'Noodles' }).getByText('2', { exact: true }).waitFor();
  await amina.shot('polls');
  await Promise.all([amina, jonas].map((tab) => tab.page.keyboard.press('Escape')));
});

step('a timer runs down for everybody', async () => {
  await jonas.pressInMenu('Timer');
  await jonas.page.locator('#timer-menu').getByRole('button', { name: '3 min', exact: true }).click();
  for (const tab of [amina, jonas, mei]) await tab.page.locator('#timer', { hasText: /0(3:00|2:5\d)/ }).waitFor();
});

step('who speaks has a ring, and stands big in the layout for speakers', async () => {
  await amina.page.locator(`.tile.speaking[data-user-id="${jonas.userId}"]`).waitFor({ timeout: 10_000 });
  const before = await widthOf(amina, jonas);
  await amina.page.click('#layout');
  await eventually('Jonas is big', async () => (await widthOf(amina, jonas)) > 1.4 * before);
  await amina.shot('speaker');
  await amina.page.click('#layout');
});

step('a pinned tile is big whoever speaks, until it is let go of', async () => {
  const before = await widthOf(amina, mei);
  await amina.tileOf(mei).hover();
  await amina.press('Pin Mei Lin');
  await eventually('Mei is big', async () => (await widthOf(amina, mei)) > 1.4 * before);
  await amina.shot('pinned');
  await amina.press('Unpin Mei Lin');
  await eventually('Mei is one among others', async () => (await widthOf(amina, mei)) <= before + 2);
});

step('who speaks into a muted microphone is told, and unmuted by one click or by holding the space bar', async () => {
  await jonas.page.click('#mic');
  await jonas.reads('You are speaking, but your microphone is off.');
  await jonas.shot('speaking-muted');
  await jonas.page.locator('#stage').click();
  await jonas.page.keyboard.down(' ');
  await jonas.page.locator('#mic[aria-pressed="true"]').waitFor();
  await jonas.page.keyboard.up(' ');
  await jonas.page.locator('#mic[aria-pressed="false"]').waitFor();
  await jonas.press('Unmute');
  await jonas.page.locator('#mic[aria-pressed="true"]').waitFor();
});

step('a shared screen is big beside the camera; in the camera\'s place it is where the camera was', async () => {
  await jonas.page.click('#screen');
  await amina.seesPictureOf(jonas, 'screen');
  assert.ok((await amina.tileOf(jonas, 'screen').boundingBox()).width > 600);
  await amina.seesPictureOf(jonas);
  await amina.shot('screen');
  await jonas.page.click('#screen');
  await amina.tileOf(jonas, 'screen').waitFor({ state: 'detached' });
  await jonas.pressInMenu('Screen instead of camera');
  await jonas.page.locator('#screen.active').waitFor();
  assert.equal(await amina.tileOf(jonas, 'screen').count(), 0);
  await amina.seesPictureOf(jonas);
  await jonas.page.click('#screen');
  await jonas.page.locator('#screen:not(.active)').waitFor();
});

// The others' decoded frames of somebody's camera.
const decoded = (tab, { userId }) => tab.page.evaluate(async (id) => {
  const { received } = await window.weir.stats();
  return received.find((one) => one.userId === id && one.source === 'camera')?.frames ?? 0;
}, userId);

step('another camera is chosen in mid-call, and the others see what that one sees', async () => {
  const camera = () => amina.page.evaluate(() => {
    const track = window.weir.localTrack('camera');
    return { label: track.label, deviceId: track.getSettings().deviceId };
  });
  const before = await camera();
  await amina.page.evaluate(() => (window.firstCamera = window.weir.localTrack('camera')));
  await amina.page.click('#camera-more');
  await amina.page.locator('#devices-menu option').nth(2).waitFor({ state: 'attached' });
  await amina.shot('devices');
  await amina.page.selectOption('#devices-menu select', { label: THIRD });
  await amina.page.waitForFunction((label) => window.weir.localTrack('camera')?.label === label, THIRD);
  await amina.page.keyboard.press('Escape');
  const now = await camera();
  assert.notEqual(now.deviceId, before.deviceId);
  assert.equal(await amina.page.evaluate(() => window.firstCamera.readyState), 'ended'); // Whatever is seen is the other's.
  for (const tab of [jonas, mei]) {
    const shown = await decoded(tab, amina);
    await eventually(`${tab.name} decodes the other camera`, async () => (await decoded(tab, amina)) > shown + 10);
  }
  await amina.page.click('#camera-more');
  await eventually('the menu shows which it is', async () =>
    (await amina.page.locator('#devices-menu select').inputValue()) === now.deviceId);
  await amina.page.keyboard.press('Escape');
});

step('a picture is taken out of the window, goes on while the page is hidden, and goes back', async () => {
  const outside = () => amina.page.evaluate(() => document.pictureInPictureElement?.closest('[data-user-id]')?.dataset.userId ?? '');
  await amina.tileOf(jonas).hover();
  await amina.press('Pin Jonas Berg');
  await amina.pressInMenu('Picture in picture');
  await eventually('Jonas is outside', async () => (await outside()) === jonas.userId);
  // As in a tab that is not looked at: others' pictures stop, the one outside goes on.
  await amina.page.evaluate(() => {
    Object.defineProperty(document, 'hidden', { get: () => window.isAway, configurable: true });
    window.isAway = true;
    document.dispatchEvent(new Event('visibilitychange'));
  });
  await eventually('Mei stands still', async () => {
    const shown = await decoded(amina, mei);
    await amina.page.waitForTimeout(500);
    return (await decoded(amina, mei)) === shown;
  });
  const shown = await decoded(amina, jonas);
  await eventually('Jonas moves on', async () => (await decoded(amina, jonas)) > shown + 10);
  await amina.page.evaluate(() => {
    window.isAway = false;
    document.dispatchEvent(new Event('visibilitychange'));
  });
  await amina.page.click('#more');
  await amina.shot('picture-in-picture');
  await amina.page.keyboard.press('Escape');
  await amina.pressInMenu('Picture back into the window');
  await eventually('nobody is outside', async () => (await outside()) === '');
  await amina.tileOf(jonas).hover();
  await amina.press('Unpin Jonas Berg');
});

step('the statistics name every track with its rate', async () => {
  await amina.pressInMenu('Statistics');
  await amina.page.locator('#stats tr', { hasText: 'Jonas Berg, camera' }).getByText(/^[1-9]\d*$/).first().waitFor();
  await amina.shot('statistics');
  await amina.page.keyboard.press('Escape');
});

step('the window may be filled with the call', async () => {
  await amina.page.keyboard.press('f');
  await amina.page.waitForFunction(() => document.fullscreenElement !== null);
  await amina.page.keyboard.press('f');
  await amina.page.waitForFunction(() => document.fullscreenElement === null);
});

step('a reload in mid-call comes straight back in', async () => {
  await mei.page.reload();
  await mei.isIn();
  await Promise.all([mei.seesPictureOf(amina), amina.seesPictureOf(mei)]);
});

step('the network test measures for ten seconds and judges by numbers', async () => {
  await amina.pressInMenu('Network test');
  await amina.page.locator('.verdict').waitFor({ timeout: 30_000 });
  const words = await amina.page.locator('#network-dialog').innerText();
  assert.match(words, /UDP/);
  assert.match(words, /TCP works too/);
  assert.match(words, /[\d.]+ Mbit\/s/);
  assert.match(words, /\d+ ms/);
  await amina.shot('network-test');
  await amina.page.keyboard.press('Escape');
});

step('no page threw', () => assert.deepEqual([amina, jonas, mei].map((tab) => tab.errors), [[], [], []]));
