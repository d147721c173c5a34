// The shared timer: anyone starts it, everybody sees it run down.

import { byId, button, clockOf, element, icon, nameNode, openMenu, toast } from './dom.js';
import { chime } from './ringtone.js';
import { texts } from './texts.js';

const CHOICES_MINUTES = [1, 3, 5, 10, 15];

/** @param {import('./weir-client.js').WeirClient} client */
export function wireTimer(client) {
  const chip = byId('timer');
  /** @type {import('./weir-types.js').Timer | null} */
  let timer = null;
  const show = () => {
    chip.hidden = timer === null;
    if (!timer) return;
    const left = Math.ceil((timer.endsAt.getTime() - Date.now()) / 1000);
    if (left <= 0) {
      timer = null;
      chime();
      toast(texts.timer.over);
      return show();
    }
    chip.classList.toggle('soon', left <= 10);
    chip.replaceChildren(icon('timer'), clockOf(left));
    nameNode(chip, `${texts.timer.left}: ${clockOf(left)}`);
  };
  client.on('timer', (event) => {
    const isNew = event.timer !== null && timer === null;
    timer = event.timer;
    if (isNew && timer && timer.userId !== client.you.userId) {
      const name = client.participants.get(timer.userId)?.name ?? '';
      toast(texts.timer.started(name, clockOf((timer.endsAt.getTime() - Date.now()) / 1000 + 0.5)));
    }
    show();
  });
  setInterval(show, 500);
}

/** @param {import('./weir-client.js').WeirClient} client @param {HTMLElement} opener */
export function openTimerMenu(client, opener) {
  const menu = byId('timer-menu');
  const start = (/** @type {number} */ seconds) => {
    client.startTimer(seconds);
    menu.hidePopover();
  };
  const choices = CHOICES_MINUTES.map((minutes) => button(texts.timer.minutes(minutes), '', () => start(minutes * 60), { class: 'small' }));
  const field = element('input', { type: 'number', min: '1', max: '180', value: '20', 'aria-label': texts.timer.custom });
  const form = element('form', { class: 'row' }, field, element('button', { class: 'primary' }, texts.timer.start));
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    start(Math.min(180, Math.max(1, field.valueAsNumber || 1)) * 60);
  });
  menu.replaceChildren(
    element('h2', {}, texts.timer.title),
    element('p', { class: 'soft small-text' }, texts.timer.hint),
    element('div', { class: 'row choices' }, ...choices),
    form,
    button(texts.timer.stop, '', () => start(0)),
  );
  openMenu(menu, opener);
}
