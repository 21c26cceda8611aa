// One client's way to the service: URLs, sockets, and why one did not open.
import { explain, openSocket } from "#platform";
import type { Core } from "./allowance.js";
import { type Explanation, startError } from "./errors.js";
import { type Raise, read } from "./incoming.js";
import type { AbortSignalLike, WebPubSubClientCredential, WebPubSubClientProtocol, WebSocketLike } from "./models.js";
import * as input from "./inputs.js";

/** The sockets of a client: where their URLs come from, the newest one, and why it did not open. */
export class Sockets {
  readonly #credential: WebPubSubClientCredential;
  readonly #protocol: WebPubSubClientProtocol;
  readonly #make: (url: string, protocol: string) => WebSocketLike;
  /** The newest socket, and the attempt that it was opened for. */
  #newest?: { attempt: number; socket: WebSocketLike };
  /** The newest URL, and what went wrong with it. */
  #url = "";
  #explanation: Explanation = {};
  #cause: unknown;

  constructor(
    credential: WebPubSubClientCredential,
    protocol: WebPubSubClientProtocol,
    make: (url: string, protocol: string) => WebSocketLike = openSocket,
  ) {
    this.#credential = credential;
    this.#protocol = protocol;
    this.#make = make;
  }

  /** The attempt that the newest socket was opened for; 0 where there is none. */
  get attempt(): number {
    return this.#newest?.attempt ?? 0;
  }

  /** Asks the credential for a URL, and passes it to the core. */
  async fetchUrl(core: Core, attempt: number, abortSignal: AbortSignalLike | undefined): Promise<void> {
    const { getClientAccessUrl } = this.#credential;
    this.#url = "";
    try {
      const url: unknown =
        typeof getClientAccessUrl === "string"
          ? getClientAccessUrl
          : await getClientAccessUrl.call(this.#credential, { abortSignal });
      if (typeof url !== "string") {
        throw new Error(`The clientAccessUrl must be a string but currently it's ${typeof url}`);
      }
      this.#url = url;
    } catch (error) {
      this.#cause = error;
      core.input(input.URL_FAILED, attempt);
      return;
    }
    core.input(input.URL_FETCHED, attempt, 0, this.#url);
  }

  /**
   * Opens a socket, and lets go of the one before. `opened` is called when it is open, `raise` with what is for the
   * application. Whether the platform takes the URL.
   */
  open(core: Core, attempt: number, url: string, opened: () => void, raise: Raise): boolean {
    this.#cause = undefined;
    this.#explanation = {};
    this.#newest = undefined;
    try {
      // A browser would take other texts as relative to the page.
      if (!/^(wss?|https?):\/\//i.test(url)) throw new SyntaxError("A client access URL begins with wss://");
      const protocol = this.#protocol;
      const socket = this.#make(url, protocol.name);
      socket.binaryType = "arraybuffer";
      socket.onopen = () => {
        opened();
        core.input(input.OPENED, attempt);
      };
      socket.onmessage = ({ data }) => read(protocol, data, core, attempt, raise);
      socket.onclose = ({ code, reason }) => {
        // Whatever the socket holds can be collected.
        if (this.attempt === attempt) this.#newest = undefined;
        core.input(input.CLOSED, attempt, code, reason);
      };
      socket.onerror = (event: any) => {
        const known = explain(event);
        this.#cause = known?.status ? undefined : (event.error ?? event);
        this.#explanation = known ?? {};
        // A platform need not report that a socket which never opened has closed.
        core.input(input.CONNECT_FAILED, attempt, known ? (known.status ?? 0) : -1);
      };
      this.#newest = { attempt, socket };
      return true;
    } catch (error) {
      this.#cause = error;
      return false;
    }
  }

  /** Sends a frame on the newest socket. */
  send(frame: string | ArrayBuffer): void {
    try {
      this.#newest?.socket.send(frame);
    } catch {
      // A socket that cannot take it is about to report that it closed.
    }
  }

  /** Closes an attempt's socket without a code, if it is the newest one. */
  close(attempt: number): void {
    if (this.attempt !== attempt) return;
    try {
      this.#newest!.socket.close();
    } catch {
      // It is closed, or about to be.
    }
  }

  /** What a start rejects with that failed with this problem, and with this status or close code, or 0. */
  failure(problem: number, number: number, abortSignal: AbortSignalLike | undefined): Promise<unknown> {
    return startError(problem, this.#url, number || undefined, this.#explanation, this.#cause, abortSignal);
  }
}
