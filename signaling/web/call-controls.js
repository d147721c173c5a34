// The buttons for microphone, camera and screen, and what to say when a device does not play along.

import { byId, element, icon, toast } from './dom.js';
import { texts } from './texts.js';
import { deviceProblem } from './weir-devices.js';

/** @typedef {import('./weir-client.js').WeirClient} WeirClient */
/** @typedef {import('./weir-local.js').LocalState} LocalState */

/**
 * @typedef {object} Control
 * @property {string} id of the button
 * @property {keyof LocalState} state
 * @property {'microphone' | 'camera' | 'screen'} device
 * @property {[on: string, off: string]} icons
 * @property {(client: WeirClient, on: boolean) => Promise<void>} set
 */
/** @type {Control[]} */
const CONTROLS = [
  {
    id: 'mic',
    state: 'audio',
    device: 'microphone',
    icons: ['mic', 'micOff'],
    set: (client, on) => client.setMicrophoneEnabled(on),
  },
  {
    id: 'camera',
    state: 'video',
    device: 'camera',
    icons: ['camera', 'cameraOff'],
    set: (client, on) => client.setCameraEnabled(on),
  },
  {
    id: 'screen',
    state: 'screen',
    device: 'screen',
    icons: ['screen', 'screen'],
    set: (client, on) => (on ? client.startScreenShare() : client.stopScreenShare()),
  },
];

/** @param {WeirClient} client */
export function wireControls(client) {
  for (const { id, state, device, set } of CONTROLS)
    byId(id).addEventListener('click', () => {
      set(client, !client.local[state]).catch((error) => reportProblem(device, deviceProblem(error)));
    });
  client.on('local', showControls);
  client.on('device-lost', ({ source }) => {
    if (source === 'microphone' || source === 'camera') toast(texts.lost[source], 'problem');
  });
  showControls(client.local);
}

/** @param {LocalState} local */
function showControls(local) {
  for (const { id, state, device, icons } of CONTROLS) {
    const button = byId(id);
    const isOn = local[state];
    const { on, off, label } = texts[device];
    button.replaceChildren(icon(icons[isOn ? 0 : 1]), element('span', {}, label));
    button.setAttribute('aria-pressed', String(isOn));
    button.title = isOn ? on : off;
    button.classList.toggle('off', !isOn && id !== 'screen');
    button.classList.toggle('active', isOn && id === 'screen');
  }
}

/**
 * @param {'microphone' | 'camera' | 'screen' | 'both'} device
 * @param {import('./weir-devices.js').DeviceProblem | null} problem
 */
function reportProblem(device, problem) {
  if (problem) toast(texts.problem[device][problem], 'problem');
}

/** @param {import('./weir-devices.js').Devices} devices */
export function reportDevices({ audioProblem, videoProblem }) {
  if (audioProblem === videoProblem) return reportProblem('both', audioProblem);
  reportProblem('microphone', audioProblem);
  reportProblem('camera', videoProblem);
}
