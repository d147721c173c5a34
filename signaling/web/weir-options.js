// What a WeirClient does unless it is told otherwise; weir-types.js says what each is.

export const DEFAULTS = {
  baseUrl: '',
  token: '',
  codec: /** @type {import('./weir-layers.js').VideoCodec} */ ('vp8'),
  simulcast: true,
  red: true,
  pauseHidden: true,
  direct: true,
  audioSlots: 8,
  videoSlots: 8,
  maxAudioSlots: 24,
  maxVideoSlots: 49,
};
