// Where the platform enters the worker. Every call is passed on as it is: nothing is decided here.
//
// `worker-build` makes an entry, too, whose class and three proxies a call cost more than the calls.
import Generated, * as generated from "worker-build";

/** Which instance of the module runs. One that has trapped is replaced with the next call. */
let instance = 0;

addEventListener("error", ({ error }) => noted(error));

/** @param {unknown} error */
function noted(error) {
  if (error instanceof WebAssembly.RuntimeError) instance++;
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
    #instance;
    #given;

    /** @param {[state: DurableObjectState, env: unknown]} given */
    constructor(...given) {
      this.#given = given;
      this.#start();
    }

    #start() {
      this.#object = new Kind(...this.#given);
      this.#instance = instance;
    }

    /**
     * @param {string} method
     * @param {unknown[]} given
     */
    call(method, ...given) {
      try {
        if (this.#instance !== instance) this.#start();
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

export class HubShard extends objectOf(generated.HubShard) {
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
