// Debian's Chromium, driven by playwright-core, with fresh profiles and no traffic of its own.

import { chromium } from 'playwright-core';

const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
  '--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream',
  '--autoplay-policy=no-user-gesture-required'];

export async function launchChromium({ flags = [] } = {}) {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    ignoreDefaultArgs: ['--headless', '--headless=old'],
    args: ['--headless=new', ...FLAGS, ...flags],
  });
}

// The process that playwright started for this browser: the one to kill in a test of a crash.
export async function browserProcessId(browser) {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  return processInfo.find((info) => info.type === 'browser').id;
}
