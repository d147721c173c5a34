// An EventTarget that knows the names of its events and what each carries.

/** @template {Record<string, any>} Events */
export class Emitter extends EventTarget {
  /**
   * @template {keyof Events & string} T
   * @param {T} type
   * @param {(detail: Events[T]) => void} listener
   * @returns {() => void} takes the listener away again
   */
  on(type, listener) {
    const handler = (/** @type {Event} */ event) => listener(/** @type {CustomEvent} */ (event).detail);
    this.addEventListener(type, handler);
    return () => this.removeEventListener(type, handler);
  }

  /**
   * @template {keyof Events & string} T
   * @param {T} type
   * @param {Events[T]} detail
   */
  emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
