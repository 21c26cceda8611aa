// Microsoft's server package for Python, unmodified.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { MqttJs } from "../support/devices/mqtt-js.mjs";
import { runPython } from "../support/python.mjs";
import { forEachRunner } from "../support/service.mjs";
import { JSON_V1, Socket } from "../support/socket.mjs";

const script = (name) => fileURLToPath(new URL(name, import.meta.url));

forEachRunner("Microsoft's server package for Python", suite, { steady: "it is about the package" });

function suite(service) {
  test("sends to each target, asks who is there, makes client URLs", async () => {
    const hub = service.newHub();
    const alice = await hub.connect({ user: "alice", groups: ["room"] });
    const seen = await runPython(script("service.py"), [service.connectionString, hub.name, alice.id]);
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
    const { token, mqtt, ...answers } = seen;
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

    const device = new MqttJs().device();
    await device.connect(mqtt.url, { version: 4, id: "device1" });
    assert.equal(await hub.exists("/users/dave"), true);
    assert.equal(await device.subscribe("other", { qos: 1 }), 1);
    await hub.send("/groups/python", "to the group");
    assert.equal((await device.message()).payload.toString(), "to the group");
  });

  for (const kind of ["sync", "aio"]) {
    test(`changes groups and permissions, filters and closes (${kind})`, async () => {
      const hub = service.newHub();
      const one = await hub.connect({ user: "one" });
      const two = await hub.connect({ user: "two" });
      const member = await hub.connect({ user: "three", groups: ["closing"] });
      const witness = await hub.connectReliable({ user: "witness" });
      const ids = [one, two, member, witness].map(({ id }) => id);
      const seen = await runPython(script("operations.py"), [kind, service.connectionString, hub.name, ...ids]);
      const inRoom = [
        [one.id, "one"],
        [two.id, "two"],
      ].sort(([id], [other]) => (id < other ? -1 : 1));
      assert.deepEqual(seen, {
        members: inRoom,
        page_by_page: inRoom,
        first: inRoom.slice(0, 1),
        without_one: [[two.id, "two"]],
        without_two: [],
        strangers: [
          [404, "Error.Connection.NotExisted"],
          [404, "Error.User.NotExisted"],
          [404, "Info.Connection.NotExisted"],
        ],
        groups: [
          [true, true, true],
          [false, true, true],
          [false, false, false],
        ],
        permissions: [
          [false, false],
          [true, false],
          [false, false],
        ],
        filter: [400, "Error.BadRequest"],
        left: [false, false, false, true],
      });
      for (const [socket, texts, reason] of [
        [one, ["to user one"], "a reason"],
        [two, ["to the others", "to two"], undefined],
        [member, ["to the others", "to a member"], "another reason"],
        [witness, [], "the end"],
      ]) {
        for (const data of texts) assert.equal((await socket.json()).data, data);
        await socket.expectClosedByServer(reason);
      }
    });
  }
}
