// What was published, and what of it each client received. Every promise of reliable delivery is checked here.

/** Kinds of broken promises; none may occur. */
const KINDS = ["lost", "doubled", "reordered", "gaps", "strange", "refused", "connections lost"];

/**
 * One publish: whose it is, which of its publisher's, and to which target as REST spells it: "", `/groups/…`, `/users/…`.
 * @typedef {{ from: string, n: number, to: string, acknowledged: boolean }} Entry
 */

export class Ledger {
  /**
   * By publisher: what it published, in order.
   * @type {Map<string, Entry[]>}
   */
  #published = new Map();
  /** @type {{ kind: string, words: string }[]} */
  #violations = [];
  /** How many were published, and how many of them the service has acknowledged. */
  published = 0;
  acknowledged = 0;

  /**
   * Notes a publish before it is sent.
   * @param {string} from
   * @param {string} to
   */
  publish(from, to) {
    const all = this.of(from);
    const entry = { from, n: all.length, to, acknowledged: false };
    all.push(entry);
    this.published++;
    return entry;
  }

  /** @param {Entry} entry */
  acknowledge(entry) {
    entry.acknowledged = true;
    this.acknowledged++;
  }

  /** @param {string} publisher */
  of(publisher) {
    const all = this.#published.get(publisher) ?? [];
    this.#published.set(publisher, all);
    return all;
  }

  get publishers() {
    return [...this.#published.keys()];
  }

  /**
   * @param {string} kind
   * @param {string} words
   */
  violation(kind, words) {
    this.#violations.push({ kind, words });
  }

  /** What went wrong, in words, the first first. */
  get violations() {
    return this.#violations.map(({ kind, words }) => `${kind}: ${words}`);
  }

  /** How often each promise was broken. */
  counts() {
    return Object.fromEntries(KINDS.map((kind) => [kind, this.#violations.filter((one) => one.kind === kind).length]));
  }
}

/** What one client received, held to the ledger with every message. */
export class Account {
  #ledger;
  #name;
  #places;
  #sequenceId = 0;
  /** @type {Set<Entry>} */
  #received = new Set();
  /**
   * By publisher: how many of its messages have been received or passed over.
   * @type {Map<string, number>}
   */
  #passed = new Map();
  /**
   * Passed over while they were not acknowledged: they must stay so.
   * @type {Entry[]}
   */
  #skipped = [];

  /**
   * `places` are the targets at which this client receives.
   * @param {Ledger} ledger
   * @param {string} name
   * @param {string[]} places
   */
  constructor(ledger, name, places) {
    this.#ledger = ledger;
    this.#name = name;
    this.#places = new Set(places);
  }

  get received() {
    return this.#received.size;
  }

  /**
   * A message as the client's application received it.
   * @param {Omit<Entry, "acknowledged">} message
   * @param {number} sequenceId
   */
  receive({ from, n, to }, sequenceId) {
    const what = `${this.#name} received ${from}'s number ${n} to "${to}" as ${sequenceId}`;
    if (sequenceId !== this.#sequenceId + 1) this.#ledger.violation("gaps", `${what} after ${this.#sequenceId}`);
    this.#sequenceId = sequenceId;

    const all = this.#ledger.of(from);
    const entry = all[n];
    if (entry?.to !== to || !this.#places.has(to)) return this.#ledger.violation("strange", what);
    if (this.#received.has(entry)) return this.#ledger.violation("doubled", what);
    this.#received.add(entry);
    const passed = this.#passed.get(from) ?? 0;
    if (n < passed) return this.#ledger.violation("reordered", `${what} after number ${passed - 1}`);
    for (const skipped of all.slice(passed, n)) this.#skip(skipped);
    this.#passed.set(from, n + 1);
  }

  /** @param {Entry} entry */
  #skip(entry) {
    if (!this.#places.has(entry.to)) return;
    if (entry.acknowledged) this.#lose(entry);
    else this.#skipped.push(entry);
  }

  /** @param {Entry} entry */
  #lose({ from, n, to }) {
    this.#ledger.violation("lost", `${this.#name} did not receive ${from}'s number ${n} to "${to}"`);
  }

  /** What it should have received by now and has not. */
  missing() {
    const late = this.#ledger.publishers.flatMap((from) => this.#ledger.of(from).slice(this.#passed.get(from) ?? 0));
    const mine = late.filter(({ to }) => this.#places.has(to));
    return [...this.#skipped, ...mine].filter((entry) => entry.acknowledged && !this.#received.has(entry));
  }

  /** Nothing more will come. */
  close() {
    for (const entry of this.missing()) this.#lose(entry);
  }
}
