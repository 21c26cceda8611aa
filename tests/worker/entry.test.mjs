// The entry: requests and calls on their way to Rust, and new objects after a trap.
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { module, reported, standIn, trap } from "./platform.mjs";

/**
 * Objects that were made, with the calls of each; `onCall` and `onFetch` stand for what Rust does.
 * @type {{
 *   made: { state: unknown, env: unknown, calls: [name: string, ...given: unknown[]][] }[],
 *   onCall: (...call: unknown[]) => unknown, onFetch: (request: Request, env: unknown) => Response,
 * }}
 */
const rust = { made: [], onCall: () => {}, onFetch: () => new Response("worker") };
Object.assign(globalThis, { rustForTheEntry: rust });

module(
  "worker-build",
  `const rust = globalThis.rustForTheEntry;
  class Kind {
    constructor(state, env) { rust.made.push(this); Object.assign(this, { state, env, calls: [] }); }
  }
  for (const name of ["ask", "serve", "alarm", "webSocketText", "webSocketBytes", "webSocketClose", "webSocketError", "foundAlarm"]) {
    Kind.prototype[name] = function (...given) { this.calls.push([name, ...given]); return rust.onCall(name, ...given); };
  }
  export const HubShard = class HubShard extends Kind {};
  export const HubDirectory = class HubDirectory extends Kind {};
  export default class { fetch(request) { return rust.onFetch(request, this.env); } }`,
);
const { default: worker, HubDirectory, HubShard } = await import("../../worker/js/entry.ts");

/**
 * When the alarm fires that outlived an object's memory, if one did.
 * @type {number | null}
 */
let due = null;
/** @type {Promise<unknown>} */
let begun = Promise.resolve();
/** @type {DurableObjectState} */
const state = standIn({
  storage: { getAlarm: async () => due },
  blockConcurrencyWhile: (begin) => (begun = begin()),
});
/** @type {WebSocket} */
const socket = standIn({});
const env = {};
const calls = () => rust.made.map(({ calls }) => calls.map(([name]) => name));

beforeEach(() => {
  Object.assign(rust, { made: [], onCall: () => {}, onFetch: () => new Response("worker") });
  reported.splice(0);
});

/** Has the next call throw this. */
function throwOnce(error) {
  rust.onCall = () => {
    rust.onCall = () => {};
    throw error;
  };
}

describe("The worker's entry", () => {
  test("passes a request and the environment on", async () => {
    rust.onFetch = (request, given) => new Response(`${request.url} ${given === env}`);
    const answer = await worker.fetch(new Request("http://localhost/x"), env);
    assert.equal(await answer.text(), "http://localhost/x true");
  });

  test("makes objects anew after a trap of its own", () => {
    const shard = new HubShard(state, env);
    rust.onFetch = () => {
      throw trap();
    };
    assert.throws(() => worker.fetch(new Request("http://localhost/"), env), WebAssembly.RuntimeError);
    shard.alarm();
    assert.deepEqual(calls(), [[], ["alarm"]]);
  });
});

describe("An object", () => {
  test("is made once, with its state and environment", () => {
    const shard = new HubShard(state, env);
    shard.webSocketMessage(socket, "text");
    shard.webSocketClose(socket, 1000, "bye");
    shard.webSocketError(socket);
    assert.equal(rust.made.length, 1);
    assert.equal(rust.made[0].state, state);
    assert.equal(rust.made[0].env, env);
    assert.deepEqual(rust.made[0].calls, [
      ["webSocketText", socket, "text"],
      ["webSocketClose", socket, 1000, "bye"],
      ["webSocketError", socket],
    ]);
  });

  test("knows the alarm that outlived its memory before all else", async () => {
    for (const alarm of [null, 5_000]) {
      due = alarm;
      rust.made = [];
      new HubShard(state, env);
      await begun;
      assert.deepEqual(rust.made[0]?.calls ?? [], alarm === null ? [] : [["foundAlarm", alarm]]);
    }
    due = null;
  });

  test("is given bytes and long texts as bytes", () => {
    const shard = new HubShard(state, env);
    const given = [];
    rust.onCall = (_, __, bytes, isText) =>
      void given.push([Buffer.from(/** @type {Uint8Array} */ (bytes)).toString(), isText]);
    shard.webSocketMessage(socket, Uint8Array.from(Buffer.from("bytes")).buffer);
    const long = "long é".repeat(20_000);
    shard.webSocketMessage(socket, long);
    assert.deepEqual(given, [
      ["bytes", false],
      [long, true],
    ]);
    assert.equal(/** @type {Uint8Array} */ (rust.made[0].calls[1][2]).length, 0, "the bytes are given back");
  });

  test("is made anew with the next call after a trap", () => {
    const shard = new HubShard(state, env);
    throwOnce(trap());
    assert.throws(() => shard.webSocketMessage(socket, "bad"), WebAssembly.RuntimeError);
    assert.equal(rust.made.length, 1, "not before there is a call");
    shard.webSocketMessage(socket, "good");
    shard.webSocketMessage(socket, "again");
    assert.deepEqual(calls(), [["webSocketText"], ["webSocketText", "webSocketText"]]);
    assert.equal(rust.made[1].state, state);
  });

  test("is made anew after the trap of another", () => {
    const [shard, directory] = [new HubShard(state, env), new HubDirectory(state, env)];
    throwOnce(trap());
    assert.throws(() => shard.alarm(), WebAssembly.RuntimeError);
    directory.alarm();
    assert.deepEqual(calls(), [["alarm"], [], ["alarm"]]);
  });

  test("is made anew after a trap that was reported", () => {
    const shard = new HubShard(state, env);
    reportError(trap());
    shard.alarm();
    assert.deepEqual(calls(), [[], ["alarm"]]);
  });

  test("stays after an error that is no trap", () => {
    const shard = new HubShard(state, env);
    throwOnce(new Error("refused"));
    assert.throws(() => shard.alarm(), /refused/);
    shard.alarm();
    assert.deepEqual(calls(), [["alarm", "alarm"]]);
  });
});

describe("What is asked of an object", () => {
  test("reaches Rust, and its answer comes back", () => {
    rust.onCall = (...call) => call;
    assert.deepEqual(new HubDirectory(state, env).ask("/view", ""), ["ask", "/view", "", false]);
    const shard = new HubShard(state, env);
    assert.deepEqual(shard.ask("/batch", "{}"), ["ask", "/batch", "{}", false]);
    const request = new Request("http://localhost/", { headers: { "x-call": "/connect a b" } });
    assert.deepEqual(shard.fetch(request), ["ask", "/connect", "a b", true]);
    const body = Uint8Array.from(Buffer.from("body"));
    assert.deepEqual(shard.serve("PUT /x", body.buffer), ["serve", "PUT /x", body]);
  });

  test("has no bytes where a request has no body", () => {
    rust.onCall = (_, __, bytes) => /** @type {Uint8Array} */ (bytes).length;
    assert.equal(new HubShard(state, env).serve("PUT /x"), 0);
  });

  test("gives a large body back once Rust has it", () => {
    const { buffer } = new Uint8Array(100_000);
    rust.onCall = (_, __, bytes) => /** @type {Uint8Array} */ (bytes).length;
    assert.equal(new HubShard(state, env).serve("POST /x", buffer), 100_000);
    assert.ok(buffer.detached);
  });
});
