// The first page: signing in, and then channels, people, history and settings, while it listens for calls.

import { avatar, byId, element, fillPage, render, toast } from './dom.js';
import { ChannelsView } from './home-channels.js';
import { HistoryView } from './home-history.js';
import { wireMissed } from './home-missed.js';
import { PeopleView } from './home-people.js';
import { SettingsView } from './home-settings.js';
import { startMeeting, wireOpenLink } from './home-start.js';
import { showTurnedAway, showWelcome } from './home-welcome.js';
import { Ring } from './ring.js';
import { hostToken, rememberedName, seemsSignedIn, tokenProblem } from './sign-in.js';
import { texts } from './texts.js';
import { WeirNotifications, WeirRest } from './weir-client.js';

/**
 * @typedef {object} Home what the views share
 * @property {WeirRest} rest
 * @property {WeirNotifications} notifications
 * @property {{userId: string, name: string, isDemo: boolean}} me
 */
/** @typedef {{show: (root: HTMLElement, rest: string) => void, hide?: () => void}} HomeView */

/** A closed connection that opens again within this time was not worth mentioning. */
const OFFLINE_MS = 2_500;

const token = hostToken();
const rest = new WeirRest({ token });

async function start() {
  fillPage();
  if (!seemsSignedIn() && !token) return showWelcome(rest, enter);
  try {
    await enter();
  } catch (error) {
    const problem = /** @type {import('./weir-client.js').WeirError} */ (error);
    const words = tokenProblem(token, problem);
    if (words) showTurnedAway(words);
    else showWelcome(rest, enter, problem.status === 401 ? '' : problem.message);
  }
}

async function enter() {
  const { user_id, name, demo = true } = await rest.me().catch((error) => {
    if (error.status !== 404) throw error;
    return { user_id: '', name: rememberedName(), demo: true };
  });
  const notifications = new WeirNotifications({ token });
  const home = { rest, notifications, me: { userId: String(user_id), name: String(name), isDemo: Boolean(demo) } };
  byId('welcome').hidden = true;
  byId('app').hidden = false;
  showMe(home);
  new Ring(rest, notifications);
  wireOffline(notifications);
  wireViews(home);
  byId('meeting').addEventListener('click', () => startMeeting(rest));
  wireOpenLink();
  notifications.connect();
}

/** @param {Home} home */
function showMe({ me }) {
  render(byId('me'), avatar(me.name, me.userId), element('span', { class: 'name' }, me.name));
}

/** @param {WeirNotifications} notifications */
function wireOffline(notifications) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  notifications.on('connection', ({ isOpen }) => {
    clearTimeout(timer);
    if (isOpen) byId('offline').hidden = true;
    else timer = setTimeout(() => (byId('offline').hidden = false), OFFLINE_MS);
  });
}

/** @param {Home} home */
function wireViews(home) {
  // People and channels are a host application's own.
  for (const name of home.me.isDemo ? [] : ['channels', 'people'])
    /** @type {HTMLElement} */ (document.querySelector(`nav [data-view="${name}"]`)).hidden = true;
  /** @type {Record<string, HomeView>} */
  const views = {
    ...(home.me.isDemo ? { channels: new ChannelsView(home), people: new PeopleView(home) } : {}),
    history: new HistoryView(home),
    settings: new SettingsView(home),
  };
  const first = Object.keys(views)[0];
  const missed = wireMissed(home);
  let current = '';
  const main = byId('main');
  const route = () => {
    const [, name = '', ...path] = location.hash.slice(1).split('/');
    if (location.hash.startsWith('#token=')) return void (hostToken(), location.reload()); // Somebody else, perhaps.
    const chosen = name in views ? name : first;
    if (chosen !== current) views[current]?.hide?.();
    if (chosen === 'history' || current === 'history') missed.seen();
    for (const link of document.querySelectorAll('nav a'))
      link.toggleAttribute('aria-current', /** @type {HTMLElement} */ (link).dataset.view === chosen);
    for (const link of document.querySelectorAll('nav [aria-current]')) link.setAttribute('aria-current', 'page');
    document.title = `${texts.home[/** @type {'channels'} */ (chosen)]} – ${texts.product}`;
    const isNew = chosen !== current && current !== '';
    current = chosen;
    views[chosen].show(main, path.map(decodeURIComponent).join('/'));
    if (isNew) main.focus({ preventScroll: true });
  };
  addEventListener('hashchange', route);
  route();
}

start().catch((error) => toast(error.message, 'problem'));
