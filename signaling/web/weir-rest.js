// The call API over HTTP, as a host page needs it: sign in, start, join, leave and end a call.
// With a bearer token nothing else is needed; with the session cookie every request that changes
// something carries the csrftoken cookie back as a header.

/** What went wrong, with the server's stable word for it. */
export class WeirError extends Error {
  /**
   * @param {string} code    the stable word, e.g. "call_over"; "network" when nobody answered
   * @param {string} message the reason in words
   * @param {number} [status] HTTP status or WebSocket close code; 0 when there was none
   */
  constructor(code, message, status = 0) {
    super(message);
    this.name = 'WeirError';
    this.code = code;
    this.status = status;
  }
}

/** @param {string} name @param {string} cookies */
export function cookieValue(name, cookies) {
  for (const pair of cookies.split('; ')) {
    const at = pair.indexOf('=');
    if (pair.slice(0, at) === name) return decodeURIComponent(pair.slice(at + 1));
  }
  return '';
}

/** @param {Response} response @returns {Promise<Record<string, any>>} */
async function readJson(response) {
  try {
    return await response.json();
  } catch {
    return {};
  }
}

export class WeirRest {
  /** @param {{baseUrl?: string, token?: string}} [options] baseUrl "" is the page's own server */
  constructor({ baseUrl = '', token = '' } = {}) {
    this.baseUrl = baseUrl.replace(/\/$/, '');
    this.token = token;
  }

  /**
   * @param {'GET' | 'POST'} method
   * @param {string} path
   * @param {object} [body]
   * @param {{keepalive?: boolean}} [options] keepalive lets the request outlive the page
   * @returns {Promise<Record<string, any>>} the JSON answer; throws WeirError on anything but 2xx
   */
  async request(method, path, body, { keepalive = false } = {}) {
    /** @type {Response} */
    let response;
    try {
      response = await fetch(this.baseUrl + path, {
        method,
        keepalive,
        headers: this.#headers(method),
        credentials: this.token ? 'omit' : 'same-origin',
        body: method === 'GET' ? undefined : JSON.stringify(body ?? {}),
      });
    } catch {
      throw new WeirError('network', 'The server does not answer');
    }
    const answer = await readJson(response);
    if (response.ok) return answer;
    throw new WeirError(
      answer.code ?? `http_${response.status}`,
      answer.error ?? response.statusText,
      response.status,
    );
  }

  /** @param {string} method */
  #headers(method) {
    /** @type {Record<string, string>} */
    const headers = { Accept: 'application/json' };
    if (method !== 'GET') headers['Content-Type'] = 'application/json';
    if (this.token) headers.Authorization = `Bearer ${this.token}`;
    const csrf = this.token ? '' : cookieValue('csrftoken', document.cookie);
    if (csrf && method !== 'GET') headers['X-CSRFToken'] = csrf;
    return headers;
  }

  /** Demo mode: signs this browser in under a name. @param {string} name */
  signIn(name) {
    return this.request('POST', '/session/', { name });
  }

  /** @param {'AUDIO' | 'VIDEO'} callType @param {string[]} [userIds] @returns {Promise<string>} call id */
  async startCall(callType, userIds = []) {
    const body = { call_type: callType, user_ids: userIds };
    return (await this.request('POST', '/calls/initiate/', body)).call_id;
  }

  /** @param {string} callId */
  joinCall(callId) {
    return this.request('POST', `/calls/${encodeURIComponent(callId)}/join/`);
  }

  /** @param {string} callId */
  leaveCall(callId) {
    const path = `/calls/${encodeURIComponent(callId)}/leave/`;
    return this.request('POST', path, {}, { keepalive: true });
  }

  /** @param {string} callId */
  endCall(callId) {
    return this.request('POST', `/calls/${encodeURIComponent(callId)}/end/`);
  }

  /** @param {string} callId */
  callStatus(callId) {
    return this.request('GET', `/calls/${encodeURIComponent(callId)}/status/`);
  }
}
