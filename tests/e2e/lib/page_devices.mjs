// Runs inside the pages, before their own scripts: camera, microphone and screen that show and sound
// like one participant. No import may be used in here: the function travels as text.

export function fakeDevices({ colour, toneHz, browserTone = false, fps = 12, width = 320, height = 180, grain = 0 }) {
  const css = (rgb) => `rgb(${rgb.join(',')})`;
  const white = [235, 235, 235];

  // A texture twice as large as the picture: grain that moves costs an encoder all that it may spend.
  let texture = null;
  function paintGrain(context, frame) {
    texture ??= grainOf(new OffscreenCanvas(width * 2, height * 2));
    context.globalAlpha = grain;
    context.drawImage(texture, -((frame * 7) % width), -((frame * 3) % height));
    context.globalAlpha = 1;
  }

  function grainOf(sheet) {
    const context = sheet.getContext('2d');
    const cell = 6;
    for (let y = 0; y < sheet.height; y += cell)
      for (let x = 0; x < sheet.width; x += cell) {
        context.fillStyle = css([Math.random() * 256, Math.random() * 256, Math.random() * 256]);
        context.fillRect(x, y, cell, cell);
      }
    return sheet;
  }

  // Left two thirds: the code, one colour above another. Right third: a bar that moves with every frame.
  function paint(context, top, bottom, frame) {
    context.fillStyle = css(top);
    context.fillRect(0, 0, width, height / 2);
    context.fillStyle = css(bottom);
    context.fillRect(0, height / 2, width, height / 2);
    context.fillStyle = 'black';
    context.fillRect((width * 2) / 3, 0, width / 3, height);
    context.fillStyle = 'white';
    context.fillRect((width * 2) / 3, (frame * 9) % height, width / 3, 24);
    if (grain > 0) paintGrain(context, frame);
  }

  function paintedTrack(top, bottom) {
    const canvas = document.createElement('canvas');
    canvas.width = width;
    canvas.height = height;
    const context = canvas.getContext('2d');
    let frame = 0;
    paint(context, top, bottom, frame++);
    const [track] = canvas.captureStream(fps).getVideoTracks();
    const timer = setInterval(() => {
      if (track.readyState === 'ended') clearInterval(timer);
      paint(context, top, bottom, frame++);
    }, 1000 / fps);
    return track;
  }

  // Firefox runs no AudioContext on a machine without a sound card: its own fake microphone serves.
  const nativeUserMedia = MediaDevices.prototype.getUserMedia;
  let audio = null;
  async function toneTrack() {
    if (browserTone) return (await nativeUserMedia.call(navigator.mediaDevices, { audio: true })).getAudioTracks()[0];
    audio ??= new AudioContext();
    const oscillator = new OscillatorNode(audio, { frequency: toneHz });
    const gain = new GainNode(audio, { gain: 0.3 });
    const destination = new MediaStreamAudioDestinationNode(audio);
    oscillator.connect(gain).connect(destination);
    oscillator.start();
    return destination.stream.getAudioTracks()[0];
  }

  MediaDevices.prototype.getUserMedia = async function (wanted = {}) {
    const tracks = [];
    if (wanted.audio) tracks.push(await toneTrack());
    if (wanted.video) tracks.push(paintedTrack(colour, colour));
    return new MediaStream(tracks);
  };
  MediaDevices.prototype.getDisplayMedia = async function () {
    return new MediaStream([paintedTrack(colour, white)]);
  };
}
