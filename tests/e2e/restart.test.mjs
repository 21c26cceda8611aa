// The process is killed and started again on the state that it left.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ALL_ROLES } from "../support/hub.mjs";
import { forEachShardCount } from "../support/service.mjs";

forEachShardCount("After a crash", (service) => {
  test("connections are gone, and new ones find the hub as it should be", async () => {
    const hub = service.newHub();
    const options = { user: "alice", groups: ["room"], roles: ALL_ROLES };
    const before = await Promise.all([hub.connect(options), hub.connect(options), hub.connectReliable(options)]);
    await hub.send("", "before");
    for (const socket of before) assert.equal((await socket.json()).data, "before");

    await service.crash();
    for (const socket of before) assert.equal((await socket.closed()).code, 1006);
    await service.start();

    assert.equal(await hub.exists(`/connections/${before[0].id}`), false);
    const [plain, reliable] = [await hub.connect(options), await hub.connectReliable(options)];
    await hub.send("/groups/room", "after");
    assert.equal((await plain.json()).data, "after");
    assert.deepEqual((({ data, sequenceId }) => [data, sequenceId])(await reliable.json()), ["after", 1]);
    assert.equal((await plain.ask({ type: "leaveGroup", group: "room", ackId: 1 })).success, true);
  });
});
