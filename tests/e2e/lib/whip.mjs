// The HTTP of WHIP and WHEP clients (RFC 9725, draft-ietf-wish-whep).

import { randomUUID } from 'node:crypto';
import { expectThat } from './wait.mjs';

export const newCallId = () => randomUUID();

export const post = (url, sdp, headers = {}) =>
  fetch(url, { method: 'POST', headers: { 'Content-Type': 'application/sdp', ...headers }, body: sdp });

export const patch = (url, fragment, headers = {}) =>
  fetch(url, { method: 'PATCH', headers: { 'Content-Type': 'application/trickle-ice-sdpfrag', ...headers }, body: fragment });

// Opens a session that must succeed: {url, etag, answer, response}.
export async function openSession(endpoint, sdp, headers = {}) {
  const response = await post(endpoint, sdp, headers);
  const text = await response.text();
  expectThat(`${response.status} ${text}`, response.status === 201, 'not created');
  const url = new URL(response.headers.get('location'), endpoint).href;
  return { url, etag: response.headers.get('etag'), answer: text, response };
}

export const closeSession = (session) => fetch(session.url, { method: 'DELETE' });
