// The call in the window: as large as the screen, or as small as a picture over other windows.

import { toast } from './dom.js';
import { texts } from './texts.js';

export const isFull = () => document.fullscreenElement !== null;

export async function toggleFull() {
  await (isFull() ? document.exitFullscreen() : document.documentElement.requestFullscreen()).catch(() => {});
}

/** Whether a picture floats over other windows. */
export const isOutside = () => document.pictureInPictureElement != null; // Undefined where there is no such thing.

/** @param {HTMLVideoElement | undefined} video */
export async function togglePicture(video) {
  try {
    if (document.pictureInPictureElement) return await document.exitPictureInPicture();
    if (!video || video.readyState === 0 || !document.pictureInPictureEnabled) throw new Error('no picture');
    await video.requestPictureInPicture();
  } catch {
    toast(texts.call.pipFailed, 'problem');
  }
}
