// A page of the host application that knows no SFU: a mesh of peer connections between three, set up
// through this server by every spelling that the interface has. The media goes past the server.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { SECRET, User, token } from './lib/api.mjs';
import { launchChromium } from './lib/chromium.mjs';
import { lookAtPeer, meshPage } from './lib/mesh_page.mjs';
import { scratch, startWeir } from './lib/server.mjs';
import { eventually, expectThat } from './lib/wait.mjs';

const MINUTE = { timeout: 90_000 };
const STYLES = [
  { offer: 'webrtc_offer', answer: 'webrtc_answer', target: 'to_user_id' },
  { offer: 'offer', answer: 'answer', target: 'target_user_id' },
  { offer: 'webrtc_offer', answer: 'answer', target: 'target_user_id' },
];
const PEOPLE = [
  { userId: '101', name: 'Rosa', colour: 'rgb(200, 30, 30)', toneHz: 440 },
  { userId: '102', name: 'Gil', colour: 'rgb(30, 160, 40)', toneHz: 550 },
  { userId: '103', name: 'Blue', colour: 'rgb(30, 60, 200)', toneHz: 660 },
];

let weir;
let site;
let browser;
before(async () => {
  const secretFile = path.join(scratch('mesh'), 'secret');
  writeFileSync(secretFile, SECRET);
  site = http.createServer((_request, response) => response.writeHead(200, { 'Content-Type': 'text/html' }).end('<!doctype html><title>host</title><body>'));
  site.listen(0, '127.0.0.1');
  // Without this, addresses are hidden behind names that only a network with mDNS can tell.
  [weir, browser] = await Promise.all([startWeir({ demo: false, args: ['--secret-file', secretFile] }),
    launchChromium({ flags: ['--disable-features=WebRtcHideLocalIpsWithMdns'] }), once(site, 'listening')]);
}, { timeout: 60_000 });
after(async () => {
  await browser?.close();
  site?.close();
  await weir?.stop();
});

async function enter(person, callId, style) {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`http://127.0.0.1:${site.address().port}/`);
  const jwt = token({ sub: person.userId, name: person.name });
  await page.evaluate(meshPage, { server: weir.url, token: jwt, callId, style, ...person });
  return { ...person, page, context, user: new User(weir.url, jwt) };
}

const rgb = (colour) => colour.match(/\d+/g).map(Number);
const told = (member) => member.page.evaluate(() => window.mesh.told);
const hears = (member, type, fields = {}) => eventually(`${member.name} is told ${type}`, async () =>
  (await told(member)).find((one) => one.type === type && Object.entries(fields).every(([key, value]) => one[key] === value)));

// Its picture is theirs and moves, its sound is there.
async function receives(member, other) {
  const look = () => member.page.evaluate(lookAtPeer, other.userId);
  let first = null;
  await eventually(`${member.name} sees and hears ${other.name}`, async () => {
    const seen = await look();
    first ??= seen;
    expectThat(seen, seen && seen.frames > first.frames + 5 && seen.energy > first.energy, 'no media');
    return expectThat(seen.colour, seen.colour.every((value, i) => Math.abs(value - rgb(other.colour)[i]) < 30), 'wrong picture');
  }, { within: 30_000, every: 200 });
}

const eachPair = (members, action) => Promise.all(members.flatMap((one) => members.filter((other) => other !== one).map((other) => action(one, other))));

test('three mesh pages of different spellings meet, all six ways, past the server', MINUTE, async () => {
  const caller = new User(weir.url, token({ sub: PEOPLE[0].userId, name: 'Rosa' }));
  const callId = await caller.initiate(PEOPLE.slice(1).map(({ userId }) => userId));
  const members = [];
  for (const [i, person] of PEOPLE.entries()) {
    members.push(await enter(person, callId, STYLES[i]));
    for (const member of members.slice(0, -1)) {
      const { should_create_offer, user_name, username, full_name } = await hears(member, 'user_joined', { user_id: person.userId });
      assert.deepEqual([should_create_offer, user_name, username, full_name], [true, person.name, person.name, person.name]);
    }
  }
  await eachPair(members, receives);
  const [rosa, gil, blue] = members;
  const offer = (await told(blue)).find(({ type }) => type === 'offer' || type === 'webrtc_offer');
  assert.equal(offer.sender_id, offer.from_user_id);
  assert.ok(offer.sender_name);
  const metrics = await weir.metrics();
  assert.equal(metrics.get('weir_sfu_participants'), 0);
  assert.equal((await caller.get(`/calls/${callId}/status/`)).body.status, 'ACTIVE');

  await rosa.page.evaluate(() => {
    window.mesh.say({ type: 'toggle_video', enabled: false });
    window.mesh.say({ type: 'start_screen_share', is_sharing: true });
    window.mesh.say({ type: 'chat_message', message: 'hello mesh' });
  });
  for (const member of [gil, blue]) {
    await hears(member, 'video_toggled', { user_id: '101', enabled: false });
    await hears(member, 'screen_share_toggled', { user_id: '101', is_sharing: true });
    await hears(member, 'chat_message', { message: 'hello mesh', sender_id: '101', sender_name: 'Rosa' });
  }

  await gil.context.close();
  for (const member of [rosa, blue]) await hears(member, 'user_left', { user_id: '102', username: 'Gil' });
  await eachPair([rosa, blue], receives);
  const gilAgain = await enter(PEOPLE[1], callId, STYLES[2]);
  await eachPair([rosa, blue, gilAgain], receives);

  await rosa.page.evaluate(() => window.mesh.say({ type: 'end_call' }));
  for (const member of [blue, gilAgain]) {
    await hears(member, 'call_ended', { user_id: '101' });
    await hears(member, 'closed', { code: 4409 });
  }
  for (const member of [rosa, blue, gilAgain]) assert.deepEqual((await told(member)).filter(({ type }) => type === 'error' || type === 'page_error'), []);
  await Promise.all([rosa, blue, gilAgain].map(({ context }) => context.close()));
});
