// Which devices there are, which are wanted, and what the browser says about permission.

import { element } from './dom.js';
import { changeSettings, settings } from './settings.js';
import { texts } from './texts.js';
import { listDevices } from './weir-client.js';

/** @typedef {'microphone' | 'camera' | 'speaker'} DeviceKind */
/** @typedef {'granted' | 'prompt' | 'denied' | 'unknown'} Permission */
/** @type {Record<DeviceKind, 'microphones' | 'cameras' | 'speakers'>} */
const LIST_OF = { microphone: 'microphones', camera: 'cameras', speaker: 'speakers' };

/** Whether sound can be sent to a chosen loudspeaker. */
export const canChooseSpeaker = () => 'setSinkId' in HTMLMediaElement.prototype;

/** @param {DeviceKind} kind @returns {Promise<{deviceId: string, label: string}[]>} each with a name */
export async function devicesOf(kind) {
  const devices = (await listDevices())[LIST_OF[kind]].filter(({ deviceId }) => deviceId !== '');
  return devices.map(({ deviceId, label }, index) => ({
    deviceId,
    label: deviceId === 'default' ? texts.lobby.systemDefault : label || texts.lobby.unnamed(texts.lobby[kind], index + 1),
  }));
}

/**
 * A choice of the devices of a kind, remembered.
 * @param {DeviceKind} kind @param {(deviceId: string) => void} onChange
 */
export function deviceSelect(kind, onChange) {
  const select = element('select', { 'data-device': kind });
  select.addEventListener('change', () => {
    changeSettings({ [kind]: select.value });
    onChange(select.value);
  });
  return select;
}

/** Lists what there is now. @param {HTMLSelectElement} select @param {string} [current] device id that is open */
export async function fillDeviceSelect(select, current) {
  const kind = /** @type {DeviceKind} */ (select.dataset.device);
  const devices = await devicesOf(kind).catch(() => []);
  const options = devices.map(({ deviceId, label }) => new Option(label, deviceId));
  select.replaceChildren(...(options.length > 0 ? options : [new Option(texts.lobby.noDevice, '')]));
  select.disabled = options.length === 0;
  const wanted = current || settings()[kind];
  if (devices.some(({ deviceId }) => deviceId === wanted)) select.value = wanted;
}

/** @param {'camera' | 'microphone'} kind @returns {Promise<Permission>} Firefox and Safari may not tell */
export async function permissionOf(kind) {
  try {
    const { state } = await navigator.permissions.query({ name: /** @type {PermissionName} */ (kind) });
    return state;
  } catch {
    return 'unknown';
  }
}

/** @returns {string} how to allow camera and microphone again, in this browser */
export function howToAllow() {
  const agent = navigator.userAgent;
  if (/iPhone|iPad/.test(agent)) return texts.allow.ios;
  if (/Firefox\//.test(agent)) return texts.allow.firefox;
  if (/Chrome\//.test(agent)) return texts.allow.chrome;
  return /Safari\//.test(agent) ? texts.allow.safari : texts.allow.other;
}
