// The process is killed: what handlers have to receive is owed until they have it.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AT_ONCE, EventHandler, hang, OWN_SHARD } from "../../support/event-handler.mjs";
import { ALL_ROLES } from "../../support/hub.mjs";
import { forEachShardCount } from "../../support/service.mjs";
import { deferred } from "../../support/waiting.mjs";

const OF_EACH = 25;
const WINDOW_SECONDS = 5;
const NOTIFICATIONS = { userEventPattern: "*", systemEvents: ["connected", "disconnected"] };

// Both wait for alarms most of the time.
describe("Crashes", { concurrency: true }, () => {
  forEachShardCount(
    "After a crash",
    (service) => {
      let missing = 2;
      const crashed = deferred();

      /** Has the process die and come back once both tests are ready for it. */
      function crash() {
        if (--missing === 0) crashed.resolve(service.crash().then(() => service.start()));
        return crashed.promise;
      }

      describe("at the same time", { concurrency: true }, () => {
        test("every connection that it ended is reported as gone, once", async (t) => {
          const handler = await EventHandler.start(t);
          const hub = service.newHub();
          await hub.useHandler(handler, NOTIFICATIONS);
          const open = (method) => Promise.all(Array.from({ length: OF_EACH }, () => hub[method]({ user: "alice" })));
          const [plain, reliable] = [await open("connect"), await open("connectReliable")];
          for (let n = 0; n < 2 * OF_EACH; n++) await handler.next("sys.connected");
          const [back] = reliable;
          await crash();
          const again = await hub.recover(back);
          const ends = [];
          for (let n = 0; n < 2 * OF_EACH - 1; n++) ends.push(await handler.next("sys.disconnected"));
          assert.equal(
            (await again.ask({ type: "event", event: "chat", data: 1, ackId: 1 })).success,
            true,
            "the one that came back stays",
          );
          assert.ok(ends.every(({ connection }) => connection !== back.id));
          await again.close(1000, "bye");
          ends.push(await handler.next("sys.disconnected"));

          const reasons = new Map(ends.map((asked) => [asked.connection, asked.json.reason]));
          for (const { id } of plain) assert.equal(reasons.get(id), "");
          for (const { id } of reliable)
            assert.equal(reasons.get(id), id === back.id ? "bye" : "The connection recovery timeout expired.");
          assert.equal(new Set(ends.map(({ connection, id }) => `${connection}/${id}`)).size, 2 * OF_EACH);
          // A connection that comes now is reported after anything that could be reported twice.
          const last = await hub.connect();
          await last.close(1000);
          assert.equal((await handler.next("sys.disconnected")).connection, last.id);
          assert.equal(handler.count("sys.disconnected"), 2 * OF_EACH + 1);
          for (const asked of ends) assert.equal(asked.header("ce-userId"), "alice");
        });

        test("what was pending is sent in order once a handler is back", async (t) => {
          const handler = await EventHandler.start(t);
          const hub = service.newHub();
          await hub.useHandler(handler, {
            ...NOTIFICATIONS,
            groupPresenceEvents: { eventNames: ["joined", "left"], groupFilters: ["*"] },
          });
          handler.answer("sys.connected", hang, {});
          const socket = await hub.connectReliable({ roles: ALL_ROLES });
          for (const [n, group] of ["a", "b"].entries()) await socket.ask({ type: "joinGroup", group, ackId: n });
          const before = await handler.next("sys.connected");
          await crash();
          const after = await handler.next("sys.connected");
          for (const name of ["ce-id", "ce-time", "x-ms-client-request-id", "ce-connectionId"])
            assert.equal(after.header(name), before.header(name), name);
          for (const group of ["a", "b"]) assert.deepEqual((await handler.next("gp.joined")).json, { group });
          // No request has reached the service: its alarm does it all.
          assert.deepEqual((await handler.next("sys.disconnected")).json, {
            reason: "The connection recovery timeout expired.",
          });
          const [, ...kinds] = handler.kinds(socket.id);
          assert.deepEqual(kinds, [
            "sys.connected",
            "gp.joined",
            "gp.joined",
            "gp.left",
            "gp.left",
            "sys.disconnected",
          ]);
        });
      });
    },
    { steady: OWN_SHARD, variables: { ...AT_ONCE, RECOVERY_WINDOW_SECONDS: WINDOW_SECONDS } },
  );
});
