// A bad network between clients and the server: a UDP port that forwards to one of the server's,
// with a socket of its own towards the server for each client. It loses and delays both ways, and
// it can give a client another address, as a NAT does that forgot.

import dgram from 'node:dgram';
import { seeded } from './random.mjs';

const bind = (socket) => new Promise((resolve, reject) => {
  socket.once('error', reject);
  socket.bind(0, '127.0.0.1', () => resolve(socket));
});

export class UdpRelay {
  // `loss` is a share of datagrams each way, `delayMs` is added each way.
  static async open(serverPort, { loss = 0, delayMs = 0, seed = 1 } = {}) {
    const relay = new UdpRelay();
    Object.assign(relay, { serverPort, loss, delayMs, random: seeded(seed), paths: new Map(), passed: 0, lost: 0 });
    relay.socket = await bind(dgram.createSocket({ type: 'udp4', recvBufferSize: 1 << 20 }));
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
    this.#later(() => this.#send(path, bytes));
  }

  #send(path, bytes) {
    if (!this.socket) return;
    if (!path.upstream) path.waiting.push(bytes);
    else path.upstream.send(bytes, this.serverPort, '127.0.0.1');
  }

  async #openUpstream(path) {
    const upstream = await bind(dgram.createSocket({ type: 'udp4', recvBufferSize: 1 << 20 }));
    upstream.on('message', (bytes) => this.#later(() => {
      if (this.socket && path.upstream === upstream) this.socket.send(bytes, path.client.port, path.client.address);
    }));
    path.upstream = upstream;
    for (const bytes of path.waiting.splice(0)) this.#send(path, bytes);
  }

  #later(action) {
    if (this.random() < this.loss) {
      this.lost++;
      return;
    }
    this.passed++;
    if (this.delayMs) setTimeout(action, this.delayMs);
    else action();
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
    for (const { upstream } of this.paths.values()) upstream?.close();
    this.socket.close();
    this.socket = null;
  }
}

// One relay for each worker: {relays, ports}, where ports maps a server's port to its relay's.
export async function relaysFor(weir, options) {
  const relays = [];
  const ports = {};
  for (let i = 0; i < weir.workers; i++) {
    const relay = await UdpRelay.open(weir.rtcPort + i, { ...options, seed: (options?.seed ?? 1) + i });
    relays.push(relay);
    ports[weir.rtcPort + i] = relay.port;
  }
  return { relays, ports, close: () => relays.forEach((relay) => relay.close()) };
}
