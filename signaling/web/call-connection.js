// The banner over a call whose connection broke: what is done about it, and when.

import { button, byId } from './dom.js';
import { texts } from './texts.js';

/** A connection that is back within a second was not worth mentioning. */
const BANNER_MS = 1_000;

/** @param {import('./weir-client.js').WeirClient} client */
export function wireBanner(client) {
  const banner = byId('banner');
  const words = document.createElement('span');
  const now = button(texts.call.retryNow, '', () => client.retryNow(), { class: 'small' });
  banner.append(words, now);
  let since = 0;
  const show = () => {
    const isBroken = client.state === 'connecting' || client.state === 'reconnecting';
    if (!isBroken) since = 0;
    else since ||= Date.now();
    banner.hidden = !isBroken || Date.now() - since < BANNER_MS;
    if (banner.hidden) return;
    const seconds = client.retryAt ? Math.ceil((client.retryAt.getTime() - Date.now()) / 1000) : 0;
    const text = seconds > 0 ? texts.call.retryIn(seconds) : texts.call[client.state === 'connecting' ? 'connecting' : 'reconnecting'];
    if (words.textContent !== text) words.textContent = text;
    now.hidden = seconds <= 0;
  };
  client.on('connection', show);
  setInterval(show, 250);
}
