// The page about the client library: its example, shown as it is served, and run as it is shown.

import { button, byId, element, fillPage, render } from './dom.js';
import { readReference, referenceView } from './docs-reference.js';
import { ringHere } from './ring.js';
import { hostToken, seemsSignedIn } from './sign-in.js';
import { texts } from './texts.js';
import { WeirRest } from './weir-client.js';

const token = hostToken();
const callId = new URLSearchParams(location.search).get('call') ?? '';

async function showSource() {
  const source = await (await fetch('/static/example.js')).text();
  byId('source').textContent = source.trim();
}

async function showReference() {
  const source = await (await fetch('/static/weir-client.js')).text();
  render(byId('interface'), ...referenceView(readReference(source)));
}

/** @typedef {import('./weir-client.js').WeirClient} WeirClient */
async function run() {
  /** @type {{run: (tiles: HTMLElement, callId: string) => Promise<WeirClient>}} */
  const example = await import(/** @type {string} */ ('/static/example.js'));
  const tiles = byId('tiles');
  try {
    const client = await example.run(tiles, callId);
    const own = element('video', { autoplay: '', playsinline: '' });
    own.muted = true;
    own.srcObject = new MediaStream([client.localTrack('camera')].filter((track) => track !== null));
    tiles.prepend(own);
    const { callId: id } = client;
    const link = new URL(`/docs/client?call=${id}`, location.href).href;
    render(byId('state'), texts.docs.running, ' ', element('a', { href: link, target: '_blank', rel: 'noopener' }, link));
    render(byId('run'), button(texts.docs.stop, 'close', async () => {
      await client.leave();
      tiles.replaceChildren();
      byId('state').textContent = texts.docs.stopped;
      showRun();
    }, { id: 'stop-example' }));
  } catch (error) {
    byId('state').textContent = texts.docs.failed(/** @type {Error} */ (error).message);
  }
}

function showRun() {
  render(byId('run'), button(texts.docs.run, 'play', run, { class: 'primary', id: 'run-example' }));
}

fillPage();
if (token || seemsSignedIn()) ringHere(new WeirRest({ token }));
showRun();
showSource();
showReference();
