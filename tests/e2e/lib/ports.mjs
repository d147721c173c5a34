// Free ports on loopback, UDP and TCP alike: the server's workers need consecutive ones.

import dgram from 'node:dgram';
import { once } from 'node:events';
import net from 'node:net';

function bindUdp(port) {
  return new Promise((resolve, reject) => {
    const socket = dgram.createSocket('udp4');
    socket.once('error', reject);
    socket.bind(port, '127.0.0.1', () => resolve(socket));
  });
}

async function bindTcp(port) {
  const server = net.createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

const close = (socket) => new Promise((resolve) => socket.close(resolve));

// The first of `count` consecutive ports that were free a moment ago. Below the kernel's ephemeral
// range, so that no client's socket takes one of them between now and the server's start.
export async function freePorts(count) {
  for (let tries = 0; tries < 100; tries++) {
    const first = 12_000 + Math.floor(Math.random() * 18_000);
    const held = [];
    try {
      for (let i = 0; i < count; i++) {
        held.push(await bindUdp(first + i));
        held.push(await bindTcp(first + i));
      }
      return first;
    } catch {
      continue;
    } finally {
      await Promise.all(held.map(close));
    }
  }
  throw new Error(`no ${count} consecutive ports are free`);
}
