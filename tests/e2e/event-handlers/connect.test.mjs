// `connect`: a handler is asked about a client before it is let in, and has the last word on who it is.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { clientKinds } from "../../support/client-kinds.mjs";
import {
  ATTEMPTS,
  AT_ONCE,
  endless,
  EventHandler,
  garbage,
  half,
  hang,
  headOnly,
  OWN_SHARD,
  reset,
} from "../../support/event-handler.mjs";
import { expectUnauthorized, request } from "../../support/rest.mjs";
import { forEachShardCount } from "../../support/service.mjs";
import { JSON_V1, PROTOBUF_V1, RELIABLE_V1, Refused, Socket } from "../../support/socket.mjs";
import { clientClaims, sign } from "../../support/token.mjs";
import { cases } from "../../support/cases.mjs";

const CONNECT = { systemEvents: ["connect"] };
const TOO_LARGE = Buffer.alloc(17 * 1024 * 1024, " ");
const TIMEOUT_SECONDS = 4;

const json = (value, more) => ({
  headers: { "content-type": "application/json; charset=utf-8" },
  body: JSON.stringify(value),
  ...more,
});
const TOKEN = { user: "alice", groups: ["lobby"], roles: ["webpubsub.joinLeaveGroup"] };
/** What the token alone makes of a client. */
const AS_IN_TOKEN = { user: "alice", groups: ["lobby"], joins: true, sends: false };

/** Who a JSON connection is, of which of these groups it is a member, and what it may do. */
async function standing(hub, socket, groups = ["lobby", "a", "b"]) {
  const isMember = async (group) => {
    const { status, body } = await hub.rest("GET", `/groups/${group}/connections`);
    assert.equal(status, 200, body);
    return JSON.parse(body).value.some(({ connectionId }) => connectionId === socket.id);
  };
  const memberships = await Promise.all(groups.map(isMember));
  const { success: joins } = await socket.ask({ type: "joinGroup", group: "elsewhere", ackId: 1 });
  const { success: sends } = await socket.ask({ type: "sendToGroup", group: "unknown", data: 1, ackId: 2 });
  return { user: socket.connected.userId, groups: groups.filter((_, n) => memberships[n]), joins, sends };
}

/** How a client was refused. */
async function refusal(opening) {
  try {
    (await opening).cut();
  } catch (error) {
    if (error instanceof Refused) return error;
    throw error;
  }
  assert.fail("it was let in");
}

/** A handler that is asked, and the hub whose it is. */
async function start(service, t, answer) {
  const handler = await EventHandler.start(t);
  if (answer) handler.answer("sys.connect", answer);
  const hub = service.newHub();
  await hub.useHandler(handler, CONNECT);
  return { handler, hub };
}

/** Fails unless a client was asked about as often as that can be, the same each time. */
function expectAllAttempts(handler) {
  assert.equal(handler.count("sys.connect"), ATTEMPTS);
  const [first, ...others] = handler.asked.filter(({ kind }) => kind === "sys.connect");
  for (const name of ["ce-id", "ce-connectionId", "x-ms-client-request-id"]) {
    for (const other of others) assert.equal(other.header(name), first.header(name), name);
  }
}

forEachShardCount(
  "Connecting",
  (service) => {
    describe("at the same time", { concurrency: 8 }, () => {
      test("is asked about with all that the client said but credentials", async (t) => {
        const { handler, hub } = await start(service, t);
        const claims = {
          ...clientClaims({ audience: hub.audience, ...TOKEN }),
          iat: 1700000000,
          number: 1.5,
          yes: true,
          none: null,
          list: ["x", 2],
          object: { a: "ü" },
        };
        const token = sign(claims, service.key);
        const url = `${hub.url}?tenant=a&Access_Token=x&tenant=b%20c&access_token=${token}&empty&%C3%BC=%2B+`;
        const headers = {
          origin: "https://app.example",
          "user-agent": "a test",
          "x-twice": ["one", "two"],
          authorization: "Bearer secret",
        };
        const socket = await Socket.open(url, { protocols: ["other.v1", JSON_V1, PROTOBUF_V1], headers });
        const { connectionId } = await socket.json();
        const asked = await handler.next("sys.connect");
        assert.equal(asked.method, "POST");
        assert.equal(asked.header("content-type"), "application/json; charset=utf-8");
        assert.equal(asked.connection, connectionId);
        assert.equal(asked.id, 0);
        assert.equal(asked.header("ce-userId"), "alice");
        assert.equal(asked.header("ce-eventName"), "connect");
        assert.deepEqual(asked.all("ce-subprotocol"), []);
        const body = asked.json;
        assert.deepEqual(Object.keys(body).sort(), [
          "claims",
          "clientCertificates",
          "headers",
          "query",
          "subprotocols",
        ]);
        assert.deepEqual(body.claims.sub, ["alice"]);
        assert.deepEqual(body.claims.role, TOKEN.roles);
        assert.deepEqual(body.claims["webpubsub.group"], TOKEN.groups);
        assert.deepEqual(
          [body.claims.iat, body.claims.number, body.claims.yes, body.claims.list],
          [["1700000000"], ["1.5"], ["true"], ["x", "2"]],
        );
        for (const values of [body.claims, body.query, body.headers].flatMap(Object.values)) {
          assert.ok(
            Array.isArray(values) && values.every((value) => typeof value === "string"),
            JSON.stringify(values),
          );
        }
        assert.deepEqual(body.query, { tenant: ["a", "b c"], empty: [""], ü: ["+ "] });
        const got = Object.fromEntries(
          Object.entries(body.headers).map(([name, values]) => [name.toLowerCase(), values]),
        );
        assert.deepEqual([got.origin, got["user-agent"]], [["https://app.example"], ["a test"]]);
        assert.equal(got["x-twice"].join(", "), "one, two");
        assert.equal(got.authorization, undefined);
        assert.deepEqual(body.subprotocols, ["other.v1", JSON_V1, PROTOBUF_V1]);
        assert.deepEqual(body.clientCertificates, []);
        assert.ok(!asked.text.includes(token) && !asked.text.includes("secret"));
      });

      test("of a simple client without a user is asked without either", async (t) => {
        const { handler, hub } = await start(service, t);
        await hub.connectSimple();
        const asked = await handler.next("sys.connect");
        assert.deepEqual(asked.all("ce-userId"), []);
        assert.deepEqual(asked.json.subprotocols, []);
        assert.equal(asked.json.claims.sub, undefined);
      });

      test("of an anonymous client has no claims, and may get a user", async (t) => {
        const { handler, hub } = await start(service, t, json({ userId: "guest", roles: ["webpubsub.sendToGroup"] }));
        await hub.configure({
          anonymousConnectPolicy: "allow",
          eventHandlers: [{ urlTemplate: handler.url, ...CONNECT }],
        });
        const socket = await Socket.open(hub.url, { protocols: JSON_V1 });
        const connected = await socket.json();
        Object.assign(socket, { id: connected.connectionId, connected });
        assert.deepEqual((await handler.next("sys.connect")).json.claims, {});
        assert.deepEqual(await standing(hub, socket), { user: "guest", groups: [], joins: false, sends: true });
      });

      test("waits for the answer", async (t) => {
        const { handler, hub } = await start(service, t);
        const release = handler.hold("sys.connect");
        const opening = hub.connect({ user: "late" });
        const { connection } = await handler.next("sys.connect");
        assert.equal(await hub.exists(`/connections/${connection}`), false);
        release();
        assert.equal((await opening).id, connection);
        assert.equal(await hub.exists(`/connections/${connection}`), true);
      });

      test("is not asked about without a handler or for a refused client", async (t) => {
        const { handler, hub } = await start(service, t);
        const bad = await Promise.all([
          refusal(Socket.open(hub.url)),
          refusal(Socket.open(`${hub.clientUrl()}&webpubsub_mode=shout`)),
          refusal(hub.connect({ groups: [" "] })),
        ]);
        assert.deepEqual(
          bad.map(({ status }) => status),
          [401, 400, 400],
        );
        const unasked = service.newHub();
        await unasked.useHandler(handler, { systemEvents: ["connected", "disconnected"], userEventPattern: "*" });
        assert.deepEqual(await standing(unasked, await unasked.connect(TOKEN)), AS_IN_TOKEN);
        await hub.connect();
        assert.equal(handler.count("sys.connect"), 1);
      });

      for (const [what, answer, expected] of [
        ["its token says, by 204", { status: 204 }, {}],
        ["its token says, by 200 and an empty body", {}, {}],
        ["its token says, by another success", { status: 202 }, {}],
        ["its token says, by null", json(null), {}],
        ["its token says, by an empty object", json({}), {}],
        [
          "its token says, by fields that are null",
          json({ userId: null, groups: null, roles: null, subprotocol: null }),
          {},
        ],
        ["its token says, by unknown fields", json({ users: "bob", mqtt: { code: 3 }, headers: [1] }), {}],
        ["another user", json({ userId: "bob" }), { user: "bob" }],
        ["a user whose name is not ASCII", json({ userId: "jörg 🚀" }), { user: "jörg 🚀" }],
        ["an anonymous user, by an empty user id", json({ userId: "" }), { user: null }],
        ["a member of other groups", json({ groups: ["a", "b"] }), { groups: ["a", "b"] }],
        ["a member of its token's groups, by no groups", json({ groups: [] }), {}],
        ["the holder of other roles", json({ roles: ["webpubsub.sendToGroup"] }), { joins: false, sends: true }],
        [
          "the holder of a role for one group",
          json({ roles: ["webpubsub.sendToGroup.unknown"] }),
          { joins: false, sends: true },
        ],
        ["the holder of no roles", json({ roles: [] }), { joins: false }],
        ["the holder of no roles, by unknown roles", json({ roles: ["admin", ""] }), { joins: false }],
        [
          "names in another case say",
          json({ USERID: "bob", Groups: ["a"], ROLES: ["webpubsub.sendToGroup"], subProtocol: JSON_V1 }),
          { user: "bob", groups: ["a"], joins: false, sends: true },
        ],
        [
          "JSON of another content type says",
          { headers: { "content-type": "text/plain" }, body: '{"userId":"bob"}' },
          { user: "bob" },
        ],
        ["JSON without a content type says", { status: 201, body: ' {"userId":"bob"}\n' }, { user: "bob" }],
      ]) {
        test(`lets a client in as ${what}`, async (t) => {
          const { hub } = await start(service, t, answer);
          assert.deepEqual(await standing(hub, await hub.connect(TOKEN)), { ...AS_IN_TOKEN, ...expected });
        });
      }

      for (const [what, offer, chosen, echoed] of [
        ["the first known one where none is chosen", ["other.v1", RELIABLE_V1, JSON_V1], undefined, RELIABLE_V1],
        ["the one that is chosen", [JSON_V1, PROTOBUF_V1], PROTOBUF_V1, PROTOBUF_V1],
        [
          "the one that is chosen, in the client's spelling",
          [RELIABLE_V1, "JSON.webpubsub.azure.V1"],
          JSON_V1,
          "JSON.webpubsub.azure.V1",
        ],
        ["an unknown one, if it is chosen", [JSON_V1, "other.v1"], "other.v1", "other.v1"],
      ]) {
        test(`settles on a subprotocol: ${what}`, async (t) => {
          const { handler, hub } = await start(service, t, json({ subprotocol: chosen }));
          await hub.useHandler(handler, { ...CONNECT, userEventPattern: "*" });
          const socket = await Socket.open(hub.clientUrl(), { protocols: offer });
          assert.equal(socket.protocol, echoed);
          if (echoed === "other.v1") {
            // It is a simple client in all but its name.
            handler.answer("user.message", { headers: { "content-type": "text/plain" }, body: "hey" });
            socket.send("hi");
            assert.equal(await socket.next(), "hey");
            assert.equal((await handler.next("user.message")).header("ce-subprotocol"), "other.v1");
          }
        });
      }

      test("is refused with 500 for a subprotocol that was not offered", async (t) => {
        const { handler, hub } = await start(service, t);
        for (const [offer, chosen] of cases([
          [[JSON_V1], PROTOBUF_V1],
          [[JSON_V1], "other.v1"],
          [[], JSON_V1],
          [["other.v1"], "other.v2"],
        ])) {
          handler.answer("sys.connect", json({ subprotocol: chosen }));
          assert.equal((await refusal(Socket.open(hub.clientUrl(), { protocols: offer }))).status, 500, chosen);
        }
      });

      for (const status of [400, 401, 403, 404, 409, 418, 429, 499]) {
        test(`is refused with the handler's status and words: ${status}`, async (t) => {
          const headers = {
            "content-type": "application/json",
            "set-cookie": "a=b",
            "x-internal": "secret",
            "www-authenticate": "Basic",
          };
          const { handler, hub } = await start(service, t, { status, headers, body: "not today, ü" });
          const { status: got, body, headers: received } = await refusal(hub.connect(TOKEN));
          assert.deepEqual([got, body], [status, "not today, ü"]);
          assert.match(received["content-type"] ?? "", /^text\/plain/);
          for (const name of ["set-cookie", "x-internal"]) assert.equal(received[name], undefined, name);
          assert.equal(
            received["www-authenticate"],
            [401, 403].includes(status) ? "Bearer" : undefined,
            "the service's own challenge",
          );
          assert.equal(handler.count("sys.connect"), 1);
        });
      }

      for (const status of [401, 403]) {
        test(`is refused in the service's words if a handler has none: ${status}`, async (t) => {
          const { hub } = await start(service, t, { status });
          expectUnauthorized(await refusal(hub.connect(TOKEN)), "The event handler refused the connection.", status);
        });
      }

      for (const answer of [{ userId: ".." }, { groups: ["room", "."] }]) {
        test(`cannot give a name that URLs resolve: ${JSON.stringify(answer)}`, async (t) => {
          const { handler, hub } = await start(service, t);
          handler.answer("sys.connect", json(answer));
          assert.equal((await refusal(hub.connect(TOKEN))).status, 500);
        });
      }

      for (const status of [500, 502, 503, 599]) {
        test(`is refused with the handler's last status, not words: ${status}`, async (t) => {
          const { handler, hub } = await start(service, t, { status, body: "a stack trace" });
          const { status: got, body } = await refusal(hub.connect(TOKEN));
          assert.equal(got, status);
          assert.ok(!body.includes("stack trace"), body);
          assert.equal(handler.count("sys.connect"), ATTEMPTS);
        });
      }

      for (const [what, answer] of [
        ["words", { body: "welcome" }],
        ["half an object", { body: '{"userId":"bob"' }],
        ["a string", json("bob")],
        ["a number", json(1)],
        ["an array", json([])],
        ["two objects", { body: "{}{}" }],
        ["a user id that is no string", json({ userId: 1 })],
        ["groups that are no list", json({ groups: "a" })],
        ["a group that is no string", json({ groups: [1] })],
        ["a group that is null", json({ groups: [null] })],
        ["a group that is empty", json({ groups: ["a", ""] })],
        ["a group of blanks", json({ groups: [" "] })],
        ["a group of 1025 characters", json({ groups: ["g".repeat(1025)] })],
        ["roles that are no list", json({ roles: "webpubsub.sendToGroup" })],
        ["a role that is null", json({ roles: ["webpubsub.sendToGroup", null] })],
        ["a role that is no string", json({ roles: [1] })],
        ["a subprotocol that is no string", json({ subprotocol: 1 })],
        ["a body of 17 MiB", { body: TOO_LARGE }],
        ["a redirect", { status: 302, headers: { location: "/elsewhere" }, body: "{}" }],
        ["a status that means nothing", { status: 304 }],
      ]) {
        test(`is refused with 500 for an answer of ${what}`, async (t) => {
          const { handler, hub } = await start(service, t, answer);
          assert.equal((await refusal(hub.connect(TOKEN))).status, 500);
          assert.equal(handler.asked.filter(({ url }) => url.includes("elsewhere")).length, 0);
          assert.equal(handler.count("sys.connect"), 1, "it is not asked again");
        });
      }

      for (const [what, answer] of [
        ["resets the connection", reset],
        ["answers in no HTTP", garbage],
        ["breaks off", half],
      ]) {
        test(`is refused with 500 by a handler that at last ${what}`, async (t) => {
          const { handler, hub } = await start(service, t, answer);
          assert.equal((await refusal(hub.connect(TOKEN))).status, 500);
          expectAllAttempts(handler);
        });
      }

      test("is refused with 500 for an answer without an end", async (t) => {
        const { handler, hub } = await start(service, t, endless);
        assert.equal((await refusal(hub.connect(TOKEN))).status, 500);
        await (await handler.next("sys.connect")).over;
      });

      test("is refused with 500 where no handler answers", async (t) => {
        const { handler, hub } = await start(service, t);
        handler.stop();
        assert.equal((await refusal(hub.connect(TOKEN))).status, 500);
        const { status } = await request(service.endpoint, "HEAD", "/api/health?api-version=2024-12-01");
        assert.equal(status, 200);
      });

      test("is asked about again until it is answered", async (t) => {
        const { handler, hub } = await start(service, t);
        handler.answer("sys.connect", { status: 503 }, reset, { status: 408 }, json({ userId: "bob" }));
        const { connected, id } = await hub.connect(TOKEN);
        assert.equal(connected.userId, "bob");
        const asked = handler.asked.filter(({ kind }) => kind === "sys.connect");
        assert.deepEqual(
          asked.map(({ connection }) => connection),
          Array(ATTEMPTS).fill(id),
        );
        for (const one of asked) assert.equal(one.text, asked[0].text);
      });

      test("is not asked about in a recovery", async (t) => {
        const { handler, hub } = await start(service, t);
        const alice = await hub.connectReliable(TOKEN);
        handler.answer("sys.connect", { status: 403 });
        alice.cut();
        const again = await hub.recover(alice);
        await hub.send("/groups/lobby", "back");
        assert.equal((await again.json()).data, "back");
        assert.equal(handler.count("sys.connect"), 1);
      });

      for (const kind of clientKinds) {
        test(`lets ${kind.name} clients in, and refuses them`, async (t) => {
          const { handler, hub } = await start(service, t, json({ groups: ["a"] }));
          const socket = await kind.connect(hub, TOKEN);
          await hub.send("/groups/a", "inside");
          assert.ok((await socket.next()).includes("inside"));
          handler.answer("sys.connect", { status: 403, body: "no" });
          assert.deepEqual((({ status, body }) => [status, body])(await refusal(kind.connect(hub, TOKEN))), [
            403,
            "no",
          ]);
        });
      }
    });
  },
  { steady: OWN_SHARD, variables: AT_ONCE, inMemory: true },
);

forEachShardCount(
  "Connecting in time",
  (service) => {
    describe("at the same time", { concurrency: true }, () => {
      for (const [what, answer] of [
        ["never answers", hang],
        ["never ends its answer", headOnly],
      ]) {
        test(`is refused with 500 by a handler that ${what}`, async (t) => {
          const { handler, hub } = await start(service, t, answer);
          assert.equal((await refusal(hub.connect(TOKEN))).status, 500);
          assert.equal(handler.count("sys.connect"), 1, "it had all the time");
        });
      }
    });
  },
  { steady: OWN_SHARD, variables: { ...AT_ONCE, EVENT_TIMEOUT_SECONDS: TIMEOUT_SECONDS }, inMemory: true },
);
