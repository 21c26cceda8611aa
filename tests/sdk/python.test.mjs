// Microsoft's server package for Python, unmodified.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { runPython } from "../support/python.mjs";
import { forEachShardCount } from "../support/service.mjs";
import { JSON_V1, Socket } from "../support/socket.mjs";

const script = fileURLToPath(new URL("service.py", import.meta.url));

forEachShardCount("Microsoft's server package for Python", (service) => {
  test("sends to all, a user, a connection and a group, asks who is there, and makes client URLs", async () => {
    const hub = service.newHub();
    const alice = await hub.connect({ user: "alice", groups: ["room"] });
    const seen = await runPython(script, [service.connectionString, hub.name, alice.id]);
    for (const message of [
      ["server", "text", "Hello World"],
      ["server", "json", { order: 42 }],
      ["server", "text", "to alice"],
      ["server", "binary", "AQI="],
      ["group", "text", "to the room"],
    ]) {
      const { from, dataType, data } = await alice.json();
      assert.deepEqual([from, dataType, data], message);
    }
    const { token, ...answers } = seen;
    assert.deepEqual(answers, {
      connection_exists: [true, false],
      user_exists: [true, false],
      group_exists: [true, false],
      stranger: 401,
    });

    const carol = await Socket.open(token.url, { protocols: JSON_V1 });
    assert.equal((await carol.json()).userId, "carol");
    assert.equal((await carol.ask({ type: "joinGroup", group: "room", ackId: 1 })).success, true);
    assert.equal(await hub.exists("/groups/python"), true);
  });
});
