// What this browser remembers of its user's wishes.

/**
 * @typedef {object} Settings
 * @property {'system' | 'light' | 'dark'} theme
 * @property {boolean} ringtone
 * @property {boolean} notifications by the browser, while the page is hidden
 * @property {boolean} shortcuts single keys in a call
 * @property {boolean} checkDevices look into the mirror before every call, answered ones too
 * @property {string} microphone device id; empty for the system's choice
 * @property {string} camera
 * @property {string} speaker
 * @property {'grid' | 'speaker'} layout
 * @property {number} historySeenAt when one looked for missed calls, in ms since 1970
 */

const KEY = 'weir.settings';
/** @type {Settings} */
const DEFAULTS = {
  theme: 'system',
  ringtone: true,
  notifications: false,
  shortcuts: true,
  checkDevices: false,
  microphone: '',
  camera: '',
  speaker: '',
  layout: 'grid',
  historySeenAt: 0,
};

/** @returns {Settings} */
export function settings() {
  try {
    return { ...DEFAULTS, ...JSON.parse(localStorage.getItem(KEY) ?? '{}') };
  } catch {
    return DEFAULTS; // Storage may be forbidden.
  }
}

/** @param {Partial<Settings>} changes */
export function changeSettings(changes) {
  try {
    localStorage.setItem(KEY, JSON.stringify({ ...settings(), ...changes }));
  } catch {
    // Then they hold for nothing but what is done at once.
  }
  if (changes.theme) applyTheme(changes.theme);
}

/** @param {Settings['theme']} theme */
function applyTheme(theme) {
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

/** A note of this tab alone, which a reload keeps. @param {string} key @param {string} [value] to set @returns {string} */
export function tabNote(key, value) {
  try {
    if (value !== undefined) sessionStorage.setItem(`weir.${key}`, value);
    return sessionStorage.getItem(`weir.${key}`) ?? '';
  } catch {
    return '';
  }
}
