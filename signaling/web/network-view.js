// The network test as people see it: a bar that runs, a verdict, the numbers, and what to do about it.

import { figures } from './call-stats.js';
import { button, element, icon } from './dom.js';
import { judge, testNetwork } from './network-test.js';
import { texts } from './texts.js';

const SECONDS = 10;
const SIGNS = { good: 'check', fair: 'check', audio: 'mic', bad: 'warning', none: 'warning' };

/** @param {string} [token] @returns {{root: HTMLElement, stop: () => void}} */
export function networkView(token = '') {
  const root = element('div', { class: 'stack network' });
  let abort = new AbortController();
  const start = async () => {
    abort = new AbortController();
    const bar = element('progress', { max: String(SECONDS), value: '0', 'aria-label': texts.network.title });
    const line = element('p', { class: 'soft', role: 'status' }, texts.network.running(SECONDS));
    root.replaceChildren(line, bar);
    const onProgress = (/** @type {number} */ left) => {
      bar.value = SECONDS - left;
      line.textContent = texts.network.running(left);
    };
    try {
      showFindings(await testNetwork({ token, onProgress, signal: abort.signal }));
    } catch (error) {
      if (abort.signal.aborted) return;
      const isRefused = / answered 4/.test(String(error));
      root.replaceChildren(element('p', { class: 'problem-line', role: 'status' }, isRefused ? texts.network.unavailable : texts.closed.network), again(texts.retry));
    }
  };
  const again = (/** @type {string} */ label) => button(label, 'network', start, { id: 'network-start' });
  const showFindings = (/** @type {import('./network-test.js').Findings} */ findings) => {
    const verdict = judge(findings);
    const { network } = texts;
    const head = element('div', { class: `verdict ${verdict}`, role: 'status' }, icon(SIGNS[verdict]), element('p', {}, network.verdict[verdict]));
    const tcp = findings.isTcpOpen === null ? network.unknown : findings.isTcpOpen ? network.tcpWorks : network.tcpFails;
    root.replaceChildren(head, figures([
      [network.connection, findings.protocol.toUpperCase() || '–'],
      [network.rtt, findings.rttMs === null ? '–' : network.ms(findings.rttMs)],
      [network.loss, network.percent(findings.loss)],
      [network.rate, network.mbps(findings.bps)],
      [network.tcp, tcp],
    ]), element('p', { class: 'soft small-text' }, network.advice[verdict]), again(network.again));
    root.dataset.verdict = verdict;
  };
  root.append(element('p', { class: 'soft small-text' }, texts.network.hint), again(texts.network.start));
  return { root, stop: () => abort.abort() };
}

/** @param {HTMLDialogElement} dialog @param {string} [token] */
export function showNetworkDialog(dialog, token) {
  const view = networkView(token);
  dialog.replaceChildren(element('div', { class: 'stack' }, element('h2', { id: 'network-title' }, texts.network.title), view.root,
    button(texts.close, '', () => dialog.close(), { class: 'primary' })));
  dialog.addEventListener('close', view.stop, { once: true });
  dialog.showModal();
  /** @type {HTMLElement | null} */ (dialog.querySelector('#network-start'))?.click();
}
