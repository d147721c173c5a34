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
   * @param {'GET' | 'POST' | 'DELETE'} method
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

  /** Demo mode: ends that. */
  signOut() {
    return this.request('DELETE', '/session/');
  }

  /**
   * Starts a call with a channel's members or with these people; with nobody it is a meeting by link.
   * @param {'AUDIO' | 'VIDEO'} callType @param {string[]} [userIds] @param {string} [channelId]
   * @returns {Promise<string>} call id
   */
  async startCall(callType, userIds = [], channelId) {
    const whom = channelId === undefined ? { user_ids: userIds } : { channel_id: channelId };
    return (await this.request('POST', '/calls/initiate/', { call_type: callType, ...whom })).call_id;
  }

  /** @param {string} callId */
  joinCall(callId) {
    return this.request('POST', callPath(callId, 'join'));
  }

  /** @param {string} callId */
  leaveCall(callId) {
    return this.request('POST', callPath(callId, 'leave'), {}, { keepalive: true });
  }

  /** @param {string} callId */
  endCall(callId) {
    return this.request('POST', callPath(callId, 'end'));
  }

  /** @param {string} callId */
  rejectCall(callId) {
    return this.request('POST', callPath(callId, 'reject'));
  }

  /** @param {string} callId */
  callStatus(callId) {
    return this.request('GET', callPath(callId, 'status'));
  }

  /** @param {string} callId @param {string} userId */
  removeParticipant(callId, userId) {
    return this.request('POST', callPath(callId, `participants/${encodeURIComponent(userId)}/remove`));
  }

  /** Why this participant's slots carry what they do. @param {string} callId @param {string} userId */
  why(callId, userId) {
    return this.request('GET', `/api/v1${callPath(callId, `participants/${encodeURIComponent(userId)}/why`)}`);
  }

  /** Who one is. */
  me() {
    return this.request('GET', '/api/v1/me/');
  }

  /** @param {{search?: string, page?: number}} [filter] */
  users(filter = {}) {
    return this.request('GET', `/api/v1/users/${queryOf(filter)}`);
  }

  /** One's own calls. @param {Record<string, string | number | boolean | undefined>} [filter] ordering, page, page_size, direction, call_type, missed, search */
  calls(filter = {}) {
    return this.request('GET', `/api/v1/calls/${queryOf(filter)}`);
  }

  channels() {
    return this.request('GET', '/api/v1/channels/');
  }

  /** @param {string} channelId */
  channel(channelId) {
    return this.request('GET', `/api/v1/channels/${encodeURIComponent(channelId)}/`);
  }

  /** @param {string} name */
  createChannel(name) {
    return this.request('POST', '/api/v1/channels/', { name });
  }

  /** @param {string} channelId */
  joinChannel(channelId) {
    return this.request('POST', `/api/v1/channels/${encodeURIComponent(channelId)}/join/`);
  }

  /** @param {string} channelId */
  leaveChannel(channelId) {
    return this.request('POST', `/api/v1/channels/${encodeURIComponent(channelId)}/leave/`);
  }
}

/** @param {string} callId @param {string} action */
const callPath = (callId, action) => `/calls/${encodeURIComponent(callId)}/${action}/`;

/** @param {Record<string, string | number | boolean | undefined>} filter what is undefined or empty is left out */
function queryOf(filter) {
  const pairs = Object.entries(filter).filter(([, value]) => value !== undefined && value !== '');
  const query = new URLSearchParams(pairs.map(([name, value]) => [name, String(value)])).toString();
  return query && `?${query}`;
}
