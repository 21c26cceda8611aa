// Client tokens made by the service.
import assert from "node:assert/strict";
import { test } from "node:test";
import { forEachShardCount } from "../support/service.mjs";
import { Socket } from "../support/socket.mjs";
import { claimsOf } from "../support/token.mjs";

forEachShardCount("REST generateToken", (service) => {
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

  test("without wishes it names nobody and lives for an hour", async () => {
    const hub = service.newHub();
    const claims = claimsOf(JSON.parse((await generate(hub, {})).body).token);
    assert.deepEqual([claims.sub, claims.role, claims["webpubsub.group"]], [undefined, undefined, undefined]);
    assert.equal(claims.exp - claims.iat, 3600);
    assert.equal(new URL(claims.aud).pathname, `/client/hubs/${hub.name}`);
    const blank = claimsOf(JSON.parse((await generate(hub, { userId: "", clientType: "default" })).body).token);
    assert.equal(blank.sub, undefined);
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
      { clientType: "carrier pigeon" },
    ]) {
      const { status, headers } = await generate(hub, query);
      assert.deepEqual([status, headers["x-ms-error-code"]], [400, "Error.BadRequest"], JSON.stringify(query));
    }
  });

  test("only whoever holds the key may ask", async () => {
    assert.equal((await service.newHub().rest("POST", "/:generateToken", { token: "" })).status, 401);
  });
});
