// The tests' own eyes and ears, without the server: what one page sends is seen and heard in it over
// two plain peer connections. When this fails, a failing call says nothing about the server.

import http from 'node:http';
import { once } from 'node:events';
import { test } from 'node:test';
import { launchChromium } from './lib/chromium.mjs';
import { pageScript } from './lib/page_script.mjs';
import { PEOPLE, isColour } from './lib/people.mjs';
import { eventually, expectThat } from './lib/wait.mjs';

const PAGE = `<!doctype html><div data-user-id="self" data-source="camera" data-video="on">
<video autoplay playsinline muted></video></div><audio autoplay></audio>`;

async function callMyself() {
  const [caller, callee] = [new RTCPeerConnection(), new RTCPeerConnection()];
  caller.onicecandidate = (event) => callee.addIceCandidate(event.candidate);
  callee.onicecandidate = (event) => caller.addIceCandidate(event.candidate);
  callee.ontrack = ({ track }) => {
    document.querySelector(track.kind).srcObject = new MediaStream([track]);
  };
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
  for (const track of stream.getTracks()) caller.addTrack(track, stream);
  await caller.setLocalDescription();
  await callee.setRemoteDescription(caller.localDescription);
  await callee.setLocalDescription();
  await caller.setRemoteDescription(callee.localDescription);
  for (const { mid, receiver } of callee.getTransceivers()) {
    const source = receiver.track.kind === 'audio' ? 'microphone' : 'camera';
    window.notes.sources.set(mid, { user_id: 'self', source });
  }
}

test('a page sees its own colour and hears its own tone', { timeout: 60_000 }, async (t) => {
  const site = http.createServer((request, response) => {
    response.setHeader('Content-Type', 'text/html').end(PAGE);
  }).listen(0, '127.0.0.1');
  await once(site, 'listening');
  t.after(() => site.close());
  const browser = await launchChromium();
  t.after(() => browser.close());
  const me = PEOPLE[2];
  const page = await browser.newPage();
  await page.addInitScript({ content: pageScript(me) });
  await page.goto(`http://127.0.0.1:${site.address().port}/`);
  await page.evaluate(callMyself);
  const first = await eventually('the right picture', async () => {
    const seen = await page.evaluate(() => window.senses.see('self', 'camera'));
    return isColour(seen.top, me.colour) && isColour(seen.bottom, me.colour) && seen;
  });
  await eventually('the picture moves', async () => {
    const seen = await page.evaluate(() => window.senses.see('self', 'camera'));
    return seen.frames > first.frames && seen.bar !== first.bar;
  });
  await eventually('the right tone', async () => {
    const { hz, db } = await page.evaluate(() => window.senses.hear('self'));
    return expectThat({ hz, db }, Math.abs(hz - me.toneHz) < 15 && db > -50);
  });
});
