// Calls of Durable Objects: one, and several at once.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { standIn } from "./platform.mjs";
import {
  askWithSocket,
  askedWithSocket,
  callObjects,
  canForward,
  forwardToShard,
  serveOnAll,
} from "../../worker/js/objects.ts";

/** A namespace whose objects have these methods, which are also given the object's name; it counts the ids that are made. */
function namespace(methods) {
  const stub = (name) =>
    Object.fromEntries(Object.entries(methods).map(([key, value]) => [key, async (...given) => value(name, ...given)]));
  const made = {
    ids: 0,
    idFromName: (name) => ({ name, number: ++made.ids }),
    get: ({ name }) => stub(name),
    getByName: stub,
  };
  return made;
}

const text = (bytes) => bytes && new TextDecoder().decode(bytes);

/** An answer of a shard that repeats what it was given. */
const repeat = (name, head, body) => `200\n\n${name} ${head} ${text(body)}`;

describe("A request to a shard", () => {
  /** @type {(error: unknown, method: string) => Response} */
  const noAnswer = (error) => assert.fail(String(error));
  const forward = (request, failed = noAnswer, serve = repeat) =>
    forwardToShard(standIn({ HUB_SHARD: namespace({ serve }) }), "chat/0", request, "x-m-", failed);

  test("goes as its head, and the shard's answer comes back", async () => {
    const headers = { "X-M-A": "1", Cookie: "2" };
    const answer = await forward(new Request("http://localhost/x", { method: "PUT", headers }));
    assert.equal(await answer.text(), "chat/0 PUT http://localhost/x\n\n\nx-m-a\n1 undefined");
  });

  test("that fails is answered by what is made of the error", async () => {
    const serve = () => {
      throw new Error("overloaded");
    };
    const failed = (error, method) => new Response(`${method}: ${error.message}`, { status: 503 });
    const answer = await forward(new Request("http://localhost/x", { method: "DELETE" }), failed, serve);
    assert.deepEqual([answer.status, await answer.text()], [503, "DELETE: overloaded"]);
  });

  test("hashes a name once", async () => {
    const shards = namespace({ serve: repeat });
    for (let n = 0; n < 3; n++)
      await forwardToShard(
        standIn({ HUB_SHARD: shards }),
        "once/0",
        new Request("http://localhost/"),
        "x-m-",
        noAnswer,
      );
    assert.equal(shards.ids, 1);
  });

  /** The body that a shard is given of a request with these headers; `undefined` where that is not forwarded. */
  async function given(changed, /** @type {Uint8Array | null} */ body = new TextEncoder().encode("body")) {
    const all = { "Content-Type": "text/plain", "Content-Length": "4", ...changed };
    const map = new Map(Object.entries(all).filter(([, value]) => value));
    // Node lets no request of its own have some of these.
    const headers = { get: (name) => map.get(name) ?? null, has: (name) => map.has(name), keys: () => [] };
    const request = { method: "POST", url: "/", headers, body, arrayBuffer: async () => body?.buffer };
    return canForward(standIn(request)) ? (await (await forward(request)).text()).split(" ").at(-1) : undefined;
  }

  test("needs no body", async () => {
    assert.equal(await given({ "Content-Length": "", "Content-Type": "" }, null), "undefined");
    assert.equal(await given({ "Content-Length": "0", "Content-Type": "" }, null), "undefined");
    assert.equal(await given({ Expect: "100-continue" }, null), "undefined");
  });

  test("has its body read first where nearly all are needed", async () => {
    assert.equal(await given({}), "body");
    assert.equal(await given({ "Content-Type": "application/json; charset=utf-8" }), "body");
    assert.equal(await given({ "Content-Type": "application/octet-stream" }), "body");
    assert.equal(await given({ "Content-Length": "65536" }), "body");
  });

  test("is no forwarded one where Rust may refuse it or wait", async () => {
    assert.equal(await given({ "Content-Length": "65537" }), undefined);
    assert.equal(await given({ "Content-Length": "" }), undefined);
    assert.equal(await given({ "Content-Type": "" }), undefined);
    assert.equal(await given({ "Content-Type": "application/jsonp" }), undefined);
    assert.equal(await given({ Expect: "100-continue" }), undefined);
  });

  test("with a socket says which client's it is", async () => {
    const fetch = (_, url, { headers }) => {
      const request = new Request(url, { headers });
      return Response.json([request.headers.get("upgrade"), ...askedWithSocket(request)]);
    };
    for (const body of ["a b", ""]) {
      const answer = await askWithSocket(standIn({ HUB_SHARD: namespace({ fetch }) }), "chat/2", "/connect", body);
      assert.deepEqual(await answer.json(), ["websocket", "/connect", body]);
    }
  });
});

describe("A call of several objects", () => {
  /** The first one answers last. */
  const late = async (name) => name === "a" && new Promise((resolve) => setTimeout(resolve, 5));

  test("is answered in the order of their names", async () => {
    const ask = async (name, path, body) => {
      await late(name);
      return `200${name} ${path} ${body}`;
    };
    const answers = await callObjects(
      standIn({ HUB_SHARD: namespace({ ask }) }),
      "HUB_SHARD",
      ["a", "b"],
      "/x",
      "body",
    );
    assert.deepEqual(answers, ["a /x body", "b /x body"]);
  });

  test("has no text where an object failed", async () => {
    const ask = (name) => (name === "bad" ? "500why" : "204");
    const env = { HUB_DIRECTORY: namespace({ ask }) };
    assert.deepEqual(await callObjects(standIn(env), "HUB_DIRECTORY", ["a", "bad"], "/x", ""), ["", false]);
  });

  test("has each carry a request out, with a copy of its body", async () => {
    const serve = async (name, ...given) => {
      await late(name);
      return repeat(name, ...given);
    };
    const env = { HUB_SHARD: namespace({ serve }) };
    const body = Uint8Array.from(Buffer.from("body"));
    assert.deepEqual(await serveOnAll(standIn(env), ["a", "b"], "head", body), [
      "200\n\na head body",
      "200\n\nb head body",
    ]);
    assert.deepEqual(await serveOnAll(standIn(env), ["c"], "head", undefined), ["200\n\nc head undefined"]);
  });
});
