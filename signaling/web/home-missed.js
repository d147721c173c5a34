// The number beside "History": calls missed since one looked there last.

import { byId } from './dom.js';
import { readCalls } from './home-history-read.js';
import { changeSettings, settings } from './settings.js';
import { texts } from './texts.js';

const PAGE_SIZE = 20;

/** @param {import('./home.js').Home} home @returns {{seen: () => void}} seen: one looks at the history now */
export function wireMissed({ rest, notifications, me }) {
  const badge = byId('missed-count');
  const count = async () => {
    const answer = await rest.calls({ ordering: '-created_at', missed: true, page_size: PAGE_SIZE }).catch(() => null);
    if (!answer) return;
    const { calls } = readCalls(answer, me.userId, PAGE_SIZE);
    const missed = calls.filter(({ kind, at }) => kind === 'missed' && at.getTime() > settings().historySeenAt).length;
    badge.hidden = missed === 0;
    badge.textContent = String(missed);
    badge.setAttribute('aria-label', texts.home.missed(missed));
  };
  notifications.on('cancelled', () => setTimeout(count, 500)); // The server writes it down a little later.
  count();
  return {
    seen: () => {
      changeSettings({ historySeenAt: Date.now() });
      badge.hidden = true;
    },
  };
}
