// Debian's Firefox, driven by WebDriver BiDi over its own WebSocket: no driver program is needed.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import WebSocket from 'ws';
import { pageScript } from './page_script.mjs';
import { Person } from './person.mjs';
import { scratch } from './server.mjs';
import { eventually } from './wait.mjs';

const PREFERENCES = {
  'app.normandy.enabled': false,
  'app.update.disabledForTesting': true,
  'browser.safebrowsing.downloads.remote.enabled': false,
  'browser.safebrowsing.malware.enabled': false,
  'browser.safebrowsing.phishing.enabled': false,
  'browser.shell.checkDefaultBrowser': false,
  'browser.startup.page': 0,
  'datareporting.policy.dataSubmissionEnabled': false,
  'extensions.update.enabled': false,
  'extensions.getAddons.cache.enabled': false,
  'media.autoplay.default': 0,
  'media.gmp-manager.updateEnabled': false,
  'media.navigator.permission.disabled': true,
  'media.navigator.streams.fake': true,
  // Firefox gathers no loopback candidate and never pairs a loopback address with another one.
  'media.peerconnection.ice.loopback': true,
  'media.peerconnection.ice.obfuscate_host_addresses': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'services.settings.server': 'data:,',
  'toolkit.telemetry.enabled': false,
  'toolkit.telemetry.unified': false,
};

const preferenceFile = (toneHz) => Object.entries({ ...PREFERENCES, 'media.navigator.audio.fake_frequency': toneHz })
  .map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});`).join('\n');

// The fake microphone of the whole browser has one tone.
export async function launchFirefox({ toneHz }) {
  const profile = scratch('firefox');
  writeFileSync(path.join(profile, 'user.js'), preferenceFile(toneHz));
  const child = spawn(process.env.FIREFOX ?? '/usr/bin/firefox-esr',
    ['--headless', '--no-remote', '--profile', profile, '--remote-debugging-port', '0'],
    { env: { ...process.env, HOME: profile, MOZ_DISABLE_CONTENT_SANDBOX: '1' } });
  const firefox = new Firefox(child, profile);
  try {
    await firefox.connect();
  } catch (error) {
    await firefox.close();
    throw error;
  }
  return firefox;
}

class Firefox {
  constructor(child, profile) {
    Object.assign(this, { child, profile, log: '', waiting: new Map(), lastId: 0, socket: null });
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (this.log += chunk));
    this.exited = once(child, 'exit');
  }

  async connect() {
    const url = await eventually('Firefox listens for WebDriver BiDi',
      () => /WebDriver BiDi listening on (ws:\S+)/.exec(this.log)?.[1], { within: 30_000 });
    this.socket = new WebSocket(`${url}/session`);
    this.socket.on('message', (text) => this.onMessage(JSON.parse(text)));
    await once(this.socket, 'open');
    await this.send('session.new', { capabilities: {} });
  }

  onMessage(message) {
    const waiting = this.waiting.get(message.id);
    if (!waiting) return;
    this.waiting.delete(message.id);
    if (message.type === 'success') waiting.resolve(message.result);
    else waiting.reject(new Error(`${message.error}: ${message.message}`));
  }

  send(method, params) {
    const id = ++this.lastId;
    this.socket.send(JSON.stringify({ id, method, params }));
    return new Promise((resolve, reject) => this.waiting.set(id, { resolve, reject }));
  }

  // A tab in a container of its own, with `script` run before every page's own.
  async newTab(script) {
    const { userContext } = await this.send('browser.createUserContext', {});
    const { context } = await this.send('browsingContext.create', { type: 'tab', userContext });
    await this.send('script.addPreloadScript', { functionDeclaration: `() => { ${script} }`, contexts: [context] });
    return new FirefoxTab(this, context);
  }

  async close() {
    this.socket?.close();
    this.child.kill('SIGTERM');
    const limit = setTimeout(() => this.child.kill('SIGKILL'), 5_000);
    if (this.child.exitCode === null && this.child.signalCode === null) await this.exited;
    clearTimeout(limit);
    rmSync(this.profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

class FirefoxTab {
  constructor(firefox, context) {
    Object.assign(this, { firefox, context });
  }

  open(url) {
    return this.firefox.send('browsingContext.navigate', { context: this.context, url, wait: 'complete' });
  }

  // Values travel as JSON text: BiDi's own value notation is not needed for what the tests ask.
  async evaluate(fn, argument) {
    const expression = `(async () => JSON.stringify(await (${fn})(${JSON.stringify(argument) ?? ''})))()`;
    const answer = await this.firefox.send('script.evaluate', {
      expression, target: { context: this.context }, awaitPromise: true, userActivation: true,
    });
    if (answer.type === 'exception') throw new Error(answer.exceptionDetails.text);
    return answer.result.value === undefined ? undefined : JSON.parse(answer.result.value);
  }

  close() {
    return this.firefox.send('browsingContext.close', { context: this.context });
  }
}

export async function firefoxPerson(firefox, identity, origin, devices = {}) {
  return new Person(identity, await firefox.newTab(pageScript(identity, { browserTone: true, ...devices })), origin);
}
