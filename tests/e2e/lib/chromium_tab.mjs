// A page of Chromium as a Person needs it, in a context of its own: cookies are not shared.

import { pageScript } from './page_script.mjs';
import { Person } from './person.mjs';

class ChromiumTab {
  constructor(context, page) {
    Object.assign(this, { context, page, errors: [] });
    page.on('pageerror', (error) => this.errors.push(String(error)));
    page.on('crash', () => this.errors.push('the page crashed'));
    page.on('console', (message) => { if (message.type() === 'error') this.errors.push(message.text()); });
  }
  open(url) {
    return this.page.goto(url, { waitUntil: 'load' });
  }
  evaluate(fn, argument) {
    return this.page.evaluate(fn, argument);
  }
  close() {
    return this.context.close({ runBeforeUnload: true });
  }
}

// Opens a tab for one of PEOPLE. `devices` goes to pageScript(): fps, relay and so on.
export async function chromiumPerson(browser, identity, origin, devices = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 720 } });
  await context.addInitScript({ content: pageScript(identity, devices) });
  const tab = new ChromiumTab(context, await context.newPage());
  return new Person(identity, tab, origin);
}
