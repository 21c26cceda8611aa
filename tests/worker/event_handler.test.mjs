// Requests to event handlers: their bodies, their answers and their deadlines.
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { awaited, settle, standIn } from "./platform.mjs";

const { Calls, postInPassing } = await import("../../worker/js/event_handler.ts");

/** Answers a request to an event handler; a test puts its own here. */
let answer;
/** Requests to event handlers, the newest last. */
const requests = [];

globalThis.fetch = async (request) => {
  requests.push(request);
  const aborted = new Promise((_, reject) => {
    request.signal.onabort = () => reject(request.signal.reason);
  });
  return Promise.race([answer(request), aborted]);
};

beforeEach(() => {
  requests.length = 0;
  answer = () => new Response(null, { status: 204 });
});

const never = () => new Promise(() => {});

/**
 * An answer with a body as the platform has them; `log` learns how it is read.
 * @param {Uint8Array} bytes
 * @param {{ status?: number, headers?: Record<string, string>, log?: unknown[], isHanging?: boolean }} its
 */
function withBody(bytes, { status = 200, headers = {}, log = [], isHanging = false } = {}) {
  let at = 0;
  const readAtLeast = async (size, view) => {
    log.push(size);
    const value = view.subarray(0, Math.min(size, bytes.length - at));
    value.set(bytes.subarray(at, at + value.length));
    at += value.length;
    if (value.length === 0 && isHanging) return never();
    return { done: value.length === 0, value };
  };
  const cancel = async () => void log.push("cancel");
  return { status, headers: new Headers(headers), body: { getReader: () => ({ readAtLeast, cancel }), cancel } };
}

/**
 * Makes a request with a call; what is not said is as for an event.
 * @param {InstanceType<typeof Calls>} calls
 * @param {{
 *   id?: number, method?: string, url?: string, headers?: string, body?: Uint8Array, limit?: number,
 *   take?: Parameters<InstanceType<typeof Calls>["request"]>[6],
 * }} its
 */
function request(
  calls,
  { id = 1, method = "POST", url = "https://app.example/", headers = "", body, limit = 1000, take } = {},
) {
  return calls.request(id, method, url, headers, body, limit, take);
}

/** A hub's directory that answers by `respond(url, init)`. */
const directory = (respond) =>
  standIn({ HUB_DIRECTORY: { getByName: (hub) => ({ ask: (...call) => respond(hub, ...call) }) } });

describe("A request to an event handler", () => {
  test("has its method, its headers and a copy of its body", async () => {
    const memory = new TextEncoder().encode("hello");
    const made = request(new Calls(), { headers: "ce-type\na.b\nx\n1: 2\n", body: memory });
    memory.fill(0);
    await made;
    const [sent] = requests;
    assert.deepEqual([sent.method, sent.url, await sent.text()], ["POST", "https://app.example/", "hello"]);
    assert.deepEqual([sent.headers.get("ce-type"), sent.headers.get("x")], ["a.b", "1: 2"]);
  });

  test("resolves with the status and the headers of its answer", async () => {
    answer = () => new Response("", { status: 401, headers: { "ce-a": "1", "ce-b": "x y" } });
    const head = await request(new Calls());
    assert.deepEqual(head.split("\n").slice(0, 5), ["401", "ce-a", "1", "ce-b", "x y"]);
  });

  test("follows no redirect", async () => {
    answer = () => new Response(null, { status: 302, headers: { location: "https://other.example/" } });
    const head = await request(new Calls());
    assert.equal(requests[0].redirect, "manual");
    assert.equal(head, "302\nlocation\nhttps://other.example/");
  });

  test("of a handshake is OPTIONS, without a body either way", async () => {
    /** @type {unknown[]} */
    const log = [];
    answer = () => withBody(new Uint8Array(9), { headers: { "webhook-allowed-origin": "*" }, log });
    const head = await request(new Calls(), { method: "OPTIONS", headers: "webhook-request-origin\nhub.example\n" });
    const [sent] = requests;
    assert.deepEqual(
      [sent.method, sent.body, sent.headers.get("webhook-request-origin")],
      ["OPTIONS", null, "hub.example"],
    );
    assert.equal(head, "200\nwebhook-allowed-origin\n*");
    assert.deepEqual(log, ["cancel"], "what is not asked for is not read");
  });

  test("that cannot be made is unsendable", async () => {
    assert.equal(await request(new Calls(), { url: "https://" }), "Unsendable");
    assert.equal(await request(new Calls(), { headers: "a b\nc\n" }), "Unsendable");
    assert.equal(requests.length, 0);
  });

  test("has failed with the network where fetch throws", async () => {
    answer = () => {
      throw new TypeError("connection refused");
    };
    assert.equal(await request(new Calls()), "Network");
  });
});

describe("The body of an answer", () => {
  /** What `take` was given, and the answer to it: the length of each piece, and a copy of its bytes. */
  function taking(most = Number.POSITIVE_INFINITY) {
    /** @type {{ pieces: number[], bytes: number[], about: Set<string> }} */
    const taken = { pieces: [], bytes: [], about: new Set() };
    const take = (piece, announced, status) => {
      taken.pieces.push(piece.length);
      taken.bytes.push(...piece);
      taken.about.add(`${announced} ${status}`);
      return taken.bytes.length <= most;
    };
    return { ...taken, take };
  }

  test("is read in one piece of its announced length", async () => {
    const [bytes, taken] = [Uint8Array.of(1, 2, 3), taking()];
    const log = [];
    answer = () => withBody(bytes, { status: 200, headers: { "content-length": "3" }, log });
    assert.equal(await request(new Calls(), { take: taken.take }), "200\ncontent-length\n3");
    assert.deepEqual([taken.pieces, taken.bytes, [...taken.about]], [[3], [1, 2, 3], ["3 200"]]);
    assert.deepEqual(log, [3, 65_536]);
  });

  test("of unknown length begins with a small piece", async () => {
    const [log, taken] = [[], taking()];
    answer = () => withBody(new Uint8Array(70_000).fill(7), { status: 500, log });
    await request(new Calls(), { take: taken.take });
    assert.deepEqual(taken.pieces, [4096, 65_536, 368]);
    assert.deepEqual([taken.bytes.every((byte) => byte === 7), [...taken.about]], [true, ["0 500"]]);
  });

  test("is read up to its limit, and then given up", async () => {
    const [log, taken] = [[], taking(5000)];
    answer = () => withBody(new Uint8Array(1_000_000), { log });
    assert.equal(await request(new Calls(), { take: taken.take }), "200");
    assert.deepEqual(log, [4096, 65_536, "cancel"]);
  });

  test("gives the memory of each piece back", async () => {
    /** @type {Uint8Array[]} */
    const pieces = [];
    answer = () => withBody(new Uint8Array(10));
    await request(new Calls(), { take: (piece) => pieces.push(piece) > 0 });
    assert.deepEqual(
      pieces.map((piece) => piece.buffer.byteLength),
      [0],
    );
  });

  test("may not be there", async () => {
    const taken = taking();
    assert.equal(await request(new Calls(), { take: taken.take }), "204");
    assert.deepEqual(taken.pieces, []);
  });
});

describe("The time of a request", () => {
  test("ends at its deadline", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    answer = never;
    const made = request(new Calls(), { limit: 500 });
    let isOver = false;
    made.then(() => (isOver = true));
    t.mock.timers.tick(499);
    await settle();
    assert.equal(isOver, false);
    t.mock.timers.tick(1);
    assert.equal(await made, "TimedOut");
  });

  test("ends when its call is given up, and no other call with it", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    answer = never;
    const calls = new Calls();
    const [one, other] = [1, 2].map((id) => request(calls, { id, limit: 500 }));
    calls.giveUp(1, 100);
    t.mock.timers.tick(100);
    assert.equal(await one, "GivenUp");
    t.mock.timers.tick(400);
    assert.equal(await other, "TimedOut");
  });

  test("does not begin where its call was given up before", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const calls = new Calls();
    const env = directory(async () => "204");
    calls.giveUp(1, 100);
    assert.equal(await calls.postToDirectory(1, env, "chat", "/validation", "{}", 500), "204");
    answer = never;
    const made = request(calls);
    t.mock.timers.tick(100);
    assert.equal(await made, "GivenUp");
  });

  test("of one call says nothing about the next with its id", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    answer = never;
    const calls = new Calls();
    calls.giveUp(1, 100);
    const made = request(calls);
    t.mock.timers.tick(100);
    assert.equal(await made, "GivenUp");
    answer = () => new Response(null, { status: 204 });
    assert.equal(await request(calls), "204");
  });
});

describe("A post to a hub's directory", () => {
  const post = (calls, respond, limit = 500) =>
    calls.postToDirectory(1, directory(respond), "chat", "/validation", "{}", limit);

  test("resolves with its answer", async () => {
    const posted = [];
    const respond = async (...call) => {
      posted.push(call);
      return "403";
    };
    assert.equal(await post(new Calls(), respond), "403");
    assert.deepEqual(posted, [["chat", "/validation", "{}"]]);
  });

  test("fails like the network where the directory does", async () => {
    const respond = async () => {
      throw new Error("overloaded");
    };
    assert.equal(await post(new Calls(), respond), "Network");
  });

  test("ends at its deadline, or when its call is given up", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const calls = new Calls();
    const late = post(calls, never);
    t.mock.timers.tick(500);
    assert.equal(await late, "TimedOut");
    const unwanted = post(calls, never);
    calls.giveUp(1, 100);
    t.mock.timers.tick(100);
    assert.equal(await unwanted, "GivenUp");
  });
});

describe("What is posted in passing", () => {
  test("reaches the directory, which nothing waits for", async () => {
    const kept = [];
    const env = directory(async (...call) => {
      kept.push(call);
      throw new Error("gone");
    });
    postInPassing(env, "chat", "/delivery", '{"time":1}');
    await Promise.all(awaited.splice(0));
    assert.deepEqual(kept, [["chat", "/delivery", '{"time":1}']]);
  });
});
