// People in front of real pages: tabs of their own, in any size and theme, screenshots of what they
// see, and axe-core's word on whether everybody can use it.

import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expectThat } from './wait.mjs';

const ARTIFACTS = new URL('../artifacts/pages/', import.meta.url);
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

export const SIZES = { desktop: { width: 1280, height: 720 }, phone: { width: 390, height: 780 } };

export class Tab {
  constructor(context, page, origin, name) {
    Object.assign(this, { context, page, origin, name, userId: '', errors: [] });
    page.on('pageerror', (error) => this.errors.push(String(error)));
  }

  open(path) {
    return this.page.goto(`${this.origin}${path}`);
  }

  // Signs in without a click; the page then has to be opened.
  async signIn() {
    await this.open('/static/weir.svg');
    this.userId = await this.page.evaluate(async (name) => {
      localStorage.setItem('weir.name', name);
      const body = JSON.stringify({ name });
      const response = await fetch('/session/', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });
      return (await response.json()).user_id;
    }, this.name);
    return this;
  }

  // A request in the name of this person.
  request(method, path, body) {
    return this.page.evaluate(async (given) => {
      const csrf = /(?:^|; )csrftoken=([^;]+)/.exec(document.cookie)?.[1] ?? '';
      const response = await fetch(given.path, {
        method: given.method, headers: { 'Content-Type': 'application/json', 'X-CSRFToken': csrf },
        body: given.method === 'GET' ? undefined : JSON.stringify(given.body ?? {}),
      });
      return { status: response.status, ...(await response.json()) };
    }, { method, path, body });
  }

  async call(others, callType = 'VIDEO') {
    const answer = await this.request('POST', '/calls/initiate/', { call_type: callType, user_ids: others.map(({ userId }) => userId) });
    expectThat(answer, answer.call_id, 'initiate failed');
    return answer.call_id;
  }

  // Into the call, and until the page is in it.
  async enter(callId, query = '') {
    await this.open(`/calls/${callId}/${query}`);
    await this.isIn();
  }

  isIn() {
    return this.page.locator('body[data-phase="in"]').waitFor({ timeout: 15_000 });
  }

  // Waits until somewhere in the page these words are to be read.
  reads(words, { within = 10_000 } = {}) {
    return this.page.getByText(words).locator('visible=true').first().waitFor({ timeout: within });
  }

  press(name) {
    return this.page.getByRole('button', { name, exact: true }).locator('visible=true').first().click();
  }

  // Chooses from the menu of what has no button of its own.
  async pressInMenu(name) {
    await this.page.click('#more');
    await this.page.locator('#more-menu').getByRole('button', { name }).click();
  }

  // The tile of somebody, or of oneself, with a picture in motion.
  seesPictureOf({ userId }, source = 'camera', within = 15_000) {
    return this.page.waitForFunction(({ id, kind }) => {
      const video = document.querySelector(`[data-user-id="${CSS.escape(id)}"][data-source="${kind}"][data-video="on"] video`);
      return video && video.videoWidth > 0 && video.currentTime > 0.2;
    }, { id: userId, kind: source }, { timeout: within });
  }

  tileOf({ userId }, source = 'camera') {
    return this.page.locator(`[data-user-id="${userId}"][data-source="${source}"]`);
  }

  async shot(name) {
    mkdirSync(ARTIFACTS, { recursive: true });
    await this.page.screenshot({ path: new URL(`${name}.png`, ARTIFACTS).pathname });
  }

  // What keeps somebody from using this page, as axe-core sees it: [] is the aim.
  async obstacles() {
    await this.page.evaluate(AXE);
    return this.page.evaluate(async (rules) => {
      const { violations } = await window.axe.run(document, { runOnly: rules });
      return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target.join(' ')} ${node.any[0]?.message ?? node.failureSummary}`));
    }, RULES);
  }

  close() {
    return this.context.close();
  }
}

// A tab of its own session. `script` runs before the page's own; `permissions` are the only ones given.
export async function openTab(browser, weir, name, { size = 'desktop', theme = 'light', script = '', permissions, origin = weir.url } = {}) {
  const context = await browser.newContext({
    viewport: SIZES[size], colorScheme: theme, hasTouch: size === 'phone', isMobile: size === 'phone', permissions, reducedMotion: 'reduce',
  });
  if (script) await context.addInitScript({ content: script });
  return new Tab(context, await context.newPage(), origin, name);
}

export const signedIn = async (...given) => (await openTab(...given)).signIn();
