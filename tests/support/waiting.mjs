// Waiting for what must happen. Nothing here waits for time to pass: the limit only turns a hang into a failure.

const LIMIT_MS = 60_000;

/**
 * The promise's value, or an error that names what never came.
 * @template T
 * @param {Promise<T>} promise
 * @param {string} what
 */
export async function within(promise, what, limit = LIMIT_MS) {
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  /** @type {Promise<never>} */
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`never came: ${what}`)), limit);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Asks again and again until the answer is yes.
 * @param {() => unknown} ask
 * @param {string} what
 */
export async function until(ask, what) {
  const limit = Date.now() + LIMIT_MS;
  while (!(await ask())) {
    if (Date.now() > limit) throw new Error(`never came: ${what}`);
  }
}

/**
 * A promise and the functions that settle it.
 * @template [T=any]
 * @returns {{ promise: Promise<T>, resolve: (value?: T) => void, reject: (error?: unknown) => void }}
 */
export function deferred() {
  const handle = /** @type {ReturnType<typeof deferred<T>>} */ ({});
  handle.promise = new Promise((resolve, reject) => Object.assign(handle, { resolve, reject }));
  handle.promise.catch(() => {});
  return handle;
}

/**
 * What was pushed, in order, for whoever asks; `end` is what askers get once it is empty.
 * @template Item
 */
export class Queue {
  /** @type {Item[]} */
  #items = [];
  /** @type {ReturnType<typeof deferred<Item>>[]} */
  #askers = [];
  /** @type {Error | undefined} */
  #end;

  /** @param {Item} item */
  push(item) {
    const asker = this.#askers.shift();
    if (asker) asker.resolve(item);
    else this.#items.push(item);
  }

  /** @param {Error} error */
  fail(error) {
    this.#end = error;
    for (const asker of this.#askers.splice(0)) asker.reject(error);
  }

  /**
   * @param {string} what
   * @returns {Promise<Item>}
   */
  next(what) {
    if (this.#items.length > 0) return Promise.resolve(/** @type {Item} */ (this.#items.shift()));
    if (this.#end) return Promise.reject(this.#end);
    /** @type {ReturnType<typeof deferred<Item>>} */
    const asker = deferred();
    this.#askers.push(asker);
    return within(asker.promise, what);
  }

  /** Takes what is there, without waiting. */
  drain() {
    return this.#items.splice(0);
  }
}
