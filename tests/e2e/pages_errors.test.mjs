// What goes wrong, provoked for real, and what the pages say about it: in words, with a way out.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { launchChromium } from './lib/chromium.mjs';
import { scratch, startWeir } from './lib/server.mjs';
import { openTab, signedIn } from './lib/tabs.mjs';
import { TcpProxy } from './lib/tcp_proxy.mjs';

const MINUTE = { timeout: 60_000 };

let weir;
let browser;
before(async () => { [weir, browser] = await Promise.all([startWeir(), launchChromium({ flags: ['--use-fake-device-for-media-stream=device-count=3'] })]); }, { timeout: 60_000 });
after(async () => {
  await browser?.close();
  await weir?.stop();
});

const using = async (t, ...given) => {
  const tab = await signedIn(browser, weir, ...given);
  t.after(() => tab.close());
  return tab;
};

// A Chromium whose user has said no, or that has no devices at all: no flag answers in the user's place.
async function browserWithout(t, flags, ignored) {
  const other = await launchChromium({ flags, without: ignored });
  t.after(() => other.close());
  return other;
}

test('who forbids camera and microphone is told how to allow them, and comes in all the same', MINUTE, async (t) => {
  const strict = await browserWithout(t, ['--deny-permission-prompts'], ['--use-fake-ui-for-media-stream']);
  const host = await using(t, 'Amina Diallo');
  const call = await host.call([]);
  const guest = await openTab(strict, weir, 'Mei Lin', { permissions: [] });
  await guest.open(`/calls/${call}/`);
  await guest.reads('Camera and microphone are blocked');
  await guest.reads(/Click the icon left of the address/);
  await guest.shot('error-denied-lobby');
  await guest.page.fill('#name', 'Mei Lin');
  await guest.page.click('#join');
  await guest.isIn();
  await guest.page.click('#mic');
  await guest.reads(/The microphone is not allowed for this page/);
  await guest.shot('error-denied-call');
  assert.deepEqual(await guest.obstacles(), []);
});

test('who has no devices is told so, and comes in all the same', MINUTE, async (t) => {
  const bare = await browserWithout(t, [], ['--use-fake-device-for-media-stream']);
  const host = await using(t, 'Amina Diallo');
  const call = await host.call([]);
  const guest = await openTab(bare, weir, 'Mei Lin');
  await guest.open(`/calls/${call}/`);
  await guest.reads(/neither microphone nor camera was found/);
  await guest.shot('error-no-device');
  await guest.page.fill('#name', 'Mei Lin');
  await guest.page.click('#join');
  await guest.isIn();
  await host.enter(call);
  await guest.seesPictureOf({ userId: host.userId });
});

test('a device that another program holds is named, and opened when it is free again', MINUTE, async (t) => {
  const host = await using(t, 'Amina Diallo', {
    script: `{
      const open = MediaDevices.prototype.getUserMedia;
      window.isHeld = true;
      MediaDevices.prototype.getUserMedia = function (wanted) {
        if (window.isHeld && wanted.video) return Promise.reject(new DOMException('held', 'NotReadableError'));
        return open.call(this, wanted);
      };
    }`,
  });
  await host.enter(await host.call([]));
  await host.reads(/Another program holds the camera/);
  await host.shot('error-busy');
  await host.page.evaluate(() => (window.isHeld = false));
  await host.page.click('#camera');
  await host.seesPictureOf(host);
});

test('where but one camera opens at a time, another one is chosen all the same; and the first comes back when it does not open', MINUTE, async (t) => {
  const host = await using(t, 'Amina Diallo', {
    script: `{
      const open = MediaDevices.prototype.getUserMedia;
      let held = null;
      window.broken = 'none';
      MediaDevices.prototype.getUserMedia = async function (wanted) {
        const isHeld = wanted.video && (held?.readyState === 'live' || wanted.video.deviceId?.exact === window.broken);
        if (isHeld) throw new DOMException('held', 'NotReadableError');
        const stream = await open.call(this, wanted);
        held = stream.getVideoTracks()[0] ?? held;
        return stream;
      };
    }`,
  });
  await host.enter(await host.call([]));
  await host.seesPictureOf(host);
  const isCamera = (label) => host.page.waitForFunction((wanted) => window.weir.localTrack('camera')?.label === wanted, label);
  const choose = async (label) => {
    await host.page.click('#camera-more');
    await host.page.locator('#devices-menu option').nth(2).waitFor({ state: 'attached' });
    await host.page.selectOption('#devices-menu select', { label });
  };
  await choose('fake_device_2');
  await isCamera('fake_device_2');
  await host.page.keyboard.press('Escape');
  await host.page.evaluate(async () => {
    const all = await navigator.mediaDevices.enumerateDevices();
    window.broken = all.find(({ label }) => label === 'fake_device_0').deviceId;
  });
  await choose('fake_device_0');
  await host.reads(/Another program holds the camera/);
  await isCamera('fake_device_2');
  await host.seesPictureOf(host);
});

test('a camera that is taken away in mid-call is missed in words, and comes back by one click', MINUTE, async (t) => {
  const host = await using(t, 'Amina Diallo', { permissions: ['camera', 'microphone'] });
  await host.enter(await host.call([]));
  await host.seesPictureOf(host);
  // What a browser does when a device is unplugged: the track ends by itself.
  await host.page.evaluate(() => {
    const track = window.weir.localTrack('camera');
    track.stop();
    track.dispatchEvent(new Event('ended'));
  });
  await host.reads('Your camera is gone: nobody sees you.');
  await host.shot('error-unplugged');
  assert.equal(await host.page.getAttribute('#camera', 'aria-pressed'), 'false');
  await host.page.locator('.toast.problem button').first().click();
  await host.seesPictureOf(host);
});

test('a server that does not answer is counted down to, and the call goes on by itself when it does', MINUTE, async (t) => {
  const proxy = await TcpProxy.open(weir.port);
  t.after(() => proxy.close());
  const stays = await using(t, 'Amina Diallo');
  const cut = await signedIn(browser, weir, 'Jonas Berg', { origin: proxy.url });
  t.after(() => cut.close());
  const call = await stays.call([cut]);
  await Promise.all([stays.enter(call), cut.enter(call)]);
  await cut.seesPictureOf(stays);
  proxy.cutWebSockets();
  await cut.reads(/The server does not answer\. Next try in \d+ s\./, { within: 15_000 });
  await cut.shot('error-unreachable');
  proxy.restore();
  await cut.press('Try now');
  await cut.page.locator('#banner').waitFor({ state: 'hidden', timeout: 15_000 });
  await cut.page.click('#mic');
  await stays.page.waitForFunction((id) => document.querySelector(`[data-user-id="${id}"]`)?.dataset.audio === 'off', cut.userId);
});

test('a browser without WebRTC is told which ones can', MINUTE, async (t) => {
  const host = await using(t, 'Amina Diallo', { script: 'delete window.RTCPeerConnection;' });
  await host.open(`/calls/${await host.call([])}/`);
  await host.reads(/Any current Firefox, Chrome, Edge or Safari can/);
  await host.shot('error-no-webrtc');
});

test('a call that is over, one that never was, and one that one is not invited to: each in its words', MINUTE, async (t) => {
  const host = await using(t, 'Amina Diallo');
  const call = await host.call([]);
  await host.request('POST', `/calls/${call}/end/`);
  await host.open(`/calls/${call}/?join`);
  await host.reads('This call is over.');
  await host.shot('error-over');
  await host.open('/calls/12345678-9abc-4def-8123-456789abcdef/');
  await host.reads(/There is no such call/);
  await host.page.click('#notice a');
  await host.page.locator('#app').waitFor();
});

test('who is taken out of the call reads by whom, and who joins elsewhere may come back here', MINUTE, async (t) => {
  const [host, guest] = [await using(t, 'Amina Diallo'), await using(t, 'Jonas Berg')];
  const call = await host.call([guest]);
  await Promise.all([host.enter(call), guest.enter(call)]);
  await host.seesPictureOf(guest);
  const elsewhere = await guest.context.newPage();
  await elsewhere.goto(`${weir.url}/calls/${call}/`);
  await guest.reads('The call goes on elsewhere');
  await guest.shot('error-elsewhere');
  await guest.press('Go on here');
  await guest.isIn();
  await elsewhere.getByText('The call goes on elsewhere').waitFor();
  await host.page.evaluate((id) => window.weir.remove(id), guest.userId);
  await guest.reads('You were taken out of the call');
  await guest.shot('error-removed');
});

test('the initiator ends the call for everyone, and everyone is told', MINUTE, async (t) => {
  const [host, guest] = [await using(t, 'Amina Diallo'), await using(t, 'Jonas Berg')];
  const call = await host.call([guest]);
  await Promise.all([host.enter(call), guest.enter(call)]);
  await guest.seesPictureOf(host);
  await host.pressInMenu('End the call for everyone');
  await host.page.click('#end-yes');
  await Promise.all([host, guest].map((tab) => tab.reads('The call is over')));
  await guest.shot('over');
});

test('a server that is killed and started again is found again, and the call goes on', { timeout: 90_000 }, async (t) => {
  const data = scratch('kept');
  t.after(() => rmSync(data, { recursive: true, force: true }));
  const first = await startWeir({ args: ['--data', data] });
  const command = first.child.spawnargs.slice(1).map((argument) => (argument === '127.0.0.1:0' ? `127.0.0.1:${first.port}` : argument));
  const tab = await signedIn(browser, first, 'Amina Diallo');
  t.after(() => tab.close());
  await tab.enter(await tab.call([]));
  await tab.seesPictureOf(tab);
  first.child.kill('SIGKILL');
  await first.closed;
  await tab.reads(/The server does not answer\. Next try in/, { within: 15_000 });
  await tab.shot('error-killed');
  const second = spawn(first.child.spawnfile, command, { stdio: 'ignore', cwd: data });
  t.after(() => second.kill('SIGKILL'));
  await tab.page.locator('#banner').waitFor({ state: 'hidden', timeout: 40_000 });
  await tab.page.waitForFunction(() => document.body.dataset.phase === 'in' && window.weir.state === 'connected', null, { timeout: 20_000 });
  await tab.shot('error-restarted');
});
