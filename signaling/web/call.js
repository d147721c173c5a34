// The call page: a WeirClient on one side, tiles, panels and buttons on the other.
// `window.weir` is the client, for tests and for the curious at the console.

import { reportDevices, wireControls } from './call-controls.js';
import { enterByName, showOver, showPhase, showRefusal } from './call-gate.js';
import { addChatLine, receiveChatLine, showPeople, togglePanel } from './call-side.js';
import { Sound } from './call-sound.js';
import { Stage } from './call-stage.js';
import { byId, copyText, element, fillIcons, icon, toast } from './dom.js';
import { texts } from './texts.js';
import { WeirClient, WeirError, openDevices } from './weir-client.js';

/** @typedef {import('./weir-client.js').Participant} Participant */

/** How long to wait for the answer to the browser's question about devices before coming in without. */
const DEVICES_MS = 1_500;
const BANNER_MS = 1_000;

const callId = location.pathname.split('/').filter(Boolean)[1] ?? '';
const client = new WeirClient({ callId });
const stage = new Stage();
const sound = new Sound();
const invitation = invitationTile();
let joinedAt = new Date();
let endedByServer = false;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let bannerTimer;

async function start() {
  if (!('RTCPeerConnection' in window)) throw new WeirError('no_webrtc', texts.noWebRtc);
  await enterByName(() => client.enter());
  const devices = publishDevices();
  await Promise.race([devices, new Promise((resolve) => setTimeout(resolve, DEVICES_MS))]);
  await client.join();
  joinedAt = new Date();
  showPhase('in');
  showOwn();
  showEveryone();
}

/** Sends what there is: with the call's type and the devices that let themselves be opened. */
async function publishDevices() {
  const devices = await openDevices({ audio: true, video: client.call.type === 'VIDEO' });
  const tracks = [devices.audio, devices.video].filter((track) => track !== null);
  reportDevices(devices);
  if (client.state === 'closed') return tracks.forEach((track) => track.stop());
  if (tracks.length > 0) await client.publish(new MediaStream(tracks), { handOver: true });
}

/** @param {Participant} participant */
function showCamera(participant) {
  const { userId, name, audioEnabled, videoEnabled, tracks } = participant;
  const camera = tracks.get('camera');
  stage.show({
    userId,
    source: 'camera',
    name,
    label: name,
    track: client.trackOf(userId, 'camera'),
    isVideoOn: videoEnabled,
    isAudioOn: audioEnabled,
    note: videoEnabled && camera?.supported === false ? texts.unsupported : '',
  });
}

/** @param {Participant} participant */
function showScreen({ userId, name, tracks }) {
  const screen = tracks.get('screen');
  if (!screen) return stage.hide(userId, 'screen');
  stage.show({
    userId,
    source: 'screen',
    name,
    label: texts.screenOf(name),
    track: client.trackOf(userId, 'screen'),
    isVideoOn: true,
    isAudioOn: true,
    note: screen.supported ? '' : texts.unsupported,
  });
}

function showOwn() {
  const { userId, name } = client.you;
  const { audio, video, screen } = client.local;
  const own = { userId, name, isOwn: true, isAudioOn: audio, isVideoOn: true };
  stage.show({ ...own, source: 'camera', label: texts.you(name), track: client.localTrack('camera'), isVideoOn: video });
  if (screen) stage.show({ ...own, source: 'screen', label: texts.yourScreen, track: client.localTrack('screen') });
  else stage.hide('own', 'screen');
}

function showEveryone() {
  const { audio, video, screen } = client.local;
  const others = [...client.participants.values()];
  showPeople([
    {
      userId: client.you.userId,
      name: texts.you(client.you.name),
      audioEnabled: audio,
      videoEnabled: video,
      screenSharing: screen,
    },
    ...others,
  ]);
  invitation.hidden = others.length > 0;
  byId('end').hidden = client.call.initiatorId === '' || client.call.initiatorId !== client.you.userId;
  stage.layOut();
}

/** Stands in the grid until somebody else does. */
function invitationTile() {
  const copy = element('button', { class: 'primary' }, icon('link'), 'Copy link');
  copy.addEventListener('click', copyLink);
  const link = element('code', {}, location.href);
  const tile = element('div', { class: 'tile invitation' });
  tile.append(element('h2', {}, texts.alone), element('p', { class: 'soft' }, texts.aloneHint), link, copy);
  byId('grid').append(tile);
  return tile;
}

async function copyLink() {
  toast((await copyText(location.href)) ? texts.copied : texts.copyFailed);
}

function showTime() {
  const seconds = Math.max(0, Math.floor((Date.now() - (client.call.startedAt ?? joinedAt).getTime()) / 1000));
  const parts = [Math.floor(seconds / 60) % 60, seconds % 60];
  if (seconds >= 3600) parts.unshift(Math.floor(seconds / 3600));
  byId('timer').textContent = parts.map((part) => String(part).padStart(2, '0')).join(':');
}

/** A connection that is back within a second was not worth mentioning. @param {string} text empty for none */
function showBanner(text) {
  clearTimeout(bannerTimer);
  const banner = byId('banner');
  if (text === '') banner.hidden = true;
  bannerTimer = setTimeout(() => {
    banner.textContent = text;
    banner.hidden = text === '';
  }, BANNER_MS);
}

/** @param {{state: import('./weir-client.js').ConnectionState, reason: WeirError | null}} change */
function onConnection({ state, reason }) {
  showBanner(state === 'connecting' ? texts.connecting : state === 'reconnecting' ? texts.reconnecting : '');
  if (state !== 'closed') return;
  stage.clear();
  sound.stop();
  if (reason) showRefusal(reason);
  else if (endedByServer) showOver({ title: texts.overTitle, canReturn: false });
  else showOver({ title: texts.leftTitle });
}

function wireClient() {
  client.on('connection', onConnection);
  client.on('call-ended', () => (endedByServer = true));
  client.on('error', (error) => toast(error.message, 'problem'));
  client.on('local', () => (showOwn(), showEveryone()));
  client.on('participant-joined', ({ participant }) => {
    showCamera(participant);
    showEveryone();
    if (client.state === 'connected') toast(texts.joined(participant.name));
  });
  client.on('participant-left', ({ participant }) => {
    stage.hide(participant.userId, 'camera');
    stage.hide(participant.userId, 'screen');
    showEveryone();
    if (client.state !== 'closed') toast(texts.left(participant.name));
  });
  client.on('participant-updated', ({ participant }) => (showCamera(participant), showEveryone()));
  client.on('track-published', ({ track }) => onTrack(track.userId, track.source === 'screen'));
  client.on('track-unpublished', ({ track }) => onTrack(track.userId, false));
  client.on('tile', ({ userId, source, track }) => {
    if (source === 'microphone' || source === 'screen_audio') track && sound.play(track);
    else onTrack(userId, false);
  });
  client.on('speakers', ({ speakers }) => stage.setSpeakers(new Set(speakers.map(({ userId }) => userId))));
  client.on('chat', ({ userId, name, text }) => userId !== client.you.userId && receiveChatLine(name, text));
}

/** @param {string} userId @param {boolean} isNewScreen */
function onTrack(userId, isNewScreen) {
  const participant = client.participants.get(userId);
  if (!participant) return;
  showCamera(participant);
  showScreen(participant);
  if (isNewScreen) toast(texts.shares(participant.name));
}

function wireButtons() {
  wireControls(client);
  byId('leave').addEventListener('click', () => client.leave());
  byId('copy').addEventListener('click', copyLink);
  for (const panel of ['people', 'chat']) byId(panel).addEventListener('click', () => togglePanel(panel));
  const dialog = /** @type {HTMLDialogElement} */ (byId('end-dialog'));
  byId('end').addEventListener('click', () => dialog.showModal());
  dialog.addEventListener('close', () => dialog.returnValue === 'end' && client.endCall());
  byId('chat-form').addEventListener('submit', (event) => {
    event.preventDefault();
    const field = /** @type {HTMLInputElement} */ (byId('chat-text'));
    if (!field.value.trim()) return;
    client.sendChat(field.value);
    addChatLine(texts.you(client.you.name), field.value);
    field.value = '';
  });
}

/** @type {any} */ (window).weir = client;
fillIcons();
wireClient();
wireButtons();
setInterval(showTime, 1_000);
// A client that has closed has said why by itself.
start().catch((error) => client.state === 'closed' || showRefusal(error));
