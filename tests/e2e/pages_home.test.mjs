// The first page: signing in, meetings by link, channels, people, history, settings, and the page for
// developers. Where there are to be many people or channels they are played to the page as the
// interface describes them; one channel, and a history, are the real server's.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launchChromium } from './lib/chromium.mjs';
import { startWeir } from './lib/server.mjs';
import { openTab, signedIn } from './lib/tabs.mjs';

const HALF_MINUTE = { timeout: 40_000 };
const USERS = ['Jonas Berg', 'Mei Lin', 'Tomás Vega', 'Ingrid Holm', 'Ravi Patel'].map((name, i) => ({ user_id: `u${i}`, name, online: i < 3 }));
const CALL = '12345678-9abc-4def-8123-456789abcdef';
const CHANNELS = [
  { id: 'design', name: 'Design', is_member: true, member_count: 5, online_count: 3, call_id: null, call_type: null, members: USERS },
  { id: 'support', name: 'Support', is_member: true, member_count: 3, online_count: 1, call_id: CALL, call_type: 'VIDEO', members: USERS.slice(2) },
  { id: 'lunch', name: 'Lunch', is_member: false, member_count: 2, online_count: 2, call_id: null, call_type: null, members: USERS.slice(0, 2) },
];

let weir;
let browser;
before(async () => { [weir, browser] = await Promise.all([startWeir(), launchChromium()]); }, { timeout: 60_000 });
after(async () => {
  await browser?.close();
  await weir?.stop();
});

const step = (name, run) => test(name, HALF_MINUTE, run);

async function using(t, name, options) {
  const tab = await signedIn(browser, weir, name, options);
  t.after(() => tab.close());
  return tab;
}

const pathOf = (route) => new URL(route.request().url()).pathname.split('/').filter(Boolean);

// Answers for the server; returns what was asked to change.
async function play(tab, { users = USERS, channels = CHANNELS } = {}) {
  const asked = [];
  const all = structuredClone(channels);
  await tab.page.route('**/api/v1/users/**', (route) => {
    const search = (new URL(route.request().url()).searchParams.get('search') ?? '').toLowerCase();
    const found = users.filter(({ name }) => name.toLowerCase().includes(search));
    route.fulfill({ json: { count: found.length, page: 1, pages: 1, users: found } });
  });
  await tab.page.route('**/api/v1/channels/**', (route) => {
    const [, , , id, action] = pathOf(route);
    const isChange = route.request().method() === 'POST';
    const channel = all.find((one) => one.id === id);
    if (isChange) asked.push([id ?? 'create', action, route.request().postDataJSON()]);
    if (isChange && !id) {
      const { name } = route.request().postDataJSON();
      if (all.some((one) => one.name === name)) return route.fulfill({ status: 409, json: { success: false, error: 'There is a channel of this name', code: 'name_taken' } });
      all.push({ id: 'new', name, is_member: true, member_count: 1, online_count: 1, call_id: null, members: [] });
      return route.fulfill({ status: 201, json: { channel: all.at(-1) } });
    }
    if (action) channel.is_member = action === 'join';
    return route.fulfill({ json: id ? { channel } : { channels: all } });
  });
  await tab.page.route('**/calls/initiate/', (route) => {
    asked.push(['initiate', route.request().postDataJSON()]);
    return route.fulfill({ json: { success: true, call_id: CALL, room_id: CALL } });
  });
  return asked;
}

step('a name is all it takes to come in, and it is remembered', async (t) => {
  const tab = await openTab(browser, weir, 'Amina Diallo');
  t.after(() => tab.close());
  await tab.open('/');
  await tab.page.fill('#link', 'no link at all');
  await tab.page.click('#join');
  await tab.reads(/That is no link of a call/);
  await tab.page.fill('#name', 'Amina Diallo');
  await tab.press('Sign in');
  await tab.page.locator('#me').getByText('Amina Diallo').waitFor();
  await tab.page.reload();
  await tab.page.locator('#me').getByText('Amina Diallo').waitFor();
});

step('a meeting is one click away, and whoever has its link comes in', async (t) => {
  const [host, guest] = [await using(t, 'Amina Diallo'), await using(t, 'Jonas Berg')];
  await host.open('/');
  await host.press('New meeting');
  await host.isIn();
  await host.reads('Nobody else is here yet');
  const link = await host.page.locator('.invitation code').innerText();
  assert.equal(link, host.page.url());
  await guest.open('/');
  await guest.page.click('#open-link');
  await guest.page.fill('#ask input', link);
  await guest.page.press('#ask input', 'Enter');
  await guest.page.click('#lobby button#join');
  await guest.isIn();
  await host.seesPictureOf(guest);
  assert.equal(await host.page.locator('.invitation').count(), 0);
});

step('a channel shows its members and who is online; its buttons call everybody in it', async (t) => {
  const tab = await using(t, 'Amina Diallo');
  const asked = await play(tab);
  await tab.open('/');
  await tab.reads('Choose a channel');
  await tab.page.click('#channel-design');
  await tab.page.locator('.detail-pane').getByText('Ravi Patel').waitFor();
  assert.deepEqual(await tab.page.locator('.detail-pane .person b').allInnerTexts(), ['Jonas Berg', 'Mei Lin', 'Tomás Vega', 'Ingrid Holm', 'Ravi Patel']);
  assert.equal(await tab.page.locator('.detail-pane .face.online').count(), 3);
  await tab.shot('channel');
  await tab.press('Audio call');
  await tab.page.waitForURL(`**/calls/${CALL}/**`);
  assert.deepEqual(asked, [['initiate', { call_type: 'AUDIO', channel_id: 'design' }]]);
});

step('a channel in which a call is on offers to join it; one that is not one\'s own, to become a member', async (t) => {
  const tab = await using(t, 'Amina Diallo');
  const asked = await play(tab);
  await tab.open('/#/channels/lunch');
  await tab.page.click('#join-channel');
  await tab.page.locator('#call-video').waitFor();
  assert.deepEqual(asked.map(([id, action]) => [id, action]), [['lunch', 'join']]);
  await tab.page.click('#channel-support');
  await tab.page.locator('#join-call').waitFor();
  assert.equal(await tab.page.locator('#call-video').count(), 0);
  await tab.shot('channel-running');
  await tab.page.click('#join-call');
  await tab.page.waitForURL(`**/calls/${CALL}/**`);
});

step('a new channel is created by its name, and a name that is taken says so where it was typed', async (t) => {
  const tab = await using(t, 'Amina Diallo');
  await play(tab);
  await tab.open('/');
  await tab.page.click('#create-channel');
  await tab.page.fill('#ask input', 'Design');
  await tab.page.press('#ask input', 'Enter');
  await tab.page.locator('#ask').getByText('There is a channel of this name').waitFor();
  await tab.page.fill('#ask input', 'Research');
  await tab.page.press('#ask input', 'Enter');
  await tab.page.locator('.detail-pane h2', { hasText: 'Research' }).waitFor();
});

step('people are searched by name, and called by one click', async (t) => {
  const tab = await using(t, 'Amina Diallo', { size: 'phone', theme: 'dark' });
  const asked = await play(tab);
  await tab.open('/#/people');
  await tab.page.locator('.person').nth(4).waitFor();
  await tab.shot('people-phone');
  await tab.page.fill('input[type=search]', 'mei');
  await tab.page.waitForFunction(() => document.querySelectorAll('.person').length === 1);
  await tab.press('Video call to Mei Lin');
  await tab.page.waitForURL(`**/calls/${CALL}/**`);
  assert.deepEqual(asked, [['initiate', { call_type: 'VIDEO', user_ids: ['u1'] }]]);
});

step('a channel of the real server is made, joined, called and answered, and named wherever its call is', async (t) => {
  const [amina, jonas] = [await using(t, 'Amina Diallo'), await using(t, 'Jonas Berg')];
  await Promise.all([amina.open('/'), jonas.open('/')]);
  await amina.page.click('#create-channel');
  await amina.page.fill('#ask input', 'expedition');
  await amina.page.press('#ask input', 'Enter');
  await amina.page.locator('.detail-pane h2', { hasText: 'expedition' }).waitFor();
  await jonas.page.locator('.item', { hasText: 'expedition' }).click();
  await jonas.page.click('#join-channel');
  await amina.page.locator('.detail-pane .person', { hasText: 'Jonas Berg' }).locator('.face.online').waitFor();
  await amina.page.click('#call-video');
  await jonas.reads('Video call in expedition');
  await jonas.shot('ring-channel');
  await jonas.press('Answer');
  await amina.seesPictureOf(jonas);
  await jonas.page.locator('h1', { hasText: 'expedition' }).waitFor();
  await Promise.all([amina, jonas].map((tab) => tab.page.click('#leave')));
  await amina.open('/#/history');
  await amina.page.locator('.person', { hasText: '#expedition' }).waitFor();
  await amina.open('/#/people');
  await amina.page.locator('.person', { hasText: 'Jonas Berg' }).first().waitFor();
});

step('the history of real calls says who, how long, and what was declined; and calls back', async (t) => {
  const [amina, jonas] = [await using(t, 'Amina Diallo'), await using(t, 'Jonas Berg')];
  const declined = await amina.call([jonas]);
  await jonas.request('POST', `/calls/${declined}/reject/`);
  const taken = await jonas.call([amina], 'AUDIO');
  await amina.request('POST', `/calls/${taken}/join/`);
  await jonas.request('POST', `/calls/${taken}/end/`);
  await amina.open('/#/history');
  const row = (call) => amina.page.locator(`[data-call="${call}"]`);
  await row(declined).getByText('Declined').waitFor();
  assert.match(await row(taken).innerText(), /Jonas Berg[\s\S]*Audio[\s\S]*00:0\d/);
  await amina.shot('history');
  const asked = await play(amina);
  await row(taken).getByRole('button').click();
  await amina.page.waitForURL(`**/calls/${CALL}/**`);
  assert.deepEqual(asked, [['initiate', { call_type: 'AUDIO', user_ids: [jonas.userId] }]]);
});

step('the history is filtered, searched and paged by asking the server', async (t) => {
  const tab = await using(t, 'Amina Diallo');
  const questions = [];
  const entry = (i) => ({
    call_id: `c${i}`, call_type: i % 2 ? 'AUDIO' : 'VIDEO', status: 'ENDED', direction: 'incoming', is_missed: i % 5 === 0, duration: 60 * i,
    created_at: new Date(Date.now() - i * 5_000_000).toISOString(), started_at: null, channel_id: null, participants: [{ user_id: 'u0', full_name: USERS[i % 5].name, status: 'LEFT' }],
  });
  await tab.page.route('**/api/v1/calls/?**', (route) => {
    const query = Object.fromEntries(new URL(route.request().url()).searchParams);
    questions.push(query);
    const page = Number(query.page ?? 1);
    route.fulfill({ json: { count: 45, page, pages: 3, calls: Array.from({ length: 20 }, (_, i) => entry(i + 20 * (page - 1))) } });
  });
  await tab.open('/#/history');
  await tab.reads('Page 1 of 3');
  await tab.shot('history-long');
  await tab.press('Older');
  await tab.reads('Page 2 of 3');
  await tab.page.selectOption('select[aria-label="Show"]', 'missed');
  await tab.reads('Page 1 of 3');
  await tab.page.selectOption('select[aria-label="Type"]', 'AUDIO');
  await tab.page.fill('input[type=search]', 'mei');
  await tab.page.waitForFunction(() => performance.getEntriesByType('resource').some(({ name }) => name.includes('search=mei')));
  const { ordering, page, missed, call_type, search } = questions.at(-1);
  assert.deepEqual({ ordering, page, missed, call_type, search }, { ordering: '-created_at', page: '1', missed: 'true', call_type: 'AUDIO', search: 'mei' });
  assert.ok(questions.some((query) => query.page === '2'));
});

step('a chosen theme holds against the system\'s, and from the first paint', async (t) => {
  const tab = await using(t, 'Amina Diallo', { theme: 'light' });
  await tab.open('/#/settings');
  const background = () => tab.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await background();
  await tab.page.getByRole('radio', { name: 'Dark' }).check();
  const dark = await background();
  assert.notEqual(dark, light);
  await tab.page.reload();
  assert.equal(await background(), dark);
  await tab.shot('settings-dark-by-choice');
});

step('who wants another name is asked for it, and the session of the old one is over', async (t) => {
  const tab = await using(t, 'Amina Diallo');
  await tab.open('/#/settings');
  const cookies = await tab.context.cookies();
  await tab.press('Use another name');
  await tab.page.locator('#name').waitFor();
  assert.deepEqual(await tab.context.cookies(), []);
  await tab.context.addCookies(cookies);
  assert.equal((await tab.request('GET', '/api/v1/me/')).status, 401);
});

step('who is not connected is told that calls cannot reach them', async (t) => {
  const tab = await using(t, 'Amina Diallo', {
    script: 'window.WebSocket = class extends WebSocket { constructor(url) { super(String(url).replace("/ws/", "/nowhere/")); } };',
  });
  await tab.open('/');
  await tab.reads('Not connected: calls cannot reach you right now.');
  await tab.shot('home-offline');
});

step('the example of the client library runs on its page, as it is shown there', async (t) => {
  const [one, other] = [await openTab(browser, weir, 'One'), await openTab(browser, weir, 'Other')];
  t.after(() => Promise.all([one.close(), other.close()]));
  await one.open('/docs/client');
  await one.page.locator('#source', { hasText: 'new WeirClient' }).waitFor();
  await one.press('Run it here');
  const link = await one.page.locator('#state a').getAttribute('href');
  await other.page.goto(link);
  await other.press('Run it here');
  for (const tab of [one, other]) {
    await tab.page.waitForFunction(() => [...document.querySelectorAll('#tiles video')].filter((video) => video.videoWidth > 0).length === 2, null, { timeout: 15_000 });
  }
  await one.shot('docs-running');
  await one.press('Stop');
  await one.reads('Stopped.');
  assert.deepEqual([one.errors, other.errors], [[], []]);
});
