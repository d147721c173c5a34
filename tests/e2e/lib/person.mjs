// One participant in a real page: signs in, opens the call, and tells what it sees and hears.
//
// A person needs only two things of its browser, so that Chromium and Firefox serve alike:
// open(url) and evaluate(function, ...arguments).

import { isColour, WHITE } from './people.mjs';
import { eventually, expectThat } from './wait.mjs';

// Signs in by name from inside the page, which must be on the server's origin.
async function signIn(name) {
  const response = await fetch('/session/', {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ name }),
  });
  return response.json();
}

async function post({ path, body }) {
  const csrf = /(?:^|; )csrftoken=([^;]+)/.exec(document.cookie)?.[1] ?? '';
  const response = await fetch(path, {
    method: 'POST', headers: { 'Content-Type': 'application/json', 'X-CSRFToken': csrf },
    body: JSON.stringify(body),
  });
  return { status: response.status, ...(await response.json()) };
}

export class Person {
  // `identity` is one of PEOPLE; `tab` has open(), evaluate(), close().
  constructor(identity, tab, origin) {
    Object.assign(this, identity, { tab, origin, userId: null });
  }

  async signIn() {
    await this.tab.open(`${this.origin}/`);
    const answer = await this.tab.evaluate(signIn, this.name);
    expectThat(answer, answer.success && answer.user_id, 'sign-in failed');
    this.userId = answer.user_id;
    return this;
  }

  post(path, body = {}) {
    return this.tab.evaluate(post, { path, body });
  }

  // Starts a call with these people and returns its id.
  async initiate(others, callType = 'VIDEO') {
    const answer = await this.post('/calls/initiate/', {
      call_type: callType, user_ids: others.map((other) => other.userId),
    });
    expectThat(answer, answer.success && answer.call_id, 'initiate failed');
    return answer.call_id;
  }

  enter(callId) {
    return this.tab.open(`${this.origin}/calls/${callId}/`);
  }

  async press(button) {
    const found = await this.tab.evaluate((id) => {
      const element = document.getElementById(id);
      element?.click();
      return Boolean(element);
    }, button);
    expectThat(button, found, 'no such button');
  }

  look(other, source = 'camera') {
    return this.tab.evaluate(({ userId, kind }) => window.senses.see(userId, kind), { userId: other.userId, kind: source });
  }

  // Waits for the other's own picture in motion; the picture of a screen has a white lower half.
  sees(other, { source = 'camera', within = 10_000 } = {}) {
    let first = null;
    return eventually(`${this.name} sees the ${source} of ${other.name}`, async () => {
      const seen = await this.look(other, source);
      const bottom = source === 'screen' ? WHITE : other.colour;
      const right = seen?.on && seen.top && isColour(seen.top, other.colour) && isColour(seen.bottom, bottom);
      expectThat(seen, right, 'not the picture');
      first ??= seen;
      return expectThat(seen, seen.frames > first.frames && seen.bar !== first.bar, 'it stands still');
    }, { within });
  }

  // Waits until the page says that the other's picture is off, or has no tile for it.
  seesOff(other, { source = 'camera', within = 1_000 } = {}) {
    return eventually(`${this.name} sees ${other.name} without ${source}`, async () => {
      const seen = await this.look(other, source);
      return expectThat(seen, !seen?.on);
    }, { within });
  }

  hears(other, { within = 10_000 } = {}) {
    return eventually(`${this.name} hears ${other.name}`, async () => {
      const heard = await this.tab.evaluate((userId) => window.senses.hear(userId), other.userId);
      return expectThat(heard, heard && Math.abs(heard.hz - other.toneHz) < 15 && heard.db > -50);
    }, { within });
  }

  hearsNothingOf(other, { within = 1_000 } = {}) {
    return eventually(`${this.name} hears nothing of ${other.name}`, async () => {
      const heard = await this.tab.evaluate((userId) => window.senses.hear(userId), other.userId);
      return expectThat(heard, !heard || heard.db < -60);
    }, { within });
  }

  // Waits until no tile of the other is left.
  missed(other, { within = 1_000 } = {}) {
    return eventually(`${other.name} is gone for ${this.name}`, async () => {
      const tiles = await this.tab.evaluate((userId) =>
        document.querySelectorAll(`[data-user-id="${CSS.escape(userId)}"][data-source]`).length, other.userId);
      return expectThat(tiles, tiles === 0, 'tiles');
    }, { within });
  }

  // How often the page has offered and been answered so far.
  negotiations() {
    return this.tab.evaluate(() => ({ offers: window.notes.offers, answers: window.notes.answers }));
  }

  // Waits for a signaling message from the server of this type for which all `fields` are so.
  isTold(type, fields = {}, { within = 1_000 } = {}) {
    return eventually(`${this.name} is told ${type} ${JSON.stringify(fields)}`, () =>
      this.tab.evaluate(({ wanted, pairs }) => window.notes.messages.some((message) =>
        !message.sent && message.type === wanted && pairs.every(([key, value]) => message[key] === value)),
      { wanted: type, pairs: Object.entries(fields) }), { within });
  }
}
