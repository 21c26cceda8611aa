import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { askForParts, askWithSocket, callObjects, clientOf, forwardToShard } from "../../worker/js/objects.ts";

/** A namespace whose objects answer a request by `answer(name, request)`; it counts the ids that are made. */
function namespace(answer) {
  const stub = (name) => ({ fetch: async (url, init) => answer(name, new Request(url, init)) });
  const made = {
    ids: 0,
    idFromName: (name) => ({ name, number: ++made.ids }),
    get: ({ name }) => stub(name),
    getByName: stub,
  };
  return made;
}

describe("A request to a shard", () => {
  test("arrives as it is, and its answer comes back", async () => {
    const shards = namespace((name, request) => new Response(`${name} ${request.method} ${request.url}`));
    const request = new Request("http://localhost/x", { method: "PUT" });
    const answer = await forwardToShard({ HUB_SHARD: shards }, "chat/0", request, assert.fail);
    assert.equal(await answer.text(), "chat/0 PUT http://localhost/x");
  });

  test("that fails is answered by what is made of the error", async () => {
    const shards = namespace(() => {
      throw new Error("overloaded");
    });
    const request = new Request("http://localhost/x", { method: "DELETE" });
    const failed = (error, method) => new Response(`${method}: ${error.message}`, { status: 503 });
    const answer = await forwardToShard({ HUB_SHARD: shards }, "chat/1", request, failed);
    assert.deepEqual([answer.status, await answer.text()], [503, "DELETE: overloaded"]);
  });

  test("hashes a name once", async () => {
    const shards = namespace(() => new Response());
    for (let n = 0; n < 3; n++)
      await forwardToShard({ HUB_SHARD: shards }, "once/0", new Request("http://localhost/"), assert.fail);
    assert.equal(shards.ids, 1);
  });

  test("with a socket says which client's it is", async () => {
    const shards = namespace(
      (_, request) => new Response(`${request.url} ${request.headers.get("upgrade")} ${clientOf(request)}`),
    );
    const answer = await askWithSocket({ HUB_SHARD: shards }, "chat/2", "/connect", '{"user":"a"}');
    assert.equal(await answer.text(), 'https://object/connect websocket {"user":"a"}');
    assert.equal(clientOf(new Request("http://localhost/")), "");
  });
});

describe("A request to several objects", () => {
  const objects = namespace(async (name, request) => {
    // The first one answers last.
    if (name === "a") await new Promise((resolve) => setTimeout(resolve, 5));
    return new Response(`${name} ${request.method} ${await request.text()}`, { status: name === "bad" ? 500 : 200 });
  });

  test("is answered in the order of their names", async () => {
    assert.deepEqual(await callObjects({ HUB_SHARD: objects }, "HUB_SHARD", ["a", "b"], "/x", "body"), [
      "a POST body",
      "b POST body",
    ]);
  });

  test("is a GET without a body, and a failure has no text", async () => {
    const env = { HUB_DIRECTORY: objects };
    assert.deepEqual(await callObjects(env, "HUB_DIRECTORY", ["a", "bad"], "/x", undefined), ["a GET ", false]);
    assert.deepEqual(await callObjects(env, "HUB_DIRECTORY", ["b"], "/x", ""), ["b POST "]);
  });

  test("gets replies as texts and refusals as they are", async () => {
    const shards = namespace((name, request) => {
      if (name === "refuses") return new Response("no", { status: 400 });
      const body = name === "lists" ? `${request.method} ${new URL(request.url).pathname}` : null;
      return new Response(body, { headers: { "x-reply": name } });
    });
    const names = ["lists", "refuses", "done"];
    const ask = (env) => askForParts(env, names, "/x", "GET", new Headers(), undefined, "x-reply");
    const [list, refusal, done] = await ask({ HUB_SHARD: shards });
    assert.deepEqual([list, done], ["lists\nGET /x", "done\n"]);
    assert.deepEqual([refusal.status, await refusal.text()], [400, "no"]);
  });
});
