// The settings of one hub: as the service has them, and as they are being edited.
import { fieldsOf, handlerOf, newHandler } from "./handler.js";

/** The service has other settings than those that were edited. */
export class Conflict extends Error {
  constructor() {
    super("Somebody else has changed these settings since this page read them. Nothing was saved.");
    this.name = "Conflict";
  }
}

export class Settings {
  hub;
  policy = "deny";
  shards = "";
  /** Fields of the event handlers, in their order. */
  handlers = [];
  #access;
  /** What the service has, as it was read. */
  #read;
  /** The same as it would be sent back, untouched. */
  #saved = "";

  constructor(access, hub) {
    this.#access = access;
    this.hub = hub;
  }

  get #path() {
    return `/management/hubs/${encodeURIComponent(this.hub)}`;
  }

  get isLoaded() {
    return this.#read !== undefined;
  }

  /** Whether something has been edited and not saved. */
  get isChanged() {
    return this.isLoaded && this.#edited !== this.#saved;
  }

  /** Reads them; what has been edited or saved by the time that they come stays. */
  async load() {
    const before = this.#read;
    const read = await this.#fetch();
    if (this.#read === before && !this.isChanged) this.#take(read);
  }

  /**
   * Saves what was edited. Rejects with a `Conflict` where another page or program has changed them since they were read,
   * unless those changes are to be lost.
   */
  async save({ isForced = false } = {}) {
    if (!isForced && asText(await this.#fetch()) !== asText(this.#read)) throw new Conflict();
    const edited = this.#edited;
    const body = JSON.stringify({ ...this.#kept(), ...this.#asJson() });
    const read = (await this.#access.request("PUT", this.#path, { body })).json;
    // What was typed while they were being saved stays.
    const typed = this.#edited === edited ? undefined : { ...this };
    this.#take(read);
    Object.assign(this, typed);
  }

  /** Puts settings as they are in a file: those of Azure are taken as they are exported. */
  async import(text) {
    this.#take((await this.#access.request("PUT", this.#path, { body: text })).json);
  }

  /** Goes back to what the variables say. */
  async remove() {
    await this.#access.request("DELETE", this.#path);
    await this.reload();
  }

  /** Reads them, and forgets what was edited. */
  async reload() {
    this.#take(await this.#fetch());
  }

  /** Asks one handler of those that are saved. */
  async test(index) {
    return (await this.#access.request("POST", `${this.#path}/eventHandlers/${index}/:test`)).json;
  }

  async deliveries() {
    return (await this.#access.request("GET", `${this.#path}/deliveries`)).json.deliveries;
  }

  /** The saved settings as Azure writes a hub. */
  get asAzure() {
    const { notes: _, ...properties } = this.#read;
    return JSON.stringify({ name: this.hub, properties }, null, 2);
  }

  add() {
    this.handlers.push(newHandler());
  }

  move(index, by) {
    const [handler] = this.handlers.splice(index, 1);
    this.handlers.splice(index + by, 0, handler);
  }

  revert() {
    this.#take(this.#read);
  }

  async #fetch() {
    return (await this.#access.request("GET", this.#path)).json;
  }

  #take(settings) {
    this.#read = settings;
    this.policy = settings.anonymousConnectPolicy ?? "deny";
    this.shards = settings.shards === undefined || settings.shards === null ? "" : String(settings.shards);
    this.handlers = (settings.eventHandlers ?? []).map(fieldsOf);
    this.#saved = this.#edited;
  }

  get #edited() {
    return JSON.stringify(this.#asJson());
  }

  /** Settings that the form does not show. */
  #kept() {
    const { notes: _, anonymousConnectPolicy: __, shards: ___, eventHandlers: ____, ...others } = this.#read;
    return others;
  }

  #asJson() {
    return {
      anonymousConnectPolicy: this.policy,
      ...(this.shards.trim() !== "" && { shards: Number(this.shards) }),
      eventHandlers: this.handlers.map(handlerOf),
    };
  }
}

const asText = ({ notes: _, ...settings }) => JSON.stringify(settings);
