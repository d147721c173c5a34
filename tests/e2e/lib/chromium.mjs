// Debian's Chromium, driven by playwright-core, with fresh profiles and no traffic of its own.

import { chromium } from 'playwright-core';

const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
  '--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream',
  '--autoplay-policy=no-user-gesture-required'];

// `without`: flags of ours that this one shall not have.
export async function launchChromium({ flags = [], without = [] } = {}) {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    ignoreDefaultArgs: ['--headless', '--headless=old'],
    args: ['--headless=new', ...FLAGS.filter((flag) => !without.includes(flag)), ...flags],
  });
}

// Kills every process of the browser at once, so that none is left to say goodbye for another.
export async function killBrowser(browser) {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  const ids = processInfo.map((info) => info.id);
  for (const signal of ['SIGSTOP', 'SIGKILL']) for (const id of ids) process.kill(id, signal);
}
