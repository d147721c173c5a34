// A TCP port in front of the server's HTTP port whose connections can be cut like a cable.

import net from 'node:net';
import { once } from 'node:events';

export class TcpProxy {
  static async open(serverPort) {
    const proxy = new TcpProxy();
    proxy.pairs = new Set();
    proxy.isCut = false;
    proxy.server = net.createServer((client) => proxy.#connect(client, serverPort)).listen(0, '127.0.0.1');
    await once(proxy.server, 'listening');
    proxy.port = proxy.server.address().port;
    proxy.url = `http://127.0.0.1:${proxy.port}`;
    return proxy;
  }

  #connect(client, serverPort) {
    if (this.isCut) return client.resetAndDestroy();
    const server = net.connect(serverPort, '127.0.0.1');
    const pair = { client, server, isWebSocket: false };
    this.pairs.add(pair);
    client.once('data', (bytes) => { pair.isWebSocket = bytes.includes('GET /ws/'); });
    for (const [one, other] of [[client, server], [server, client]]) {
      one.on('data', (bytes) => other.write(bytes));
      one.on('end', () => other.end());
      one.on('error', () => other.destroy());
      one.on('close', () => { other.destroy(); this.pairs.delete(pair); });
    }
  }

  // Cuts every WebSocket without a closing handshake; returns how many. New ones get through again
  // after restore().
  cutWebSockets() {
    this.isCut = true;
    const cut = [...this.pairs].filter((pair) => pair.isWebSocket);
    for (const { client, server } of cut) {
      client.resetAndDestroy();
      server.resetAndDestroy();
    }
    return cut.length;
  }

  restore() {
    this.isCut = false;
  }

  close() {
    for (const { client, server } of this.pairs) {
      client.destroy();
      server.destroy();
    }
    this.server.close();
  }
}
