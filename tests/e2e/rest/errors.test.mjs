// What REST refuses, in which order, and what every answer carries.
import assert from "node:assert/strict";
import { test } from "node:test";
import { expectError, expectInvalidFilter, expectUnauthorized, MISSING_TOKEN, request } from "../../support/rest.mjs";
import { forEachShardCount } from "../../support/service.mjs";
import { claimsOf, sign } from "../../support/token.mjs";
import { cases } from "../../support/cases.mjs";

const VERSIONS = "2021-10-01, 2022-11-01, 2023-07-01, 2024-01-01, 2024-12-01";
const text = { "content-type": "text/plain" };
// What five of Microsoft's own live tests read out of an error.
const INVALID_FILTER =
  "Invalid syntax for 'invalid filter': Syntax error at position 14 in 'invalid filter'. (Parameter 'filter')";

forEachShardCount(
  "REST refusals",
  (service) => {
    test("health needs no token", async () => {
      for (const method of ["HEAD", "GET"]) {
        for (const target of ["/api/health", "/api/health?api-version=2024-12-01"]) {
          const { status, body } = await request(service.endpoint, method, target);
          assert.deepEqual([status, body], [200, ""], `${method} ${target}`);
        }
      }
    });

    test("every answer names the versions that there are", async () => {
      const hub = service.newHub();
      for (const [expected, answer] of cases([
        [200, await request(service.endpoint, "HEAD", "/api/health")],
        [202, await hub.rest("POST", "/:send", { headers: text, body: "x" })],
        [400, await hub.rest("POST", "/:send", { headers: text, body: "x", query: { "api-version": "2020" } })],
        [401, await hub.rest("POST", "/:send", { token: "" })],
        [404, await hub.rest("HEAD", "/users/unknown")],
        [415, await hub.rest("POST", "/:send", { headers: { "content-type": "text/html" }, body: "x" })],
        [200, await hub.rest("POST", "/:generateToken")],
        [200, await hub.rest("GET", "/groups/room/connections")],
        [204, await hub.rest("POST", "/:closeConnections")],
        [404, await hub.rest("PUT", "/groups/room/connections/unknown")],
        [404, await hub.rest("POST", "/:shout")],
        [405, await hub.rest("GET", "/:send")],
      ])) {
        assert.deepEqual([answer.status, answer.headers["api-supported-versions"]], [expected, VERSIONS]);
      }
    });

    test("every version serves all; the newest where none is named", async () => {
      const hub = service.newHub();
      const post = (search) => {
        const target = `/api/hubs/${hub.name}/:send${search}`;
        const authorization = `Bearer ${sign({ aud: service.endpoint + target }, service.key)}`;
        return request(service.endpoint, "POST", target, { headers: { ...text, authorization }, body: "x" });
      };
      const json = { "content-type": "application/json" };
      for (const version of [
        ...VERSIONS.split(", "),
        "2021-05-01-preview",
        "2021-08-01-preview",
        "2022-10-01-preview",
      ]) {
        const query = { "api-version": version };
        assert.equal((await post(`?api-version=${version}&messageTtlSeconds=1&filter=true`)).status, 202, version);
        for (const [method, path, status, options] of /** @type {[string, string, number, object?][]} */ ([
          ["POST", "/:addToGroups", 200, { headers: json, body: '{"groups":["room"]}' }],
          ["GET", "/groups/room/connections", 200],
          ["DELETE", "/connections/unknown/groups", 204],
          ["POST", "/:generateToken", 200],
        ])) {
          assert.equal((await hub.rest(method, path, { query, ...options })).status, status, `${version}: ${path}`);
        }
        const { body } = await hub.rest("POST", "/:generateToken", {
          query: { ...query, group: "room", clientType: "default" },
        });
        assert.deepEqual([claimsOf(JSON.parse(body).token)["webpubsub.group"]].flat(), ["room"], version);
      }
      assert.equal((await post("")).status, 202);
      for (const search of [
        "?api-version=",
        "?api-version=2020-01-01",
        "?api-version=2021-10-01,2024-12-01",
        "?api-version=2024-12-01&api-version=2024-12-01",
      ]) {
        assert.equal((await post(search)).status, 400, search);
      }
    });

    test("names that are none get 400", async () => {
      const hub = service.newHub();
      const message = async (path, name = hub.name) => {
        const { status, body } = await Object.assign(service.newHub(), { name }).rest("POST", `${path}/:send`, {
          headers: text,
          body: "x",
        });
        assert.equal(status, 400, path);
        return JSON.parse(body).message;
      };
      assert.equal(await message("", "1hub"), "Invalid hub name.");
      assert.equal(await message("", "h".repeat(129)), "Invalid hub name.");
      assert.equal(await message(`/groups/${"g".repeat(1025)}`), "Invalid group name.");
      assert.equal(await message("/groups/%20"), "Invalid group name.");
      assert.ok(await message("/users/%20%09"));
      assert.ok(await message("/connections/%20"));
    });

    test("unknown paths get 404 with a body", async () => {
      const hub = service.newHub();
      for (const [method, path] of [
        ["POST", "/:shout"],
        ["POST", "/nothing/:send"],
        ["HEAD", "/users/alice/shoes"],
        ["GET", ""],
      ]) {
        const { status } = await hub.rest(method, path, { headers: text, body: method === "POST" ? "x" : undefined });
        assert.equal(status, 404, `${method} ${path}`);
      }
    });

    test("methods that a path does not know get 405 and its methods", async () => {
      const hub = service.newHub();
      for (const [method, path, known] of [
        ["GET", "/:send", "POST"],
        ["POST", "/groups/room", "HEAD"],
        ["PUT", "/users/alice", "HEAD"],
      ]) {
        const { status, headers } = await hub.rest(method, path);
        assert.deepEqual([status, headers.allow], [405, known], `${method} ${path}`);
      }
    });

    test("an invalid filter gets 400, and an empty one is none", async () => {
      const hub = service.newHub();
      const socket = await hub.connect({ groups: ["room"] });
      for (const target of ["", "/groups/room", "/users/alice"]) {
        const post = (filter) => hub.rest("POST", `${target}/:send`, { query: { filter }, headers: text, body: "x" });
        expectInvalidFilter(await post("invalid filter"), "filter", INVALID_FILTER);
        assert.equal((await post("")).status, 202);
      }
      for (const from of ["server", "group"]) assert.equal((await socket.json()).from, from);
      await socket.expectSilence();
    });

    test("an invalid filter in a body is answered as in the query", async () => {
      const hub = service.newHub();
      for (const operation of [":addToGroups", ":removeFromGroups"]) {
        const body = JSON.stringify({ groups: ["room"], filter: "invalid filter" });
        const answer = await hub.rest("POST", `/${operation}`, {
          headers: { "content-type": "application/json" },
          body,
        });
        expectInvalidFilter(answer, "Filter", INVALID_FILTER);
      }
    });

    test("a permission without a group gets 400 as on Azure", async () => {
      const hub = service.newHub();
      const message = "Invalid group name. Valid group name should be in between 1 and 1024 characters long.";
      for (const method of ["PUT", "DELETE"]) {
        for (const query of [{}, { targetName: "" }, { targetName: " " }, { targetName: "g".repeat(1025) }]) {
          const answer = await hub.rest(method, "/permissions/joinLeaveGroup/connections/x", { query });
          expectError(answer, 400, { code: "Error.BadRequest", target: "Request", message });
        }
      }
      assert.equal((await hub.rest("HEAD", "/permissions/joinLeaveGroup/connections/x")).status, 400);
    });

    test("names that URLs resolve get 400 and words", async () => {
      const hub = service.newHub();
      const why = "`.` and `..` are no names, since URLs resolve them as path segments.";
      const expectRefused = (answer, target, name) =>
        expectError(answer, 400, { code: "Error.BadRequest", target, message: `Invalid ${name}. ${why}` });
      for (const dots of [".", ".."]) {
        expectRefused(await hub.rest("POST", "/:generateToken", { query: { userId: dots } }), "userId", "userId");
        expectRefused(await hub.rest("POST", "/:generateToken", { query: { group: dots } }), "group", "group name");
        expectRefused(
          await hub.rest("PUT", "/permissions/sendToGroup/connections/x", { query: { targetName: dots } }),
          "group",
          "group name",
        );
        const body = JSON.stringify({ groups: ["room", dots] });
        expectRefused(
          await hub.rest("POST", "/:addToGroups", { headers: { "content-type": "application/json" }, body }),
          "group",
          "group name",
        );
      }
    });

    test("a call about a user that URLs resolve changes nothing", async () => {
      const hub = service.newHub();
      const alice = await hub.connect({ user: "alice", groups: ["room"] });
      for (const dots of ["..", "%2e%2e", "%2E%2E", ".%2e", ".", "%2e"]) {
        for (const path of [`/users/${dots}/:send`, `/groups/${dots}/:send`, `/users/${dots}/:closeConnections`]) {
          const { status } = await hub.rest("POST", path, { headers: text, body: "x" });
          assert.ok(status >= 400 && status < 500, `${path}: ${status}`);
        }
      }
      await alice.expectSilence();
    });

    test("a trailing slash and the case of API words do not matter", async () => {
      const hub = service.newHub();
      const socket = await hub.connect({ user: "alice" });
      for (const target of [`/API/Hubs/${hub.name}/Users/alice`, `/api/hubs/${hub.name.toUpperCase()}/users/alice/`]) {
        const authorization = `Bearer ${sign({ aud: service.endpoint + target }, service.key)}`;
        assert.equal(
          (await request(service.endpoint, "HEAD", target, { headers: { authorization } })).status,
          200,
          target,
        );
      }
      socket.cut();
    });

    test("a token is looked at before anything else", async () => {
      const hub = service.newHub();
      expectUnauthorized(
        await hub.rest("POST", "/:send", { token: "", headers: { "content-type": "x" }, body: "x" }),
        MISSING_TOKEN,
      );
      expectUnauthorized(await hub.rest("POST", "/:send", { token: "", query: { "api-version": "1" } }), MISSING_TOKEN);
      for (const path of ["/groups/%20", "/users/unknown"]) {
        const { status, headers, body } = await hub.rest("HEAD", path, { token: "no" });
        assert.deepEqual(
          [status, headers["www-authenticate"], headers["x-ms-error-code"], body],
          [401, "Bearer", "Error.Unauthorized", ""],
        );
      }
    });

    test("then version, time to live and filter, content type, body", async () => {
      const hub = service.newHub();
      const post = (query, type, body) =>
        hub.rest("POST", "/:send", { query, headers: { "content-type": type }, body });
      assert.equal((await post({ "api-version": "1", messageTtlSeconds: "x" }, "text/html", "x")).status, 400);
      assert.equal((await post({ messageTtlSeconds: "x" }, "text/html", "x")).status, 400);
      assert.equal((await post({ filter: "x" }, "text/html", "x")).status, 400);
      assert.equal((await post({}, "text/html", "{")).status, 415);
      assert.equal((await post({}, "application/json", "{")).status, 400);
    });
  },
  { steady: "it is about requests that no shard has to do with" },
);
