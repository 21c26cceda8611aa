// The frames of one client: the last of them, and which of them are shown.

/** How many rows are kept. */
export const MAX_FRAMES = 10_000;

/** How many characters of frames are kept, over all rows. */
const MAX_CHARACTERS = 32 * 1024 * 1024;

/** @typedef {import("./frame.js").Frame} Frame */

export class FrameLog {
  /** What is shown: a text that is in the row, and whether pings and the like are. */
  filter = { text: "", control: false };
  /** @type {Frame[]} */
  #frames = [];
  #characters = 0;
  /** Those that pass the filter, oldest first. @type {Frame[]} */
  #shown = [];
  /** What was shown when the log was paused. */
  #held;
  #count = 0;
  #heldAt = 0;
  #changed;

  constructor(changed) {
    this.#changed = changed;
  }

  /** The rows to show, the newest last. */
  get rows() {
    return this.#held ?? this.#shown;
  }

  /** How many frames there have been. */
  get count() {
    return this.#count;
  }

  get isPaused() {
    return this.#held !== undefined;
  }

  /** How many frames there have been since the log was paused. */
  get missed() {
    return this.isPaused ? this.#count - this.#heldAt : 0;
  }

  /** How many rows are kept, whether shown or not. */
  get kept() {
    return this.#frames.length;
  }

  add(described) {
    const frame = { number: ++this.#count, time: Date.now(), ...described };
    this.#frames.push(frame);
    this.#characters += frame.raw.length + frame.data.length;
    if (this.#passes(frame)) this.#shown.push(frame);
    while (this.#frames.length > MAX_FRAMES || this.#characters > MAX_CHARACTERS) this.#forget();
    this.#changed();
  }

  pause() {
    this.#held = [...this.#shown];
    this.#heldAt = this.#count;
    this.#changed();
  }

  resume() {
    this.#held = undefined;
    this.#changed();
  }

  clear() {
    this.#frames = [];
    this.#shown = [];
    this.#characters = 0;
    this.#held = this.#held && [];
    this.#changed();
  }

  /** Shows what the filter lets through, after it has changed. */
  applyFilter() {
    this.#shown = this.#frames.filter((frame) => this.#passes(frame));
    if (this.#held) this.#held = [...this.#shown];
    this.#changed();
  }

  /** The rows as lines of JSON, for a file. */
  asJsonLines() {
    return this.rows
      .map(({ time, direction, type, size, ackId, sequenceId, raw, isCut }) =>
        JSON.stringify({ time: new Date(time).toISOString(), direction, type, size, ackId, sequenceId, raw, isCut }),
      )
      .join("\n");
  }

  #passes(frame) {
    const { text, control } = this.filter;
    if (frame.isControl && !control) return false;
    if (text === "") return true;
    const { type, origin, group = "", user = "", data, raw } = frame;
    return [type, origin, group, user, data, raw].some((part) => part.toLowerCase().includes(text.toLowerCase()));
  }

  #forget() {
    const [oldest] = this.#frames.splice(0, 1);
    this.#characters -= oldest.raw.length + oldest.data.length;
    if (this.#shown[0] === oldest) this.#shown.shift();
  }
}
