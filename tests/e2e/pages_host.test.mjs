// The pages as a host application opens them: with a token of its own behind the hash. Calls between
// two of its users, and what they read whose token has run out, is wrong, or is for another call.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { SECRET, token, User } from './lib/api.mjs';
import { launchChromium } from './lib/chromium.mjs';
import { scratch, startWeir } from './lib/server.mjs';
import { openTab } from './lib/tabs.mjs';
import { TcpProxy } from './lib/tcp_proxy.mjs';
import { eventually } from './lib/wait.mjs';

const MINUTE = { timeout: 60_000 };
const LEEWAY_S = 60; // That the server gives every token.
const now = () => Math.floor(Date.now() / 1000);
const AMINA = { sub: 'amina', name: 'Amina Diallo' };
const JONAS = { sub: 'jonas', name: 'Jonas Berg' };
const tokenFor = (claims, options) => token({ exp: now() + 3_600, ...claims }, options);

let weir;
let browser;
before(async () => {
  const file = path.join(scratch('secret'), 'secret');
  writeFileSync(file, SECRET);
  [weir, browser] = await Promise.all([startWeir({ demo: false, args: ['--secret-file', file] }), launchChromium()]);
}, { timeout: 60_000 });
after(async () => {
  await browser?.close();
  await weir?.stop();
});

const step = (name, run) => test(name, MINUTE, run);

async function using(t, { sub, name }, options) {
  const tab = await openTab(browser, weir, name, options);
  tab.userId = sub;
  t.after(async () => {
    assert.deepEqual(tab.errors, []);
    await tab.close();
  });
  return tab;
}

const initiate = (claims, others) => new User(weir.url, tokenFor(claims)).initiate(others);

step('the first page shows what the host has not, and keeps the token to itself', async (t) => {
  const tab = await using(t, AMINA);
  const call = await initiate(JONAS, ['amina']);
  await new User(weir.url, tokenFor(JONAS)).post(`/calls/${call}/end/`);
  await tab.open(`/#token=${tokenFor(AMINA)}`);
  await tab.reads('Amina Diallo');
  assert.doesNotMatch(tab.page.url(), /token/);
  assert.deepEqual(await tab.page.locator('nav a:visible').allInnerTexts(), ['History', 'Settings']);
  await tab.page.locator('.person', { hasText: 'Jonas Berg' }).waitFor();
  await tab.shot('host-home');
  await tab.page.reload();
  await tab.reads('Amina Diallo');
  assert.deepEqual(await tab.obstacles(), []);
  await tab.page.click('nav a[data-view="settings"]');
  await tab.reads('Signed in as Amina Diallo');
  assert.equal(await tab.page.getByRole('button', { name: 'Use another name' }).count(), 0);
});

step('two users of the host call each other: it rings, is answered, and is seen by both', async (t) => {
  const [amina, jonas] = [await using(t, AMINA), await using(t, JONAS)];
  await jonas.open(`/#token=${tokenFor(JONAS)}`);
  await jonas.page.locator('#app').waitFor();
  const call = await initiate(AMINA, ['jonas']);
  await amina.open(`/calls/${call}/#token=${tokenFor(AMINA)}`);
  await amina.isIn();
  assert.doesNotMatch(amina.page.url(), /token/);
  await jonas.press('Answer');
  await Promise.all([amina.seesPictureOf(jonas), jonas.seesPictureOf(amina)]);
  await jonas.page.click('#chat');
  await jonas.page.fill('#chat-text', 'Hello from the host');
  await jonas.page.press('#chat-text', 'Enter');
  await amina.reads(/Hello from the host/);
  await amina.page.reload();
  await Promise.all([amina.seesPictureOf(jonas), jonas.seesPictureOf(amina)]);
  for (const tab of [amina, jonas]) await tab.page.click('#leave');
});

// The server looks at a token when somebody comes. Whoever is in stays in; whoever has to come again does not.
step('a token that runs out in mid-call ends nothing, until the connection breaks: then in words', async (t) => {
  const proxy = await TcpProxy.open(weir.port);
  t.after(() => proxy.close());
  const [amina, jonas] = [await using(t, AMINA), await using(t, JONAS, { origin: proxy.url })];
  const call = await initiate(AMINA, ['jonas']);
  await amina.open(`/calls/${call}/#token=${tokenFor(AMINA)}`);
  const brief = tokenFor({ ...JONAS, exp: now() - LEEWAY_S + 12 });
  await jonas.open(`/calls/${call}/#token=${brief}`);
  await Promise.all([amina.seesPictureOf(jonas), jonas.seesPictureOf(amina)]);
  await eventually('the token has run out', async () => (await new User(weir.url, brief).get('/api/v1/me/')).status === 401, { within: 20_000, every: 500 });
  await jonas.page.click('#mic');
  await amina.page.waitForFunction(() => document.querySelector('[data-user-id="jonas"]')?.dataset.audio === 'off');
  proxy.cutWebSockets();
  proxy.restore();
  await jonas.reads(/Your admission has run out\. Open the call again from the application/, { within: 25_000 });
  await jonas.shot('host-expired');
  assert.deepEqual(await jonas.obstacles(), []);
});

const isTurnedAway = async (tab, where, words) => {
  await tab.open(where);
  await tab.reads('You are not let in');
  await tab.reads(words);
};

step('a token that has run out, that is wrong, or that is for another call: each in its words', async (t) => {
  const tab = await using(t, AMINA, { size: 'phone' });
  const call = await initiate(AMINA, ['jonas']);
  const other = tokenFor({ ...AMINA, call: '12345678-9abc-4def-8123-456789abcdef' });
  const rows = [
    [`/calls/${call}/#token=${token({ ...AMINA, exp: now() - 2 * LEEWAY_S })}`, /has run out/],
    [`/calls/${call}/?2#token=${tokenFor(AMINA, { secret: 'of somebody else, but as long as ours is' })}`, /is not valid on this server/],
    [`/calls/${call}/?3#token=${other}`, /is for another call/],
    [`/calls/${call}/?4#token=nonsense`, /is not valid on this server/],
    [`/?5#token=${token({ ...AMINA, exp: now() - 2 * LEEWAY_S })}`, /has run out/],
    ['/?6#token=nonsense', /is not valid on this server/],
  ];
  for (const [where, words] of rows) {
    await isTurnedAway(tab, where, words);
    assert.equal(await tab.page.getByRole('button', { name: 'Join again' }).count(), 0, where);
  }
  await tab.shot('host-turned-away');
  await tab.open(`/calls/${call}/?7#token=${tokenFor({ sub: 'stranger' })}`);
  await tab.reads(/You are not invited to this call/);
});

step('a token for this call alone opens this call, and asks no more for what it does not open', async (t) => {
  const tab = await using(t, JONAS);
  const call = await initiate(AMINA, ['jonas']);
  const closed = [];
  tab.page.on('websocket', (socket) => socket.on('close', () => closed.push(socket.url())));
  await tab.open(`/calls/${call}/#token=${tokenFor({ ...JONAS, call })}`);
  await tab.isIn();
  await tab.page.waitForTimeout(2_500); // It would have tried again.
  assert.equal(closed.filter((url) => url.includes('/ws/notifications/')).length, 1);
});

step('who comes without a token, and tries a name, is told whose server this is', async (t) => {
  const tab = await using(t, { sub: '', name: 'Nobody' });
  const words = /This server belongs to an application/;
  await tab.open('/');
  await tab.page.fill('#name', 'Nobody');
  await tab.page.click('#go');
  await tab.reads(words);
  await tab.open(`/calls/${await initiate(AMINA, [])}/`);
  await tab.page.fill('#name', 'Nobody');
  await tab.page.click('#join');
  await tab.reads(words);
});
