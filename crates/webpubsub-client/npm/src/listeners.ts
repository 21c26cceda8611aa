// The listeners of one client, by event.
import type { WebPubSubClientEvents } from "./models.js";
import { report } from "./values.js";

type EventName = keyof WebPubSubClientEvents;
type Listener<E extends EventName> = (args: WebPubSubClientEvents[E]) => void;

/** The functions that an application has called at a client's events. */
export class Listeners {
  readonly #all = new Map<EventName, Listener<never>[]>();

  add<E extends EventName>(event: E, listener: Listener<E>): void {
    if (typeof listener !== "function") throw new TypeError("The listener must be a function.");
    this.#all.set(event, [...(this.#all.get(event) ?? []), listener]);
  }

  /** Takes away the last one that is this function. */
  remove<E extends EventName>(event: E, listener: Listener<E>): void {
    const listeners = this.#all.get(event) ?? [];
    const index = listeners.lastIndexOf(listener);
    this.#all.set(
      event,
      listeners.filter((_, at) => at !== index),
    );
  }

  /** Calls those of an event, in the order that they were added in. One that throws is reported. */
  emit<E extends EventName>(event: E, args: WebPubSubClientEvents[E]): void {
    for (const listener of this.#all.get(event) ?? []) {
      try {
        (listener as Listener<E>)(args);
      } catch (error) {
        report(error);
      }
    }
  }
}
