// A service that finds the state of another version: an older one it takes over, a newer one it leaves alone.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { ALL_ROLES } from "../support/hub.mjs";
import { runPython } from "../support/python.mjs";
import { forEachShardCount } from "../support/service.mjs";

const script = fileURLToPath(new URL("../support/older-state.py", import.meta.url));

forEachShardCount("State of another version", (service) => {
  test("an older one is taken over: its connections are gone, and everything works", async () => {
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

  test("one that knew no event handlers is taken over with all that is in it", async () => {
    const hub = service.newHub();
    await hub.configure({ anonymousConnectPolicy: "allow" });
    const alice = await hub.connectReliable({ roles: ALL_ROLES, groups: ["room"] });
    await hub.send("/groups/room", "before");
    await service.crash();
    assert.ok((await runPython(script, [service.state, "2"])) >= service.shards);
    await service.start();
    const { body } = await service.manage("GET", `hubs/${hub.name}`);
    assert.equal(JSON.parse(body).anonymousConnectPolicy, "allow");
    await hub.send("/groups/room", "after");
    const again = await hub.recover(alice);
    assert.deepEqual([(await again.json()).data, (await again.json()).data], ["before", "after"]);
  });

  test("a newer one is not touched: its hubs answer with an error, and it can be used again by its own version", async () => {
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
}, { steady: "tables of another version are each shard's own" });
