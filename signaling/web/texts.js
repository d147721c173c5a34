// Every sentence that the pages say.

/** @type {Record<import('./weir-devices.js').DeviceProblem, string>} */
const MICROPHONE = {
  insecure: 'Browsers give out the microphone only over HTTPS or on localhost.',
  denied: 'The microphone is not allowed for this page. Allow it in the address bar, then press Mic.',
  missing: 'No microphone was found. Plug one in, then press Mic.',
  busy: 'Another program holds the microphone. Close it there, then press Mic.',
  failed: 'The microphone could not be opened.',
};
/** @type {Record<import('./weir-devices.js').DeviceProblem, string>} */
const CAMERA = {
  insecure: 'Browsers give out the camera only over HTTPS or on localhost.',
  denied: 'The camera is not allowed for this page. Allow it in the address bar, then press Camera.',
  missing: 'No camera was found. Plug one in, then press Camera.',
  busy: 'Another program holds the camera. Close it there, then press Camera.',
  failed: 'The camera could not be opened.',
};
/** @type {Record<import('./weir-devices.js').DeviceProblem, string>} */
const SCREEN = {
  insecure: 'Browsers share the screen only over HTTPS or on localhost.',
  denied: 'The screen is not shared.',
  missing: 'This browser cannot share the screen.',
  busy: 'The screen could not be captured.',
  failed: 'The screen could not be captured.',
};

/** Neither microphone nor camera, for the same reason. @type {Record<import('./weir-devices.js').DeviceProblem, string>} */
const BOTH = {
  insecure: 'You are in, listening and watching: browsers give out microphone and camera only over HTTPS or on localhost.',
  denied:
    'You are in, listening and watching: microphone and camera are not allowed for this page. Allow them in the address bar, then press Mic and Camera.',
  missing: 'You are in, listening and watching: neither microphone nor camera was found.',
  busy: 'You are in, listening and watching: another program holds microphone and camera.',
  failed: 'You are in, listening and watching: microphone and camera could not be opened.',
};

/** @type {Record<string, string>} by the server's stable word; others speak for themselves */
const CLOSED = {
  call_over: 'This call is over.',
  unknown_call: 'There is no such call. The link may be cut off, or the call long over.',
  not_found: 'There is no such call. The link may be cut off, or the call long over.',
  not_invited: 'You are not invited to this call.',
  call_full: 'This call is full.',
  draining: 'The server is about to restart and takes no new calls. Please try again in a minute.',
  network: 'The server does not answer. Check your connection and try again.',
};

export const texts = {
  problem: { microphone: MICROPHONE, camera: CAMERA, screen: SCREEN, both: BOTH },
  closed: CLOSED,
  lost: { microphone: 'The microphone is gone.', camera: 'The camera is gone.' },
  noLink: 'That is no link of a call: one ends in a long id with dashes.',
  noWebRtc: 'This browser cannot take part in calls: it has no WebRTC.',

  connecting: 'Connecting…',
  reconnecting: 'The connection broke. Reconnecting…',
  joined: (/** @type {string} */ name) => `${name} joined`,
  left: (/** @type {string} */ name) => `${name} left`,
  shares: (/** @type {string} */ name) => `${name} shares the screen`,
  chatFrom: (/** @type {string} */ name, /** @type {string} */ text) => `${name}: ${text}`,

  you: (/** @type {string} */ name) => `${name} (you)`,
  screenOf: (/** @type {string} */ name) => `Screen of ${name}`,
  yourScreen: 'Your screen',
  people: (/** @type {number} */ count) => (count === 1 ? '1 person' : `${count} people`),
  muted: 'Microphone off',
  cameraOff: 'Camera off',
  sharing: 'Shares the screen',
  unsupported: 'This browser cannot show this video',

  microphone: { on: 'Mute', off: 'Unmute', label: 'Mic' },
  camera: { on: 'Stop camera', off: 'Start camera', label: 'Camera' },
  screen: { on: 'Stop sharing', off: 'Share screen', label: 'Screen' },

  copied: 'The link is copied. Send it to whom you want in the call.',
  copyFailed: 'Copy the address of this page.',
  alone: 'Nobody else is here yet',
  aloneHint: 'Whoever opens this link joins the call:',

  overTitle: 'The call is over',
  leftTitle: 'You left the call',
  closedTitle: 'No call here',
  failedTitle: 'That did not work',
};
