// Microphone, camera and screen: asking for them, settling for what there is, and saying why not.

/** @typedef {'insecure' | 'denied' | 'missing' | 'busy' | 'failed'} DeviceProblem */
/**
 * @typedef {object} Devices
 * @property {MediaStreamTrack | null} audio
 * @property {MediaStreamTrack | null} video
 * @property {DeviceProblem | null} audioProblem why there is no microphone; null when not asked for
 * @property {DeviceProblem | null} videoProblem
 */

/** @type {MediaTrackConstraints} */
const AUDIO = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
/** @type {MediaTrackConstraints} */
const VIDEO = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 } };

/** @type {Record<string, DeviceProblem>} */
const PROBLEM_OF_ERROR = {
  InsecureError: 'insecure',
  NotAllowedError: 'denied',
  SecurityError: 'denied',
  NotFoundError: 'missing',
  OverconstrainedError: 'missing',
  NotReadableError: 'busy',
  AbortError: 'busy',
};

/** @param {unknown} error from getUserMedia or getDisplayMedia @returns {DeviceProblem} */
export function deviceProblem(error) {
  return PROBLEM_OF_ERROR[/** @type {Error} */ (error)?.name] ?? 'failed';
}

/** @param {MediaStreamConstraints} constraints */
function getUserMedia(constraints) {
  return navigator.mediaDevices.getUserMedia(constraints);
}

/** @param {'audio' | 'video'} kind @param {string} [deviceId] this one and no other @returns {MediaTrackConstraints} */
function constraintsOf(kind, deviceId) {
  const usual = kind === 'audio' ? AUDIO : VIDEO;
  return deviceId ? { ...usual, deviceId: { exact: deviceId } } : usual;
}

/** @param {'audio' | 'video'} kind @param {string} [deviceId] @returns {Promise<MediaStreamTrack>} */
export async function openDevice(kind, deviceId) {
  if (!navigator.mediaDevices) throw new DOMException('insecure origin', 'InsecureError');
  const stream = await getUserMedia({ [kind]: constraintsOf(kind, deviceId) });
  return stream.getTracks()[0];
}

/** @typedef {{deviceId: string, label: string}} Device label: empty until the user has allowed one */
/** @returns {Promise<{microphones: Device[], cameras: Device[], speakers: Device[]}>} */
export async function listDevices() {
  const all = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  const ofKind = (/** @type {MediaDeviceKind} */ kind) =>
    all.filter((one) => one.kind === kind).map(({ deviceId, label }) => ({ deviceId, label }));
  return { microphones: ofKind('audioinput'), cameras: ofKind('videoinput'), speakers: ofKind('audiooutput') };
}

/**
 * Opens what was asked for: together, so that the browser asks once, then each alone, so that a
 * missing camera does not cost the microphone. Never throws.
 * @param {{audio: boolean, video: boolean, audioDeviceId?: string, videoDeviceId?: string}} wanted
 * @returns {Promise<Devices>}
 */
export async function openDevices({ audio, video, audioDeviceId, videoDeviceId }) {
  /** @type {Devices} */
  const devices = { audio: null, video: null, audioProblem: null, videoProblem: null };
  if (audio && video && navigator.mediaDevices) {
    try {
      const stream = await getUserMedia({
        audio: constraintsOf('audio', audioDeviceId),
        video: constraintsOf('video', videoDeviceId),
      });
      [devices.audio] = stream.getAudioTracks();
      [devices.video] = stream.getVideoTracks();
      return devices;
    } catch {
      // One of the two is to blame; below they answer for themselves.
    }
  }
  if (audio) await openAlone('audio', devices, audioDeviceId);
  if (video) await openAlone('video', devices, videoDeviceId);
  return devices;
}

/** @param {'audio' | 'video'} kind @param {Devices} devices @param {string} [deviceId] */
async function openAlone(kind, devices, deviceId) {
  try {
    devices[kind] = await openDevice(kind, deviceId);
  } catch (error) {
    devices[`${kind}Problem`] = deviceProblem(error);
  }
}

/** Asks the user for a screen, with its sound where the browser has it. @returns {Promise<MediaStream>} */
export async function openScreen() {
  if (!navigator.mediaDevices) throw new DOMException('insecure origin', 'InsecureError');
  if (!navigator.mediaDevices.getDisplayMedia) throw new DOMException('no screen capture', 'NotFoundError');
  const stream = await navigator.mediaDevices.getDisplayMedia({
    video: { frameRate: { ideal: 15, max: 30 } },
    audio: true,
  });
  for (const track of stream.getVideoTracks()) track.contentHint = 'detail';
  return stream;
}
