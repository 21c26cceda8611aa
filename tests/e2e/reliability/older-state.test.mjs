// A service that finds the state of another version: an older one it takes over, a newer one it leaves alone.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { AT_ONCE, EventHandler } from "../../support/event-handler.mjs";
import { ALL_ROLES } from "../../support/hub.mjs";
import { runPython } from "../../support/python.mjs";
import { forEachShardCount } from "../../support/service.mjs";

const script = fileURLToPath(new URL("../../support/older-state.py", import.meta.url));

forEachShardCount(
  "State of another version",
  (service) => {
    test("an older one is taken over without its connections", async () => {
      const hub = service.newHub();
      await hub.connectReliable({ groups: ["room"] });
      await hub.send("", "before");
      await service.crash();
      assert.ok((await runPython(script, [service.state, "1"])) >= service.shards);
      await service.start();
      assert.equal(await hub.exists("/groups/room"), false);
      const alice = await hub.connectReliable({ roles: ALL_ROLES, groups: ["room"] });
      await hub.send("/groups/room", "after");
      assert.equal((await alice.json()).sequenceId, 1);
      await service.crash();
      await service.start();
      const again = await hub.recover(alice);
      assert.equal((await again.json()).data, "after");
    });

    for (const [version, what] of [
      ["2", "knew no event handlers"],
      ["3", "kept each message in one value"],
      ["4", "knew no states of groups"],
    ]) {
      test(`one that ${what} is taken over with all that is in it`, async () => {
        const hub = service.newHub();
        await hub.configure({ anonymousConnectPolicy: "allow" });
        const alice = await hub.connectReliable({ roles: ALL_ROLES, groups: ["room"] });
        await hub.send("/groups/room", "before");
        await service.crash();
        assert.ok((await runPython(script, [service.state, version])) >= service.shards);
        await service.start();
        const { body } = await service.manage("GET", `hubs/${hub.name}`);
        assert.equal(JSON.parse(body).anonymousConnectPolicy, "allow");
        const long = "\u0001".repeat(1_000_000);
        await hub.send("/groups/room", long);
        const again = await hub.recover(alice);
        assert.deepEqual([(await again.json()).data, (await again.json()).data === long], ["before", true]);
      });
    }

    test("one that kept ack ids elsewhere is taken over with them", async () => {
      const hub = service.newHub();
      const join = { type: "joinGroup", group: "room", ackId: 7 };
      const alice = await hub.connectReliable({ roles: ALL_ROLES });
      assert.equal((await alice.ask(join)).success, true);
      assert.equal(await hub.exists("/groups/room"), true);
      await service.crash();
      assert.ok((await runPython(script, [service.state, "3"])) >= service.shards);
      await service.start();
      const again = await hub.recover(alice);
      assert.equal((await again.ask(join)).error?.name, "Duplicate");
      assert.equal((await again.ask({ ...join, ackId: 8 })).success, true);
    });

    test("a handler with a forbidden secret fails, and its hub works", async (t) => {
      const handler = await EventHandler.start(t);
      const hub = service.newHub();
      const auth = (secret) => ({ type: "Bearer", token: { secret } });
      await hub.configure({
        anonymousConnectPolicy: "allow",
        eventHandlers: [
          {
            urlTemplate: handler.url,
            userEventPattern: "*",
            systemEvents: ["connected"],
            auth: auth("HANDLER_SECRET_TOKEN"),
          },
        ],
      });
      const event = { type: "event", event: "chat", dataType: "text", data: "hi", ackId: 1 };
      assert.equal((await (await hub.connect()).ask(event)).success, true);
      await service.crash();
      assert.ok((await runPython(script, [service.state, "secret"])) > service.shards);
      await service.start();
      const get = async () => JSON.parse((await service.manage("GET", `hubs/${hub.name}`)).body);
      assert.deepEqual(
        [(await get()).anonymousConnectPolicy, (await get()).eventHandlers[0].auth],
        ["allow", auth("HUB_SETTINGS")],
      );
      const before = handler.asked.filter(({ connection }) => connection).length;
      const alice = await hub.connect({ roles: ALL_ROLES, groups: ["room"] });
      await hub.send("/groups/room", "after");
      assert.equal((await alice.json()).data, "after");
      assert.equal((await alice.ask(event)).success, false);
      const [latest] = (await hub.deliveries()).filter(({ event: name }) => name === "chat");
      assert.deepEqual([latest.status, latest.error], [null, "Unsendable"]);
      const tested = JSON.parse((await service.manage("POST", `hubs/${hub.name}/eventHandlers/0/:test`)).body);
      assert.match(tested.steps.at(-1).result, /HANDLER_SECRET_/);
      assert.equal(handler.asked.filter(({ connection }) => connection).length, before, "the handler learns nothing");
      const given = await service.manage("PUT", `hubs/${hub.name}`, { body: JSON.stringify(await get()) });
      assert.deepEqual([given.status, given.body.includes("eventHandlers.0.auth.token.secret")], [400, true]);
      await hub.useHandler(handler);
      assert.equal((await alice.ask({ ...event, ackId: 2 })).success, true);
    });

    test("a newer one is untouched, answers errors, and works again", async () => {
      const hub = service.newHub();
      await hub.send("", "before");
      await service.crash();
      await runPython(script, [service.state, "1000"]);
      await service.start();
      assert.equal((await hub.rest("HEAD", "/groups/room")).status, 500);
      await assert.rejects(hub.connect(), { status: 500 });
      await service.crash();
      await runPython(script, [service.state, "1"]);
      await service.start();
      assert.equal(await hub.exists("/groups/room"), false);
    });
  },
  {
    steady: "tables of another version are each shard's own",
    variables: { ...AT_ONCE, HANDLER_SECRET_TOKEN: "from a variable" },
    settings: { hubs: { other: {} } },
  },
);
