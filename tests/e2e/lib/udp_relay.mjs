// A bad network between clients and the server: a UDP port that forwards to one of the server's,
// with a socket of its own towards the server for each client. Each direction is a link that can
// lose, delay and narrow what it carries, and change in time; and the relay can give a client another
// address, as a NAT does that forgot.

import dgram from 'node:dgram';
import { UdpLink } from './udp_link.mjs';

const openSocket = (address) => new Promise((resolve, reject) => {
  const socket = dgram.createSocket({ type: 'udp4', recvBufferSize: 1 << 20 });
  socket.once('error', reject);
  socket.bind(0, address, () => resolve(socket));
});

// A link whose datagrams are sent when they have arrived. One timer serves all of them: Node's are
// a millisecond coarse, and the link reckons with the true times.
class Pipe {
  constructor(options, seed) {
    this.link = new UdpLink(options, seed);
    this.timer = null;
    this.timerAtMs = Infinity;
  }

  put(send, bytes) {
    this.link.put(performance.now(), send, bytes.length);
    this.#run();
  }

  set(changes) {
    this.link.set(performance.now(), changes);
    this.#run();
  }

  #run() {
    for (const send of this.link.take(performance.now())) send();
    const nextMs = this.link.nextMs();
    if (nextMs >= this.timerAtMs || nextMs === Infinity) return;
    clearTimeout(this.timer);
    this.timerAtMs = nextMs;
    this.timer = setTimeout(() => {
      this.timerAtMs = Infinity;
      this.#run();
    }, Math.max(0, nextMs - performance.now()));
  }

  close() {
    clearTimeout(this.timer);
    this.timerAtMs = -Infinity;
  }
}

export class UdpRelay {
  // The options are a link's, for each way; `up` and `down` (to the server and from it) say what is
  // different there. `host` is the server's address.
  static async open(serverPort, { seed = 1, host = '127.0.0.1', up = {}, down = {}, ...both } = {}) {
    const relay = new UdpRelay();
    Object.assign(relay, {
      serverPort, host, paths: new Map(), up: new Pipe({ ...both, ...up }, seed), down: new Pipe({ ...both, ...down }, seed + 1_000),
    });
    relay.socket = await openSocket('127.0.0.1');
    relay.port = relay.socket.address().port;
    relay.socket.on('message', (bytes, from) => relay.#fromClient(bytes, from));
    return relay;
  }

  #fromClient(bytes, from) {
    const key = `${from.address}:${from.port}`;
    let path = this.paths.get(key);
    if (!path) {
      path = { client: from, upstream: null, waiting: [], firstCheckAt: 0 };
      this.paths.set(key, path);
      this.#openUpstream(path);
    }
    const isStun = bytes[0] < 4;
    if (isStun && !path.firstCheckAt) path.firstCheckAt = performance.now();
    this.up.put(() => this.#send(path, bytes), bytes);
  }

  #send(path, bytes) {
    if (!this.socket) return;
    if (!path.upstream) path.waiting.push(bytes);
    else path.upstream.send(bytes, this.serverPort, this.host);
  }

  async #openUpstream(path) {
    const upstream = await openSocket(this.host);
    upstream.on('message', (bytes) => this.down.put(() => {
      if (this.socket && path.upstream === upstream) this.socket.send(bytes, path.client.port, path.client.address);
    }, bytes));
    path.upstream = upstream;
    for (const bytes of path.waiting.splice(0)) this.#send(path, bytes);
  }

  // Changes the links from now on.
  set({ up = {}, down = {}, ...both }) {
    this.up.set({ ...both, ...up });
    this.down.set({ ...both, ...down });
  }

  // Nothing gets through either way for so long.
  breakFor(ms) {
    for (const { link } of [this.up, this.down]) link.breakFor(performance.now(), ms);
  }

  // From now on the server sees every client at another address. What it still sends to the old one is
  // lost. Returns the paths, whose `firstCheckAt` will say when the first check went the new way.
  async changeAddresses() {
    const paths = [...this.paths.values()];
    for (const path of paths) {
      const old = path.upstream;
      path.upstream = null;
      await this.#openUpstream(path);
      old.close();
      path.firstCheckAt = 0;
    }
    return paths;
  }

  close() {
    for (const pipe of [this.up, this.down]) pipe.close();
    for (const { upstream } of this.paths.values()) upstream?.close();
    this.socket.close();
    this.socket = null;
  }
}

// One relay for each worker: {relays, ports}, where ports maps a server's port to its relay's. What
// is set or read, is of all of them: whoever uses them is on one worker.
export async function relaysFor(weir, options) {
  const relays = [];
  const ports = {};
  for (let i = 0; i < weir.workers; i++) {
    const relay = await UdpRelay.open(weir.rtcPort + i, { ...options, seed: (options?.seed ?? 1) + i });
    relays.push(relay);
    ports[weir.rtcPort + i] = relay.port;
  }
  return {
    relays, ports,
    set: (changes) => relays.forEach((relay) => relay.set(changes)),
    breakFor: (ms) => relays.forEach((relay) => relay.breakFor(ms)),
    counts: (way) => relays.map((relay) => relay[way].link.counts).reduce((one, other) =>
      Object.fromEntries(Object.entries(one).map(([name, value]) => [name, value + other[name]]))),
    close: () => relays.forEach((relay) => relay.close()),
  };
}
