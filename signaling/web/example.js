import { WeirClient, WeirRest } from './weir-client.js';
/** @param {HTMLElement} tiles @param {string} [callId] of a call to join */
export async function run(tiles, callId) {
  const rest = new WeirRest();
  if (!document.cookie.includes('csrftoken=')) await rest.signIn('Developer');
  const client = new WeirClient({ callId: callId || (await rest.startCall('VIDEO')) });
  client.on('tile', ({ userId, source, track }) => {
    const id = `${source}-${userId}`;
    const player = document.getElementById(id) ?? document.createElement(track?.kind ?? 'video');
    if (!track) return player.remove();
    Object.assign(player, { id, autoplay: true, playsInline: true });
    tiles.append(player);
    client.tile(userId, source).attach(player);
  });
  const mine = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
  await client.publish(mine, { handOver: true });
  await client.join();
  return client;
}
