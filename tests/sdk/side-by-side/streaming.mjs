// Group streams. What a stream's writer and its reader saw is logged at its end: between them there is no order.
import { deferred } from "../../support/waiting.mjs";

/** Opens a stream, and logs what came of it. */
async function open(side, group, options) {
  try {
    const stream = await side.client.openGroupStream(group, options);
    side.note("opened", stream.streamId);
    return stream;
  } catch (error) {
    side.note("not opened", error);
    return undefined;
  }
}

/** Receives one stream of the client's groups; resolves with its fragments and how it ended. */
function receive(side, options) {
  const done = deferred();
  const subscription = side.client.onGroupStream(async (stream) => {
    const seen = [];
    try {
      for await (const { dataType, data, stream: part } of stream) seen.push({ dataType, data, part });
      done.resolve({ group: stream.groupName, id: stream.streamId, seen, ended: "well" });
    } catch (error) {
      done.resolve({ group: stream.groupName, id: stream.streamId, seen, ended: error });
    }
    subscription.close();
  }, options);
  return done.promise;
}

/** @type {import("./scenarios.mjs").Scenario[]} */
export const streaming = [
  {
    name: "a stream to a group, and its end",
    async run(side) {
      await side.connect();
      await side.call("joinGroup", "room");
      const received = receive(side);
      const stream = await open(side, "room", { streamId: "s1" });
      await stream.write("one", "text");
      await stream.write({ n: 2 }, "json");
      await stream.write(Uint8Array.from([3]).buffer, "binary");
      await stream.end();
      side.note("received", await received);
    },
  },
  {
    name: "a stream that its writer aborts",
    async run(side) {
      await side.connect();
      await side.call("joinGroup", "room");
      const received = receive(side);
      const stream = await open(side, "room", { streamId: "s1" });
      await stream.write("one", "text");
      await stream.abort({ message: "no more", userErrorCode: "E1" });
      side.note("received", await received);
    },
  },
  {
    name: "a stream that the token does not allow",
    async run(side) {
      await side.connect(side.hub.clientUrl({ user: "alice" }));
      await open(side, "room", { streamId: "s1" });
    },
  },
  {
    name: "a stream id that is open",
    async run(side) {
      await side.connect();
      await open(side, "room", { streamId: "s1" });
      await open(side, "other", { streamId: "s1" });
    },
  },
  {
    name: "a write after the end",
    async run(side) {
      await side.connect();
      const stream = await open(side, "room", { streamId: "s1" });
      await stream.end();
      await stream.write("late", "text").catch((error) => side.note("not written", error));
    },
  },
];
