// WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep) as HTTP: every method, header and status.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { SECRET, User, bearer, token } from './lib/api.mjs';
import { fragment, linesOf, offer, playOffer, publishOffer, valueOf } from './lib/sdp.mjs';
import { scratch, startWeir } from './lib/server.mjs';
import { closeSession, newCallId, openSession, patch, post } from './lib/whip.mjs';

let weir;
const whip = (call) => `${weir.url}/whip/${call}`;
const whep = (call) => `${weir.url}/whep/${call}`;
before(async () => { weir = await startWeir(); }, { timeout: 30_000 });
after(() => weir?.stop());

// The error body of the interface, with this status and a stable code.
async function isError(response, status, code) {
  const text = await response.text();
  assert.equal(response.status, status, text);
  const body = JSON.parse(text);
  assert.equal(body.success, false);
  assert.equal(typeof body.error, 'string');
  assert.match(body.code, /^[a-z0-9_]+$/);
  if (code) assert.equal(body.code, code);
}

async function published(t, given) {
  const call = newCallId();
  const session = await openSession(whip(call), publishOffer(given));
  t.after(() => closeSession(session));
  return { call, session };
}

const generation = (session) => ({ ufrag: valueOf(session.answer, 'a=ice-ufrag:'), pwd: valueOf(session.answer, 'a=ice-pwd:') });
const OLD = { ufrag: 'tests', pwd: 'a-password-of-tests-22' };
const NEW = { ufrag: 'testsB', pwd: 'another-password-of-22' };
const CANDIDATE = 'a=candidate:1 1 UDP 2015363327 127.0.0.1 9999 typ host';

describe('POST', () => {
  test('answers 201 with Location, a strong ETag, the SDP answer and CORS', async (t) => {
    const { session: { response, answer } } = await published(t);
    assert.match(response.headers.get('content-type'), /^application\/sdp/);
    assert.ok(response.headers.get('location'));
    assert.match(response.headers.get('etag'), /^"[^"]+"$/);
    assert.equal(response.headers.get('access-control-allow-origin'), '*');
    const exposed = response.headers.get('access-control-expose-headers').toLowerCase();
    for (const name of ['location', 'etag', 'link']) assert.ok(exposed.includes(name), `${name} is not exposed`);
    assert.match(answer, /^v=0\r\n/);
  });

  test('answers as ICE-lite, DTLS passive, recvonly to a publisher, with all candidates', async (t) => {
    const { session: { answer } } = await published(t);
    assert.ok(linesOf(answer, 'a=ice-lite').length >= 1);
    assert.deepEqual([...new Set(linesOf(answer, 'a=setup:'))], ['a=setup:passive']);
    assert.equal(linesOf(answer, 'a=recvonly').length, 2);
    assert.equal(linesOf(answer, 'a=rtcp-mux').filter((line) => line === 'a=rtcp-mux').length, 2);
    assert.equal(valueOf(answer, 'a=group:BUNDLE '), '0 1');
    assert.ok(linesOf(answer, 'a=candidate:').some((line) => / udp 127\.0\.0\.1|UDP \d+ 127\.0\.0\.1/i.test(line)), answer);
    assert.ok(linesOf(answer, 'a=end-of-candidates').length >= 1);
  });

  test('answers a player sendonly, with the SSRC of each slot', async (t) => {
    const { call } = await published(t);
    const session = await openSession(whep(call), playOffer());
    t.after(() => closeSession(session));
    assert.equal(linesOf(session.answer, 'a=sendonly').length, 2);
    assert.ok(linesOf(session.answer, 'a=ssrc:').length >= 2);
  });

  test('of a player to a call where nothing is published is 409 with Retry-After', async () => {
    const response = await post(whep(newCallId()), playOffer());
    assert.ok(Number(response.headers.get('retry-after')) > 0);
    await isError(response, 409);
  });

  test('of another media type is 415', async () => {
    await isError(await post(whip(newCallId()), publishOffer(), { 'Content-Type': 'application/json' }), 415);
    await isError(await post(whip(newCallId()), publishOffer(), { 'Content-Type': 'text/plain' }), 415);
  });

  test('takes parameters and any case in the media type', async (t) => {
    const session = await openSession(whip(newCallId()), publishOffer(), { 'Content-Type': 'Application/SDP; charset=utf-8' });
    t.after(() => closeSession(session));
  });

  test('of what is no SDP is 400', async () => {
    for (const body of ['', 'hello', '{"type":"offer"}', 'v=0\r\n', '\0\0\0\0', publishOffer().slice(0, 40)]) {
      await isError(await post(whip(newCallId()), body), 400);
    }
  });

  test('of an offer without ICE credentials or fingerprint is refused', async () => {
    for (const missing of ['a=ice-ufrag', 'a=ice-pwd', 'a=fingerprint', 'a=rtcp-mux']) {
      const sdp = publishOffer().split('\r\n').filter((line) => !line.startsWith(missing)).join('\r\n');
      const response = await post(whip(newCallId()), sdp);
      assert.ok([400, 422].includes(response.status), `${missing}: ${response.status}`);
    }
  });

  test('of an offer without a usable codec is 422', async () => {
    const sdp = offer([{ kind: 'video', direction: 'sendonly', ssrc: 1, codec: ['a=rtpmap:96 H263-1998/90000'] }]);
    await isError(await post(whip(newCallId()), sdp), 422);
  });

  test('of two video tracks to WHIP is refused', async () => {
    const track = { kind: 'video', direction: 'sendonly' };
    const response = await post(whip(newCallId()), offer([{ ...track, ssrc: 1 }, { ...track, ssrc: 2 }]));
    assert.ok([400, 422].includes(response.status), String(response.status));
  });

  test('of more m-lines than the limit is refused, and the server lives', async () => {
    const many = Array.from({ length: 400 }, () => ({ kind: 'audio', direction: 'recvonly' }));
    const { status } = await post(whep(newCallId()), offer(many));
    assert.ok([400, 409, 413, 422, 429].includes(status), String(status));
  });

  test('of a body over the limit is 413', async () => {
    await isError(await post(whip(newCallId()), `${publishOffer()}a=x:${'y'.repeat(300_000)}\r\n`), 413);
  });

  test('with an impossible call id is an error and creates nothing', async () => {
    for (const call of ['not-a-uuid', '..%2F..%2Fetc', '%00']) {
      const { status } = await post(whip(call), publishOffer());
      assert.ok([400, 404].includes(status), `${call}: ${status}`);
    }
  });
});

describe('PATCH', () => {
  test('that trickles is 204 without a body and without an ETag', async (t) => {
    const { session } = await published(t);
    const response = await patch(session.url, fragment({ ...OLD, candidates: [CANDIDATE] }), { 'If-Match': session.etag });
    assert.equal(response.status, 204);
    assert.equal(response.headers.get('etag'), null);
    assert.equal(await response.text(), '');
  });

  test('with a candidate that is nonsense is still 204: such candidates are dropped', async (t) => {
    const { session } = await published(t);
    const candidates = ['a=candidate:nonsense', 'a=candidate:1 1 UDP 1 an.unresolvable.name.local 9 typ host'];
    const response = await patch(session.url, fragment({ ...OLD, candidates, end: true }), { 'If-Match': session.etag });
    assert.equal(response.status, 204);
  });

  test('that restarts is 200 with a new ETag and new credentials, and then the old ETag is stale', async (t) => {
    const { session } = await published(t);
    const response = await patch(session.url, fragment(NEW), { 'If-Match': '*' });
    const text = await response.text();
    assert.equal(response.status, 200, text);
    assert.match(response.headers.get('content-type'), /^application\/trickle-ice-sdpfrag/);
    assert.match(response.headers.get('etag'), /^"[^"]+"$/);
    assert.notEqual(response.headers.get('etag'), session.etag);
    assert.notEqual(valueOf(text, 'a=ice-ufrag:'), generation(session).ufrag);
    assert.ok(linesOf(text, 'a=candidate:').length >= 1);
    await isError(await patch(session.url, fragment({ ...NEW, candidates: [CANDIDATE] }), { 'If-Match': session.etag }), 412);
    const fresh = await patch(session.url, fragment({ ...NEW, candidates: [CANDIDATE] }), { 'If-Match': response.headers.get('etag') });
    assert.equal(fresh.status, 204);
  });

  test('without If-Match is 428, with a wrong one 412', async (t) => {
    const { session } = await published(t);
    await isError(await patch(session.url, fragment({ ...OLD, candidates: [CANDIDATE] })), 428);
    await isError(await patch(session.url, fragment({ ...OLD, candidates: [CANDIDATE] }), { 'If-Match': '"wrong"' }), 412);
  });

  test('of another media type is 415, of nonsense 400', async (t) => {
    const { session } = await published(t);
    const match = { 'If-Match': session.etag };
    await isError(await patch(session.url, fragment(OLD), { ...match, 'Content-Type': 'application/json' }), 415);
    await isError(await patch(session.url, 'nonsense', match), 400);
  });

  test('of a session that does not exist is 404', async (t) => {
    const { session } = await published(t);
    await isError(await patch(`${session.url}x`, fragment(OLD), { 'If-Match': session.etag }), 404);
  });
});

describe('DELETE', () => {
  test('ends the session: 200, then 404', async (t) => {
    const { session } = await published(t);
    assert.equal((await closeSession(session)).status, 200);
    await isError(await closeSession(session), 404);
    await isError(await patch(session.url, fragment(OLD), { 'If-Match': session.etag }), 404);
  });

  test('ignores the ETag', async (t) => {
    const { session } = await published(t);
    const response = await fetch(session.url, { method: 'DELETE', headers: { 'If-Match': '"wrong"' } });
    assert.equal(response.status, 200);
  });
});

describe('other methods', () => {
  test('OPTIONS of an endpoint answers the preflight without credentials', async () => {
    for (const endpoint of [whip(newCallId()), whep(newCallId())]) {
      const response = await fetch(endpoint, { method: 'OPTIONS', headers: {
        Origin: 'https://elsewhere.example', 'Access-Control-Request-Method': 'POST',
        'Access-Control-Request-Headers': 'authorization,content-type' } });
      assert.ok([200, 204].includes(response.status), String(response.status));
      assert.match(response.headers.get('accept-post'), /application\/sdp/);
      assert.ok(response.headers.get('access-control-allow-origin'));
      assert.match(response.headers.get('access-control-allow-methods'), /POST/);
      const allowed = response.headers.get('access-control-allow-headers').toLowerCase();
      for (const name of ['authorization', 'content-type', 'if-match']) assert.ok(allowed.includes(name), name);
    }
  });

  test('OPTIONS of a session allows PATCH and DELETE', async (t) => {
    const { session } = await published(t);
    const response = await fetch(session.url, { method: 'OPTIONS', headers: {
      Origin: 'https://elsewhere.example', 'Access-Control-Request-Method': 'PATCH' } });
    assert.ok([200, 204].includes(response.status));
    assert.match(response.headers.get('access-control-allow-methods'), /PATCH.*DELETE|DELETE.*PATCH/);
  });

  test('GET of an endpoint or a session has no content', async (t) => {
    const { call, session } = await published(t);
    for (const url of [whip(call), whep(call), session.url]) {
      const response = await fetch(url);
      assert.ok(response.status >= 200 && response.status < 300, `${url}: ${response.status}`);
      assert.equal(await response.text(), '');
    }
  });

  test('HEAD of a WHEP endpoint is 200 and names application/sdp', async (t) => {
    const { call } = await published(t);
    const response = await fetch(whep(call), { method: 'HEAD' });
    assert.equal(response.status, 200);
    assert.match(response.headers.get('content-type'), /^application\/sdp/);
  });

  test('others are 405 with Allow', async (t) => {
    const { call, session } = await published(t);
    for (const [url, method, allowed] of [[whip(call), 'PUT', /POST/], [whep(call), 'DELETE', /POST/], [session.url, 'PUT', /PATCH/], [session.url, 'POST', /DELETE/]]) {
      const response = await fetch(url, { method });
      assert.match(response.headers.get('allow') ?? '', allowed, `${method} ${url}`);
      await isError(response, 405);
    }
  });
});

describe('with a secret', () => {
  let guarded;
  const at = (kind, call) => `${guarded.url}/${kind}/${call}`;
  before(async () => {
    const file = path.join(scratch('secret'), 'secret');
    writeFileSync(file, `${SECRET}\n`);
    guarded = await startWeir({ demo: false, args: ['--secret-file', file] });
  }, { timeout: 30_000 });
  after(() => guarded?.stop());

  const host = { sub: 'host', name: 'Host', grants: ['publish', 'subscribe'] };
  const newCall = () => new User(guarded.url, token(host)).initiate();

  test('no token is 401 with WWW-Authenticate', async () => {
    const response = await post(at('whip', newCallId()), publishOffer());
    assert.match(response.headers.get('www-authenticate'), /^Bearer/);
    await isError(response, 401);
  });

  test('tokens that are wrong in any way are 401', async () => {
    const call = await newCall();
    const now = Math.floor(Date.now() / 1000);
    const wrong = {
      'alg none': token(host, { alg: 'none' }),
      'alg HS384': token(host, { alg: 'HS384' }),
      'alg HS512': token(host, { alg: 'HS512' }),
      'another secret': token(host, { secret: 'a wrong secret, just as long as the right one' }),
      'expired': token({ ...host, exp: now - 120 }),
      'no exp': token({ ...host, exp: undefined }),
      'not yet valid': token({ ...host, nbf: now + 120 }),
      'no sub': token({ ...host, sub: undefined }),
      'a changed payload': token(host).replace(/\.[^.]+\./, `.${Buffer.from(JSON.stringify({ ...host, exp: now + 60, sub: 'admin' })).toString('base64url')}.`),
      'no signature': token(host).replace(/[^.]+$/, ''),
      'garbage': 'garbage',
      'empty': '',
    };
    for (const [name, jwt] of Object.entries(wrong)) {
      const response = await post(at('whip', call), publishOffer(), bearer(jwt));
      assert.equal(response.status, 401, `${name}: ${response.status} ${await response.text()}`);
    }
  });

  test('a token within the leeway of 60 s is good', async () => {
    const now = Math.floor(Date.now() / 1000);
    const call = await newCall();
    const session = await openSession(at('whip', call), publishOffer(), bearer(token({ ...host, exp: now - 30 })));
    const response = await fetch(session.url, { method: 'DELETE', headers: bearer(token(host)) });
    assert.equal(response.status, 200);
  });

  test('a token for another call, or without the grant, is 403', async () => {
    const call = await newCall();
    await isError(await post(at('whip', call), publishOffer(), bearer(token({ ...host, call: newCallId() }))), 403);
    await isError(await post(at('whip', call), publishOffer(), bearer(token({ ...host, grants: ['subscribe'] }))), 403);
    const session = await openSession(at('whip', call), publishOffer(), bearer(token({ ...host, call })));
    await isError(await post(at('whep', call), playOffer(), bearer(token({ ...host, grants: ['publish'] }))), 403);
    await fetch(session.url, { method: 'DELETE', headers: bearer(token(host)) });
  });

  test('a call that does not exist is 404: only the demo mode makes one', async () => {
    await isError(await post(at('whip', newCallId()), publishOffer(), bearer(token(host))), 404);
  });

  test('a session cannot be ended without a token', async () => {
    const call = await newCall();
    const session = await openSession(at('whip', call), publishOffer(), bearer(token(host)));
    await isError(await closeSession(session), 401);
    const response = await fetch(session.url, { method: 'DELETE', headers: bearer(token(host)) });
    assert.equal(response.status, 200);
  });
});

test('the Link header names the ICE servers, and a page elsewhere may read it', async (t) => {
  const relay = await startWeir({ args: ['--turn-url', 'turn:127.0.0.1:3478', '--turn-secret', 'a-turn-secret'] });
  t.after(() => relay.stop());
  const { response, url } = await openSession(`${relay.url}/whip/${newCallId()}`, publishOffer());
  const link = response.headers.get('link') ?? '';
  assert.match(link, /<turn:127\.0\.0\.1:3478[^>]*>; *rel="ice-server"/);
  assert.match(link, /username="\d+:[^"]*"/);
  assert.match(link, /credential="[^"]+"/);
  await fetch(url, { method: 'DELETE' });
});
