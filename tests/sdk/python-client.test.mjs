// Microsoft's client package for Python, unmodified: the blocking one and the asynchronous one.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { AT_ONCE, EventHandler } from "../support/event-handler.mjs";
import { Link } from "../support/link.mjs";
import { runPython } from "../support/python.mjs";
import { forEachRunner } from "../support/service.mjs";
import { JSON_V1, RELIABLE_V1 } from "../support/socket.mjs";

const script = (name) => fileURLToPath(new URL(`python-client/${name}.py`, import.meta.url));

/**
 * The blocking package does not see an ack that comes before it has begun to wait for it, and then waits for
 * half a minute: the service is a little further away than it would be, and if that does not help there is time.
 */
const DELAY_MS = 20;
const LIMIT_MS = 300_000;

const define = (service) => {
  for (const kind of ["sync", "aio"]) {
    for (const protocol of [JSON_V1, RELIABLE_V1]) {
      describe(`${kind}, ${protocol}`, () => {
        const isReliable = protocol === RELIABLE_V1;
        /** A hub, a link to it, and a function that runs a script whose clients use the link. */
        async function setUp(t) {
          const hub = service.newHub();
          const link = await Link.to(service, { delay: DELAY_MS });
          t.after(() => link.close());
          const overLink = service.connectionString.replace(service.endpoint, link.endpoint);
          const run = (name) =>
            runPython(script(name), [kind, protocol, hub.name, service.connectionString, overLink], LIMIT_MS);
          return { hub, link, run };
        }
        /** Messages as the protocol has them: with their numbers where it is reliable. */
        const numbered = (messages) =>
          isReliable ? messages.map((message, n) => ({ ...message, number: n + 1 })) : messages;

        test("joins, leaves, sends and receives", async (t) => {
          const { run } = await setUp(t);
          const from = { group: "room", from: "alice" };
          const forbidden = (verb) => `The client does not have permission to ${verb} group 'room'.`;
          const refused = (name, message) => ["SendMessageError", "Failed to send message.", 11, name, message];
          assert.deepEqual(await run("operations"), {
            talking: numbered([
              { ...from, type: "text", data: "hi" },
              { ...from, type: "text", data: 'ünï \0 "\\\n' },
              { ...from, type: "json", data: { a: [1, null] } },
              { ...from, type: "json", data: ["a list"] },
              { ...from, type: "binary", data: [0, 255] },
              { ...from, type: "protobuf", data: [10, 3, 97, 47, 98] },
            ]),
            receiving: numbered([
              { type: "text", data: "Hello World" },
              { type: "json", data: { order: 42 } },
              { type: "binary", data: [1, 255] },
              { group: "room", type: "text", data: "to the room" },
            ]),
            acknowledging: ["after", "once"],
            refused: [
              ...["join", "leave", "send to"].map((verb) => refused("Forbidden", forbidden(verb))),
              refused("InternalServerError", "Internal server error"),
            ],
            retrying: [3, 6, 9, 12],
            impossible: [
              ...Array(8).fill("TypeError"),
              ...Array(4).fill(["SendMessageError", "The websocket connection is not connected."]),
            ],
          });
        });

        test("sends events, and receives what their handler answers", async (t) => {
          const handler = await EventHandler.start(t);
          handler.answer("user.echo", (asked) => ({
            headers: { "content-type": asked.header("content-type") },
            body: asked.body,
          }));
          const { hub, run } = await setUp(t);
          await hub.useHandler(handler);
          const received = [
            { type: "text", data: "grüße" },
            { type: "json", data: { a: [1, null] } },
            { type: "binary", data: [0, 255] },
          ];
          assert.deepEqual(await run("events"), numbered([...received, ...received]));
          for (const asked of handler.asked.slice(1)) assert.equal(asked.header("ce-userId"), "alice");
        });

        test("opens, closes and connects again", async (t) => {
          const { run } = await setUp(t);
          const open = ["alice", true, true];
          const opened = [open, "Client can be only started when it's Stopped", false];
          const refused = ["OpenClientError", true];
          assert.deepEqual(await run("connections"), {
            opening: [false, ...opened, ...opened, 3],
            failing: [refused, refused, "OpenClientError", ["ValueError", "no URL to give"]],
            stopping: "Application server closed the connection. Reason: a reason",
            reconnecting: ["second", "shut", "Forbidden", "welcome back"],
            leaving: [false, true],
            giving_up: 4,
          });
        });

        if (isReliable) {
          test("recovers after each drop; all arrives once, in order", async (t) => {
            const { hub, link, run } = await setUp(t);
            const listener = await hub.connect({ groups: ["test"] });
            const dropping = async () => {
              for (const time of ["first", "second", "third"]) {
                await listener.next(`the ${time} word of the script`);
                link.hold();
                await hub.send("/groups/room", `lost in the ${time} drop`);
                link.down();
                await hub.send("/groups/room", `missed after the ${time} drop`);
                link.up();
              }
              await listener.next("the last word of the script");
              link.down();
              assert.equal((await hub.rest("POST", "/users/dropped/:closeConnections")).status, 204);
              link.up();
            };
            const [seen] = await Promise.all([run("drops"), dropping()]);
            assert.deepEqual(seen, [
              [1, "lost in the first drop"],
              [2, "missed after the first drop"],
              [3, "lost in the second drop"],
              [4, "missed after the second drop"],
              [5, "lost in the third drop"],
              [6, "missed after the third drop"],
              [7, "still in?"],
              [8, "still you?"],
            ]);
          });
        } else {
          test("connects again after a drop, and joins its groups again", async (t) => {
            const { hub, link, run } = await setUp(t);
            const listener = await hub.connect({ groups: ["test"] });
            const dropping = listener.next("the script's word").then(() => link.cut());
            const [seen] = await Promise.all([run("drops"), dropping]);
            assert.equal(seen, "welcome back");
          });
        }
      });
    }
  }
};

forEachRunner("Microsoft's client package for Python", define, {
  variables: AT_ONCE,
  steady: "it is about the package",
});
