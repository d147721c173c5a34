// Before the call: a look into the mirror, the devices, the network, and who is there already.

import { canChooseSpeaker, deviceSelect, fillDeviceSelect, howToAllow, permissionOf } from './devices.js';
import { button, byId, element, icon, nameNode } from './dom.js';
import { watchLevel } from './level-meter.js';
import { showNetworkDialog } from './network-view.js';
import { playTestTone } from './ringtone.js';
import { settings } from './settings.js';
import { rememberedName } from './sign-in.js';
import { texts } from './texts.js';
import { openDevices } from './weir-client.js';

/** @typedef {'audio' | 'video'} Kind */
/** @typedef {{audio: MediaStreamTrack | null, video: MediaStreamTrack | null}} Tracks */
/** @typedef {import('./weir-devices.js').DeviceProblem} DeviceProblem */
/** @type {Record<Kind, 'microphone' | 'camera'>} */
const DEVICE_OF = { audio: 'microphone', video: 'camera' };
/** Longer than this a browser takes only when it waits for the user. */
const ASKING_MS = 700;
/** @type {Kind[]} */
const KINDS = ['audio', 'video'];

export class Lobby {
  /** @type {Tracks} */
  tracks = { audio: null, video: null };
  /** @type {Record<Kind, boolean>} */
  wanted;
  #stopLevel = () => {};
  #isOver = false;

  /** @param {{isVideo: boolean, needsName: boolean, who: string, token: string, join: (name: string) => Promise<void>}} options */
  constructor({ isVideo, needsName, who, token, join }) {
    this.wanted = { audio: true, video: isVideo };
    this.join = join;
    this.video = element('video', { autoplay: '', playsinline: '', 'aria-label': texts.lobby.preview });
    this.video.muted = true;
    this.cover = element('div', { class: 'cover', role: 'status' });
    this.toggles = { audio: this.#toggle('audio', 'lobby-mic'), video: this.#toggle('video', 'lobby-camera') };
    this.level = element('meter', { min: '0', max: '1', value: '0', 'aria-label': texts.lobby.level });
    this.problem = element('p', { class: 'problem-line', role: 'alert' });
    this.problem.hidden = true;
    this.selects = {
      camera: deviceSelect('camera', () => this.#open(['video'])),
      microphone: deviceSelect('microphone', () => this.#open(['audio'])),
      speaker: deviceSelect('speaker', playTestTone),
    };
    this.name = element('input', { id: 'name', name: 'name', autocomplete: 'name', maxlength: '60', required: '', placeholder: texts.signIn.namePlaceholder });
    this.name.value = rememberedName();
    this.joinButton = element('button', { class: 'primary', id: 'join' }, texts.lobby.join);
    this.#build(needsName, who, token);
  }

  /** Opens what is wanted and shows how that goes. */
  async begin() {
    navigator.mediaDevices?.addEventListener('devicechange', this.#onDevices);
    await this.#open(KINDS.filter((kind) => this.wanted[kind]));
  }

  /** Hands the open tracks over, to be sent. @returns {Tracks} */
  end() {
    this.#isOver = true;
    this.#stopLevel();
    this.video.srcObject = null;
    navigator.mediaDevices?.removeEventListener('devicechange', this.#onDevices);
    return this.tracks;
  }

  /** @param {string} words */
  showProblem(words) {
    this.problem.textContent = words;
    this.problem.hidden = words === '';
    this.joinButton.disabled = false;
  }

  #onDevices = () => this.#fillSelects();

  /** @param {boolean} needsName @param {string} who @param {string} token */
  #build(needsName, who, token) {
    const preview = element('div', { class: 'preview' }, this.video, this.cover,
      element('div', { class: 'toggles' }, this.toggles.audio, this.toggles.video));
    const level = element('div', { class: 'level' }, icon('mic'), this.level);
    const rows = [this.#row('camera'), this.#row('microphone')];
    if (canChooseSpeaker()) rows.push(this.#row('speaker'));
    const test = button(texts.lobby.test, 'network', () => showNetworkDialog(/** @type {HTMLDialogElement} */ (byId('network-dialog')), token), { id: 'test-network' });
    const tone = button(texts.lobby.testSound, 'sound', () => playTestTone(this.selects.speaker.value));
    const form = element('form', { class: 'stack' },
      element('div', { class: 'stack tight' }, element('h1', {}, texts.lobby.title), element('p', { class: 'soft', id: 'who' }, who)),
      ...(needsName ? [element('label', {}, texts.lobby.name, this.name)] : []),
      this.problem, this.joinButton);
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.joinButton.disabled = true;
      this.showProblem('');
      this.joinButton.disabled = true;
      this.join(needsName ? this.name.value : '').catch((error) => this.showProblem(error.message));
    });
    const devices = element('details', { class: 'device-list' }, element('summary', {}, texts.lobby.devices), element('div', { class: 'stack' }, ...rows));
    devices.open = innerWidth >= 800;
    byId('lobby').replaceChildren(
      element('div', { class: 'stack look' }, preview, level),
      element('div', { class: 'card stack ask' }, form, devices, element('div', { class: 'row' }, test, tone)));
    for (const kind of KINDS) this.#showToggle(kind);
  }

  /** @param {import('./devices.js').DeviceKind} kind */
  #row(kind) {
    return element('label', {}, element('span', {}, texts.lobby[kind]), this.selects[kind]);
  }

  /** @param {Kind} kind @param {string} id */
  #toggle(kind, id) {
    const node = element('button', { type: 'button', class: 'round', id });
    node.addEventListener('click', () => {
      this.wanted[kind] = !(this.wanted[kind] && this.tracks[kind]);
      if (this.wanted[kind]) this.#open([kind]);
      else this.#let(kind);
    });
    return node;
  }

  /** @param {Kind} kind */
  #let(kind) {
    this.tracks[kind]?.stop();
    this.tracks[kind] = null;
    this.#show({});
  }

  /** @param {Kind[]} kinds */
  async #open(kinds) {
    for (const kind of kinds) this.tracks[kind]?.stop();
    const asking = setTimeout(() => this.#showAsking(), ASKING_MS);
    const { microphone, camera } = settings();
    const options = { audio: kinds.includes('audio'), video: kinds.includes('video'), audioDeviceId: microphone, videoDeviceId: camera };
    let devices = await openDevices(options);
    // A device that was remembered may be gone: then any will do.
    if ((microphone || camera) && [devices.audioProblem, devices.videoProblem].includes('missing'))
      devices = await openDevices({ audio: options.audio && !devices.audio, video: options.video && !devices.video })
        .then((more) => ({ ...more, audio: more.audio ?? devices.audio, video: more.video ?? devices.video }));
    clearTimeout(asking);
    if (this.#isOver) return [devices.audio, devices.video].forEach((track) => track?.stop());
    for (const kind of kinds) this.#take(kind, devices[kind]);
    this.#show({ audio: devices.audioProblem, video: devices.videoProblem });
    await this.#fillSelects();
  }

  /** @param {Kind} kind @param {MediaStreamTrack | null} track */
  #take(kind, track) {
    this.tracks[kind] = track;
    if (track) track.onended = () => !this.#isOver && this.#onGone(kind, track);
  }

  /** @param {Kind} kind @param {MediaStreamTrack} track */
  #onGone(kind, track) {
    if (this.tracks[kind] !== track) return;
    this.tracks[kind] = null;
    this.#show({ [kind]: 'missing' });
    this.#fillSelects();
  }

  #showAsking() {
    this.cover.replaceChildren(icon('camera'), element('h2', {}, texts.lobby.asking), element('p', {}, texts.lobby.askingHint));
    this.cover.hidden = false;
  }

  /** @param {Partial<Record<Kind, DeviceProblem | null>>} problems */
  #show(problems) {
    const { audio, video } = this.tracks;
    this.video.srcObject = video ? new MediaStream([video]) : null;
    this.#stopLevel();
    this.level.value = 0;
    this.#stopLevel = audio ? watchLevel(audio, (level) => (this.level.value = level)) : () => {};
    for (const kind of KINDS) this.#showToggle(kind);
    this.#showCover(problems);
  }

  /** @param {Partial<Record<Kind, DeviceProblem | null>>} problems */
  async #showCover({ audio, video }) {
    const problem = video ?? audio ?? null;
    this.cover.hidden = this.tracks.video !== null && !problem;
    this.cover.classList.toggle('low', this.tracks.video !== null);
    if (!problem) return this.cover.replaceChildren(icon('cameraOff'), element('p', {}, texts.lobby.cameraIsOff));
    const both = audio === video;
    const words = both ? texts.problem.both[problem] : texts.problem[DEVICE_OF[video ? 'video' : 'audio']][problem];
    const isDenied = problem === 'denied' || (await permissionOf(video ? 'camera' : 'microphone')) === 'denied';
    const again = button(texts.retry, '', () => this.#open(KINDS.filter((kind) => this.wanted[kind])), { class: 'small' });
    this.cover.replaceChildren(icon('warning'), ...(isDenied && both ? [element('h2', {}, texts.lobby.deniedTitle)] : []),
      element('p', {}, words), ...(isDenied ? [element('p', { id: 'allow' }, howToAllow())] : []), again);
  }

  /** @param {Kind} kind */
  #showToggle(kind) {
    const isOn = this.tracks[kind] !== null;
    const node = this.toggles[kind];
    const words = texts[DEVICE_OF[kind]];
    node.replaceChildren(icon(kind === 'audio' ? (isOn ? 'mic' : 'micOff') : isOn ? 'camera' : 'cameraOff'));
    node.setAttribute('aria-pressed', String(isOn));
    node.classList.toggle('off', !isOn);
    nameNode(node, isOn ? words.on : words.off);
  }

  async #fillSelects() {
    const current = (/** @type {Kind} */ kind) => this.tracks[kind]?.getSettings().deviceId;
    await Promise.all([
      fillDeviceSelect(this.selects.camera, current('video')),
      fillDeviceSelect(this.selects.microphone, current('audio')),
      fillDeviceSelect(this.selects.speaker),
    ]);
  }
}

