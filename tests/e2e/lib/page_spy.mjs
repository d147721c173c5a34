// Runs inside the pages, before their own scripts: notes what the page negotiates and what the
// server tells it, without changing either, save for `relay`: server port to the port of a relay
// that the candidates of answers are pointed at, and `onlyTcp`: the network lets no UDP through, so
// that UDP candidates of answers are as good as not there. No import may be used in here.

export function spy({ relay = null, onlyTcp = false }) {
  const notes = { connections: [], sockets: [], sources: new Map(), messages: [], offers: 0, answers: 0 };
  window.notes = notes;

  function note(text, sent) {
    let message;
    try {
      message = JSON.parse(text);
    } catch {
      return;
    }
    notes.messages.push({ at: performance.now(), sent, ...message });
    if (message.type !== 'slots' || sent) return;
    for (const slot of message.slots) notes.sources.set(String(slot.mid), slot.track_id ? slot : null);
  }

  window.WebSocket = class extends WebSocket {
    constructor(...given) {
      super(...given);
      notes.sockets.push(this);
      this.addEventListener('message', (event) => note(event.data, false));
    }
    send(data) {
      note(data, true);
      super.send(data);
    }
  };

  function changeCandidates(sdp) {
    if (!relay && !onlyTcp) return sdp;
    return sdp.split('\r\n').flatMap((line) => {
      if (!line.startsWith('a=candidate:')) return [line];
      const words = line.split(' ');
      if (onlyTcp) return words[2].toLowerCase() === 'tcp' ? [line] : [];
      if (words[2].toLowerCase() !== 'udp') return [];
      words[4] = '127.0.0.1';
      words[5] = String(relay[words[5]] ?? words[5]);
      return [words.join(' ')];
    }).join('\r\n');
  }

  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...given) {
      super(...given);
      notes.connections.push(this);
    }
    async setLocalDescription(...given) {
      await super.setLocalDescription(...given);
      if (this.localDescription?.type === 'offer') notes.offers++;
    }
    async setRemoteDescription(description) {
      notes.answers++;
      return super.setRemoteDescription({ type: description.type, sdp: changeCandidates(description.sdp) });
    }
  };
}
