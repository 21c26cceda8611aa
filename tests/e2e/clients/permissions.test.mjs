// What a client may do to groups: by its roles, and by what servers grant and revoke.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ALL_ROLES } from "../../support/hub.mjs";
import { change, checked, grant, JOIN_LEAVE, permit, PERMISSIONS, revoke, SEND } from "../../support/permissions.mjs";
import { acked, bytesAt, connectProtobuf, field, message, refused } from "../../support/protobuf.mjs";
import { expectError } from "../../support/rest.mjs";
import { forEachShardCount } from "../../support/service.mjs";
import { JSON_V1, PROTOBUF_RELIABLE_V1, PROTOBUF_V1, RELIABLE_V1 } from "../../support/socket.mjs";
import { cases } from "../../support/cases.mjs";

/** What a client asks for: the permission that it needs, and how it is said. */
const JOIN = { permission: JOIN_LEAVE, type: "joinGroup", field: 6, words: "join group" };
const LEAVE = { permission: JOIN_LEAVE, type: "leaveGroup", field: 7, words: "leave group" };
const PUBLISH = { permission: SEND, type: "sendToGroup", field: 1, words: "send to group" };

const forbidden = ({ words }, group) => `The client does not have permission to ${words} '${group}'.`;

/** Each kind of client that gets acks: how it connects, and asks for something with an ack id and is allowed it or not. */
const KINDS = Object.fromEntries(
  [JSON_V1, RELIABLE_V1]
    .map((protocol) => [protocol, { connect: (hub, options) => hub.connect({ protocol, ...options }), ask: askInJson }])
    .concat(
      [PROTOBUF_V1, PROTOBUF_RELIABLE_V1].map((protocol) => [
        protocol,
        { connect: (hub, options) => connectProtobuf(hub, { protocol, ...options }), ask: askInProtobuf },
      ]),
    ),
);

async function askInJson(socket, verb, group, ackId) {
  const ack = await socket.ask({ type: verb.type, group, dataType: "text", data: "hi", noEcho: true, ackId });
  const refusal = { type: "ack", ackId, success: false, error: { name: "Forbidden", message: forbidden(verb, group) } };
  assert.deepEqual(ack, ack.success ? { type: "ack", ackId, success: true } : refusal);
  return ack.success;
}

async function askInProtobuf(socket, verb, group, ackId) {
  const payload = verb === PUBLISH ? [field(3, field(1, "hi")), field(4, 1)] : [];
  socket.send(field(verb.field, message(field(1, group), field(2, ackId), ...payload)));
  const ack = await socket.next(`an ack of ${verb.type}`);
  const success = ack.equals(acked(ackId));
  if (!success) assert.deepEqual(ack, refused(ackId, "Forbidden", forbidden(verb, group)));
  return success;
}

/** What there is to be allowed in the table of clients. */
const GROUPS = ["room", "room-1", "room.one", "Room", "other"];

/** @typedef {{ change?: import("../../support/permissions.mjs").Change[], join: string[], send: string[] }} Stage */
/**
 * Clients by their roles, and for each stage of their lives what a server does first and what they may do then.
 * @type {{ who: string, roles?: string[], stages: Stage[] }[]}
 */
const CLIENTS = [
  { who: "without a role", stages: [{ join: [], send: [] }] },
  { who: "with roles for all groups", roles: ALL_ROLES, stages: [{ join: GROUPS, send: GROUPS }] },
  {
    who: "with roles for single groups",
    roles: ["webpubsub.joinLeaveGroup.room", "webpubsub.sendToGroup.room.one"],
    stages: [
      { join: ["room"], send: ["room.one"] },
      { change: [revoke(JOIN_LEAVE, "room")], join: [], send: ["room.one"] },
    ],
  },
  {
    who: "with wildcard roles",
    roles: ["webpubsub.joinLeaveGroups.room*", "webpubsub.sendToGroups.r**"],
    stages: [
      { join: ["room", "room-1"], send: ["room", "room-1", "room.one"] },
      { change: [revoke(JOIN_LEAVE, "room"), revoke(SEND, "room.one")], join: ["room-1"], send: ["room", "room-1"] },
      { change: [grant(SEND, "room.one")], join: ["room-1"], send: ["room", "room-1", "room.one"] },
    ],
  },
  {
    who: "that is granted permissions and loses them again",
    stages: [
      { change: [grant(JOIN_LEAVE, "room"), grant(SEND, "other")], join: ["room"], send: ["other"] },
      { change: [revoke(SEND, "other")], join: ["room"], send: [] },
      { change: [revoke(JOIN_LEAVE, "room")], join: [], send: [] },
    ],
  },
];

forEachShardCount(
  "Permissions",
  (service) => {
    async function members(hub, group) {
      const { status, body } = await hub.rest("GET", `/groups/${encodeURIComponent(group)}/connections`);
      assert.equal(status, 200);
      return JSON.parse(body).value.map(({ connectionId }) => connectionId);
    }

    /** A connection of a kind that asks for one thing after another. */
    async function client(hub, { connect, ask }, options) {
      const socket = await connect(hub, options);
      let ackId = 0;
      const may = (verb, group) => ask(socket, verb, group, ++ackId);
      return Object.assign(socket, {
        may,
        join: (group) => may(JOIN, group),
        leave: (group) => may(LEAVE, group),
        publish: (group) => may(PUBLISH, group),
      });
    }

    for (const [protocol, kind] of Object.entries(KINDS)) {
      for (const { who, roles, stages } of CLIENTS) {
        test(`a client ${who} is allowed what its row says, and REST agrees (${protocol})`, async () => {
          const hub = service.newHub();
          const witness = await hub.connect({ groups: GROUPS });
          const alice = await client(hub, kind, { roles });
          for (const stage of stages) {
            await change(hub, alice.id, stage.change);
            for (const group of GROUPS) {
              const [join, send] = [stage.join.includes(group), stage.send.includes(group)];
              assert.deepEqual(
                [await checked(hub, JOIN_LEAVE, alice.id, group), await checked(hub, SEND, alice.id, group)],
                [join, send],
                group,
              );
              assert.equal(await alice.join(group), join, group);
              assert.equal((await members(hub, group)).includes(alice.id), join, group);
              assert.equal(await alice.publish(group), send, group);
              if (send)
                assert.deepEqual(await witness.json(), {
                  type: "message",
                  from: "group",
                  group,
                  dataType: "text",
                  data: "hi",
                });
              assert.equal(await alice.leave(group), join, group);
              assert.deepEqual(await members(hub, group), [witness.id], group);
            }
          }
          await witness.expectSilence();
        });
      }

      test(`a member without a role only receives from its group (${protocol})`, async () => {
        const hub = service.newHub();
        const alice = await client(hub, kind, { user: "alice", groups: ["token"] });
        await hub.rest("PUT", `/groups/connection/connections/${alice.id}`);
        await hub.rest("PUT", "/users/alice/groups/user");
        for (const group of ["token", "connection", "user"]) {
          for (const name of PERMISSIONS) assert.equal(await checked(hub, name, alice.id, group), false);
          assert.deepEqual(
            [await alice.join(group), await alice.publish(group), await alice.leave(group)],
            [false, false, false],
          );
          await hub.send(`/groups/${group}`, `to ${group}`);
          assert.match((await alice.next()).toString(), new RegExp(`to ${group}`));
        }
      });

      test(`a revoked right is gone until granted; members stay (${protocol})`, async () => {
        const hub = service.newHub();
        const alice = await client(hub, kind, { roles: ["webpubsub.joinLeaveGroups.room*", "webpubsub.sendToGroup"] });
        assert.equal(await alice.join("room"), true);
        await change(hub, alice.id, [revoke(SEND, "room"), revoke(JOIN_LEAVE, "room")]);
        assert.deepEqual(
          [await alice.publish("room"), await alice.join("room"), await alice.leave("room")],
          [false, false, false],
        );
        for (const name of PERMISSIONS) {
          assert.deepEqual(
            [await checked(hub, name, alice.id, "room"), await checked(hub, name, alice.id, "room-other")],
            [false, true],
            name,
          );
        }
        assert.deepEqual(await members(hub, "room"), [alice.id]);
        await change(hub, alice.id, [grant(SEND, "room")]);
        assert.deepEqual([await alice.publish("room"), await alice.leave("room")], [true, false]);
        await change(hub, alice.id, [grant(JOIN_LEAVE, "room")]);
        assert.equal(await alice.leave("room"), true);
        assert.deepEqual(await members(hub, "room"), []);
      });

      test(`each connection of a user has its own permissions (${protocol})`, async () => {
        const hub = service.newHub();
        const first = await client(hub, kind, { user: "alice" });
        const second = await client(hub, kind, { user: "alice", roles: ["webpubsub.sendToGroup"] });
        await change(hub, first.id, [grant(JOIN_LEAVE, "room")]);
        await change(hub, second.id, [revoke(SEND, "room")]);
        const third = await client(hub, kind, { user: "alice" });
        const answers = [];
        for (const alice of [first, second, third])
          answers.push([await alice.join("room"), await alice.publish("room"), await alice.publish("other")]);
        assert.deepEqual(answers, [
          [true, false, false],
          [false, false, true],
          [false, false, false],
        ]);
      });

      test(`a refused ack id succeeds after a grant (${protocol})`, async () => {
        const hub = service.newHub();
        const alice = await kind.connect(hub);
        for (const verb of [JOIN, LEAVE, PUBLISH]) {
          const ackId = 10 + verb.field;
          const ask = () => kind.ask(alice, verb, "room", ackId);
          assert.equal(await ask(), false);
          await change(hub, alice.id, [grant(verb.permission, "room")]);
          assert.equal(await ask(), true);
          await change(hub, alice.id, [revoke(verb.permission, "room")]);
        }
      });
    }

    for (const protocol of [RELIABLE_V1, PROTOBUF_RELIABLE_V1]) {
      test(`changes before and during an absence count after it (${protocol})`, async () => {
        const hub = service.newHub();
        const alice = await client(hub, KINDS[protocol], {
          roles: ["webpubsub.joinLeaveGroups.room*", "webpubsub.sendToGroup.room"],
          groups: ["room"],
        });
        await change(hub, alice.id, [revoke(JOIN_LEAVE, "room")]);
        alice.cut();
        await change(hub, alice.id, [grant(JOIN_LEAVE, "offline"), revoke(SEND, "room")]);
        assert.deepEqual(
          [await checked(hub, JOIN_LEAVE, alice.id, "offline"), await checked(hub, SEND, alice.id, "room")],
          [true, false],
        );

        const reconnectionToken = alice.connected.reconnectionToken ?? bytesAt(alice.connected, 3).toString();
        const recover = {
          connect: () => hub.recover({ id: alice.id, connected: { reconnectionToken }, protocol }),
          ask: KINDS[protocol].ask,
        };
        const again = await client(hub, recover);
        assert.equal(await again.join("offline"), true);
        assert.deepEqual(
          [await again.join("room"), await again.leave("room"), await again.publish("room")],
          [false, false, false],
        );
        assert.deepEqual([await again.join("room-other"), await again.publish("offline")], [true, false]);
        for (const group of ["room", "offline", "room-other"])
          assert.deepEqual(await members(hub, group), [alice.id], group);
      });
    }

    test("a simple client's frames need a permission, or get 1008", async () => {
      for (const { who, roles, stages } of CLIENTS) {
        const hub = service.newHub();
        const witness = await hub.connect({ groups: GROUPS });
        const done = [];
        for (const stage of stages) {
          done.push(...(stage.change ?? []));
          for (const group of GROUPS) {
            const own = `of the one for ${group} after ${done.length}`;
            const alice = await hub.connectSimple({
              roles,
              groups: [own],
              query: `&webpubsub_mode=sendToGroup&group=${group}`,
            });
            const [id] = await members(hub, own);
            await change(hub, id, done);
            assert.equal(await checked(hub, SEND, id, group), stage.send.includes(group), `${who}: ${group}`);
            alice.send("hi");
            if (stage.send.includes(group)) {
              assert.deepEqual(await witness.json(), {
                type: "message",
                from: "group",
                group,
                dataType: "text",
                data: "hi",
              });
              await change(hub, id, [revoke(SEND, group)]);
              alice.send("again");
            }
            assert.deepEqual(await alice.closed(), {
              code: 1008,
              reason: "The connection is not authorized for raw sendToGroup mode.",
            });
          }
        }
        await witness.expectSilence();
      }
    });

    test("events, pings and sequence acks need no role", async () => {
      const hub = service.newHub();
      const alice = await hub.connectReliable();
      await hub.send("", "one");
      assert.equal((await alice.json()).sequenceId, 1);
      assert.equal(
        (await alice.ask({ type: "event", event: "chat", data: 1, ackId: 1 })).error?.name,
        "InternalServerError",
        "not forbidden: it has no handler",
      );
      alice.send({ type: "sequenceAck", sequenceId: 1 });
      await alice.expectSilence();
    });

    test("a server's target is one group by its letters, and required", async () => {
      const hub = service.newHub();
      const alice = await hub.connect({ roles: ["webpubsub.joinLeaveGroups.room.*"] });
      await change(hub, alice.id, [
        grant(SEND, "*"),
        grant(SEND, "room.*"),
        grant(SEND, "Room"),
        revoke(JOIN_LEAVE, "room.*"),
      ]);
      for (const [group, send] of cases([
        ["*", true],
        ["room.*", true],
        ["Room", true],
        ["any", false],
        ["room.1", false],
        ["room", false],
      ])) {
        assert.equal(await checked(hub, SEND, alice.id, group), send, group);
      }
      assert.deepEqual(
        [await checked(hub, JOIN_LEAVE, alice.id, "room.*"), await checked(hub, JOIN_LEAVE, alice.id, "room.1")],
        [false, true],
      );
      await change(hub, alice.id, [grant(SEND, "g".repeat(1024))]);
      for (const query of [{}, { targetName: "" }, { targetName: " \t" }, { targetName: "g".repeat(1025) }]) {
        for (const name of PERMISSIONS) {
          const ask = (method) => hub.rest(method, `/permissions/${name}/connections/${alice.id}`, { query });
          for (const method of ["PUT", "DELETE"])
            expectError(await ask(method), 400, { code: "Error.BadRequest", target: "Request" });
          const { status, headers } = await ask("HEAD");
          assert.deepEqual([status, headers["x-ms-error-code"]], [400, "Error.BadRequest"]);
        }
      }
    });

    test("an unknown connection gets no grant; revoking is no error", async () => {
      const hub = service.newHub();
      const gone = await hub.connect({ roles: ALL_ROLES });
      await gone.close(1000);
      for (const id of ["unknown", gone.id]) {
        for (const name of PERMISSIONS) {
          const message = `Connection \`${id}\` is not found.`;
          expectError(await permit(hub, "PUT", name, id, "room"), 404, {
            code: "Info.Connection.NotExisted",
            target: "Connection",
            message,
          });
          assert.equal(await checked(hub, name, id, "room"), false);
          await change(hub, id, [revoke(name, "room")]);
        }
      }
    });

    test("the 1001st group of a permission is 409 and changes nothing", async () => {
      const hub = service.newHub();
      const roles = Array.from({ length: 900 }, (_, n) => `webpubsub.sendToGroup.g${n}`);
      const alice = await hub.connect({ roles: [...roles, "webpubsub.joinLeaveGroup"] });
      const conflict = { code: "Error.Connection.Conflict", target: "Connection" };
      const expect = async (name, expected) => {
        for (const [group, may] of Object.entries(expected))
          assert.equal(await checked(hub, name, alice.id, group), may, group);
      };
      for (let n = 900; n < 1000; n++) await change(hub, alice.id, [grant(SEND, `g${n}`)]);
      expectError(await permit(hub, "PUT", SEND, alice.id, "one more"), 409, conflict);
      await expect(SEND, { g0: true, g999: true, "one more": false });
      await change(hub, alice.id, [
        grant(SEND, "g999"),
        revoke(SEND, "unknown"),
        revoke(SEND, "g0"),
        grant(SEND, "one more"),
      ]);
      await expect(SEND, { g0: false, g999: true, "one more": true });

      // What is denied in spite of a role is an entry too.
      for (let n = 0; n < 1000; n += 50) {
        await Promise.all(
          Array.from({ length: 50 }, (_, k) => change(hub, alice.id, [revoke(JOIN_LEAVE, `g${n + k}`)])),
        );
      }
      expectError(await permit(hub, "DELETE", JOIN_LEAVE, alice.id, "one more"), 409, conflict);
      await expect(JOIN_LEAVE, { g0: false, g999: false, "one more": true });
      await change(hub, alice.id, [grant(JOIN_LEAVE, "any"), grant(JOIN_LEAVE, "g0"), revoke(JOIN_LEAVE, "one more")]);
      await expect(JOIN_LEAVE, { g0: true, g999: false, "one more": false });
    });
  },
  { steady: "it is about one connection" },
);
