// What a new user does: start it, open what it prints, sign in, and be in a call with someone else.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { launchChromium } from './lib/chromium.mjs';
import { pageScript } from './lib/page_script.mjs';
import { PEOPLE } from './lib/people.mjs';
import { startWeir } from './lib/server.mjs';

test('the printed address answers with a page, whose parts are all there', async (t) => {
  const weir = await startWeir();
  t.after(() => weir.stop());
  const printed = /https?:\/\/\S+/.exec(weir.log)[0];
  const response = await fetch(printed);
  assert.equal(response.status, 200);
  assert.match(response.headers.get('content-type'), /^text\/html/);
  const parts = [...(await response.text()).matchAll(/(?:src|href)="(\/?(?:static\/)[^"]+)"/g)].map((found) => found[1]);
  assert.ok(parts.length > 0);
  for (const part of parts) assert.equal((await fetch(new URL(part, printed))).status, 200, part);
});

test('two people reach a call from the printed address by clicking alone', { timeout: 60_000 }, async (t) => {
  const weir = await startWeir();
  const browser = await launchChromium();
  t.after(async () => {
    await browser.close();
    await weir.stop();
  });

  async function visit(identity, address) {
    const context = await browser.newContext();
    await context.addInitScript({ content: pageScript(identity) });
    const page = await context.newPage();
    await page.goto(address);
    const name = page.locator('input:visible').first();
    await name.fill(identity.name);
    await name.press('Enter');
    return page;
  }

  const first = await visit(PEOPLE[0], weir.url);
  if (!/\/calls\//.test(first.url())) {
    await first.waitForURL(/\/calls\//, { timeout: 3_000 }).catch(() => first.locator('button:visible').first().click());
    await first.waitForURL(/\/calls\//, { timeout: 10_000 });
  }
  const second = await visit(PEOPLE[1], first.url());
  for (const page of [first, second]) {
    await page.waitForFunction(() => [...document.querySelectorAll('[data-user-id][data-source="camera"][data-video="on"] video')]
      .filter((video) => video.videoWidth > 0 && video.currentTime > 0.5).length >= 2, null, { timeout: 20_000 });
  }
});
