// Microsoft's client package for Python, unmodified: the blocking one and the asynchronous one.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Link } from "../support/link.mjs";
import { runPython } from "../support/python.mjs";
import { forEachShardCount } from "../support/service.mjs";
import { JSON_V1, RELIABLE_V1 } from "../support/socket.mjs";

const script = (name) => fileURLToPath(new URL(`python-client/${name}.py`, import.meta.url));

/**
 * The blocking package does not notice an ack that comes before it has begun to wait for it, and then waits for
 * half a minute: the service is a little further away than it would be, and if that does not help there is time.
 */
const DELAY_MS = 20;
const LIMIT_MS = 300_000;

forEachShardCount("Microsoft's client package for Python", (service) => {
  let link;
  before(async () => (link = await Link.to(service, { delay: DELAY_MS })));
  after(() => link.close());

  for (const kind of ["sync", "aio"]) {
    for (const protocol of [JSON_V1, RELIABLE_V1]) {
      describe(`${kind}, ${protocol}`, () => {
        const isReliable = protocol === RELIABLE_V1;
        const run = (name) => {
          const connectionString = service.connectionString.replace(service.endpoint, link.endpoint);
          return runPython(script(name), [kind, protocol, connectionString, service.newHub().name], LIMIT_MS);
        };
        /** Messages as the protocol has them: with their numbers where it is reliable. */
        const numbered = (messages) => (isReliable ? messages.map((message, n) => ({ ...message, number: n + 1 })) : messages);

        test("joins, leaves, sends and hears", async () => {
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
            hearing: numbered([
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

        test("opens, closes and connects again", async () => {
          const open = ["alice", true, true];
          const opened = [open, "Client can be only started when it's Stopped", false];
          const refused = ["OpenClientError", true];
          assert.deepEqual(await run("connections"), {
            opening: [false, ...opened, ...opened, 3],
            failing: [refused, refused, "OpenClientError", ["ValueError", "nobody to ask"]],
            stopping: "Application server closed the connection. Reason: a reason",
            reconnecting: ["second", "shut", "Forbidden", "welcome back"],
            leaving: [false, true],
            giving_up: 4,
          });
        });
      });
    }
  }
});
