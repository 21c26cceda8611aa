// How a client gets in: the order of the checks, their answers, and the first frame.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { ALL_ROLES, Hub } from "../../support/hub.mjs";
import { expectUnauthorized, MISSING_TOKEN, request, upgrade } from "../../support/rest.mjs";
import { forEachShardCount } from "../../support/service.mjs";
import { JSON_V1, PROTOBUF_RELIABLE_V1, PROTOBUF_V1, RELIABLE_V1, Refused, Socket } from "../../support/socket.mjs";
import { until } from "../../support/waiting.mjs";

const status = async (url, options) => {
  try {
    (await Socket.open(url, options)).cut();
    return 101;
  } catch (error) {
    if (error instanceof Refused) return error.status;
    throw error;
  }
};

forEachShardCount(
  "Handshake",
  (service) => {
    const path = (hub, query = "") => `/client/hubs/${hub.name}${query}`;

    test("a request that asks for no WebSocket gets 400 first", async () => {
      const hub = service.newHub();
      for (const target of [path(hub), path(hub, `?access_token=${hub.token()}`), "/client/hubs/1", "/client/?hub=1"]) {
        assert.equal((await request(service.endpoint, "GET", target)).status, 400, target);
      }
    });

    test("a hub that is none gets 400, before the token is looked at", async () => {
      for (const hub of ["1chat", "_chat", "ch-at", "ch%C3%A4t", "chat%20", "a".repeat(129)]) {
        assert.equal((await upgrade(service.endpoint, `/client/hubs/${hub}`)).status, 400, hub);
        assert.equal((await upgrade(service.endpoint, `/client/?hub=${hub}`)).status, 400, hub);
      }
      assert.equal((await upgrade(service.endpoint, "/client/")).status, 400);
    });

    test("a hub's name takes the whole published pattern, also escaped", async () => {
      // The platform refuses a bare backtick in a URL, which every URL parser escapes.
      const name = "H_1%60,.[z]".padEnd(128, "x");
      const hub = new Hub(service, name);
      const socket = await hub.connect();
      const escaped = `${service.endpoint.replace("http", "ws")}/client/hubs/${encodeURIComponent(decodeURIComponent(name))}?access_token=${hub.token()}`;
      const other = await Socket.open(escaped);
      await hub.send("", "to both");
      assert.equal((await socket.json()).data, "to both");
      assert.equal(await other.next(), "to both");
    });

    test("no token gets 401, which answer and log say", async () => {
      const hub = service.newHub();
      for (const url of [hub.url, `${hub.url}?access_token=`]) {
        const refused = await Socket.open(url).then(
          () => assert.fail("let in"),
          (error) => error,
        );
        expectUnauthorized(refused, MISSING_TOKEN);
      }
      const line = { level: "warning", failed: `authorising a client of hub ${hub.name}`, error: MISSING_TOKEN };
      await until(() => setImmediate(service.logged(line) === 2), "a line in the log for each");
    });

    test("users and groups that URLs resolve get 400 from every place", async () => {
      const hub = service.newHub();
      const why = "`.` and `..` are no names, since URLs resolve them as path segments.";
      for (const dots of [".", ".."]) {
        await assert.rejects(Socket.open(hub.clientUrl({ user: dots })), {
          status: 400,
          body: `The token contains an invalid user id. ${why}`,
        });
        await assert.rejects(Socket.open(hub.clientUrl({ groups: ["fine", dots] })), {
          status: 400,
          body: `The token contains an invalid group name. ${why}`,
        });
        const mode = await Socket.open(`${hub.clientUrl()}&webpubsub_mode=sendToGroup&group=${dots}`).catch(
          (error) => error,
        );
        assert.equal(mode.status, 400);
        assert.match(mode.body, /neither `\.` nor `\.\.`/);
        for (const type of ["joinGroup", "leaveGroup", "sendToGroup"]) {
          const socket = await hub.connect({ roles: ALL_ROLES });
          socket.send({ type, group: dots, data: 1, ackId: 1 });
          assert.equal((await socket.json()).event, "disconnected");
          assert.equal((await socket.closed()).code, 1007, type);
        }
        const recovery = await Socket.open(`${hub.url}?awps_connection_id=${dots}&awps_reconnection_token=t`, {
          protocols: RELIABLE_V1,
        });
        assert.equal((await recovery.closed()).code, 1008);
      }
    });

    test("a missing token is noticed before a wrong simple mode", async () => {
      const hub = service.newHub();
      assert.equal(await status(`${hub.url}?webpubsub_mode=shout`), 401);
      assert.equal(await status(`${hub.clientUrl()}&webpubsub_mode=shout`), 400);
    });

    test("a group in the token that is none gets 400 and says so", async () => {
      const hub = service.newHub();
      for (const group of ["", " ", "g".repeat(1025)]) {
        await assert.rejects(Socket.open(hub.clientUrl({ groups: ["fine", group] })), {
          status: 400,
          body: "The token contains an invalid group name.",
        });
      }
    });

    test("unknown paths get 404, asked for as a page or as a WebSocket", async () => {
      for (const target of [
        "/nothing/here",
        "/clients/socketio/hubs/chat",
        "/clients/mqtt",
        "/client/hubs/chat/more",
        "/api",
        "/api/hubs",
      ]) {
        assert.equal((await request(service.endpoint, "GET", target)).status, 404, target);
        assert.equal((await upgrade(service.endpoint, target)).status, 404, target);
      }
    });

    test("the legacy URL leads to the same hub", async () => {
      const hub = service.newHub();
      const listener = await hub.connect();
      for (const legacy of ["client/", "client"]) {
        const socket = await Socket.open(
          `${service.endpoint.replace("http", "ws")}/${legacy}?hub=${hub.name}&access_token=${hub.token()}`,
        );
        await hub.send("", "to all");
        assert.equal(await socket.next(), "to all");
        assert.equal((await listener.json()).data, "to all");
      }
    });

    test("parameters unknown to the endpoint, and hub, change nothing", async () => {
      const hub = service.newHub();
      const socket = await Socket.open(`${hub.clientUrl()}&hub=other&tenant=a&tenant=b&empty=&%zz`);
      await hub.send("", "to this hub");
      assert.equal(await socket.next(), "to this hub");
    });

    test("the first known subprotocol is echoed in the client's words", async () => {
      const hub = service.newHub();
      for (const [offer, answer] of [
        [JSON_V1, JSON_V1],
        ["JSON.WebPubSub.Azure.V1", "JSON.WebPubSub.Azure.V1"],
        [`custom, ${RELIABLE_V1}, ${JSON_V1}`, RELIABLE_V1],
        [`${JSON_V1},${RELIABLE_V1}`, JSON_V1],
        [PROTOBUF_V1, PROTOBUF_V1],
        [`${PROTOBUF_RELIABLE_V1.toUpperCase()}, ${JSON_V1}`, PROTOBUF_RELIABLE_V1.toUpperCase()],
        ["custom", undefined],
        [undefined, undefined],
      ]) {
        const headers = offer ? { "sec-websocket-protocol": offer } : {};
        const answered = await upgrade(service.endpoint, path(hub, `?access_token=${hub.token()}`), headers);
        assert.equal(answered.status, 101, `${offer}`);
        assert.equal(answered.headers["sec-websocket-protocol"], answer, `${offer}`);
      }
    });

    test("a client that offers nothing known is a simple one", async () => {
      const hub = service.newHub();
      const socket = await Socket.open(hub.clientUrl(), {
        headers: { "sec-websocket-protocol": "custom, graphql-ws" },
      });
      assert.equal(socket.protocol, "");
      await hub.send("", "bare");
      assert.equal(await socket.next(), "bare");
    });

    test("the first frame names the connection and its user", async () => {
      const hub = service.newHub();
      const alice = await hub.connect({ user: "alice" });
      assert.deepEqual(alice.connected, {
        type: "system",
        event: "connected",
        userId: "alice",
        connectionId: alice.id,
      });
      assert.match(alice.id, /^[\w-]+$/);

      const anonymous = await hub.connect();
      assert.deepEqual(anonymous.connected, {
        type: "system",
        event: "connected",
        userId: null,
        connectionId: anonymous.id,
      });
      assert.notEqual(anonymous.id, alice.id);

      const reliable = await hub.connectReliable({ user: "bob" });
      const { reconnectionToken, ...rest } = reliable.connected;
      assert.deepEqual(rest, { type: "system", event: "connected", userId: "bob", connectionId: reliable.id });
      assert.ok(reconnectionToken);
    });

    test("the first frame comes before the answer to an early ping", async () => {
      const hub = service.newHub();
      for (const protocol of [JSON_V1, RELIABLE_V1]) {
        const sockets = await Promise.all(
          Array.from({ length: 20 }, async () => {
            const socket = await Socket.open(hub.clientUrl(), { protocols: [protocol] });
            socket.send({ type: "ping" });
            return socket;
          }),
        );
        for (const socket of sockets) {
          assert.equal((await socket.json()).event, "connected");
          assert.deepEqual(await socket.json(), { type: "pong" });
          socket.cut();
        }
      }
    });

    test("a connection can be addressed as soon as it knows its id", async () => {
      const hub = service.newHub();
      const alice = await hub.connect({ user: "alice", groups: ["room"] });
      assert.deepEqual(
        [
          await hub.exists(`/connections/${alice.id}`),
          await hub.exists("/users/alice"),
          await hub.exists("/groups/room"),
        ],
        [true, true, true],
      );
    });

    test("a client's own close code comes back to it", async () => {
      const hub = service.newHub();
      for (const [code, reason] of /** @type {[number, string][]} */ ([
        [1000, ""],
        [1000, "done"],
        [3000, "mine"],
        [4999, "ü"],
      ])) {
        const socket = await hub.connect();
        assert.equal((await socket.close(code, reason)).code, code);
      }
      const silent = await hub.connectSimple();
      assert.ok([1000, 1005].includes((await silent.close()).code));
    });

    test("a closed connection is gone", async () => {
      const hub = service.newHub();
      const alice = await hub.connect({ user: "alice", groups: ["room"] });
      await alice.close(1000);
      for (const path of [`/connections/${alice.id}`, "/users/alice", "/groups/room"]) {
        assert.equal(await hub.exists(path), false, path);
      }
    });
  },
  { steady: "it is about requests that no shard has to do with" },
);
