// How many groups one connection may be in, however it comes into them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { EventHandler } from "../../support/event-handler.mjs";
import { ALL_ROLES } from "../../support/hub.mjs";
import { acked, connectProtobuf, field, message, refused } from "../../support/protobuf.mjs";
import { forEachShardCount } from "../../support/service.mjs";
import { JSON_V1, PROTOBUF_RELIABLE_V1, PROTOBUF_V1, RELIABLE_V1, Refused } from "../../support/socket.mjs";

const LIMIT = 3;
const GROUPS = ["a", "b", "c"];
const WORDS = `The client is in ${LIMIT} groups, which is the limit.`;
const json = {
  connect: (hub, options) => hub.connect(options),
  join: (socket, group, ackId) => socket.send({ type: "joinGroup", group, ackId }),
  leave: (socket, group, ackId) => socket.send({ type: "leaveGroup", group, ackId }),
  succeeds: async (socket, ackId) => assert.deepEqual(await socket.json(), { type: "ack", ackId, success: true }),
  fails: async (socket, ackId) =>
    assert.deepEqual(await socket.json(), {
      type: "ack",
      ackId,
      success: false,
      error: { name: "Forbidden", message: WORDS },
    }),
};
const about = (group, ackId) => message(field(1, group), ...(ackId === undefined ? [] : [field(2, ackId)]));
const protobuf = {
  connect: connectProtobuf,
  join: (socket, group, ackId) => socket.send(field(6, about(group, ackId))),
  leave: (socket, group, ackId) => socket.send(field(7, about(group, ackId))),
  succeeds: async (socket, ackId) => assert.deepEqual(await socket.next("an ack"), acked(ackId)),
  fails: async (socket, ackId) => assert.deepEqual(await socket.next("an ack"), refused(ackId, "Forbidden", WORDS)),
};
const KINDS = { [JSON_V1]: json, [RELIABLE_V1]: json, [PROTOBUF_V1]: protobuf, [PROTOBUF_RELIABLE_V1]: protobuf };

forEachShardCount(
  "A connection in as many groups as it may be",
  (service) => {
    async function expectMember(hub, group, { id }, isMember) {
      const { body } = await hub.rest("GET", `/groups/${group}/connections`);
      assert.equal(
        JSON.parse(body).value.some(({ connectionId }) => connectionId === id),
        isMember,
        group,
      );
    }

    async function expectConflict(answering) {
      const { status, body } = await answering;
      assert.equal(status, 409, body);
      const { code, target } = JSON.parse(body);
      assert.deepEqual([code, target], ["Error.Connection.Conflict", "Connection"]);
    }

    for (const [protocol, kind] of Object.entries(KINDS)) {
      test(`joins no other, and receives that answer if it asks: ${protocol}`, async () => {
        const hub = service.newHub();
        const socket = await kind.connect(hub, { protocol, groups: ["a"], roles: ALL_ROLES });
        for (const [n, group] of ["b", "c"].entries()) {
          kind.join(socket, group, n + 1);
          await kind.succeeds(socket, n + 1);
        }
        kind.join(socket, "d", 3);
        await kind.fails(socket, 3);
        kind.join(socket, "d");
        kind.join(socket, "a", 4);
        await kind.succeeds(socket, 4);
        await expectMember(hub, "d", socket, false);
        kind.leave(socket, "b", 5);
        await kind.succeeds(socket, 5);
        kind.join(socket, "d", 3);
        await kind.succeeds(socket, 3);
        await expectMember(hub, "d", socket, true);
      });

      test(`is added to no other over REST: ${protocol}`, async () => {
        const hub = service.newHub();
        const socket = await kind.connect(hub, { protocol, user: "alice", groups: GROUPS });
        await expectConflict(hub.rest("PUT", `/groups/d/connections/${socket.id}`));
        await expectConflict(hub.rest("PUT", "/users/alice/groups/d"));
        const bulk = (groups) =>
          hub.rest("POST", "/:addToGroups", {
            headers: { "content-type": "application/json" },
            body: JSON.stringify({ groups, filter: "userId eq 'alice'" }),
          });
        await expectConflict(bulk(["c", "d"]));
        await expectMember(hub, "d", socket, false);
        for (const answering of [
          hub.rest("PUT", `/groups/a/connections/${socket.id}`),
          hub.rest("PUT", "/users/alice/groups/b"),
          bulk(GROUPS),
        ]) {
          const { status, body } = await answering;
          assert.equal(status, 200, body);
        }
      });
    }

    const refusal = async (opening) => {
      const error = await opening.then(
        () => assert.fail("it was let in"),
        (error) => error,
      );
      assert.ok(error instanceof Refused, error);
      return [error.status, error.body];
    };

    test("has no more in its token", async () => {
      const hub = service.newHub();
      assert.deepEqual(await refusal(hub.connect({ groups: [...GROUPS, "d"] })), [
        400,
        "Invalid request: the token has more groups than a client may be in.",
      ]);
      await hub.connect({ groups: GROUPS });
    });

    test("is given no more by an event handler", async (t) => {
      const handler = await EventHandler.start(t);
      const hub = service.newHub();
      await hub.useHandler(handler, { systemEvents: ["connect"] });
      const answer = (groups) =>
        handler.answer("sys.connect", {
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ groups }),
        });
      answer([...GROUPS, "d"]);
      assert.equal((await refusal(hub.connect()))[0], 500);
      assert.equal((await hub.lastDelivery("connect")).error, "InvalidGroup");
      answer(GROUPS);
      const socket = await hub.connect();
      await expectMember(hub, "c", socket, true);
    });
  },
  { variables: { CLIENT_GROUP_LIMIT: LIMIT, ALLOW_PRIVATE_EVENT_HANDLERS: "on" } },
);
