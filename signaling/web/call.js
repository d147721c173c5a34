// The call page: a WeirClient on one side, stage, panels and buttons on the other.
// `window.weir` is the client, for tests and for the curious at the console.

import { wireChat } from './call-chat.js';
import { wireBanner } from './call-connection.js';
import { reportDevices, wireControls } from './call-controls.js';
import { rejoin, showOver, showPhase, showRefusal } from './call-gate.js';
import { showKeys, wireKeys } from './call-keys.js';
import { Lobby } from './call-lobby.js';
import { askToEnd, wireMore } from './call-more.js';
import { closePanels, onPanel, togglePanel, wirePanels } from './call-panels.js';
import { Polls } from './call-polls.js';
import { RingingView } from './call-ringing.js';
import { wireSignals } from './call-signals.js';
import { Sound } from './call-sound.js';
import { Stage } from './call-stage.js';
import { wireStats } from './call-stats.js';
import { wireTimer } from './call-timer.js';
import { stageHooks, View } from './call-view.js';
import { wireVoice } from './call-voice.js';
import { toggleFull } from './call-window.js';
import { button, byId, clockOf, copyText, element, fillPage, toast } from './dom.js';
import { lookAtCall } from './call-visit.js';
import { ringHere } from './ring.js';
import { markInCall } from './ringtone.js';
import { settings, tabNote } from './settings.js';
import { hostToken, rememberedName, signedInAs, tokenProblem } from './sign-in.js';
import { texts } from './texts.js';
import { WeirClient, WeirError, WeirRest, openDevices } from './weir-client.js';

/** How long to wait for the answer to the browser's question about devices before coming in without. */
const DEVICES_MS = 1_500;

const callId = location.pathname.split('/').filter(Boolean)[1] ?? '';
const noteKey = `in.${location.pathname}`;
const token = hostToken();
const rest = new WeirRest({ token });
const client = new WeirClient({ callId, token });
fillPage();
const stage = new Stage(stageHooks(client));
const sound = new Sound();
const invitation = { key: 'invitation', element: invitationTile() };
const ringing = new RingingView(client, callId, rest, { show: () => showExtra(), changed: () => view.showList() });
const view = new View(client, stage, () => ringing.awaited);
/** @type {import('./ring.js').Ring | null} */
let ring = null;
let unmarkInCall = () => {};
let isGoing = false;
let joinedAt = 0;
let endedByServer = false;
let ownSpeaks = false;
/** @type {string[]} */
let speakers = [];

async function start() {
  if (!('RTCPeerConnection' in window)) throw new WeirError('no_webrtc', '');
  const visit = await lookAtCall(rest, callId, { wasIn: tabNote(noteKey) === 'yes', token });
  if (visit.title) showTitle(visit.title);
  if (!visit.needsName) listenForOthers();
  if (!visit.needsLobby) {
    await client.enter();
    return await comeIn(publishDevices(visit.isVideo));
  }
  const join = async (/** @type {string} */ name) => {
    if (visit.needsName) await signedInAs(rest, name, () => client.enter());
    else await client.enter();
    listenForOthers();
    const tracks = lobby.end();
    lobby.wanted.video = tracks.video !== null;
    await comeIn(publish([tracks.audio, tracks.video]));
  };
  const lobby = new Lobby({ ...visit, token, join });
  showPhase('lobby');
  await lobby.begin();
}

/** Other calls ring here too: in the lobby as anywhere, in the call more quietly. */
function listenForOthers() {
  const phase = () => document.body.dataset.phase;
  ring ??= ringHere(rest, {
    here: () => (phase() === 'over' ? '' : callId),
    isBusy: () => phase() === 'in' || phase() === 'entering',
    leave: async () => {
      isGoing = true;
      await client.leave();
    },
  });
}

/** @param {string} title of the channel */
function showTitle(title) {
  byId('title').textContent = title;
  byId('title').classList.remove('heard');
  document.title = `${title} – ${texts.product}`;
}

/** @param {Promise<void>} devices */
async function comeIn(devices) {
  showPhase('entering');
  await Promise.race([devices, new Promise((resolve) => setTimeout(resolve, DEVICES_MS))]);
  await client.join();
  joinedAt = Date.now();
  tabNote(noteKey, 'yes');
  unmarkInCall = markInCall();
  showPhase('in');
  view.showOwn();
  showEveryone();
  ringing.start();
}

/** Sends what there is: what lets itself be opened, and no camera in an audio call. @param {boolean} isVideo */
async function publishDevices(isVideo) {
  const { microphone, camera } = settings();
  const video = isVideo && client.call.type === 'VIDEO';
  const devices = await openDevices({ audio: true, video, audioDeviceId: microphone, videoDeviceId: camera });
  reportDevices(devices);
  await publish([devices.audio, devices.video]);
}

/** @param {(MediaStreamTrack | null)[]} given */
async function publish(given) {
  const tracks = given.filter((track) => track !== null);
  if (client.state === 'closed') return tracks.forEach((track) => track.stop());
  if (tracks.length > 0) await client.publish(new MediaStream(tracks), { handOver: true });
}

function showEveryone() {
  view.showList();
  showExtra();
  byId('end').hidden = client.call.initiatorId === '' || client.call.initiatorId !== client.you.userId;
}

/** Beside oneself: who is being called, or how to call somebody. */
function showExtra() {
  if (client.participants.size > 0 || document.body.dataset.phase !== 'in') return stage.setExtra(null);
  stage.setExtra(ringing.tile ?? invitation);
}

/** Stands on the stage until somebody else does. */
function invitationTile() {
  return element('div', { class: 'tile invitation' },
    element('h2', {}, texts.call.alone),
    element('p', { class: 'soft' }, texts.call.aloneHint),
    element('code', {}, location.origin + location.pathname),
    button(texts.call.copyLink, 'link', copyLink, { class: 'primary' }));
}

async function copyLink() {
  toast((await copyText(location.origin + location.pathname)) ? texts.call.copied : texts.call.copyFailed);
}

const seconds = () => (Date.now() - (client.call.startedAt?.getTime() ?? joinedAt)) / 1000;

function showSpeakers() {
  stage.setSpeakers([...(ownSpeaks ? ['own'] : []), ...speakers.filter((userId) => userId !== client.you.userId)]);
}

/** @param {{state: import('./weir-client.js').ConnectionState, reason: WeirError | null}} change */
async function onConnection({ state, reason }) {
  if (state !== 'closed') return;
  tabNote(noteKey, '');
  unmarkInCall();
  ringing.stop();
  stage.clear();
  sound.stop();
  if (isGoing) return showPhase('entering');
  await explainEnd(reason);
  ring?.refresh();
}

/** @param {WeirError | null} reason */
async function explainEnd(reason) {
  const took = joinedAt > 0 ? texts.call.overText(clockOf(seconds())) : '';
  if (reason?.status === 401 || reason?.status === 4401) return await signInAgain(reason);
  if ((endedByServer || reason?.code === 'call_over') && (await ringing.explainEnd())) return;
  if (reason) refuse(reason);
  else if (endedByServer) showOver({ title: texts.call.overTitle, text: took, sign: 'phone' });
  else showOver({ title: texts.call.leftTitle, text: took, way: { label: texts.call.again, act: rejoin } });
}

/** @param {WeirError} error */
function refuse(error) {
  const words = tokenProblem(token, error, callId);
  if (words) showOver({ title: texts.host.title, text: words, sign: 'warning' });
  else showRefusal(error);
}

/** The server has forgotten who we are, as after a restart: once, we say it again. @param {WeirError} reason */
async function signInAgain(reason) {
  const lately = Date.now() - Number(tabNote('signedInAt')) < 60_000;
  if (token || rememberedName() === '' || lately) return refuse(reason);
  tabNote('signedInAt', String(Date.now()));
  await rest.signIn(rememberedName()).then(rejoin, refuse);
}

function wireClient() {
  client.on('connection', onConnection);
  client.on('call-ended', () => (endedByServer = true));
  client.on('error', (error) => toast(error.message, 'problem'));
  client.on('local', () => (view.showOwn(), view.showList()));
  client.on('hand', ({ userId }) => userId === client.you.userId && (view.showOwn(), view.showList()));
  client.on('participant-joined', ({ participant }) => {
    view.show(participant);
    showEveryone();
    if (client.state === 'connected') toast(texts.call.joined(participant.name));
  });
  client.on('participant-left', ({ participant }) => {
    view.hide(participant.userId);
    showEveryone();
    if (client.state !== 'closed') toast(texts.call.left(participant.name));
  });
  client.on('participant-updated', ({ participant }) => (view.show(participant), view.showList()));
  client.on('track-published', ({ track: { userId, source } }) => {
    view.showTrackOf(userId);
    if (source === 'screen') toast(texts.call.shares(client.participants.get(userId)?.name ?? ''));
  });
  client.on('track-unpublished', ({ track }) => view.showTrackOf(track.userId));
  client.on('tile', ({ userId, source, track }) => {
    if (source === 'microphone' || source === 'screen_audio') track && sound.play(track);
    else view.showTrackOf(userId);
  });
  client.on('speakers', (event) => {
    speakers = event.speakers.map(({ userId }) => userId);
    showSpeakers();
  });
}

function wirePage() {
  wirePanels();
  onPanel((open) => open === 'people' && view.showList());
  wireControls(client, (speaker) => sound.useSpeaker(speaker));
  wireSignals(client, stage);
  wireChat(client);
  wireTimer(client);
  wireStats(client);
  wireBanner(client);
  wireMore(client, stage, token);
  new Polls(client);
  wireVoice(client, (isSpeaking) => ((ownSpeaks = isSpeaking), showSpeakers()));
  byId('leave').addEventListener('click', () => client.leave());
  byId('copy').addEventListener('click', copyLink);
  byId('end').addEventListener('click', () => askToEnd(client));
  setInterval(() => (byId('clock').textContent = clockOf(joinedAt > 0 ? seconds() : 0)), 1_000);
  const press = (/** @type {string} */ id) => () => byId(id).click();
  wireKeys({
    m: press('mic'), v: press('camera'), s: press('screen'), h: press('hand'), r: press('reactions'),
    c: () => togglePanel('chat'), p: () => togglePanel('people'), i: () => togglePanel('stats'),
    l: () => stage.switchLayout(), f: toggleFull, '?': showKeys, escape: closePanels,
  }, holdToSpeak);
}

/** @param {boolean} isDown */
function holdToSpeak(isDown) {
  if (isDown === client.local.audio) return false;
  client.setMicrophoneEnabled(isDown).catch(() => {});
  return true;
}

// A page that comes back from the browser's memory has left its call.
addEventListener('pageshow', (event) => event.persisted && location.reload());
/** @type {any} */ (window).weir = client;
wireClient();
wirePage();
// A client that has closed has said why by itself.
start().catch((error) => client.state === 'closed' || refuse(error));
