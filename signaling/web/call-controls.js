// The buttons for microphone, camera and screen, the devices behind them, and what to say when one
// does not play along.

import { canChooseSpeaker, deviceSelect, devicesOf, fillDeviceSelect } from './devices.js';
import { byId, element, icon, openMenu, toast } from './dom.js';
import { texts } from './texts.js';
import { deviceProblem } from './weir-devices.js';

/** @typedef {import('./weir-client.js').WeirClient} WeirClient */
/** @typedef {import('./weir-local.js').LocalState} LocalState */
/** @typedef {'microphone' | 'camera'} Capture */

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

/** @param {WeirClient} client @param {(deviceId: string) => void} onSpeaker */
export function wireControls(client, onSpeaker) {
  for (const { id, state, device, set } of CONTROLS)
    byId(id).addEventListener('click', () => attempt(device, () => set(client, !client.local[state])));
  wireDeviceMenu(client, onSpeaker);
  client.on('local', showControls);
  client.on('device-lost', ({ source }) => {
    if (source === 'microphone' || source === 'camera') reportLost(client, source);
  });
  byId('screen').hidden = !canShareScreen();
  showControls(client.local);
}

export const canShareScreen = () => Boolean(navigator.mediaDevices && 'getDisplayMedia' in navigator.mediaDevices);

/** Does something with a device, and says what went wrong. @param {'microphone' | 'camera' | 'screen'} device @param {() => Promise<unknown>} act */
export async function attempt(device, act) {
  try {
    await act();
  } catch (error) {
    reportProblem(device, deviceProblem(error), device === 'screen' ? undefined : () => attempt(device, act));
  }
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

/** @param {WeirClient} client @param {(deviceId: string) => void} onSpeaker */
function wireDeviceMenu(client, onSpeaker) {
  const menu = byId('devices-menu');
  const open = (/** @type {HTMLElement} */ opener, /** @type {Capture[]} */ kinds) => {
    const rows = kinds.map((kind) => deviceRow(kind, (deviceId) => attempt(kind, () => client.useDevice(kind, deviceId)), client.deviceOf(kind)));
    if (kinds.includes('microphone') && canChooseSpeaker()) rows.push(deviceRow('speaker', onSpeaker));
    menu.replaceChildren(...rows);
    openMenu(menu, opener);
  };
  byId('mic-more').addEventListener('click', (event) => open(/** @type {HTMLElement} */ (event.currentTarget), ['microphone']));
  byId('camera-more').addEventListener('click', (event) => open(/** @type {HTMLElement} */ (event.currentTarget), ['camera']));
}

/** @param {import('./devices.js').DeviceKind} kind @param {(deviceId: string) => void} onChange @param {string} [current] */
function deviceRow(kind, onChange, current) {
  const select = deviceSelect(kind, onChange);
  fillDeviceSelect(select, current);
  return element('label', {}, element('span', {}, texts.lobby[kind]), select);
}

/** The device was unplugged or taken away: there may be another. @param {WeirClient} client @param {Capture} source */
async function reportLost(client, source) {
  const [other] = await devicesOf(source).catch(() => []);
  toast(texts.lost[source], 'problem', {
    label: other ? texts.lost.useOther(other.label) : texts.lost.again,
    act: () => attempt(source, async () => {
      if (other) await client.useDevice(source, other.deviceId);
      await (source === 'camera' ? client.setCameraEnabled(true) : client.setMicrophoneEnabled(true));
    }),
  });
}

/**
 * @param {'microphone' | 'camera' | 'screen' | 'both'} device
 * @param {import('./weir-devices.js').DeviceProblem | null} problem
 * @param {() => void} [again]
 */
function reportProblem(device, problem, again) {
  if (!problem || (device === 'screen' && problem === 'denied')) return; // Who closes the picker knows.
  toast(texts.problem[device][problem], 'problem', again && { label: texts.retry, act: again });
}

/** @param {import('./weir-devices.js').Devices} devices */
export function reportDevices({ audioProblem, videoProblem }) {
  if (audioProblem === videoProblem) return reportProblem('both', audioProblem);
  reportProblem('microphone', audioProblem);
  reportProblem('camera', videoProblem);
}
