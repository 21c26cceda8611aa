// One connection carries many requests: what was refused does not spoil the next.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Kept, requestBytes } from "../../support/kept.mjs";
import { exchange, hasHead } from "../../support/raw.mjs";
import { forEachShardCount, isNative, ofWorkerd, Service } from "../../support/service.mjs";
import { sign } from "../../support/token.mjs";
import { cases } from "../../support/cases.mjs";

const TIMES = 20;
const SIZES = [70_000, 1_048_577, 5_000_000];
/** As much as is read of a body that is not needed, and somewhat more, which a sender need not wait for. */
const ENOUGH = (8 << 20) + 65_536;
const send = (hub) => `/api/hubs/${hub.name}/:send?api-version=2024-12-01`;
const text = { "content-type": "text/plain" };

/** Requests that are answered without their bodies: the status, method, target and headers; `signed` ones have a token. */
const UNREAD = {
  "no token": { status: 401, target: send, signed: false },
  "no such operation": { status: 404, target: (hub) => `/api/hubs/${hub.name}/:shout` },
  "another method": { status: 405, method: "PUT", target: send },
  "another type of content": { status: 415, target: send, headers: { "content-type": "text/html" } },
  "another type of content, for one connection": {
    status: 415,
    target: (hub) => `/api/hubs/${hub.name}/connections/unknown/:send`,
    headers: { "content-type": "text/html" },
  },
  "a bad filter": { status: 400, target: (hub) => `${send(hub)}&filter=userId%20eq` },
  "an unknown version": { status: 400, target: (hub) => `/api/hubs/${hub.name}/:send?api-version=2020-01-01` },
  "a bad hub": { status: 400, target: () => "/api/hubs/1/:send" },
  "management without a token": {
    status: 401,
    method: "PUT",
    target: (hub) => `/management/hubs/${hub.name}`,
    signed: false,
  },
  "management's other paths": { status: 404, method: "PUT", target: (hub) => `/management/hubs/${hub.name}/x` },
  "management's other methods": { status: 405, target: () => "/management/hubs" },
  "a client's endpoint": { status: 400, target: (hub) => `/client/hubs/${hub.name}`, signed: false },
  "an endpoint of no hub": { status: 400, target: () => "/client/hubs/1", signed: false },
  "another path": { status: 404, target: () => "/nothing", signed: false },
  "a file": { status: 404, target: () => "/", signed: false },
  "an operation that needs no body": { status: 200, target: (hub) => `/api/hubs/${hub.name}/:generateToken` },
  "an operation that needs no body, on every shard": {
    status: 204,
    target: (hub) => `/api/hubs/${hub.name}/:closeConnections`,
  },
};

/** A request of a hub as bytes, signed for its URL by default. */
function bytes(hub, { method = "POST", target, headers = text, signed = true }, body, chunked = false) {
  const { endpoint, key } = hub.service;
  const path = target(hub);
  const authorization = signed ? { authorization: `Bearer ${sign({ aud: endpoint + path }, key)}` } : {};
  return requestBytes(method, path, {
    host: new URL(endpoint).host,
    headers: { ...authorization, ...headers },
    body,
    chunked,
  });
}

const publish = (hub) => bytes(hub, { target: send }, Buffer.from("ten bytes!"));

/** Makes a request and a publish, again and again on one connection, with the body's length announced and not. */
async function alternate(t, hub, request, size, status) {
  const kept = await Kept.to(hub.service);
  t.after(() => kept.end());
  for (let n = 0; n < TIMES; n++) {
    kept.write(bytes(hub, request, Buffer.alloc(size, "x"), n % 2 === 1));
    const answer = await kept.answer(`the answer to ${size} bytes, time ${n}`);
    assert.deepEqual([answer.status, answer.headers.connection], [status, undefined], answer.body);
    kept.write(publish(hub));
    assert.equal((await kept.answer(`the answer to the publish after ${size} bytes, time ${n}`)).status, 202);
  }
}

function define(service) {
  for (const [what, { status, ...request }] of Object.entries(UNREAD)) {
    test(`the next request works after ${what}`, async (t) => {
      for (const size of SIZES) await alternate(t, service.newHub(), request, size, status);
    });
  }

  test("the next request works after a message that is too long", async (t) => {
    for (const size of SIZES.filter((size) => size > 1 << 20))
      await alternate(t, service.newHub(), { target: send }, size, 400);
    const groups = {
      target: (hub) => `/api/hubs/${hub.name}/:addToGroups`,
      headers: { "content-type": "application/json" },
    };
    await alternate(t, service.newHub(), groups, 5_000_000, 400);
  });

  test("a sender that stops in its body is answered and closed", async (t) => {
    for (const request of [UNREAD["no token"], UNREAD["another type of content"]]) {
      const kept = await Kept.to(service);
      t.after(() => kept.end());
      kept.write(bytes(service.newHub(), request, Buffer.alloc(100_000)).subarray(0, 2_000));
      assert.equal((await kept.answer()).status, request.status);
      await kept.closed();
    }
  });
}

forEachShardCount(
  "One connection",
  (service) => {
    define(service);

    test("a body that is far too long is refused and its sender closed", async (t) => {
      for (const request of [UNREAD["no token"], UNREAD["another type of content"]]) {
        for (const chunked of [false, true]) {
          const kept = await Kept.to(service);
          t.after(() => kept.end());
          kept.write(bytes(service.newHub(), request, Buffer.alloc(4 * ENOUGH), chunked).subarray(0, ENOUGH));
          const { status, headers } = await kept.answer();
          assert.deepEqual([status, headers.connection], [request.status, "close"]);
          await kept.closed();
        }
      }
    });

    test("100 comes for what is taken; nothing refused is sent", async (t) => {
      const hub = service.newHub();
      const waiting = (request, size) => {
        const whole = bytes(
          hub,
          { ...request, headers: { ...text, ...request.headers, expect: "100-continue" } },
          Buffer.alloc(size, "x"),
        );
        return [whole.subarray(0, -size), whole.subarray(-size)];
      };
      const kept = await Kept.to(service);
      t.after(() => kept.end());
      const [head, body] = waiting({ target: send }, 10);
      kept.write(head);
      assert.equal((await kept.answer("the word to go on")).status, 100);
      kept.write(body);
      assert.equal((await kept.answer()).status, 202);
      for (const [request, size] of cases([
        [UNREAD["no token"], 10],
        [UNREAD["another type of content"], 100_000],
        [{ status: 400, target: send }, 2_000_000],
      ])) {
        const refused = await Kept.to(service);
        t.after(() => refused.end());
        refused.write(waiting(request, size)[0]);
        const { status, headers } = await refused.answer();
        assert.deepEqual(
          [status, headers.connection],
          [request.status, "close"],
          "the body may come or not: nothing can follow",
        );
      }
    });

    test("HTTP/1.0 is answered, and its connection ends", async () => {
      const { host } = new URL(service.endpoint);
      assert.match(await exchange(service, `HEAD /api/health HTTP/1.0\r\nHost: ${host}\r\n\r\n`), /^HTTP\/1\.\d 200 /);
      const hub = service.newHub();
      const older = publish(hub).toString().replace(" HTTP/1.1", " HTTP/1.0");
      assert.match(await exchange(service, Buffer.from(older)), /^HTTP\/1\.\d 202 /);
    });

    test("HTTP/1.0 needs no host on the native server", async () => {
      const head = (version) => exchange(service, `HEAD /api/health HTTP/${version}\r\n\r\n`);
      assert.match(await head("1.1"), /^HTTP\/1\.\d 400 /);
      // The platform answers by itself.
      if (!isNative) return assert.match(await head("1.0"), /^HTTP\/1\.\d 400 /);
      assert.match(await head("1.0"), /^HTTP\/1\.\d 200 /);
      const nameless = publish(service.newHub())
        .toString()
        .replace(" HTTP/1.1", " HTTP/1.0")
        .replace(/Host: .*\r\n/i, "");
      assert.match(await exchange(service, Buffer.from(nameless)), /^HTTP\/1\.\d 401 /);
    });

    test("a target may be a whole URL, authorised as its path", async () => {
      const { host } = new URL(service.endpoint);
      const hub = service.newHub();
      const whole = (target) => publish(hub).toString().replace(`POST ${target}`, `POST http://${host}${target}`);
      assert.match(
        await exchange(service, `HEAD http://${host}/api/health HTTP/1.1\r\nHost: ${host}\r\n\r\n`, hasHead),
        /^HTTP\/1\.1 200 /,
      );
      assert.match(await exchange(service, Buffer.from(whole(send(hub))), hasHead), /^HTTP\/1\.1 202 /);
      const other = whole(send(hub)).replace(hub.name, service.newHub().name);
      assert.match(await exchange(service, Buffer.from(other), hasHead), /^HTTP\/1\.1 401 /);
    });

    test("a target that is no path is nothing that is served", async () => {
      const { host } = new URL(service.endpoint);
      for (const method of ["OPTIONS", "GET", "HEAD", "POST"]) {
        assert.match(
          await exchange(service, `${method} * HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 0\r\n\r\n`, hasHead),
          /^HTTP\/1\.1 404 /,
          method,
        );
      }
    });
  },
  { steady: "it is about requests that no shard has to do with" },
);

describe("One connection (npm start)", { skip: ofWorkerd }, () => {
  const service = new Service({ runner: "start" });
  before(() => service.start());
  after(() => service.stop());
  define(service);
});
