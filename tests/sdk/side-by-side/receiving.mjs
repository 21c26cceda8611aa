// Messages of the application's server, and of other clients.
const TEXT = { contentType: /** @type {const} */ ("text/plain") };

/**
 * What the server sends, by kind.
 * @type {[string, import("@azure/web-pubsub").JSONTypes | ArrayBuffer, typeof TEXT | undefined][]}
 */
const CONTENTS = [
  ["text", "hi", TEXT],
  ["an object", { a: [1, null] }, undefined],
  ["a string as JSON", "hi", undefined],
  ["bytes", Uint8Array.from([0, 255]).buffer, undefined],
];

/** @type {import("./scenarios.mjs").Scenario[]} */
export const receiving = [
  ...CONTENTS.map(([kind, content, options]) => ({
    name: `${kind} to all, the user, the connection and a group`,
    async run(side) {
      const { connectionId } = await side.connect();
      await side.call("joinGroup", "room");
      const { server } = side;
      await server.sendToAll(content, options);
      await side.event("server-message");
      await server.sendToUser("alice", content, options);
      await side.event("server-message");
      await server.sendToConnection(connectionId, content, options);
      await side.event("server-message");
      await server.group("room").sendToAll(content, options);
      await side.event("group-message");
    },
  })),
  {
    name: "a listener that throws, and one after it",
    differs: "those after it are called all the same",
    async run(side) {
      side.t.mock.method(console, "error", () => {});
      await side.connect();
      side.client.on("server-message", () => {
        throw new Error("the application's");
      });
      side.client.on("server-message", ({ message }) => side.note("after it", message.data));
      await side.server.sendToAll("hi", TEXT);
      await side.event("server-message");
    },
  },
  {
    name: "messages in order",
    async run(side) {
      await side.connect();
      for (let n = 0; n < 10; n++) await side.server.sendToAll(`${n}`, TEXT);
      for (let n = 0; n < 10; n++) await side.event("server-message");
    },
  },
  {
    name: "a group that the server joins it to",
    async run(side) {
      const { connectionId } = await side.connect();
      await side.server.group("room").addConnection(connectionId);
      await side.server.group("room").sendToAll("in", TEXT);
      await side.event("group-message");
      await side.server.group("room").removeConnection(connectionId);
      await side.server.group("room").sendToAll("out", TEXT);
      await side.server.sendToAll("last", TEXT);
      await side.event("server-message");
    },
  },
  {
    name: "a message of another client",
    async run(side) {
      await side.connect();
      await side.call("joinGroup", "room");
      const other = await side.hub.connect({ user: "bob", roles: ["webpubsub.sendToGroup"] });
      await other.send({ type: "sendToGroup", group: "room", dataType: "json", data: { from: "bob" } });
      await side.event("group-message");
      await side.hub.send("/groups/room", "from the server");
      await side.event("group-message");
    },
  },
];
