// The sockets that show what the shards of a hub do: one for each, opened again when it is lost.
//
// The contract: docs/management.md#live-trace.

/** Pauses before a lost socket is opened again, in milliseconds; the last one is repeated. */
const PAUSES_MS = [500, 1000, 2000, 5000, 10_000];

/** How often a socket is used, so that nothing on the way takes it for forgotten, in milliseconds. */
const PING_MS = 30_000;

/** The status of a request that is right, but for its being none of a WebSocket. */
const NO_WEBSOCKET = 426;
const TOO_MANY = "The trace is refused: 8 watch this shard, or no WebSocket comes through to it. It is tried again.";

export class Watch {
  /** How many of the sockets are open, and of how many. */
  open = 0;
  wanted = 1;
  /** Records that the service left out under load. */
  omitted = 0;
  /** Why a socket does not open, in words. */
  problem = "";
  #path;
  #access;
  #conditions;
  #record;
  #changed;
  #sockets = new Map();
  #timers = new Set();
  #isOver = false;

  /**
   * `access` authorises the sockets. `record(record, shard)` is called with what happens, `changed()` when sockets open
   * and close.
   *
   * @param {import("../access/access.js").Access} access
   * @param {string} hub
   * @param {Record<string, string>} conditions
   * @param {{ record: (record: any, shard: number) => void, changed: () => void }} listener
   */
  constructor(access, hub, conditions, { record, changed }) {
    this.#access = access;
    this.#path = `/management/hubs/${encodeURIComponent(hub)}/trace`;
    this.#conditions = conditions;
    this.#record = record;
    this.#changed = changed;
    this.#connect(0, 0);
  }

  stop() {
    this.#isOver = true;
    for (const timer of this.#timers) clearTimeout(timer);
    for (const socket of this.#sockets.values()) socket?.close();
    this.#sockets.clear();
  }

  async #connect(shard, attempt) {
    this.#sockets.set(shard, undefined);
    const query = new URLSearchParams({ ...this.#conditions, shard: String(shard) });
    const url = await this.#access.socketUrl(this.#path, query);
    if (this.#isOver) return;
    const socket = new WebSocket(url);
    this.#sockets.set(shard, socket);
    let isOpen = false;
    let failures = attempt;
    const ping = setInterval(() => socket.readyState === WebSocket.OPEN && socket.send('{"type":"ping"}'), PING_MS);
    socket.onmessage = ({ data }) => {
      const frame = JSON.parse(data);
      if (frame.type === "watching") {
        isOpen = true;
        failures = 0;
        this.problem = "";
        this.open++;
        this.#expect(frame.shards);
      }
      if (frame.type === "records") {
        this.omitted += frame.omitted;
        for (const record of frame.records) this.#record(record, shard);
      }
      this.#changed();
    };
    socket.onclose = () => {
      clearInterval(ping);
      if (isOpen) this.open--;
      if (this.#isOver) return;
      if (!isOpen) void this.#explain(shard);
      this.#later(PAUSES_MS[Math.min(failures, PAUSES_MS.length - 1)], () => this.#connect(shard, failures + 1));
      this.#changed();
    };
  }

  /** Finds why a socket did not open, which a browser does not say: a plain request is refused in words. */
  async #explain(shard) {
    const query = Object.entries({ ...this.#conditions, shard: String(shard) });
    try {
      await this.#access.request("GET", this.#path, { query });
    } catch (error) {
      // The next socket may be open by now.
      if (this.#sockets.get(shard)?.readyState === WebSocket.OPEN) return;
      this.problem = error.status === NO_WEBSOCKET ? TOO_MANY : error.message;
    }
    this.#changed();
  }

  /** Opens what is missing where a hub has more shards. */
  #expect(shards) {
    this.wanted = Math.max(this.wanted, shards);
    for (let shard = 0; shard < shards; shard++) if (!this.#sockets.has(shard)) this.#connect(shard, 0);
  }

  #later(milliseconds, work) {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, milliseconds);
    this.#timers.add(timer);
  }
}
