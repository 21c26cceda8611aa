// The package's `negotiate` under Express: who asks is the application's to say, and the URL connects.
import assert from "node:assert/strict";
import { test } from "node:test";
import express from "express";
import { loadOurClient } from "../../support/our-client.mjs";
import { portOf } from "../../support/port.mjs";
import { forEachShardCount } from "../../support/service.mjs";
import { JSON_V1, Socket } from "../../support/socket.mjs";
import { within } from "../../support/waiting.mjs";

const { negotiate, toNodeHandler } = await loadOurClient("./server");

/** The name that a request's body says. */
async function nameIn(request) {
  return (await request.json()).name;
}

forEachShardCount(
  "negotiate under Express",
  (service) => {
    /**
     * An application that negotiates at `/negotiate`, as `client` says, and reports errors as JSON with status 418.
     * @param {import("node:test").TestContext} t
     * @param {(request: Request, context: any) => any} client
     * @param {(app: import("express").Express) => void} before what comes before it
     */
    async function start(t, client, before = () => {}) {
      const access = { endpoint: service.endpoint, accessKey: service.key, hub: service.newHub().name };
      const app = express();
      before(app);
      app.use("/negotiate", toNodeHandler(negotiate({ ...access, client })));
      app.get("/other", (_, response) => void response.send("another route"));
      app.use((error, _request, response, _next) => response.status(418).json({ error: error.message }));
      const server = app.listen(0, "127.0.0.1");
      await new Promise((resolve) => server.on("listening", resolve));
      t.after(() => (server.close(), server.closeAllConnections()));
      const origin = `http://127.0.0.1:${portOf(server)}`;
      return (path = "/negotiate", init = {}) => within(fetch(`${origin}${path}`, init), `an answer at ${path}`);
    }

    /** A client that connects with a URL, and its first message. */
    async function connected(url) {
      const socket = await Socket.open(url, { protocols: JSON_V1 });
      return { socket, first: await socket.json() };
    }

    /** What Express' error handler answered. */
    async function reported(response) {
      return [response.status, (await response.json()).error];
    }

    for (const method of ["GET", "POST"])
      test(`the URL that ${method} gives connects with its roles`, async (t) => {
        const client = () => ({ userId: "zoë", groups: ["room"], roles: ["webpubsub.sendToGroup.room"] });
        const ask = await start(t, client);
        const response = await ask("/negotiate", { method });
        assert.equal(response.status, 200);
        assert.match(response.headers.get("content-type") ?? "", /^application\/json/);
        assert.equal(response.headers.get("cache-control"), "no-store");
        const { socket, first } = await connected(/** @type {{ url: string }} */ (await response.json()).url);
        assert.equal(first.userId, "zoë");
        await socket.send({ type: "sendToGroup", group: "room", dataType: "text", data: "hi" });
        assert.equal((await socket.json()).data, "hi");
      });

    test("the callback gets Express' request, and the user from it", async (t) => {
      const signIn = (app) =>
        app.use((request, _, next) => {
          request.user = request.get("authorization");
          next();
        });
      const client = (request, { user, query }) => ({
        userId: `${user} of ${new URL(request.url).pathname}${query.id}`,
      });
      const ask = await start(t, client, signIn);
      const response = await ask("/negotiate?id=7", { headers: { authorization: "alice" } });
      const { first } = await connected(/** @type {{ url: string }} */ (await response.json()).url);
      assert.equal(first.userId, "alice of /negotiate7");
    });

    test("a caller that posts its name is who it says it is", async (t) => {
      const ask = await start(t, async (request) => ({ userId: await nameIn(request) }));
      const response = await ask("/negotiate", { method: "POST", body: JSON.stringify({ name: "bob" }) });
      assert.equal((await connected(/** @type {{ url: string }} */ (await response.json()).url)).first.userId, "bob");
    });

    test("a caller is refused, in the callback's own words or ours", async (t) => {
      const client = (request) =>
        request.headers.has("x-blocked") ? new Response("not you", { status: 403 }) : undefined;
      const ask = await start(t, client);
      const unknown = await ask();
      assert.deepEqual([unknown.status, await unknown.text()], [401, "Sign in first."]);
      const blocked = await ask("/negotiate", { headers: { "x-blocked": "1" } });
      assert.deepEqual([blocked.status, await blocked.text()], [403, "not you"]);
      assert.equal((await ask("/negotiate", { method: "DELETE" })).status, 405);
      assert.equal(await (await ask("/other")).text(), "another route");
    });

    test("what the callback throws reaches Express' error handler", async (t) => {
      const client = async (request) => {
        if (request.method === "POST") return { groups: [""] };
        throw new Error("the database is away");
      };
      const ask = await start(t, client);
      assert.deepEqual(await reported(await ask()), [418, "the database is away"]);
      const [status, words] = await reported(await ask("/negotiate", { method: "POST" }));
      assert.deepEqual([status, /^A group's name must be/.test(words)], [418, true], words);
    });

    test("a body that was parsed before fails, and hangs nothing", async (t) => {
      const ask = await start(
        t,
        async (request, { body }) => ({ userId: body.name ?? (await nameIn(request)) }),
        (app) => app.use(express.json()),
      );
      const post = (value) =>
        ask("/negotiate", {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify(value),
        });
      const response = await post({ name: "eve" });
      assert.equal((await connected(/** @type {{ url: string }} */ (await response.json()).url)).first.userId, "eve");
      const [status, words] = await reported(await post({}));
      assert.deepEqual([status, /read already/.test(words)], [418, true], words);
    });
  },
  { steady: "a client is negotiated before there is a connection" },
);
