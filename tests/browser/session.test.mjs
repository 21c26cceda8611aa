// A page of the service in Chromium, with a session and no key.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { openPage, useChromium } from "../support/browser.mjs";
import { Service } from "../support/service.mjs";
import { sign } from "../support/token.mjs";

describe("A session in Chromium", () => {
  const service = new Service({ secrets: { PORTAL_SECRET: "a-secret-of-the-portal-for-tests" } });
  const browser = useChromium();
  before(() => service.start());
  after(() => service.stop());

  test("a page signs in, asks, watches and signs out", async () => {
    const hub = service.newHub();
    await hub.connect({ user: "alice" });
    const ticket = sign({ aud: `${service.endpoint}/management/session`, jti: "chromium" }, service.key);
    const { page } = await openPage(browser, `${service.endpoint}/icon.svg`);
    const seen = await page.evaluate(
      async ({ hub, ticket }) => {
        const headers = { "X-Portal": "1" };
        const session = "/management/session";
        const body = JSON.stringify({ ticket });
        const signedIn = (await fetch(session, { method: "POST", headers, body })).status;
        const list = /** @type {{ connections: { userId: string }[] }} */ (
          await (await fetch(`/management/hubs/${hub}/connections`, { headers })).json()
        );
        const withoutHeader = (await fetch(`/management/hubs/${hub}/connections`)).status;
        const token = (await fetch(`/api/hubs/${hub}/:generateToken`, { method: "POST", headers })).status;
        const socket = new WebSocket(`${location.origin.replace("http", "ws")}/management/hubs/${hub}/trace`);
        const first = await new Promise((resolve) => {
          socket.onmessage = ({ data }) => resolve(JSON.parse(data));
          socket.onerror = () => resolve("refused");
        });
        socket.close();
        const signedOut = (await fetch(session, { method: "DELETE", headers })).status;
        const after = (await fetch(`/management/hubs/${hub}/connections`, { headers })).status;
        return {
          signedIn,
          users: list.connections.map(({ userId }) => userId),
          withoutHeader,
          token,
          first,
          signedOut,
          after,
        };
      },
      { hub: hub.name, ticket },
    );
    assert.deepEqual(seen, {
      signedIn: 204,
      users: ["alice"],
      withoutHeader: 403,
      token: 200,
      first: { type: "watching", hub: hub.name, shard: 0, shards: 1 },
      signedOut: 204,
      after: 401,
    });
    assert.deepEqual(await page.context().cookies(), []);
  });

  test("another site in the same browser opens nothing", async () => {
    const ticket = sign({ aud: `${service.endpoint}/management/session`, jti: "another" }, service.key);
    const { page } = await openPage(browser, `${service.endpoint}/icon.svg`);
    await page.evaluate(async (ticket) => {
      const body = JSON.stringify({ ticket });
      await fetch("/management/session", { method: "POST", headers: { "X-Portal": "1" }, body });
    }, ticket);
    // Another port is another origin, but the same site: its cookies are the service's, too.
    const other = await new Service().start();
    try {
      await page.goto(`${other.endpoint}/icon.svg`);
      const statuses = await page.evaluate(async (endpoint) => {
        const outcome = (work) =>
          work.then(
            () => "answered",
            () => "blocked",
          );
        const url = `${endpoint}/management/keys?reveal=1`;
        const readable = await outcome(fetch(url, { credentials: "include" }));
        const withHeader = await outcome(fetch(url, { credentials: "include", headers: { "X-Portal": "1" } }));
        const socket = new WebSocket(`${endpoint.replace("http", "ws")}/management/hubs/chat/trace`);
        const trace = await new Promise((resolve) => {
          socket.onopen = () => resolve("answered");
          socket.onerror = () => resolve("blocked");
        });
        return [readable, withHeader, trace];
      }, service.endpoint);
      assert.deepEqual(statuses, ["blocked", "blocked", "blocked"]);
    } finally {
      await other.stop();
    }
  });
});
