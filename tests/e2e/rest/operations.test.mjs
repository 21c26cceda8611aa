// Closing, groups, permissions and members over REST: what each operation answers, and what comes of it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { present } from "../../support/found.mjs";
import { ALL_ROLES } from "../../support/hub.mjs";
import { expectError, expectInvalidFilter, expectUnauthorized, MISSING_TOKEN, request } from "../../support/rest.mjs";
import { forEachShardCount } from "../../support/service.mjs";
import { sign } from "../../support/token.mjs";
import { cases } from "../../support/cases.mjs";

const bulk = (body, type = "application/json") => ({
  headers: { "content-type": type },
  body: typeof body === "string" ? body : JSON.stringify(body),
});
const BAD_REQUEST = "Error.BadRequest";

forEachShardCount("REST operations", (service) => {
  /**
   * Asks, and fails unless the answer has this status, this code in its header if any, and no body.
   * @param {import("../../support/hub.mjs").Hub} hub
   * @param {string} method
   * @param {string} path
   * @param {number} status
   * @param {import("../../support/hub.mjs").RequestOptions & { code?: string }} options
   */
  async function expectEmpty(hub, method, path, status, { code, ...options } = {}) {
    const answer = await hub.rest(method, path, options);
    assert.deepEqual(
      [answer.status, answer.headers["x-ms-error-code"], answer.body],
      [status, code, ""],
      `${method} ${path}`,
    );
  }

  async function membersOf(hub, group, query) {
    const { status, headers, body } = await hub.rest("GET", `/groups/${group}/connections`, { query });
    assert.equal(status, 200, body);
    assert.match(headers["content-type"] ?? "", /^application\/json/);
    return JSON.parse(body);
  }

  const idsOf = ({ value }) => value.map(({ connectionId }) => connectionId);
  const sorted = (...sockets) => sockets.map(({ id }) => id).sort();
  const expectMembers = async (hub, group, ...sockets) =>
    assert.deepEqual(idsOf(await membersOf(hub, group)), sorted(...sockets), group);

  const permission = (name, { id }) => `/permissions/${name}/connections/${id}`;
  const targeted = (targetName) => ({ query: { targetName } });

  test("each operation has its status, however often it is asked", async () => {
    const hub = service.newHub();
    const alice = await hub.connect({ user: "alice" });
    for (const [method, path, status, options] of /** @type {[string, string, number, object?][]} */ ([
      ["POST", "/:addToGroups", 200, bulk({ groups: ["room"] })],
      ["POST", "/:removeFromGroups", 200, bulk({ groups: ["room"] })],
      ["PUT", `/groups/room/connections/${alice.id}`, 200],
      ["DELETE", `/groups/room/connections/${alice.id}`, 204],
      ["PUT", "/users/alice/groups/room", 200],
      ["DELETE", "/users/alice/groups/room", 204],
      ["DELETE", "/users/alice/groups", 204],
      ["DELETE", `/connections/${alice.id}/groups`, 204],
      ["PUT", permission("sendToGroup", alice), 200, targeted("room")],
      ["HEAD", permission("sendToGroup", alice), 200, targeted("room")],
      ["DELETE", permission("sendToGroup", alice), 204, targeted("room")],
      ["POST", "/groups/room/:closeConnections", 204],
      ["POST", "/users/alice/:closeConnections", 204],
      ["DELETE", `/connections/${alice.id}`, 204],
      ["POST", "/:closeConnections", 204],
    ])) {
      for (let time = 1; time <= 2; time++) await expectEmpty(hub, method, path, status, options);
    }
    await alice.expectClosedByServer();
  });

  test("what needs no connection succeeds without one", async () => {
    const hub = service.newHub();
    for (const [method, path, status, options] of /** @type {[string, string, number, object?][]} */ ([
      ["POST", "/:addToGroups", 200, bulk({ groups: ["room"] })],
      ["POST", "/:removeFromGroups", 200, bulk({ groups: ["room"], filter: null })],
      ["POST", "/:closeConnections", 204],
      ["DELETE", "/connections/unknown", 204],
      ["DELETE", "/connections/unknown/groups", 204],
      ["POST", "/groups/room/:closeConnections", 204],
      ["DELETE", "/groups/room/connections/unknown", 204],
      ["POST", "/users/unknown/:closeConnections", 204],
      ["DELETE", "/users/unknown/groups/room", 204],
      ["DELETE", "/users/unknown/groups", 204],
      ["DELETE", permission("joinLeaveGroup", { id: "unknown" }), 204, targeted("room")],
    ])) {
      await expectEmpty(hub, method, path, status, options);
    }
    assert.deepEqual(await membersOf(hub, "room"), { value: [], nextLink: null });
  });

  test("what needs a connection gets 404 that names what is missing", async () => {
    const hub = service.newHub();
    const gone = await hub.connect();
    await gone.close(1000);
    for (const id of ["unknown", gone.id]) {
      const message = `Connection \`${id}\` is not found.`;
      const added = await hub.rest("PUT", `/groups/room/connections/${id}`);
      expectError(added, 404, { code: "Error.Connection.NotExisted", target: "Connection", message });
      const granted = await hub.rest("PUT", permission("sendToGroup", { id }), targeted("room"));
      expectError(granted, 404, { code: "Info.Connection.NotExisted", target: "Connection", message });
      await expectEmpty(hub, "HEAD", permission("sendToGroup", { id }), 404, {
        code: "Info.Connection.NotExisted",
        ...targeted("room"),
      });
    }
    const added = await hub.rest("PUT", "/users/no%2Fbody/groups/room");
    expectError(added, 404, { code: "Error.User.NotExisted", target: "User", message: "User `no/body` is not found." });
  });

  test("a reason of 200 characters reaches readers and closes alike", async () => {
    const hub = service.newHub();
    const reason = "größer ".repeat(29).slice(0, 200);
    const spared = await hub.connect({ user: "spared" });
    const readers = [await hub.connect(), await hub.connectReliable({ user: "alice" })];
    const simple = await hub.connectSimple();
    await expectEmpty(hub, "POST", "/:closeConnections", 204, {
      query: [
        ["reason", reason],
        ["excluded", spared.id],
        ["excluded", "unknown"],
      ],
    });
    await Promise.all(readers.map((socket) => socket.expectClosedByServer(reason)));
    assert.deepEqual(await simple.closed(), { code: 1000, reason: "" });
    await assert.rejects(simple.next(), /closed with 1000/, "nothing but the close");
    for (const { id } of readers) assert.equal(await hub.exists(`/connections/${id}`), false);
    await spared.expectSilence();
  });

  test("closing a user or a group spares excluded and all others", async () => {
    const hub = service.newHub();
    const connect = (user) => hub.connect({ user, groups: ["room"] });
    const [alice, sparedAlice, bob, sparedBob] = [
      await connect("alice"),
      await connect("alice"),
      await connect("bob"),
      await connect("bob"),
    ];
    const outside = await hub.connect({ user: "Alice" });
    const spare = (...sockets) => ({ query: [["reason", ""], ...sockets.map(({ id }) => ["excluded", id])] });
    await expectEmpty(hub, "POST", "/users/alice/:closeConnections", 204, spare(sparedAlice));
    await expectMembers(hub, "room", sparedAlice, bob, sparedBob);
    await expectEmpty(hub, "POST", "/groups/room/:closeConnections", 204, spare(sparedAlice, sparedBob));
    await expectMembers(hub, "room", sparedAlice, sparedBob);
    await Promise.all([alice, bob].map((socket) => socket.expectClosedByServer()));
    for (const socket of [sparedAlice, sparedBob, outside]) await socket.expectSilence();
  });

  test("a user's groups are those of its present connections", async () => {
    const hub = service.newHub();
    const early = [await hub.connect({ user: "alice" }), await hub.connectReliable({ user: "alice" })];
    const other = await hub.connect({ user: "Alice" });
    await expectEmpty(hub, "PUT", "/users/alice/groups/room", 200);
    const late = await hub.connect({ user: "alice" });
    await expectMembers(hub, "room", ...early);
    await hub.send("/groups/room", "to the early");
    for (const socket of early) assert.equal((await socket.json()).data, "to the early");
    for (const socket of [late, other]) await socket.expectSilence();
  });

  test("without a filter, or with an empty one, all join groups", async () => {
    const hub = service.newHub();
    const sockets = [await hub.connect({ user: "alice" }), await hub.connect()];
    for (const [n, filter] of [undefined, null, "", "true"].entries()) {
      await expectEmpty(hub, "POST", "/:addToGroups", 200, bulk({ groups: [`g${n}`, `g${n}`, "shared"], filter }));
      await expectMembers(hub, `g${n}`, ...sockets);
    }
    await expectMembers(hub, "shared", ...sockets);
  });

  test("receivers are known before any change, however many groups", async () => {
    const hub = service.newHub();
    const sockets = await Promise.all([1, 2, 3].map(() => hub.connect()));
    const groups = Array.from({ length: 1000 }, (_, n) => `g${n}`);
    await expectEmpty(hub, "POST", "/:addToGroups", 200, bulk({ groups, filter: "length(groups) eq 0" }));
    for (const group of ["g0", "g1", "g999"]) await expectMembers(hub, group, ...sockets);
    await expectEmpty(
      hub,
      "POST",
      "/:removeFromGroups",
      200,
      bulk({ groups, filter: "'g0' in groups and length(groups) eq 1000" }),
    );
    for (const group of ["g0", "g1", "g999"]) await expectMembers(hub, group);
  });

  test("changes that make no sense are refused, and change nothing", async () => {
    const hub = service.newHub();
    const alice = await hub.connect({ groups: ["left"] });
    for (const [body, target] of cases([
      ["", "Request"],
      ["{", "Request"],
      [{}, "groups"],
      [{ groups: [] }, "groups"],
      [{ groups: "room" }, "groups"],
      [{ groups: ["room", " "] }, "groups"],
      [{ groups: ["room", 1] }, "groups"],
      [{ groups: ["room", "g".repeat(1025)] }, "groups"],
      [{ groups: ["room", ".."] }, "group"],
      [{ groups: ["room", "left"], filter: 1 }, "filter"],
    ])) {
      for (const path of ["/:addToGroups", "/:removeFromGroups"]) {
        expectError(await hub.rest("POST", path, bulk(body)), 400, { code: BAD_REQUEST, target });
      }
    }
    for (const filter of [" ", "userId lt 1"]) {
      for (const path of ["/:addToGroups", "/:removeFromGroups"]) {
        assert.equal((await hub.rest("POST", path, bulk({ groups: ["room", "left"], filter }))).status, 400, filter);
      }
    }
    for (const type of ["text/plain", "application/octet-stream", "json"]) {
      assert.equal((await hub.rest("POST", "/:addToGroups", bulk({ groups: ["room"] }, type))).status, 415, type);
    }
    assert.equal(
      (await hub.rest("POST", "/:addToGroups", { body: '{"groups":["room"]}' })).status,
      415,
      "no content type",
    );
    assert.equal(await hub.exists("/groups/room"), false);
    await expectMembers(hub, "left", alice);
  });

  test("the answer says what is wrong with a filter", async () => {
    const hub = service.newHub();
    for (const [filter, message] of [
      ["( not 'a' )", "Invalid syntax for 'not 'a'': Type 'string', expect 'bool'. (Parameter 'filter')"],
      ["userId lt 1", "Invalid syntax for 'userId lt 1': Type 'string', expect 'int'. (Parameter 'filter')"],
      [
        "invalid(ab,c)",
        "Invalid syntax for 'invalid(ab,c)': Token 'invalid(ab,c)' is not supported. (Parameter 'filter')",
      ],
    ]) {
      for (const target of ["", "/groups/room", "/users/alice"]) {
        const answer = await hub.rest("POST", `${target}/:send`, { query: { filter }, body: "x" });
        expectInvalidFilter(answer, "filter", message);
      }
      expectInvalidFilter(
        await hub.rest("POST", "/:addToGroups", bulk({ groups: ["room"], filter })),
        "Filter",
        message,
      );
    }
  });

  const may = async (hub, name, socket, group) => {
    const { status } = await hub.rest("HEAD", permission(name, socket), targeted(group));
    assert.ok(status === 200 || status === 404);
    return status === 200;
  };
  const grant = (hub, name, socket, group) => expectEmpty(hub, "PUT", permission(name, socket), 200, targeted(group));

  test("a permission has two names, in any case, and two numbers", async () => {
    const hub = service.newHub();
    const alice = await hub.connect();
    for (const [alias, name] of [
      ["SENDTOGROUP", "sendToGroup"],
      ["1", "sendToGroup"],
      ["joinleavegroup", "joinLeaveGroup"],
      ["2", "joinLeaveGroup"],
    ]) {
      await grant(hub, alias, alice, `by ${alias}`);
      assert.equal(await may(hub, name, alice, `by ${alias}`), true, alias);
    }
    for (const name of ["send", "0", "3", "sendToGroups"]) {
      expectError(await hub.rest("PUT", permission(name, alice), targeted("room")), 400, {
        code: BAD_REQUEST,
        target: "permission",
      });
    }
    expectError(
      await hub.rest("PUT", permission("sendToGroup", alice), {
        query: [
          ["targetName", "a"],
          ["targetName", "b"],
        ],
      }),
      400,
      { code: BAD_REQUEST, target: "targetName" },
    );
  });

  test("a page of members links to the next one, until the last", async () => {
    const hub = service.newHub();
    const sockets = await Promise.all(
      [1, 2, 3, 4, 5].map((n) => hub.connect({ user: n === 3 ? undefined : `user ${n}`, groups: ["the room/1"] })),
    );
    const ids = sorted(...sockets);
    const whole = await membersOf(hub, "the%20room%2F1");
    assert.deepEqual([idsOf(whole), whole.nextLink], [ids, null]);
    for (const [n, { id }] of sockets.entries()) {
      const { userId } = whole.value.find(({ connectionId }) => connectionId === id);
      assert.equal(userId, n === 2 ? null : `user ${n + 1}`);
    }

    const path = `${service.endpoint}/api/hubs/${hub.name}/groups/the%20room%2F1/connections`;
    const pages = [await membersOf(hub, "the%20room%2F1", { maxpagesize: 2, top: 4 })];
    const { nextLink } = pages[0];
    const { origin, pathname, searchParams } = new URL(nextLink);
    assert.equal(origin + pathname, path);
    assert.ok(searchParams.get("continuationToken"));
    searchParams.delete("continuationToken");
    assert.deepEqual(Object.fromEntries(searchParams), { "api-version": "2024-12-01", maxpagesize: "2", top: "2" });

    const authorization = `Bearer ${sign({ aud: nextLink }, service.key)}`;
    const { status, body } = await request(service.endpoint, "GET", nextLink.slice(service.endpoint.length), {
      headers: { authorization },
    });
    assert.equal(status, 200, body);
    pages.push(JSON.parse(body));
    assert.deepEqual(pages.map(idsOf), [ids.slice(0, 2), ids.slice(2, 4)]);
    assert.equal(pages[1].nextLink, null, "no more than were asked for");
  });

  test("a page holds 200 members by default", async () => {
    const hub = service.newHub();
    await Promise.all(Array.from({ length: 201 }, () => hub.connectSimple({ groups: ["room"] })));
    const { value, nextLink } = await membersOf(hub, "room");
    assert.equal(value.length, 200);
    const continuationToken = new URL(nextLink).searchParams.get("continuationToken");
    const rest = await membersOf(hub, "room", { continuationToken });
    assert.deepEqual([rest.value.length, rest.nextLink], [1, null]);
    assert.ok(rest.value[0].connectionId > value.at(-1).connectionId);
  });

  test("a list goes on after its last member, even if that left", async () => {
    const hub = service.newHub();
    const sockets = await Promise.all([1, 2, 3].map(() => hub.connect({ groups: ["room"] })));
    const ids = sorted(...sockets);
    const { nextLink } = await membersOf(hub, "room", { maxpagesize: 1 });
    await expectEmpty(hub, "DELETE", `/groups/room/connections/${ids[0]}`, 204);
    const rest = await membersOf(hub, "room", {
      continuationToken: new URL(nextLink).searchParams.get("continuationToken"),
    });
    assert.deepEqual(idsOf(rest), ids.slice(1));
  });

  test("a continuation token fits its list only and is unforgeable", async () => {
    const hub = service.newHub();
    const other = service.newHub();
    for (const each of [hub, hub, other, other]) await each.connect({ groups: ["room", "other"] });
    const { nextLink } = await membersOf(hub, "room", { maxpagesize: 1 });
    const token = present(new URL(nextLink).searchParams.get("continuationToken"), "a continuation token");
    const tampered = token.replace(/.$/, (last) => (last === "A" ? "Q" : "A"));
    const changed = token.replace(/^./, (first) => (first === "A" ? "B" : "A"));
    for (const [where, group, continuationToken] of cases([
      [hub, "room", tampered],
      [hub, "room", changed],
      [hub, "room", "nonsense"],
      [hub, "room", ""],
      [hub, "room", "a".repeat(2049)],
      [hub, "other", token],
      [hub, "Room", token],
      [other, "room", token],
    ])) {
      const answer = await where.rest("GET", `/groups/${group}/connections`, { query: { continuationToken } });
      expectError(answer, 400, { code: BAD_REQUEST, target: "continuationToken" });
    }
  });

  test("sizes of pages and numbers of members that are none get 400", async () => {
    const hub = service.newHub();
    for (const [name, largest] of cases([
      ["maxpagesize", 200],
      ["top", 2_147_483_647],
    ])) {
      for (const number of [1, largest]) await membersOf(hub, "room", { [name]: number });
      for (const query of [
        ...[0, -1, 1.5, largest + 1, "", "many"].map((number) => [[name, number]]),
        [
          [name, 1],
          [name, 1],
        ],
      ]) {
        expectError(await hub.rest("GET", "/groups/room/connections", { query }), 400, {
          code: BAD_REQUEST,
          target: name,
        });
      }
    }
  });

  test("an absent reliable connection is there until it is closed", async () => {
    const hub = service.newHub();
    const alice = await hub.connectReliable({ user: "alice" });
    alice.cut();
    for (const path of [`/connections/${alice.id}`, "/users/alice"]) assert.equal(await hub.exists(path), true, path);
    await expectEmpty(hub, "PUT", `/groups/by_id/connections/${alice.id}`, 200);
    await expectEmpty(hub, "PUT", "/users/alice/groups/by_user", 200);
    await expectEmpty(hub, "POST", "/:addToGroups", 200, bulk({ groups: ["by_filter"], filter: "userId eq 'alice'" }));
    const targets = [
      "/groups/by_id",
      "/groups/by_user",
      "/groups/by_filter",
      "/users/alice",
      `/connections/${alice.id}`,
      "",
    ];
    for (const target of targets.slice(0, 3)) await expectMembers(hub, target.slice("/groups/".length), alice);
    for (const target of targets) await hub.send(target, target);

    const again = await hub.recover(alice);
    for (const [n, target] of targets.entries()) {
      const { data, sequenceId } = await again.json();
      assert.deepEqual([data, sequenceId], [target, n + 1]);
    }
    again.cut();
    await expectEmpty(hub, "DELETE", "/users/alice/groups", 204);
    for (const group of ["by_id", "by_user", "by_filter"])
      assert.equal(await hub.exists(`/groups/${group}`), false, group);
    await expectEmpty(hub, "POST", "/users/alice/:closeConnections", 204);
    for (const path of [`/connections/${alice.id}`, "/users/alice"]) assert.equal(await hub.exists(path), false, path);
    assert.equal((await (await hub.recover(alice)).closed()).code, 1008);
  });

  test("none of it is done without a token", async () => {
    const hub = service.newHub();
    const alice = await hub.connect({ user: "alice", roles: ALL_ROLES, groups: ["room"] });
    for (const [method, path, options] of /** @type {[string, string, object?][]} */ ([
      ["POST", "/:closeConnections"],
      ["POST", "/:removeFromGroups", bulk({ groups: ["room"] })],
      ["DELETE", `/connections/${alice.id}`],
      ["DELETE", "/users/alice/groups"],
      ["GET", "/groups/room/connections"],
      ["DELETE", permission("sendToGroup", alice), targeted("room")],
    ])) {
      expectUnauthorized(await hub.rest(method, path, { ...options, token: "" }), MISSING_TOKEN);
    }
    await alice.expectSilence();
    await expectMembers(hub, "room", alice);
  });

  test("the API describes itself to everybody", async () => {
    const { status, headers, body } = await request(service.endpoint, "GET", "/api/openapi.json");
    assert.equal(status, 200);
    assert.match(headers["content-type"] ?? "", /^application\/json/);
    const document = JSON.parse(readFileSync(new URL("../../../www/api/openapi.json", import.meta.url), "utf8"));
    assert.deepEqual(JSON.parse(body), document);
  });
});
