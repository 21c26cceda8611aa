// Behind a reverse proxy the service names itself as its callers know it: by the audience of their tokens.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { WebPubSubServiceClient } from "@azure/web-pubsub";
import { EventHandler } from "../../support/event-handler.mjs";
import { request } from "../../support/rest.mjs";
import { Service } from "../../support/service.mjs";
import { JSON_V1, Socket } from "../../support/socket.mjs";
import { TlsProxy } from "../../support/tls-proxy.mjs";
import { claimsOf, clientClaims, sign } from "../../support/token.mjs";

const ELSEWHERE = "public.example";
const event = { type: "event", event: "chat", dataType: "text", data: "hi", ackId: 1 };

for (const { title, keepHost, shards } of [
  { title: "that keeps the host", keepHost: true, shards: 1 },
  { title: "that rewrites the host", keepHost: false, shards: 4 },
]) {
  describe(`A TLS proxy ${title}`, () => {
    let service, proxy;
    before(async () => {
      proxy = await TlsProxy.start({ keepHost });
      // A proxy that rewrites the host leaves nothing of the public one but in tokens.
      const accepted = keepHost ? ELSEWHERE : `${ELSEWHERE},${proxy.host}`;
      service = await new Service({
        shards,
        variables: { ACCEPTED_HOSTS: accepted, ALLOW_PRIVATE_EVENT_HANDLERS: "true" },
      }).start();
      proxy.service = service;
    });
    after(async () => {
      proxy?.close();
      await service?.stop();
    });

    const server = (hub) => {
      const connectionString = `Endpoint=${proxy.endpoint};AccessKey=${service.key};Version=1.0;`;
      return new WebPubSubServiceClient(connectionString, hub.name, { tlsOptions: { ca: proxy.certificate } });
    };
    const open = (url) => Socket.open(url, { protocols: JSON_V1, certificate: proxy.certificate });
    const clientUrl = (hub, options) => {
      const token = sign(
        clientClaims({ audience: `${proxy.endpoint}/client/hubs/${hub.name}`, ...options }),
        service.key,
      );
      return `${proxy.endpoint.replace("https:", "wss:")}/client/hubs/${hub.name}?access_token=${token}`;
    };

    test("leaves Microsoft's server package its lists of many pages", async () => {
      const hub = service.newHub();
      const sockets = [];
      for (let n = 0; n < 5; n++) sockets.push(await open(clientUrl(hub, { groups: ["room"] })));
      const ids = [];
      for (const socket of sockets) ids.push((await socket.json()).connectionId);
      const found = [];
      const pages = (await server(hub).group("room").listConnections({ maxPageSize: 2 })).byPage();
      for await (const page of pages) found.push(page.map(({ connectionId }) => connectionId));
      assert.deepEqual(
        found.map(({ length }) => length),
        [2, 2, 1],
      );
      assert.deepEqual(found.flat(), ids.sort());
    });

    test("leaves a link to the next page its caller's scheme and host", async () => {
      const hub = service.newHub();
      for (let n = 0; n < 2; n++) await hub.connect({ groups: ["room"] });
      const path = `/api/hubs/${hub.name}/groups/room/connections`;
      const own = new URL(service.endpoint).host;
      for (const [base, expected] of [
        [`https://${ELSEWHERE}`],
        [`wss://${ELSEWHERE.toUpperCase()}`, `https://${ELSEWHERE}`],
        [`http://${ELSEWHERE}:80`, `http://${ELSEWHERE}`],
        [`http://${own}`],
        [`https://${own}`],
      ]) {
        const answer = await hub.rest("GET", path.replace(`/api/hubs/${hub.name}`, ""), {
          query: { maxpagesize: "1" },
          audience: `${base}${path}`,
        });
        const { nextLink } = JSON.parse(answer.body);
        assert.ok(nextLink.startsWith(`${expected ?? base}${path}?`), nextLink);
      }
    });

    test("has generated tokens name the public URL, and open it", async () => {
      const hub = service.newHub();
      const target = `/api/hubs/${hub.name}/:generateToken`;
      const generate = async (base) => {
        const authorization = `Bearer ${sign({ aud: base + target }, service.key)}`;
        const { status, body } = await request(service.endpoint, "POST", target, {
          headers: { authorization, host: proxy.host },
        });
        assert.equal(status, 200, body);
        return JSON.parse(body).token;
      };
      assert.equal(
        claimsOf(await generate(`https://${ELSEWHERE}`)).aud,
        `https://${ELSEWHERE}/client/hubs/${hub.name}`,
      );
      const token = await generate(proxy.endpoint);
      assert.equal(claimsOf(token).aud, `${proxy.endpoint}/client/hubs/${hub.name}`);
      const socket = await open(
        `${proxy.endpoint.replace("https:", "wss:")}/client/hubs/${hub.name}?access_token=${token}`,
      );
      assert.equal((await socket.json()).event, "connected");
    });

    test("has event handlers asked for the host of a client's token", async (t) => {
      const handler = await EventHandler.start(t);
      handler.answer("OPTIONS", { headers: { "WebHook-Allowed-Origin": proxy.host } });
      const hub = service.newHub();
      await hub.useHandler(handler, { userEventPattern: "*", systemEvents: ["connect", "connected"] });
      const socket = await open(clientUrl(hub));
      assert.equal((await socket.json()).event, "connected");
      assert.equal((await socket.ask(event)).success, true);
      for (const kind of ["OPTIONS", "sys.connect", "sys.connected", "user.chat"]) {
        assert.equal((await handler.next(kind)).header("WebHook-Request-Origin"), proxy.host, kind);
      }
      assert.equal(handler.count("OPTIONS"), 1);
    });

    test("leaves a handler's test the host of the operator's token", async (t) => {
      const handler = await EventHandler.start(t);
      const hub = service.newHub();
      await hub.useHandler(handler);
      const path = `hubs/${hub.name}/eventHandlers/0/:test`;
      const token = sign({ aud: `${proxy.endpoint}/management/${path}` }, service.key);
      const authorization = `Bearer ${token}`;
      const headers = { authorization, ...(keepHost ? { host: proxy.host } : {}) };
      assert.equal((await request(service.endpoint, "POST", `/management/${path}`, { headers })).status, 200);
      assert.equal((await handler.next("OPTIONS")).header("WebHook-Request-Origin"), proxy.host);
    });

    test("opens nothing to a token for another host by any header", async () => {
      const hub = service.newHub();
      const target = `/api/hubs/${hub.name}/:generateToken`;
      for (const base of [
        "https://evil.example",
        `https://${ELSEWHERE}.evil.example`,
        `https://${ELSEWHERE}:8443`,
        `https://evil.example,${ELSEWHERE}`,
      ]) {
        const authorization = `Bearer ${sign({ aud: base + target }, service.key)}`;
        const headers = { authorization, "x-forwarded-host": "evil.example", forwarded: "host=evil.example" };
        assert.equal((await request(service.endpoint, "POST", target, { headers })).status, 401, base);
      }
    });
  });
}
