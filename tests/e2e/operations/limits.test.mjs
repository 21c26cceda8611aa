// What a hub takes from its clients: how many they are, how fast they send, how much they leave unread.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { ALL_ROLES } from "../../support/hub.mjs";
import { forEachShardCount } from "../../support/service.mjs";
import { JSON_V1, PROTOBUF_V1, RELIABLE_V1, Refused, Socket } from "../../support/socket.mjs";
import { until } from "../../support/waiting.mjs";

const QUOTA = 5;

forEachShardCount(
  "The connection quota",
  (service) => {
    /** A further client: its socket, or the refusal. */
    const knock = (hub) => hub.connect().catch((error) => (error instanceof Refused ? error : Promise.reject(error)));

    async function expectFull(hub) {
      const { status, headers, body } = await knock(hub);
      assert.equal(status, 429);
      assert.match(body, /CONNECTION_QUOTA.*Try again/);
      assert.ok(Number(headers["retry-after"]) > 0);
    }

    test("is what a hub takes, and one more when one has left", async () => {
      const hub = service.newHub();
      const connections = [await hub.connectReliable(), await hub.connect({ user: "alice" })];
      while (connections.length < QUOTA) connections.push(await hub.connect());
      await expectFull(hub);
      await hub.send("", "those inside stay");
      for (const connection of connections) assert.equal((await connection.json()).data, "those inside stay");

      await connections[0].close(1000);
      await hub.connect();
      await expectFull(hub);

      await hub.rest("DELETE", `/connections/${connections[1].id}`);
      const last = await hub.connect();
      await expectFull(hub);

      last.cut();
      await until(async () => !(await hub.exists(`/connections/${last.id}`)), "the end of a connection that was cut");
      await hub.connect();
      await expectFull(hub);
    });

    test("is each hub's own", async () => {
      for (const hub of [service.newHub(), service.newHub()]) {
        for (let n = 0; n < QUOTA; n++) await hub.connectSimple();
        await expectFull(hub);
      }
    });

    test("holds when everybody comes at once", async () => {
      const hub = service.newHub();
      const answers = await Promise.all(Array.from({ length: 4 * QUOTA }, () => knock(hub)));
      assert.equal(answers.filter((answer) => answer instanceof Socket).length, QUOTA);
      assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([undefined, 429]));
    });

    test("is checked after token and mode, and not for a recovery", async () => {
      const hub = service.newHub();
      for (let n = 0; n < QUOTA; n++) await hub.connect();
      await assert.rejects(Socket.open(hub.url), { status: 401 });
      await assert.rejects(Socket.open(`${hub.clientUrl()}&webpubsub_mode=shout`), { status: 400 });
      await expectFull(hub);
      const recovery = await Socket.open(`${hub.url}?awps_connection_id=none&awps_reconnection_token=none`, {
        protocols: RELIABLE_V1,
      });
      assert.equal((await recovery.closed()).code, 1008);
    });

    test("is in the log when it refuses", async () => {
      const hub = service.newHub();
      for (let n = 0; n < QUOTA; n++) await hub.connect();
      await expectFull(hub);
      const line = {
        level: "warning",
        failed: `taking a client into hub ${hub.name}`,
        error: "connection count reaches limit",
      };
      await until(() => setImmediate(service.logged(line) > 0), "the line in the log");
      assert.equal(service.logged(line), 1);
    });
  },
  { variables: { CONNECTION_QUOTA: QUOTA }, steady: "shards keep what they have when their shares of a quota change" },
);

const BURST = 20;
/** What may wait beside, */
const WAITING = 1_000;
/** and so many that the bucket, which one message a second fills, cannot hold them before a test has hung. */
const FLOOD = WAITING + 300;
const TOO_FAST = "The client sends messages too fast.";

forEachShardCount(
  "A client that sends too fast",
  (service) => {
    const ping = { type: "ping", answeredBy: "the service" };
    const send = (socket, message, times) => {
      for (let n = 0; n < times; n++) socket.send(message);
    };

    test("is slowed down, and all that it sent is done in order", async () => {
      const hub = service.newHub();
      const listener = await hub.connect({ groups: ["room"] });
      const fast = await hub.connectSimple({ roles: ALL_ROLES, query: "&webpubsub_mode=sendToGroup&group=room" });
      for (let n = 0; n < BURST + 2; n++) fast.send(String(n));
      for (let n = 0; n < BURST + 2; n++) assert.equal((await listener.json()).data, String(n));
    });

    for (const protocol of [JSON_V1, RELIABLE_V1]) {
      test(`is closed with 1008 once more than ${WAITING} messages wait, alone: ${protocol}`, async () => {
        const hub = service.newHub();
        const [fast, other] = [await hub.connect({ protocol }), await hub.connect({ protocol })];
        send(fast, ping, BURST);
        for (let n = 0; n < BURST; n++) assert.deepEqual(await fast.json(), { type: "pong" });
        send(fast, ping, FLOOD);
        let [pongs, last] = [0, await fast.json()];
        for (; last.type === "pong"; last = await fast.json()) pongs++;
        assert.ok(pongs < FLOOD);
        assert.deepEqual(last, { type: "system", event: "disconnected", message: TOO_FAST });
        assert.deepEqual(await fast.closed(), { code: 1008, reason: TOO_FAST });
        assert.equal(await hub.exists(`/connections/${fast.id}`), false);

        send(other, ping, BURST);
        for (let n = 0; n < BURST; n++) assert.deepEqual(await other.json(), { type: "pong" });
      });
    }

    test("is carried out up to that point, and no further", async () => {
      const hub = service.newHub();
      const listener = await hub.connect({ groups: ["room"] });
      const fast = await hub.connectSimple({ roles: ALL_ROLES, query: "&webpubsub_mode=sendToGroup&group=room" });
      for (let n = 0; n < FLOOD; n++) fast.send(String(n));
      assert.deepEqual(await fast.closed(), { code: 1008, reason: TOO_FAST });
      let next = 0;
      while (next < BURST) assert.equal((await listener.json()).data, String(next++));
      await hub.send("", "the end");
      for (let { data } = await listener.json(); data !== "the end"; { data } = await listener.json())
        assert.equal(data, String(next++));
      assert.ok(next < FLOOD, `${next} were received`);
    });

    test("is not one whose pings the platform answers", async () => {
      const hub = service.newHub();
      const socket = await hub.connect();
      send(socket, '{"type":"ping"}', FLOOD);
      for (let n = 0; n < FLOOD; n++) assert.deepEqual(await socket.json(), { type: "pong" });
      await socket.expectSilence();
    });
  },
  { variables: { CLIENT_MESSAGES_PER_SECOND: 1, CLIENT_MESSAGE_BURST: BURST }, steady: "it is about one connection" },
);

forEachShardCount(
  "A client that does not read",
  (service) => {
    test("is closed with 1008, while one that speaks beside gets all", async () => {
      const hub = service.newHub();
      const groups = ["room"];
      const messages = await hub.connect({ user: "messages", groups });
      const payloads = await hub.connectSimple({ user: "payloads", groups });
      const binary = await Socket.open(hub.clientUrl({ user: "binary", groups }), { protocols: PROTOBUF_V1 });
      const speaking = await hub.connect({ user: "speaking", groups });
      const reliable = await hub.connectReliable({ user: "reliable", groups });
      const silent = [messages, payloads, binary];
      for (const socket of silent) socket.stopReading();

      const published = [];
      async function publish() {
        published.push(`${published.length} ${"x".repeat(1_000_000)}`);
        await hub.send("/groups/room", published.at(-1));
        for (const socket of [speaking, reliable]) assert.equal((await socket.json()).data, published.at(-1));
        await speaking.expectSilence();
        reliable.send({ type: "sequenceAck", sequenceId: published.length });
      }
      const isOpen = (user) => hub.exists(`/users/${user}`);
      await until(async () => {
        await publish();
        return !(await isOpen("messages")) && !(await isOpen("payloads")) && !(await isOpen("binary"));
      }, "the end of those that do not read");
      const received = published.length;
      for (let n = 0; n < 3; n++) await publish();
      assert.ok((await isOpen("speaking")) && (await isOpen("reliable")));

      for (const socket of silent) socket.read();
      const closed = { code: 1008, reason: "slow consumer" };
      const all = [];
      for (let next = await messages.json(); next.type === "message"; next = await messages.json()) all.push(next.data);
      assert.ok(all.length > 1 && all.length <= received);
      assert.deepEqual(all, published.slice(0, all.length), "what was sent before the end is not lost");
      for (const data of all) assert.equal(await payloads.next(), data);
      for (const socket of silent) assert.deepEqual(await socket.closed(), closed);
    });
  },
  { variables: { OUTBOUND_LIMIT_BYTES: 1_500_000 }, steady: "it is about one connection" },
);
