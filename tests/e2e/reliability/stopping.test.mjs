// A service that is asked to end: sockets are closed first, and what is reliable goes on where it was.
import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesAt } from "../../support/protobuf.mjs";
import { forEachShardCount } from "../../support/service.mjs";
import { PROTOBUF_RELIABLE_V1, PROTOBUF_V1, Socket } from "../../support/socket.mjs";
import { cases } from "../../support/cases.mjs";

const WORDS = "The service is going away.";
const AWAY = { code: 1001, reason: WORDS };
const steady = "the service is started again by itself";

for (const [runner, shardCounts] of cases([
  ["serve", undefined],
  ["start", [1]],
])) {
  forEachShardCount(
    `Stopping npm run ${runner}`,
    (service) => {
      /** @type {[signal: string, options: { whole?: boolean }][]} */
      const ways = [
        ["SIGTERM", {}],
        ["SIGINT", {}],
      ];
      if (runner === "serve") ways.push(["SIGTERM", { whole: true }], ["SIGINT", { whole: true }]);
      for (const [signal, { whole }] of ways) {
        const scope = whole ? "all of its processes" : "its first process";
        test(`${signal} to ${scope}: 1001 to all, reliable ones lose nothing`, async () => {
          const hub = service.newHub();
          const options = { user: "alice", groups: ["room"] };
          const [plain, reliable, simple] = await Promise.all([
            hub.connect(options),
            hub.connectReliable(options),
            hub.connectSimple(options),
          ]);
          const protobuf = await Promise.all(
            [PROTOBUF_V1, PROTOBUF_RELIABLE_V1].map((protocols) => Socket.open(hub.clientUrl(options), { protocols })),
          );
          const connected = (await Promise.all(protobuf.map((socket) => socket.next()))).map((frame) =>
            bytesAt(frame, 3, 1),
          )[1];
          const elsewhere = await service.newHub().connect();
          await hub.send("", "one");
          for (const socket of [plain, reliable]) assert.equal((await socket.json()).data, "one");
          for (const socket of [simple, ...protobuf]) await socket.next();

          assert.equal(await service.end(signal, { whole }), 0);
          for (const socket of [plain, elsewhere]) {
            assert.deepEqual(await socket.json(), { type: "system", event: "disconnected", message: WORDS });
          }
          assert.match((await protobuf[0].next()).toString("latin1"), /The service is going away/);
          for (const socket of [plain, reliable, simple, ...protobuf, elsewhere]) {
            assert.deepEqual(await socket.closed(), AWAY);
            await assert.rejects(socket.next(), /closed with 1001/, "nothing more was sent");
          }

          await service.start();
          await hub.send("/groups/room", "two");
          const again = await hub.recover(reliable);
          for (const [data, sequenceId] of [
            ["one", 1],
            ["two", 2],
          ]) {
            const frame = await again.json();
            assert.deepEqual([frame.data, frame.sequenceId], [data, sequenceId]);
          }
          const [id, reconnectionToken] = [1, 3].map((at) => bytesAt(connected, at).toString());
          const binary = await hub.recover({ id, connected: { reconnectionToken }, protocol: PROTOBUF_RELIABLE_V1 });
          for (const data of ["one", "two"]) assert.equal(bytesAt(await binary.next(), 2, 3, 1).toString(), data);
          assert.equal(await hub.exists(`/connections/${plain.id}`), false);
        });
      }

      test("an operator's token closes all hubs' sockets, no other does", async () => {
        const hub = service.newHub();
        const [reliable, plain] = [await hub.connectReliable(), await hub.connect()];
        const answer = (method, token) =>
          service.manage(method, "sockets/:close", { token }).then(({ status }) => status);
        assert.equal(await answer("POST", hub.token()), 401);
        assert.equal(await answer("POST", ""), 401);
        assert.equal(await answer("GET"), 405);
        for (const socket of [reliable, plain]) await socket.expectSilence();
        assert.equal(await answer("POST"), 204);
        for (const socket of [reliable, plain]) assert.deepEqual(await socket.closed(), AWAY);
        const again = await hub.recover(reliable);
        await again.expectSilence();
        await (await hub.connect()).expectSilence();
      });
    },
    { runner, steady, shardCounts },
  );
}
