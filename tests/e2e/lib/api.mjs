// The REST and WebSocket interface without a browser: users with a cookie or a token, and signaling
// sockets whose messages are waited for.

import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import WebSocket from 'ws';
import { eventually, expectThat } from './wait.mjs';

export const SECRET = 'a secret of the tests, long enough for HS256';

const base64url = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

// A JWT. `exp` is a minute from now unless claims say otherwise; `alg` and `secret` may be wrong on purpose.
export function token(claims, { alg = 'HS256', secret = SECRET } = {}) {
  const exp = Math.floor(Date.now() / 1000) + 60;
  const signed = `${base64url({ alg, typ: 'JWT' })}.${base64url({ exp, ...claims })}`;
  const hashes = { HS256: 'sha256', HS384: 'sha384', HS512: 'sha512' };
  const mac = hashes[alg] ? createHmac(hashes[alg], secret).update(signed).digest('base64url') : '';
  return `${signed}.${mac}`;
}

export const bearer = (jwt) => ({ Authorization: `Bearer ${jwt}` });

// The Set-Cookie lines; Debian 12's node (18) has them joined by commas only.
export const cookieLines = ({ headers }) =>
  headers.getSetCookie?.() ?? (headers.get('set-cookie') ?? '').split(/, (?=[^;,]+=)/);

const readCookies = (response) => Object.fromEntries(cookieLines(response).map((line) => {
  const [pair] = line.split(';');
  const at = pair.indexOf('=');
  return [pair.slice(0, at), pair.slice(at + 1)];
}));

// Someone who calls the API: with cookies after signIn(), or with a token.
export class User {
  constructor(origin, jwt = null) {
    Object.assign(this, { origin, jwt, cookies: {}, userId: null });
  }

  static async signIn(origin, name) {
    const user = new User(origin);
    const response = await fetch(`${origin}/session/`, {
      method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ name }),
    });
    user.cookies = readCookies(response);
    const answer = await response.json();
    expectThat(answer, answer.success && answer.user_id, 'sign-in failed');
    user.userId = answer.user_id;
    return user;
  }

  get cookieHeader() {
    return Object.entries(this.cookies).map(([name, value]) => `${name}=${value}`).join('; ');
  }

  headers(extra = {}) {
    const own = this.jwt ? bearer(this.jwt) : { Cookie: this.cookieHeader, 'X-CSRFToken': this.cookies.csrftoken ?? '' };
    return { ...own, ...extra };
  }

  // {status, body, response} of a request; a body is sent as JSON.
  async request(method, path, body, headers = {}) {
    const response = await fetch(`${this.origin}${path}`, {
      method, headers: this.headers({ ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...headers }),
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    const isJson = /json/.test(response.headers.get('content-type') ?? '');
    return { status: response.status, body: isJson ? JSON.parse(text) : text, response };
  }

  get(path) {
    return this.request('GET', path);
  }

  post(path, body = {}) {
    return this.request('POST', path, body);
  }

  async initiate(userIds = [], callType = 'VIDEO') {
    const { body } = await this.post('/calls/initiate/', { call_type: callType, user_ids: userIds });
    expectThat(body, body.success && body.call_id, 'initiate failed');
    return body.call_id;
  }

  // The signaling socket of a call; `query` such as `?resume=…`, `headers` to add or override.
  async connect(callId, { query = '', headers = {} } = {}) {
    const line = new Line(`${this.origin.replace('http', 'ws')}/ws/call/${callId}/${query}`,
      { headers: { ...this.headers({ Origin: this.origin }), ...headers } });
    await line.opened;
    return line;
  }
}

// A WebSocket whose messages are kept and waited for.
export class Line {
  constructor(url, options = {}) {
    this.socket = new WebSocket(url, options);
    this.messages = [];
    this.closing = null;
    this.socket.on('message', (data) => this.messages.push(JSON.parse(data)));
    this.closed = once(this.socket, 'close').then(([code, reason]) => (this.closing = { code, reason: String(reason) }));
    // Refused with an HTTP status, or open: both end the waiting.
    this.opened = new Promise((resolve, reject) => {
      this.socket.once('open', resolve);
      this.socket.once('error', reject);
    });
    this.socket.on('error', () => {});
    this.closed.catch(() => {});
  }

  send(message) {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  // The first message of this type, sent so far or to come, that matches the fields.
  expect(type, fields = {}, within = 2_000) {
    const fits = (message) => message.type === type && Object.entries(fields).every(([key, value]) => message[key] === value);
    return eventually(`message ${type} ${JSON.stringify(fields)}`, () => {
      const found = this.messages.find(fits);
      if (!found) throw new Error(`got ${this.messages.map((one) => JSON.stringify(one).slice(0, 120)).join(' ')} ${JSON.stringify(this.closing)}`);
      return found;
    }, { within, every: 5 });
  }

  count(type) {
    return this.messages.filter((message) => message.type === type).length;
  }

  // The close code that the server sends, or that ends the connection.
  async closeCode(within = 3_000) {
    await eventually('the server closes the socket', () => this.closing, { within, every: 5 });
    return this.closing.code;
  }

  async close() {
    this.socket.close(1000);
    await this.closed;
  }
}
