// Access keys that are rotated and regenerated: what they sign holds, and what it does not any more.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { present } from "../../support/found.mjs";
import { request } from "../../support/rest.mjs";
import { Service } from "../../support/service.mjs";
import { Socket } from "../../support/socket.mjs";
import { sign } from "../../support/token.mjs";

const SECRET = "a-secret-of-the-portal-for-tests";
const OWN = { "x-portal": "1" };

describe("Access keys", () => {
  const service = new Service({ secrets: { PORTAL_SECRET: SECRET } });
  /** The keys that hold, as they were changed last. */
  let keys;
  before(async () => {
    await service.start();
    keys = { primary: { key: service.key }, secondary: { key: service.secondaryKey } };
  });
  after(() => service.stop());

  const ask = (method, path, key, headers = {}) => {
    const authorization = `Bearer ${sign({ aud: `${service.endpoint}${path.split("?")[0]}` }, key)}`;
    return request(service.endpoint, method, path, { headers: { authorization, ...headers } });
  };
  const cookieOf = (headers) => present(headers["set-cookie"], "a cookie")[0].split(";")[0];
  const isAccepted = async (key) => (await ask("GET", "/management/hubs", key)).status === 200;

  /** Changes the keys, by the primary one. */
  async function change(path) {
    const before = keys;
    const { status, body } = await ask("POST", `/management/keys/${path}`, keys.primary.key);
    assert.equal(status, 200, body);
    keys = JSON.parse(body);
    return before;
  }

  test("a rotation keeps what the primary key signed", async () => {
    const hub = service.newHub();
    const client = await hub.connectReliable({ user: "alice" });
    const url = hub.clientUrl({});
    const before = await change(":rotate");
    assert.equal(keys.secondary.key, before.primary.key);
    assert.match(keys.primary.key, /^[\w-]{64}$/);
    assert.deepEqual(
      [
        await isAccepted(keys.primary.key),
        await isAccepted(keys.secondary.key),
        await isAccepted(before.secondary.key),
      ],
      [true, true, false],
    );
    service.key = keys.primary.key;
    await hub.connect({});
    await Socket.open(url);
    client.cut();
    const again = await hub.recover(client);
    await hub.send("/users/alice", "after the rotation");
    assert.equal((await again.json("a message")).data, "after the rotation");
  });

  test("a regenerated key is refused, and the other holds", async () => {
    const before = await change("primary/:regenerate");
    assert.notEqual(keys.primary.key, before.primary.key);
    assert.equal(keys.secondary.key, before.secondary.key);
    assert.equal(await isAccepted(before.primary.key), false);
    const replaced = await change("secondary/:regenerate");
    assert.equal(keys.primary.key, replaced.primary.key);
    assert.equal(await isAccepted(replaced.secondary.key), false);
    service.key = keys.primary.key;
  });

  test("a session changes keys and goes on, and others end", async () => {
    const signIn = async () => {
      const body = JSON.stringify({ secret: SECRET });
      const { headers } = await request(service.endpoint, "POST", "/management/session", { headers: OWN, body });
      return cookieOf(headers);
    };
    const [own, other] = [await signIn(), await signIn()];
    const withCookie = (method, path, cookie) =>
      request(service.endpoint, method, path, { headers: { ...OWN, cookie } });
    const answer = await withCookie("POST", "/management/keys/:rotate", own);
    assert.equal(answer.status, 200);
    keys = JSON.parse(answer.body);
    const renewed = cookieOf(answer.headers);
    const statuses = [];
    for (const cookie of [renewed, own, other])
      statuses.push((await withCookie("GET", "/management/hubs", cookie)).status);
    assert.deepEqual(statuses, [200, 401, 401]);
    service.key = keys.primary.key;
  });

  test("regenerated keys outlive a restart", async () => {
    const { key } = service;
    // What starts it knows the configured key only, and asks with the operator's secret.
    service.key = "an-access-key-for-tests-of-48-characters-in-all!";
    await service.crash();
    await service.start();
    assert.deepEqual([await isAccepted(key), await isAccepted(service.key)], [true, false]);
    service.key = key;
  });

  test("a key that is configured anew holds", async () => {
    const { key } = service;
    service.key = "a-key-that-an-operator-has-set-since-48-characters";
    await service.crash();
    await service.start();
    assert.deepEqual([await isAccepted(service.key), await isAccepted(key)], [true, false]);
  });

  test("who has no key changes none", async () => {
    for (const path of [":rotate", "primary/:regenerate", "secondary/:regenerate"]) {
      assert.equal((await ask("POST", `/management/keys/${path}`, "another-key")).status, 401);
      assert.equal((await ask("GET", `/management/keys/${path}`, service.key)).status, 405);
    }
  });
});
