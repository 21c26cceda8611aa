// Client tokens made by the service.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Hub } from "../../support/hub.mjs";
import { connect, MqttSocket, subscribe } from "../../support/mqtt.mjs";
import { upgrade } from "../../support/rest.mjs";
import { forEachShardCount } from "../../support/service.mjs";
import { Socket } from "../../support/socket.mjs";
import { claimsOf } from "../../support/token.mjs";

forEachShardCount(
  "REST generateToken",
  (service) => {
    const generate = (hub, query) => hub.rest("POST", "/:generateToken", { query });

    test("a token made by the service opens a connection as asked for", async () => {
      const hub = service.newHub();
      const answer = await generate(hub, [
        ["userId", "alice"],
        ["role", "webpubsub.sendToGroup"],
        ["role", "webpubsub.joinLeaveGroup.other"],
        ["group", "room"],
        ["group", "räume"],
        ["minutesToExpire", "5"],
      ]);
      assert.equal(answer.status, 200);
      assert.match(answer.headers["content-type"], /^application\/json/);
      const { token, ...rest } = JSON.parse(answer.body);
      assert.deepEqual(rest, {});
      const claims = claimsOf(token);
      assert.equal(claims.sub, "alice");
      assert.equal(claims.exp - claims.iat, 300);
      assert.deepEqual([claims.role].flat(), ["webpubsub.sendToGroup", "webpubsub.joinLeaveGroup.other"]);
      assert.deepEqual([claims["webpubsub.group"]].flat(), ["room", "räume"]);

      const socket = await Socket.open(`${hub.url}?access_token=${token}`);
      await hub.send("/users/alice", "to the user");
      await hub.send(`/groups/${encodeURIComponent("räume")}`, "to the group");
      assert.equal(await socket.next(), "to the user");
      assert.equal(await socket.next(), "to the group");
    });

    test("without parameters it names no user and lives for an hour", async () => {
      const hub = service.newHub();
      const claims = claimsOf(JSON.parse((await generate(hub, {})).body).token);
      assert.deepEqual([claims.sub, claims.role, claims["webpubsub.group"]], [undefined, undefined, undefined]);
      assert.equal(claims.exp - claims.iat, 3600);
      assert.equal(claims.nbf, claims.iat);
      assert.equal(claims.aud, hub.audience);
      const blank = claimsOf(JSON.parse((await generate(hub, { userId: "", clientType: "default" })).body).token);
      assert.equal(blank.sub, undefined);
    });

    test("the audience names the hub in lower case and its path", async () => {
      const hub = new Hub(service, "MyHub");
      for (const [clientType, path] of [
        [undefined, "client"],
        ["Default", "client"],
        ["DEFAULT", "client"],
        ["MQTT", "clients/mqtt"],
        ["mqtt", "clients/mqtt"],
      ]) {
        const { body } = await generate(hub, clientType ? { clientType } : {});
        const { token } = JSON.parse(body);
        assert.equal(claimsOf(token).aud, `${service.endpoint}/${path}/hubs/myhub`);
        const { status } = await upgrade(service.endpoint, `/client/hubs/myhub?access_token=${token}`);
        assert.equal(status, path === "client" ? 101 : 401, "a token for one kind of client opens no other");
      }
    });

    test("a token of clientType MQTT opens a session as asked for", async () => {
      const hub = service.newHub();
      const query = [
        ["clientType", "MQTT"],
        ["userId", "alice"],
        ["role", "webpubsub.joinLeaveGroup.a"],
        ["group", "room"],
      ];
      const { token } = JSON.parse((await generate(hub, query)).body);
      const socket = await MqttSocket.open({
        mqttUrl: () => `${hub.mqttUrl().replace(/\?.*/, "")}?access_token=${token}`,
      });
      socket.send(connect({ id: "device1" }), subscribe(5, 1, ["a", 1], ["b", 1]));
      assert.equal((await socket.next()).type, "CONNACK");
      const { type, body } = await socket.next();
      assert.deepEqual([type, ...body.subarray(3)], ["SUBACK", 1, 0x87]);
      assert.equal(await hub.exists("/users/alice"), true);
      await hub.send("/groups/room", "to the group");
      assert.ok((await socket.next()).body.includes("to the group"));
    });

    test("it comes as application/json, whatever is accepted", async () => {
      for (const accept of ["application/json", "text/json", "text/plain", "*/*"]) {
        const { status, headers } = await service.newHub().rest("POST", "/:generateToken", { headers: { accept } });
        assert.equal(status, 200);
        assert.match(headers["content-type"] ?? "", /^application\/json/);
      }
    });

    test("wishes that cannot be granted get 400", async () => {
      const hub = service.newHub();
      for (const query of [
        { minutesToExpire: "0" },
        { minutesToExpire: "-1" },
        { minutesToExpire: "1.5" },
        { minutesToExpire: "soon" },
        { minutesToExpire: "2147483648" },
        { group: "" },
        { group: "g".repeat(1025) },
        { clientType: "SocketIO" },
        { clientType: "carrier pigeon" },
      ]) {
        const { status, headers } = await generate(hub, query);
        assert.deepEqual([status, headers["x-ms-error-code"]], [400, "Error.BadRequest"], JSON.stringify(query));
      }
    });

    test("only whoever holds the key may ask", async () => {
      assert.equal((await service.newHub().rest("POST", "/:generateToken", { token: "" })).status, 401);
    });
  },
  { steady: "it is about requests that no shard has to do with" },
);
