// Operators sign in, and what a session opens.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { present } from "../../support/found.mjs";
import { expectError, request } from "../../support/rest.mjs";
import { Service } from "../../support/service.mjs";
import { Socket } from "../../support/socket.mjs";
import { sign } from "../../support/token.mjs";

const SECRET = "a-secret-of-the-portal-for-tests";
const OWN = { "x-portal": "1" };

const session = (service, method, options) => request(service.endpoint, method, "/management/session", options);
/** @param {import("node:http").OutgoingHttpHeaders} headers */
const signIn = (service, body, headers = OWN) => session(service, "POST", { headers, body: JSON.stringify(body) });
const setCookie = ({ headers }) => present(headers["set-cookie"], "a cookie")[0];
const cookieOf = (answer) => setCookie(answer).split(";")[0];

let tickets = 0;
function ticket(service, claims = {}) {
  return sign({ aud: `${service.endpoint}/management/session`, jti: `ticket-${++tickets}`, ...claims }, service.key);
}

describe("Sessions", () => {
  /** @type {Service} */
  let service;
  let cookie;
  before(async () => {
    service = await new Service({ secrets: { PORTAL_SECRET: SECRET } }).start();
    cookie = cookieOf(await signIn(service, { ticket: ticket(service) }));
  });
  after(() => service.stop());

  const get = (path, headers) => request(service.endpoint, "GET", path, { headers });

  test("a secret signs in with a cookie that no script reads", async () => {
    const answer = await signIn(service, { secret: SECRET });
    assert.deepEqual([answer.status, answer.body], [204, ""]);
    assert.match(
      setCookie(answer),
      /^webpubsub-session=[\w-]+\.[\w-]+\.[\w-]+; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/,
    );
    const secure = await signIn(
      service,
      { ticket: ticket(service) },
      { ...OWN, origin: `https://${new URL(service.endpoint).host}` },
    );
    assert.match(setCookie(secure), /; Secure$/);
  });

  test("a session says until when it lasts", async () => {
    const signedOut = { isAvailable: true, isSignedIn: false, expires: null };
    assert.deepEqual(JSON.parse((await session(service, "GET")).body), signedOut);
    const { isSignedIn, expires } = JSON.parse((await session(service, "GET", { headers: { cookie } })).body);
    assert.equal(isSignedIn, true);
    assert.ok(Math.abs(expires - Date.now() - 12 * 3_600_000) < 60_000);
    const forged = { cookie: `${cookie.slice(0, -4)}AAAA` };
    assert.deepEqual(JSON.parse((await session(service, "GET", { headers: forged })).body), signedOut);
  });

  test("a session opens management and the REST API", async () => {
    const hub = service.newHub();
    const headers = { cookie, ...OWN };
    assert.equal((await get("/management/hubs", headers)).status, 200);
    assert.equal((await get(`/management/hubs/${hub.name}/connections`, headers)).status, 200);
    const client = await hub.connect();
    const path = `/api/hubs/${hub.name}/:send?api-version=2024-12-01`;
    const sent = await request(service.endpoint, "POST", path, {
      headers: { ...headers, "content-type": "text/plain" },
      body: "hi",
    });
    assert.equal(sent.status, 202, sent.body);
    assert.equal((await client.json()).data, "hi");
  });

  test("what another site sends with the cookie is refused", async () => {
    const own = service.endpoint;
    for (const headers of [
      {},
      { origin: own },
      { ...OWN, origin: "https://evil.example" },
      { ...OWN, origin: "null" },
      { ...OWN, origin: own.replace(/\d+$/, "1") },
    ]) {
      for (const path of ["/management/hubs", "/management/keys?reveal=1", "/api/hubs/chat/groups/g/connections"])
        expectError(await get(path, { ...headers, cookie }), 403, { code: "Error.Forbidden", target: "Request" });
      assert.equal((await signIn(service, { ticket: ticket(service) }, headers)).status, 403);
      assert.equal((await session(service, "DELETE", { headers })).status, 403);
    }
    assert.equal((await get("/management/hubs", { ...OWN, origin: own, cookie })).status, 200);
  });

  test("a session opens a trace, for pages of the service only", async () => {
    const hub = service.newHub();
    const url = `${service.endpoint.replace("http", "ws")}/management/hubs/${hub.name}/trace`;
    for (const origin of [undefined, "https://evil.example", "null"]) {
      /** @type {Record<string, string>} */
      const headers = origin ? { cookie, origin } : { cookie };
      await assert.rejects(Socket.open(url, { headers }), { status: 403 });
    }
    const trace = await Socket.open(url, { headers: { cookie, origin: service.endpoint } });
    assert.equal((await trace.json()).type, "watching");
    await assert.rejects(Socket.open(url, { headers: { origin: service.endpoint } }), { status: 401 });
  });

  test("a session opens no connection of a client", async () => {
    const hub = service.newHub();
    await assert.rejects(Socket.open(hub.url, { headers: { cookie, ...OWN } }), { status: 401 });
  });

  test("a ticket signs in once", async () => {
    const once = ticket(service);
    assert.equal((await signIn(service, { ticket: once })).status, 204);
    const again = await signIn(service, { ticket: once });
    expectError(again, 401, {
      code: "Error.Unauthorized",
      target: "Request",
      message: "The ticket was used before. Each signs in once.",
    });
  });

  test("a ticket is for signing in, and has an id", async () => {
    for (const claims of [
      { jti: undefined },
      { jti: "x".repeat(65) },
      { aud: `${service.endpoint}/management/hubs` },
      { exp: 1 },
    ])
      assert.equal((await signIn(service, { ticket: ticket(service, claims) })).status, 401);
    const foreign = sign({ aud: `${service.endpoint}/management/session`, jti: "y" }, "another-key");
    assert.equal((await signIn(service, { ticket: foreign })).status, 401);
  });

  test("a token beside a session is judged alone", async () => {
    const headers = { cookie, ...OWN, authorization: "Bearer x.y.z" };
    assert.equal((await get("/management/hubs", headers)).status, 401);
  });

  test("signing out takes the cookie away", async () => {
    const answer = await session(service, "DELETE", { headers: { cookie, ...OWN } });
    assert.equal(answer.status, 204);
    assert.match(setCookie(answer), /^webpubsub-session=; Path=\/; Max-Age=0; /);
  });

  test("other methods and bodies are refused", async () => {
    assert.equal((await session(service, "PUT", { headers: OWN })).headers.allow, "GET, POST, DELETE");
    assert.equal((await session(service, "POST", { headers: OWN, body: "no" })).status, 400);
  });

  test("after ten attempts a secret has to wait", async () => {
    let status;
    // On Cloudflare the header is the platform's. Here anyone may set it, and it counts for nothing.
    for (let n = 0; n < 10; n++) {
      const headers = { ...OWN, "cf-connecting-ip": `10.0.0.${n}` };
      ({ status } = await signIn(service, { secret: `wrong${n}` }, headers));
    }
    assert.ok([401, 429].includes(status));
    const limited = await signIn(service, { secret: SECRET });
    expectError(limited, 429, { code: "Error.TooManyRequests", target: "Request" });
    assert.equal(limited.headers["retry-after"], "60");
    assert.equal((await signIn(service, { ticket: ticket(service) })).status, 204, "a ticket does not");
  });
});

describe("Without a secret", () => {
  /** @type {Service} */
  let service;
  before(async () => {
    service = await new Service({ secrets: { PORTAL_SECRET: "" } }).start();
  });
  after(() => service.stop());

  test("no one signs in", async () => {
    const { isAvailable } = JSON.parse((await session(service, "GET")).body);
    assert.equal(isAvailable, false);
    for (const body of [{ secret: "" }, { secret: SECRET }, { ticket: ticket(service) }])
      expectError(await signIn(service, body), 404, { code: "Error.NotFound", target: "Request" });
  });
});
