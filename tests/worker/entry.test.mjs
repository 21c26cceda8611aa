import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { module, reported, settle, trap } from "./platform.mjs";

/** Objects that were made, with the calls of each; `onCall` and `onFetch` stand for what Rust does. */
const rust = { made: [], onCall: () => {}, onFetch: () => new Response("worker") };
globalThis.rustForTheEntry = rust;

module(
  "worker-build",
  `const rust = globalThis.rustForTheEntry;
  class Kind {
    constructor(state, env) { rust.made.push(this); Object.assign(this, { state, env, calls: [] }); }
  }
  for (const name of ["fetch", "alarm", "webSocketText", "webSocketBytes", "webSocketClose", "webSocketError"]) {
    Kind.prototype[name] = function (...given) { this.calls.push([name, ...given]); return rust.onCall(name, ...given); };
  }
  export const HubShard = class HubShard extends Kind {};
  export const HubDirectory = class HubDirectory extends Kind {};
  export default class { fetch(request) { return rust.onFetch(request, this.env); } }`,
);
const { default: worker, HubDirectory, HubShard } = await import("../../worker/js/entry.ts");

const state = {};
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
    shard.webSocketMessage("socket", "text");
    shard.webSocketClose("socket", 1000, "bye");
    shard.webSocketError("socket");
    assert.equal(rust.made.length, 1);
    assert.equal(rust.made[0].state, state);
    assert.equal(rust.made[0].env, env);
    assert.deepEqual(rust.made[0].calls, [
      ["webSocketText", "socket", "text"],
      ["webSocketClose", "socket", 1000, "bye"],
      ["webSocketError", "socket"],
    ]);
  });

  test("is given bytes and long texts as bytes", () => {
    const shard = new HubShard(state, env);
    const given = [];
    rust.onCall = (_, __, bytes, isText) => void given.push([Buffer.from(bytes).toString(), isText]);
    shard.webSocketMessage("socket", new TextEncoder().encode("bytes").buffer);
    const long = "long é".repeat(20_000);
    shard.webSocketMessage("socket", long);
    assert.deepEqual(given, [
      ["bytes", false],
      [long, true],
    ]);
    assert.equal(rust.made[0].calls[1][2].length, 0, "the bytes are given back");
  });

  test("is made anew with the next call after a trap", () => {
    const shard = new HubShard(state, env);
    throwOnce(trap());
    assert.throws(() => shard.webSocketMessage("socket", "bad"), WebAssembly.RuntimeError);
    assert.equal(rust.made.length, 1, "not before there is a call");
    shard.webSocketMessage("socket", "good");
    shard.webSocketMessage("socket", "again");
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

describe("A shard's request", () => {
  /** What Rust is given of a request with these headers: the body that was read before, if it was. */
  async function given({ url = "http://localhost/", body = "text", ...headers }) {
    const shard = new HubShard(state, env);
    const length = String(body.length);
    const all = { "Content-Type": "text/plain", "Content-Length": length, ...headers };
    // Node lets no request of its own have some of these.
    const request = {
      url,
      headers: new Map(Object.entries(all).filter(([, value]) => value)),
      arrayBuffer: async () => body,
    };
    const { headers: map } = request;
    request.headers = { get: (name) => map.get(name) ?? null, has: (name) => map.has(name) };
    shard.fetch(request);
    await settle();
    const [, , read] = rust.made.at(-1).calls[0];
    return read;
  }

  test("has its body read first where nearly all are needed", async () => {
    assert.equal(await given({}), "text");
    assert.equal(await given({ "Content-Type": "application/json; charset=utf-8" }), "text");
    assert.equal(await given({ "Content-Type": "application/octet-stream" }), "text");
    assert.equal(await given({ "Content-Length": "65536" }), "text");
  });

  test("is passed on unread where Rust may refuse it or wait", async () => {
    assert.equal(await given({ "Content-Length": "65537" }), undefined);
    assert.equal(await given({ "Content-Length": "" }), undefined);
    assert.equal(await given({ "Content-Type": "" }), undefined);
    assert.equal(await given({ "Content-Type": "application/jsonp" }), undefined);
    assert.equal(await given({ Expect: "100-continue" }), undefined);
    assert.equal(await given({ url: "https://object/connect" }), undefined);
  });
});
