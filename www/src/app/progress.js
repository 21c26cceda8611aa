// How far the first steps have come: each ticks itself when it happens on some page.

/** Every step of the list, with its words and the page on which it is done. */
export const steps = [
  { id: "signed-in", words: "Sign in", page: "overview" },
  { id: "connected", words: "Connect a client", page: "playground" },
  { id: "published", words: "Publish a message, as your server would", page: "overview" },
  { id: "received", words: "See the client receive it", page: "playground" },
];

export class Progress {
  #reached = new Set();
  #update;

  constructor(update) {
    this.#update = update;
  }

  has(step) {
    return this.#reached.has(step);
  }

  reach(step) {
    if (this.#reached.has(step)) return;
    this.#reached.add(step);
    this.#update();
  }
}
