// Runs inside the pages, before their own scripts: a camera that shows someone at home, for the
// picture in the README. No import may be used in here.

export function portraitCamera({ colour, skin, hair, seed }) {
  const [width, height] = [640, 360];
  const rgb = ([r, g, b], share = 1) => `rgb(${[r, g, b].map((value) => Math.round(value * share)).join(',')})`;

  function ellipse(context, x, y, rx, ry, fill) {
    context.fillStyle = fill;
    context.beginPath();
    context.ellipse(x, y, rx, ry, 0, 0, 2 * Math.PI);
    context.fill();
  }

  function room(context) {
    const wall = context.createLinearGradient(0, 0, width, height);
    wall.addColorStop(0, rgb([236, 229, 218], 0.92 + (seed % 3) * 0.03));
    wall.addColorStop(1, rgb([176, 186, 196], 0.8 + (seed % 4) * 0.05));
    context.fillStyle = wall;
    context.fillRect(0, 0, width, height);
    for (let i = 0; i < 9; i++) {
      const x = 24 + ((seed * 97 + i * 31) % 190) + (i % 2 ? 380 : 0);
      context.fillStyle = rgb([90 + ((i * 53 + seed * 17) % 120), 90 + ((i * 29) % 90), 100 + ((i * 71 + seed) % 90)]);
      context.fillRect(x, 120 - 30 - ((i * 7) % 20), 12 + (i % 4) * 3, 30 + ((i * 7) % 20));
    }
    context.fillStyle = rgb([120, 92, 66]);
    context.fillRect(20, 120, 216, 7);
    context.fillRect(396, 120, 216, 7);
  }

  function sitter(context, seconds) {
    const x = width / 2 + 6 * Math.sin(seconds * 0.8 + seed);
    const y = 168 + 3 * Math.sin(seconds * 1.7 + seed);
    const talks = Math.abs(Math.sin(seconds * 5 + seed)) * 7;
    ellipse(context, x, y - 6, 74, 92, rgb(hair));
    ellipse(context, width / 2, 382, 152, 128, rgb(colour, 0.85));
    context.fillStyle = rgb(skin, 0.9);
    context.fillRect(x - 24, y + 50, 48, 56);
    ellipse(context, x, y + 8, 60, 76, rgb(skin));
    ellipse(context, x, y - 62, 62, 30, rgb(hair));
    for (const side of [-1, 1]) {
      ellipse(context, x + side * 23, y - 2, 5, 6, rgb([40, 34, 32]));
      ellipse(context, x + side * 23, y - 18, 13, 3, rgb(hair, 0.8));
    }
    ellipse(context, x, y + 46, 16, 3 + talks, rgb([150, 62, 62]));
  }

  MediaDevices.prototype.getUserMedia = async function () {
    const canvas = document.createElement('canvas');
    Object.assign(canvas, { width, height });
    const context = canvas.getContext('2d');
    const began = performance.now();
    const paint = () => {
      room(context);
      sitter(context, (performance.now() - began) / 1000);
    };
    paint();
    setInterval(paint, 100);
    const audio = new AudioContext();
    const silence = new MediaStreamAudioDestinationNode(audio);
    return new MediaStream([...canvas.captureStream(10).getTracks(), ...silence.stream.getTracks()]);
  };
}
