// Where the platform enters the worker. Every call is passed on as it is: nothing is decided here.
//
// `worker-build` makes an entry, too, whose class and three proxies a call cost more than the calls.
import Generated, * as generated from "worker-build";

/** How often the module has trapped. Objects that were made before are made anew with their next call. */
let traps = 0;

addEventListener("error", ({ error }) => noted(error));

/** @param {unknown} error */
function noted(error) {
  if (error instanceof WebAssembly.RuntimeError) traps++;
  return error;
}

const answer = Generated.prototype.fetch;

export default {
  /**
   * @param {Request} request
   * @param {unknown} env
   * @returns {Response | Promise<Response>}
   */
  fetch(request, env) {
    try {
      return answer.call({ env }, request);
    } catch (error) {
      throw noted(error);
    }
  },
};

/**
 * The class of a Durable Object whose handlers are methods of a Rust type.
 * @param {{ prototype: object }} generated
 */
const objectOf = ({ prototype: { constructor: Kind } }) =>
  class {
    #object;
    #traps;
    #given;

    /** @param {[state: DurableObjectState, env: unknown]} given */
    constructor(...given) {
      this.#given = given;
      this.#start();
    }

    #start() {
      this.#object = new Kind(...this.#given);
      this.#traps = traps;
    }

    /**
     * @param {string} method
     * @param {unknown[]} given
     */
    call(method, ...given) {
      try {
        if (this.#traps !== traps) this.#start();
        return this.#object[method](...given);
      } catch (error) {
        throw noted(error);
      }
    }

    fetch(request) {
      return this.call("fetch", request);
    }

    alarm() {
      return this.call("alarm");
    }
  };

export class HubDirectory extends objectOf(generated.HubDirectory) {}

/**
 * Bodies that are read before anybody has looked at their requests: nearly all of them are needed, and with the body
 * there Rust has nothing to wait for.
 */
const READ_FIRST = { most: 65536, types: /^(text\/plain|application\/(json|octet-stream))\b/ };

export class HubShard extends objectOf(generated.HubShard) {
  fetch(request) {
    const { url, headers } = request;
    const length = headers.get("Content-Length");
    const isReadFirst =
      length !== null &&
      length <= READ_FIRST.most &&
      READ_FIRST.types.test(headers.get("Content-Type")) &&
      !headers.has("Expect") &&
      // The Worker's own questions and those of other objects.
      !url.startsWith("https://object/");
    if (!isReadFirst) return this.call("fetch", request);
    return request.arrayBuffer().then((body) => this.call("fetch", request, body));
  }

  webSocketMessage(socket, message) {
    return this.call("webSocketMessage", socket, message);
  }

  webSocketClose(socket, code, reason) {
    return this.call("webSocketClose", socket, code, reason);
  }

  webSocketError(socket) {
    return this.call("webSocketError", socket);
  }
}
