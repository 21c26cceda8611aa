// The settings of one hub: as the service has them, and as they are being edited.
import { fieldsOf, handlerOf, newHandler } from "./handler.js";

export class Settings {
  hub;
  policy = "deny";
  shards = "";
  /** Fields of the event handlers, in their order. */
  handlers = [];
  #access;
  /** What the service has, as it was read. */
  #read;

  constructor(access, hub) {
    this.#access = access;
    this.hub = hub;
  }

  get #path() {
    return `/management/hubs/${encodeURIComponent(this.hub)}`;
  }

  /** Whether something has been edited and not saved. */
  get isChanged() {
    return this.#read !== undefined && JSON.stringify(this.#asJson()) !== this.#saved;
  }

  #saved = "";

  async load() {
    this.#take((await this.#access.request("GET", this.#path)).json);
  }

  async save() {
    const body = JSON.stringify({ ...this.#kept(), ...this.#asJson() });
    this.#take((await this.#access.request("PUT", this.#path, { body })).json);
  }

  /** Puts settings as they are in a file: those of Azure are taken as they are exported. */
  async import(text) {
    this.#take((await this.#access.request("PUT", this.#path, { body: text })).json);
  }

  /** Goes back to what the variables say. */
  async remove() {
    await this.#access.request("DELETE", this.#path);
    await this.load();
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

  #take(settings) {
    this.#read = settings;
    this.policy = settings.anonymousConnectPolicy ?? "deny";
    this.shards = settings.shards === undefined || settings.shards === null ? "" : String(settings.shards);
    this.handlers = (settings.eventHandlers ?? []).map(fieldsOf);
    this.#saved = JSON.stringify(this.#asJson());
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
