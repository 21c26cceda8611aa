// Connections that end or are lost, and what follows.
import { ALL_ROLES } from "../../support/hub.mjs";

const url = (side, token) => side.hub.clientUrl({ user: "alice", roles: ALL_ROLES, ...token });

/** Has the client say something: workerd keeps the transport of one that has not for ten seconds after its close. */
async function speak(side) {
  await side.client.sendToGroup("unknown", "x", "text", { fireAndForget: true });
}

/** @type {import("./scenarios.mjs").Scenario[]} */
export const losing = [
  {
    name: "a close by the server, without a new connection",
    async run(side) {
      const { connectionId } = await side.connect(undefined, { autoReconnect: false });
      await speak(side);
      await side.server.closeConnection(connectionId, { reason: "bye" });
      await side.event("stopped");
    },
  },
  {
    name: "a close by the server, and a new connection",
    async run(side) {
      const { connectionId } = await side.connect();
      await side.call("joinGroup", "room");
      await side.server.closeConnection(connectionId);
      await side.event("connected");
      await side.server.group("room").sendToAll("back", { contentType: "text/plain" });
      await side.event("group-message");
    },
  },
  {
    name: "all connections closed by the server",
    async run(side) {
      await side.connect(undefined, { autoReconnect: false });
      await speak(side);
      await side.server.closeAllConnections({ reason: "maintenance" });
      await side.event("stopped");
    },
  },
  {
    name: "a new connection without its groups",
    async run(side) {
      const { connectionId } = await side.connect(undefined, { autoRejoinGroups: false });
      await side.call("joinGroup", "room");
      await side.server.closeConnection(connectionId);
      await side.event("connected");
      side.note("member", await side.hub.exists("/groups/room"));
    },
  },
  {
    name: "a group that it may not join again",
    async run(side) {
      const urls = [url(side), url(side, { roles: ["webpubsub.joinLeaveGroup.open"] })];
      const { connectionId } = await side.connect({ getClientAccessUrl: async () => urls.shift() });
      await side.call("joinGroup", "open");
      await side.call("joinGroup", "shut");
      await side.server.closeConnection(connectionId);
      await side.event("connected");
    },
  },
  {
    name: "a group that was left is not joined again",
    async run(side) {
      const { connectionId } = await side.connect();
      await side.call("joinGroup", "left");
      await side.call("leaveGroup", "left");
      await side.server.closeConnection(connectionId);
      await side.event("connected");
      side.note("member", await side.hub.exists("/groups/left"));
    },
  },
  {
    name: "a credential that fails while reconnecting",
    async run(side) {
      const urls = [url(side), undefined, undefined, url(side)];
      const credential = {
        async getClientAccessUrl() {
          const given = urls.shift();
          if (!given) throw new Error("none");
          return given;
        },
      };
      const { connectionId } = await side.connect(credential);
      await speak(side);
      await side.server.closeConnection(connectionId);
      await side.event("connected");
      side.note("left", urls.length);
    },
  },
  {
    name: "attempts to reconnect that come to an end",
    async run(side) {
      const urls = [url(side)];
      const credential = {
        async getClientAccessUrl() {
          const given = urls.shift();
          if (!given) throw new Error("none");
          return given;
        },
      };
      const { connectionId } = await side.connect(credential, {
        reconnectRetryOptions: { maxRetries: 2, retryDelayInMs: 1 },
      });
      await speak(side);
      await side.server.closeConnection(connectionId);
      await side.event("stopped");
    },
  },
  {
    name: "a token that has expired by then",
    async run(side) {
      const urls = [url(side), side.hub.clientUrl({ minutes: -60 }), url(side)];
      const { connectionId } = await side.connect({ getClientAccessUrl: async () => urls.shift() });
      await speak(side);
      await side.server.closeConnection(connectionId);
      await side.event("connected");
      side.note("left", urls.length);
    },
  },
  {
    name: "a link that is cut",
    only: "JSON",
    async run(side) {
      const link = await side.connectOverLink();
      await side.call("joinGroup", "room");
      link.cut();
      await side.event("connected");
      await side.call("sendToGroup", "room", "back", "text");
      await side.event("group-message");
    },
  },
  {
    name: "a link that is cut and recovered",
    only: "reliable JSON",
    async run(side) {
      const link = await side.connectOverLink();
      await side.call("joinGroup", "room");
      link.down();
      for (const text of ["one", "two"]) await side.hub.send("/groups/room", text);
      link.up();
      for (let n = 0; n < 2; n++) await side.event("group-message");
      await side.call("joinGroup", "other");
    },
  },
  {
    name: "a link that is cut while an operation waits",
    async run(side) {
      const { service, connection } = await side.scriptConnected({ autoReconnect: false });
      service.answer = () => {};
      const done = side.call("joinGroup", "room");
      await connection.message();
      connection.close(1008, "policy");
      await done;
      await side.event("stopped");
    },
  },
  {
    name: "an invocation whose connection ends",
    async run(side) {
      const { service, connection } = await side.scriptConnected({ autoReconnect: false });
      service.answer = () => {};
      const done = side.call("invokeEvent", "price", "x", "text");
      await connection.message();
      connection.close(1008, "policy");
      await done;
      await side.event("stopped");
    },
  },
  {
    name: "1008 ends a connection for good",
    async run(side) {
      const { service, connection } = await side.scriptConnected();
      connection.close(1008, "policy");
      const next = await service.connection();
      side.note("asks for recovery", "awps_connection_id" in next.query);
      next.connected("c2");
      await side.event("connected");
    },
  },
  {
    name: "a recovery that is refused with 1008",
    only: "reliable JSON",
    async run(side) {
      const { service, connection } = await side.scriptConnected();
      connection.drop();
      const recovering = await service.connection();
      side.note("asks for recovery", recovering.query.awps_connection_id);
      recovering.close(1008, "gone");
      const next = await service.connection();
      side.note("asks for recovery", "awps_connection_id" in next.query);
      next.connected("c2");
      await side.event("connected");
    },
  },
  {
    name: "a disconnected message and a close",
    only: "JSON",
    async run(side) {
      const { connection } = await side.scriptConnected({ autoReconnect: false });
      connection.say({ type: "system", event: "disconnected", message: "The service is going away." });
      connection.close(1001, "");
      await side.event("stopped");
    },
  },
  {
    name: "a reason and a close, for a reliable client",
    only: "reliable JSON",
    differs: "Where the service said why it closes, no recovery is tried; Microsoft",
    async run(side) {
      const { service, connection } = await side.scriptConnected();
      connection.say({ type: "system", event: "disconnected", message: "The service is going away." });
      connection.close(1001, "");
      const next = await service.connection();
      side.note("asks for recovery", "awps_connection_id" in next.query);
    },
  },
  {
    name: "a silent service",
    only: "JSON",
    async run(side) {
      const { service } = await side.scriptConnected({
        autoReconnect: false,
        keepAliveIntervalInMs: 0,
        keepAliveTimeoutInMs: 300,
      });
      service.answersPings = false;
      await side.event("stopped");
    },
  },
];
