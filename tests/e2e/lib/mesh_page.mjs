// A call page that knows the interface's description and nothing of this server: peer connections with
// everybody, offers to each user_joined that asks for one, everything else answered. Put into a blank
// page by meshPage(). `style` is how it spells its messages.

export function meshPage({ server, token, callId, colour, toneHz, style }) {
  const peers = new Map(); // User id to {connection, video}.
  const told = [];
  window.mesh = { peers, told, say: (message) => socket.send(JSON.stringify(message)) };

  function ownStream() {
    const canvas = Object.assign(document.createElement('canvas'), { width: 160, height: 120 });
    const paint = canvas.getContext('2d');
    setInterval(() => {
      paint.fillStyle = colour;
      paint.fillRect(0, 0, 160, 120);
      paint.fillStyle = 'white';
      paint.fillRect(Date.now() / 10 % 160, 110, 8, 8);
    }, 50);
    const audio = new AudioContext();
    const sink = audio.createMediaStreamDestination();
    const tone = new OscillatorNode(audio, { frequency: toneHz });
    tone.connect(sink);
    tone.start();
    return new MediaStream([...canvas.captureStream(20).getTracks(), ...sink.stream.getTracks()]);
  }
  const stream = ownStream();

  const send = (type, fields, to) => socket.send(JSON.stringify({ type, ...fields, [style.target]: to }));

  function peer(userId) {
    if (peers.has(userId)) return peers.get(userId).connection;
    const connection = new RTCPeerConnection();
    const video = Object.assign(document.createElement('video'), { autoplay: true, srcObject: new MediaStream() });
    document.body.append(video);
    connection.ontrack = ({ track }) => video.srcObject.addTrack(track);
    connection.onicecandidate = ({ candidate }) => candidate && send('ice_candidate', { candidate: candidate.toJSON() }, userId);
    for (const track of stream.getTracks()) connection.addTrack(track, stream);
    peers.set(userId, { connection, video, early: [] });
    return connection;
  }

  async function describe(userId, description) {
    await peer(userId).setRemoteDescription(description);
    for (const candidate of peers.get(userId).early.splice(0)) await peer(userId).addIceCandidate(candidate);
  }

  const handlers = {
    async user_joined({ user_id, should_create_offer }) {
      if (!should_create_offer) return;
      const connection = peer(user_id);
      await connection.setLocalDescription(await connection.createOffer());
      send(style.offer, { offer: { type: 'offer', sdp: connection.localDescription.sdp } }, user_id);
    },
    async offer({ offer, from_user_id }) {
      await describe(from_user_id, offer);
      const connection = peer(from_user_id);
      await connection.setLocalDescription(await connection.createAnswer());
      send(style.answer, { answer: { type: 'answer', sdp: connection.localDescription.sdp } }, from_user_id);
    },
    answer: ({ answer, from_user_id }) => describe(from_user_id, answer),
    async ice_candidate({ candidate, from_user_id }) {
      if (peer(from_user_id).remoteDescription) await peer(from_user_id).addIceCandidate(candidate);
      else peers.get(from_user_id).early.push(candidate);
    },
    user_left({ user_id }) {
      peers.get(user_id)?.connection.close();
      peers.get(user_id)?.video.remove();
      peers.delete(user_id);
    },
  };
  handlers.webrtc_offer = handlers.offer;
  handlers.webrtc_answer = handlers.answer;

  const socket = new WebSocket(`${server.replace('http', 'ws')}/ws/call/${callId}/?access_token=${token}`);
  let queue = Promise.resolve();
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    told.push(message);
    queue = queue.then(() => handlers[message.type]?.(message)).catch((error) => told.push({ type: 'page_error', error: String(error) }));
  };
  socket.onclose = ({ code }) => told.push({ type: 'closed', code });
}

// What comes from another one: frames decoded, the picture's colour, and the loudness of the sound so far.
export async function lookAtPeer(userId) {
  const { connection, video } = window.mesh.peers.get(userId) ?? {};
  if (!connection || !video.videoWidth) return null;
  const found = { frames: 0, energy: 0 };
  const stats = await connection.getStats();
  for (const report of stats.values()) {
    if (report.type === 'inbound-rtp' && report.kind === 'video') found.frames = report.framesDecoded;
    if (report.type === 'inbound-rtp' && report.kind === 'audio') found.energy = report.totalAudioEnergy;
  }
  const canvas = Object.assign(document.createElement('canvas'), { width: 4, height: 4 });
  const paint = canvas.getContext('2d');
  paint.drawImage(video, 0, 0, 160, 120, 0, 0, 4, 4);
  return { ...found, colour: [...paint.getImageData(1, 1, 1, 1).data].slice(0, 3) };
}
