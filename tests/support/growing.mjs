// Services whose hubs are given one more shard again and again, from when a test has one until the test is over.
import assert from "node:assert/strict";
import { setTimeout as pass } from "node:timers/promises";
import { deferred } from "./waiting.mjs";

/** How many shards a hub comes to have. */
const MOST = 8;
/** How long a Worker holds a map. A new shard is reached at once, and takes clients when two or three times that is over. */
const MAP_TTL_MS = 40;
/** How long it takes from one new shard to the next. */
const PACE_MS = 130;

/**
 * @import { Body, Answer } from "./rest.mjs"
 * @import { Service, ServiceOptions } from "./service.mjs"
 */

/**
 * The same kind of service, with hubs that grow.
 * @param {new (options: ServiceOptions) => Service} Kind
 */
export const Growing = (Kind) =>
  class extends Kind {
    grows = true;
    /** @type {Map<string, Growth>} */
    #growths = new Map();

    /** @param {ServiceOptions} options */
    constructor(options = {}) {
      const { variables } = options;
      super({ ...options, variables: { MAP_TTL_MS, ...variables } });
    }

    newHub() {
      const hub = super.newHub();
      const path = `hubs/${hub.name}`;
      const growth = new Growth(this.settings?.hubs?.[hub.name], (settings) =>
        super.manage("PUT", path, { body: JSON.stringify(settings) }),
      );
      this.#growths.set(path, growth);
      if (this.endpoint) growth.begin();
      return hub;
    }

    /**
     * What a test sets is kept, and does not take away shards.
     * @param {string} method
     * @param {string} path
     * @param {{ body?: Body, token?: string }} options
     */
    manage(method, path, options = {}) {
      const growth = method === "PUT" && this.#growths.get(path);
      return growth ? growth.configure(JSON.parse(String(options.body))) : super.manage(method, path, options);
    }

    /** After a test. */
    async rest() {
      const growths = [...this.#growths.values()];
      this.#growths.clear();
      for (const growth of growths) await growth.pause();
    }

    async crash() {
      for (const growth of this.#growths.values()) await growth.pause();
      await super.crash();
    }

    async start() {
      await super.start();
      for (const growth of this.#growths.values()) growth.begin();
      return this;
    }
  };

class Growth {
  /** @type {object | undefined} */
  #settings;
  #put;
  #shards = 1;
  /** @type {ReturnType<typeof deferred<void>>} */
  #paused = deferred();
  /** @type {Promise<void> | undefined} */
  #loop;
  /** @type {Promise<Answer>} */
  #last = Promise.resolve({ status: 200, headers: {}, body: "" });

  /**
   * @param {object | undefined} settings
   * @param {(settings: object) => Promise<Answer>} put
   */
  constructor(settings, put) {
    this.#settings = settings;
    this.#put = put;
  }

  begin() {
    this.#paused = deferred();
    this.#loop = this.#grow();
    this.#loop.catch(() => {});
  }

  async #grow() {
    let paused = false;
    this.#paused.promise.then(() => (paused = true));
    while (!paused && this.#shards < MOST) {
      this.#shards++;
      const { status, body } = await this.configure(this.#settings);
      assert.equal(status, 200, body);
      await Promise.race([this.#paused.promise, pass(PACE_MS)]);
    }
  }

  /** Fails if it could not grow. */
  async pause() {
    this.#paused.resolve();
    await this.#loop;
  }

  /**
   * Gives the hub these settings, one change after the other.
   * @param {object | undefined} settings
   */
  configure(settings) {
    this.#settings = settings;
    this.#last = this.#last.then(() => this.#put({ ...this.#settings, shards: this.#shards }));
    return this.#last;
  }
}
