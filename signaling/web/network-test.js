// The network test: a picture of noise goes to the server by WHIP and comes back by WHEP, for ten
// seconds, in a call of its own that nobody sees. A second, silent connection tries whether TCP would do.

const TEST_MS = 10_000;
const SETTLE_MS = 3_000;
const SAMPLE_MS = 500;
const CONNECT_MS = 6_000;
const MOST_BPS = 2_500_000;
const PICTURE = { width: 640, height: 360, fps: 24 };

/** @typedef {'good' | 'fair' | 'audio' | 'bad' | 'none'} Verdict */
/**
 * @typedef {object} Findings
 * @property {'udp' | 'tcp' | ''} protocol
 * @property {number | null} rttMs
 * @property {number} loss share of what was sent that did not come back, 0 to 1
 * @property {number} bps that came back
 * @property {boolean | null} isTcpOpen null: not known
 */

/** @param {Findings} findings @returns {Verdict} what calls would be like */
export function judge({ protocol, rttMs, loss, bps }) {
  if (protocol === '' || bps < 30_000) return protocol === '' ? 'none' : 'bad';
  const rtt = rttMs ?? 0;
  if (bps >= 1_000_000 && loss < 0.03 && rtt < 200) return 'good';
  if (bps >= 300_000 && loss < 0.1 && rtt < 400) return 'fair';
  return bps >= 60_000 && loss < 0.25 && rtt < 800 ? 'audio' : 'bad';
}

/** One HTTP exchange of offer and answer; DELETE ends it. */
class Exchange {
  /** @param {string} token of a host's user; without one we come as a guest, so that no call of ours is noted */
  constructor(token) {
    this.init = /** @type {RequestInit} */ ({ credentials: 'omit', headers: token ? { Authorization: `Bearer ${token}` } : {} });
    this.location = '';
  }

  /** @param {string} path @param {string} sdp */
  async offer(path, sdp) {
    const headers = { ...this.init.headers, 'Content-Type': 'application/sdp' };
    const response = await fetch(path, { ...this.init, method: 'POST', headers, body: sdp });
    if (response.status !== 201) throw new Error(`${path.slice(1, 5)} answered ${response.status}`);
    this.location = response.headers.get('Location') ?? '';
    return response.text();
  }

  async end() {
    if (this.location) await fetch(this.location, { ...this.init, method: 'DELETE', keepalive: true }).catch(() => {});
  }
}

/** A connection to one of the two endpoints. */
class Way {
  pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });

  /** @param {string} token */
  constructor(token) {
    this.exchange = new Exchange(token);
  }

  /** @param {string} path @param {(sdp: string) => string} [filter] of the answer */
  async connect(path, filter = (sdp) => sdp) {
    await this.pc.setLocalDescription();
    const sdp = await this.exchange.offer(path, this.pc.localDescription?.sdp ?? '');
    await this.pc.setRemoteDescription({ type: 'answer', sdp: filter(sdp) });
    await this.#connected();
  }

  #connected() {
    return new Promise((resolve, reject) => {
      const check = () => {
        if (this.pc.connectionState === 'connected') resolve(undefined);
        if (this.pc.connectionState === 'failed') reject(new Error('no way through'));
      };
      this.pc.onconnectionstatechange = check;
      setTimeout(() => reject(new Error('no way through in time')), CONNECT_MS);
      check();
    });
  }

  /** First by HTTP: what the connection itself ends is not there to be deleted any more. */
  async close() {
    await this.exchange.end();
    this.pc.close();
  }
}

/** Noise costs every bit that it is allowed. @returns {{track: MediaStreamTrack, stop: () => void}} */
function noise() {
  const canvas = document.createElement('canvas');
  canvas.width = PICTURE.width;
  canvas.height = PICTURE.height;
  const context = canvas.getContext('2d');
  const image = context?.createImageData(PICTURE.width, PICTURE.height);
  const words = new Uint32Array(image?.data.buffer ?? new ArrayBuffer(4));
  const paint = () => {
    let seed = (performance.now() * 1000) >>> 0;
    for (let i = 0; i < words.length; i++) {
      if (i % 4 === 0) seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      words[i] = seed | 0xff000000;
    }
    if (image) context?.putImageData(image, 0, 0);
  };
  paint();
  const timer = setInterval(paint, 1000 / PICTURE.fps);
  const [track] = canvas.captureStream(PICTURE.fps).getVideoTracks();
  return { track, stop: () => (clearInterval(timer), track.stop()) };
}

/** @param {RTCPeerConnection} pc */
async function readPath(pc) {
  const report = await pc.getStats();
  const entries = [...report.values()];
  const pair = entries.find(({ type, nominated, state }) => type === 'candidate-pair' && nominated && state === 'succeeded');
  const candidate = pair && (report.get(pair.remoteCandidateId) ?? report.get(pair.localCandidateId));
  const inbound = entries.find(({ type, kind }) => type === 'inbound-rtp' && kind === 'video');
  return {
    protocol: /** @type {'udp' | 'tcp' | ''} */ (candidate?.protocol?.toLowerCase() ?? ''),
    rttMs: pair?.currentRoundTripTime === undefined ? null : pair.currentRoundTripTime * 1000,
    bytes: Number(inbound?.bytesReceived ?? 0),
    packets: Number(inbound?.packetsReceived ?? 0),
    lost: Math.max(0, Number(inbound?.packetsLost ?? 0)),
  };
}

const onlyTcp = (/** @type {string} */ sdp) =>
  sdp.split('\r\n').filter((line) => !line.startsWith('a=candidate:') || / tcp /i.test(line)).join('\r\n');

/** @param {string} token @returns {Promise<boolean | null>} */
async function tryTcp(token) {
  const way = new Way(token);
  const audio = new AudioContext();
  try {
    const silence = new MediaStreamAudioDestinationNode(audio);
    way.pc.addTransceiver(silence.stream.getAudioTracks()[0], { direction: 'sendonly' });
    await way.connect(`/whip/${crypto.randomUUID()}`, onlyTcp);
    return true;
  } catch (error) {
    return /no way/.test(String(error)) ? false : null;
  } finally {
    way.close();
    audio.close();
  }
}

const wait = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * @param {{token?: string, onProgress: (secondsLeft: number) => void, signal: AbortSignal}} options
 * @returns {Promise<Findings>} rejects when the server does not take part, and when it was called off
 */
export async function testNetwork({ token = '', onProgress, signal }) {
  const call = crypto.randomUUID();
  const up = new Way(token);
  const down = new Way(token);
  const { track, stop } = noise();
  const tcp = tryTcp(token);
  try {
    up.pc.addTransceiver(track, { direction: 'sendonly', sendEncodings: [{ maxBitrate: MOST_BPS }] });
    down.pc.addTransceiver('video', { direction: 'recvonly' });
    try {
      await up.connect(`/whip/${call}`);
      await down.connect(`/whep/${call}`);
    } catch (error) {
      if (!/no way/.test(String(error))) throw error;
      return { protocol: '', rttMs: null, loss: 1, bps: 0, isTcpOpen: await tcp };
    }
    return { ...(await measure(up.pc, down.pc, onProgress, signal)), isTcpOpen: await tcp };
  } finally {
    stop();
    up.close();
    down.close();
  }
}

/** @param {RTCPeerConnection} up @param {RTCPeerConnection} down @param {(left: number) => void} onProgress @param {AbortSignal} signal */
async function measure(up, down, onProgress, signal) {
  const began = performance.now();
  /** @type {Awaited<ReturnType<typeof readPath>> | null} */
  let first = null;
  let firstAt = 0;
  /** @type {number[]} */
  const rtts = [];
  for (;;) {
    await wait(SAMPLE_MS);
    signal.throwIfAborted();
    const passed = performance.now() - began;
    onProgress(Math.max(0, Math.ceil((TEST_MS - passed) / 1000)));
    const { rttMs } = await readPath(up);
    if (rttMs !== null) rtts.push(rttMs);
    const now = await readPath(down);
    if (!first && passed >= SETTLE_MS) [first, firstAt] = [now, passed]; // Until then the sender still speeds up.
    if (passed < TEST_MS || !first) continue;
    const received = now.packets - first.packets;
    const lost = Math.max(0, now.lost - first.lost);
    return {
      protocol: now.protocol,
      rttMs: rtts.length > 0 ? rtts.sort((a, b) => a - b)[rtts.length >> 1] : null,
      loss: received + lost > 0 ? lost / (received + lost) : 0,
      bps: ((now.bytes - first.bytes) * 8000) / (passed - firstAt),
    };
  }
}
