// Random rubbish, the same in every run: nothing that a peer sends gets a 5xx or affects others.
// Left out is what the runtime answers before the service sees it: unknown methods, a `Host` that is missing or
// there twice, absolute targets, impossible lengths, headers too large.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ALL_ROLES } from "../../support/hub.mjs";
import { Random } from "../../support/random.mjs";
import { exchange, frame, hasClose, hasHead } from "../../support/raw.mjs";
import { request } from "../../support/rest.mjs";
import { JSON_FRAMES, OPERATIONS, PING, PONG, PROTOBUF_FRAMES, frameOf, requestOf } from "../../support/rubbish.mjs";
import { forEachShardCount, isNative, ofWorkerd } from "../../support/service.mjs";
import { JSON_V1, PROTOBUF_RELIABLE_V1, PROTOBUF_V1, RELIABLE_V1, Socket } from "../../support/socket.mjs";
import { within } from "../../support/waiting.mjs";

/** Each operation gets as many requests, and each kind of client sends as many frames; 2,000 and more in all. */
const REQUESTS = 80 * OPERATIONS.length;
const FRAMES_OF_A_KIND = 300;
const AT_ONCE = 16;
/** No input takes this long unless it hangs. */
const INPUT_LIMIT_MS = 30_000;

/** Does the work for each number, several at a time; whatever fails or hangs is named by `describe(number)`. */
async function forEachNumber(count, work, describe) {
  let next = 0;
  const sender = async () => {
    while (next < count) {
      const n = next++;
      try {
        await within(work(n), "its end", INPUT_LIMIT_MS);
      } catch (error) {
        next = count;
        throw new Error(`number ${n}: ${error}\n${describe(n).slice(0, 4000)}`, { cause: error });
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, sender));
}

forEachShardCount(
  "Malformed input",
  (service) => {
    /** The service is up, serves newcomers to a hub, and a client that was there before still receives. */
    async function expectHealth(hub, witness) {
      assert.equal((await request(service.endpoint, "HEAD", "/api/health")).status, 200);
      const newcomer = await hub.connect({ roles: ALL_ROLES });
      assert.equal(
        (await newcomer.ask({ type: "sendToGroup", group: "witnesses", dataType: "text", data: "well?", ackId: 1 }))
          .success,
        true,
      );
      // A request that made sense after all may have reached the witness before.
      while ((await witness.json()).data !== "well?");
    }

    test("requests get an answer below 500", async () => {
      const [hub, others] = [service.newHub(), service.newHub()];
      const witness = await others.connect({ groups: ["witnesses"] });
      const connect = () => hub.connect({ user: "alice", groups: ["room"] });
      let connection = await connect();
      /** @type {[sent: Buffer[], seen: Set<string>]} */
      const [sent, seen] = [[], new Set()];
      await forEachNumber(
        REQUESTS,
        async (n) => {
          // Some requests close connections.
          if (n % 50 === 49) connection = await connect();
          sent[n] = requestOf(new Random(n), n, { service, hub, connection: connection.id });
          const answer = await exchange(service, sent[n], hasHead);
          const [, status] =
            /^HTTP\/1\.1 (101|[234]..) /.exec(answer) ?? assert.fail(`answered ${answer.slice(0, 300)}`);
          seen.add(status);
        },
        (n) => sent[n]?.toString("latin1") ?? "connecting",
      );
      // Otherwise they are too tame or too wild.
      for (const status of ["101", "200", "202", "204", "400", "401", "404", "405", "415"])
        assert.ok(seen.has(status), `no ${status}`);
      await expectHealth(hub, await hub.connect({ groups: ["witnesses"] }));
      await expectHealth(others, witness);
    });

    /**
     * The kinds of client: how each connects, what its messages look like, what it receives after `marker`, and how it may be closed.
     * @typedef {{ name: string, open: (n: number) => Promise<Socket>, codes: number[], inputs: (string | Buffer)[], isText: boolean, marker: string | Buffer, answer?: string | Buffer }} Kind
     * @returns {Kind[]}
     */
    function clients(hub) {
      const speaking = (protocols) => () => Socket.open(hub.clientUrl({ roles: ALL_ROLES }), { protocols });
      const json = {
        inputs: JSON_FRAMES,
        isText: true,
        marker: '{"type":"ping","after":"the rubbish"}',
        answer: '{"type":"pong"}',
        codes: [1003, 1007, 1009],
      };
      const protobuf = {
        inputs: PROTOBUF_FRAMES,
        isText: false,
        marker: PING,
        answer: PONG,
        codes: [1003, 1007, 1009],
      };
      const simple = { inputs: JSON_FRAMES, isText: true, marker: "after the rubbish" };
      const publishing = (n, options) =>
        hub.connectSimple({ ...options, query: `&webpubsub_mode=sendToGroup&group=group_${n}` });
      return [
        ...[JSON_V1, RELIABLE_V1].map((name) => ({ name, open: speaking(name), ...json })),
        ...[PROTOBUF_V1, PROTOBUF_RELIABLE_V1].map((name) => ({ name, open: speaking(name), ...protobuf })),
        {
          name: "publishing",
          open: (n) => publishing(n, { roles: ALL_ROLES, groups: [`group_${n}`] }),
          ...simple,
          answer: simple.marker,
          codes: [1009],
        },
        { name: "not allowed to publish", open: (n) => publishing(n), ...simple, codes: [1008, 1009] },
        { name: "with events without a handler", open: () => hub.connectSimple(), ...simple, codes: [1009, 1011] },
      ];
    }

    test("frames get an answer, silence, or a close that says why", async () => {
      const hub = service.newHub();
      const witness = await hub.connect({ groups: ["witnesses"] });
      const kinds = clients(hub);
      const kindOf = (n) => kinds[n % kinds.length];
      /** @type {ReturnType<typeof frameOf>[]} */
      const sent = [];
      const seen = Object.fromEntries(kinds.map(({ name }) => [name, new Set()]));
      await forEachNumber(
        FRAMES_OF_A_KIND * kinds.length,
        async (n) => {
          const { name, open, marker, answer, codes, ...messages } = kindOf(n);
          sent[n] = frameOf(new Random(n), messages);
          const socket = await open(n);
          socket.sendInFragments(sent[n]);
          socket.send(marker);
          const close = await closeBefore(socket, answer);
          assert.ok(!close || codes.includes(close.code), `closed with ${close?.code} ${close?.reason}`);
          seen[name].add(close?.code);
          socket.cut();
        },
        (n) =>
          `${kindOf(n).name}: ${sent[n].map((piece) => (typeof piece === "string" ? JSON.stringify(piece) : piece.toString("hex"))).join(", ")}`,
      );
      // Otherwise they are too tame or too wild: each code is there, and for those with an answer silence too.
      for (const { name, answer, codes } of kinds) {
        assert.deepEqual([...seen[name]].sort(), [...codes, ...(answer ? [undefined] : [])], name);
      }
      await expectHealth(hub, witness);
    });

    /** How the service closed a connection, or nothing if it gave this answer. */
    async function closeBefore(socket, answer) {
      try {
        for (;;)
          if (Buffer.from(await socket.next("an answer or a close")).equals(Buffer.from(answer ?? "never")))
            return undefined;
      } catch {
        return socket.closed();
      }
    }

    /** Sends frames as they are, and a goodbye, on a JSON connection; returns all that came back. */
    function speak(hub, options, frames) {
      const target = `/client/hubs/${hub.name}?access_token=${hub.token(options)}`;
      const head = [
        `GET ${target} HTTP/1.1`,
        `Host: 127.0.0.1:${service.port}`,
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Protocol: json.webpubsub.azure.v1",
      ];
      const goodbye = frame(8, Buffer.from([0x03, 0xe8]));
      return exchange(
        service,
        Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`), ...frames, goodbye]),
        hasClose,
      );
    }

    test("invalid UTF-8 in a valid message is replaced by the platform", { skip: ofWorkerd }, async () => {
      const hub = service.newHub();
      const listener = await hub.connect({ groups: ["room"] });
      const [head, tail] = ['{"type":"sendToGroup","group":"room","dataType":"text","data":"a', 'b"}'].map((text) =>
        Buffer.from(text),
      );
      await speak(hub, { roles: ALL_ROLES }, [frame(1, Buffer.concat([head, Buffer.from([0xff]), tail]))]);
      assert.equal((await listener.json()).data, "a\ufffdb");
    });

    test("broken WebSocket framing ends that connection and no other", async () => {
      const hub = service.newHub();
      const witness = await hub.connect({ groups: ["witnesses"] });
      const text = Buffer.from("x");
      for (const [code, ...broken] of [
        [1002, frame(3, text)],
        [1002, frame(11, text)],
        [1002, frame(1, text, { reserved: 2 })],
        [1002, frame(9, text, { fin: false })],
        [1002, frame(0, text)],
        [1002, frame(1, text, { fin: false }), frame(1, text)],
        [1007, frame(1, Buffer.from([0xff, 0xfe]))],
        // What the platform does not mind ends with the client's goodbye; the native server minds it.
        [isNative ? 1002 : 1000, frame(9, Buffer.alloc(200))],
        [isNative ? 1002 : 1000, frame(8, Buffer.from([3]))],
        [isNative ? 1002 : 1000, frame(8, Buffer.from([0, 1]))],
        [isNative ? 1002 : 1000, frame(8, Buffer.from([0x03, 0xed]))],
      ]) {
        const answer = await speak(hub, { groups: ["broken"] }, broken);
        assert.match(answer, /^HTTP\/1\.1 101 /);
        const [, close] = /\x88.(..)/s.exec(answer.slice(answer.indexOf("\r\n\r\n"))) ?? [];
        assert.equal(Buffer.from(close ?? "", "latin1").readUInt16BE(), code, answer);
      }
      await expectHealth(hub, witness);
      assert.equal(await hub.exists("/groups/broken"), false, "their connections are gone");
    });
  },
  { steady: "it is about one connection" },
);
