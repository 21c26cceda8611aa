// The sockets that show what the shards of a hub do: one for each, opened again when it is lost.
//
// The contract: docs/management.md#live-trace.

/** Pauses before a lost socket is opened again, in milliseconds; the last one is repeated. */
const PAUSES_MS = [500, 1000, 2000, 5000, 10_000];

/** How often a socket is used, so that nothing on the way takes it for forgotten, in milliseconds. */
const PING_MS = 30_000;

export class Watch {
  /** How many of the sockets are open, and of how many. */
  open = 0;
  wanted = 1;
  /** Records that the service left out under load. */
  omitted = 0;
  #path;
  #urlOf;
  #conditions;
  #record;
  #changed;
  #sockets = new Map();
  #timers = new Set();
  #isOver = false;

  /**
   * `urlOf(path, query)` gives the URL of a socket, authorised. `record(record, shard)` is called with what happens,
   * `changed()` when sockets open and close.
   *
   * @param {(path: string, query: URLSearchParams) => Promise<string>} urlOf
   * @param {string} hub
   * @param {Record<string, string>} conditions
   * @param {{ record: (record: any, shard: number) => void, changed: () => void }} listener
   */
  constructor(urlOf, hub, conditions, { record, changed }) {
    this.#urlOf = urlOf;
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
    const url = await this.#urlOf(this.#path, query);
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
      this.#later(PAUSES_MS[Math.min(failures, PAUSES_MS.length - 1)], () => this.#connect(shard, failures + 1));
      this.#changed();
    };
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
