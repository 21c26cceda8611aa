// Connections without a token: refused, unless the hub's settings allow them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Hub } from "../../support/hub.mjs";
import { upgrade } from "../../support/rest.mjs";
import { forEachShardCount } from "../../support/service.mjs";
import { JSON_V1, Socket } from "../../support/socket.mjs";
import { cases } from "../../support/cases.mjs";

forEachShardCount(
  "Anonymous connections",
  (service) => {
    const [open, closed] = ["open", "closed"].map((name) => new Hub(service, name));
    const knock = async (hub, query = "", headers = {}) =>
      (await upgrade(service.endpoint, `/client/hubs/${hub.name}${query}`, headers)).status;

    test("are refused unless the settings name the hub and allow them", async () => {
      assert.equal(await knock(closed), 401);
      assert.equal(await knock(service.newHub()), 401);
      assert.equal(await knock(open), 101);
      assert.equal(await knock(new Hub(service, "OPEN")), 101, "names of hubs ignore case");
    });

    test("have no user and no roles", async () => {
      const socket = await Socket.open(open.url, { protocols: JSON_V1 });
      const { connectionId, userId } = await socket.json();
      assert.equal(userId ?? null, null);
      assert.equal(await open.exists(`/connections/${connectionId}`), true);
      assert.equal((await socket.ask({ type: "joinGroup", group: "room", ackId: 1 })).error.name, "Forbidden");
      assert.equal(
        (await socket.ask({ type: "sendToGroup", group: "room", data: 1, ackId: 2 })).error.name,
        "Forbidden",
      );
    });

    test("receive what is sent to all, and can be put into groups", async () => {
      const socket = await Socket.open(open.url, { protocols: JSON_V1 });
      const { connectionId } = await socket.json();
      assert.equal((await open.rest("PUT", `/groups/hearers/connections/${connectionId}`)).status, 200);
      await open.send("", "to all");
      await open.send("/groups/hearers", "to the group");
      for (const data of ["to all", "to the group"]) assert.equal((await socket.json()).data, data);
    });

    test("are not made of a wrong token, which is refused all the same", async () => {
      const elsewhere = closed.token();
      for (const [what, query, headers] of cases([
        ["rubbish", "?access_token=rubbish", {}],
        ["an expired token", `?access_token=${open.token({ minutes: -60 })}`, {}],
        ["another hub's token", `?access_token=${elsewhere}`, {}],
        ["another hub's token in a header", "", { authorization: `Bearer ${elsewhere}` }],
      ])) {
        assert.equal(await knock(open, query, headers), 401, what);
      }
    });

    test("leave those with a token who they are", async () => {
      const alice = await open.connect({ user: "alice" });
      assert.equal(alice.connected.userId, "alice");
      assert.equal((await closed.connect({ user: "bob" })).connected.userId, "bob");
    });
  },
  { settings: { hubs: { open: { anonymousConnectPolicy: "allow" }, closed: { anonymousConnectPolicy: "deny" } } } },
);
