// Which host of the service event handlers are asked for: never one that a client without a token makes up.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { AT_ONCE, EventHandler } from "../../support/event-handler.mjs";
import { upgrade } from "../../support/rest.mjs";
import { Service } from "../../support/service.mjs";
import { JSON_V1, Socket } from "../../support/socket.mjs";

/** More than there are handshakes that are kept. */
const STRANGERS = 150;

for (const { title, accepted, expected } of [
  {
    title: "as the operator accepts",
    accepted: "Public.example, other.example:8443",
    expected: () => "public.example,other.example:8443",
  },
  { title: "at which the service listens", expected: ({ port }) => `localhost:${port},127.0.0.1:${port}` },
]) {
  describe(`The hosts ${title}`, () => {
    const variables = { ...AT_ONCE, ...(accepted ? { ACCEPTED_HOSTS: accepted } : {}) };
    const service = new Service({ variables });
    before(() => service.start());
    after(() => service.stop());

    async function openToAll(t, systemEvents) {
      const handler = await EventHandler.start(t);
      const hub = service.newHub();
      await hub.configure({
        anonymousConnectPolicy: "allow",
        eventHandlers: [{ urlTemplate: handler.url, userEventPattern: "*", systemEvents }],
      });
      return { handler, hub };
    }

    test("are what handlers are asked for clients without a token", async (t) => {
      const { handler, hub } = await openToAll(t, ["connect", "connected"]);
      const hosts = expected(service);
      handler.answer("OPTIONS", { headers: { "WebHook-Allowed-Origin": hosts.split(",")[1] } });
      const socket = await Socket.open(hub.url, { protocols: JSON_V1, headers: { host: "made-up.example" } });
      assert.equal((await socket.json()).event, "connected");
      assert.equal(
        (await socket.ask({ type: "event", event: "chat", dataType: "text", data: "hi", ackId: 1 })).success,
        true,
      );
      for (const kind of ["OPTIONS", "sys.connect", "sys.connected", "user.chat"]) {
        assert.equal((await handler.next(kind)).header("WebHook-Request-Origin"), hosts, kind);
      }
    });

    test("stay as they are, however many hosts are made up", async (t) => {
      const { handler, hub } = await openToAll(t, ["connected"]);
      const alice = await hub.connect({ user: "alice" });
      assert.equal(
        (await alice.ask({ type: "event", event: "chat", data: "hi", dataType: "text", ackId: 1 })).success,
        true,
      );
      assert.equal((await handler.next("OPTIONS")).header("WebHook-Request-Origin"), new URL(service.endpoint).host);
      await handler.next("sys.connected");
      for (let n = 0; n < STRANGERS; n++) {
        assert.equal(
          (await upgrade(service.endpoint, `/client/hubs/${hub.name}`, { host: `made-up-${n}.example` })).status,
          101,
        );
      }
      for (let n = 0; n < STRANGERS; n++) await handler.next("sys.connected");
      const origins = new Set(handler.asked.flatMap((asked) => asked.all("WebHook-Request-Origin")));
      assert.deepEqual([...origins].sort(), [new URL(service.endpoint).host, expected(service)].sort());
      // Alice's, and one for all the others; time may have made either due again.
      const hosts = handler.asked.filter(({ kind }) => kind === "OPTIONS").length;
      assert.ok(hosts >= 2 && hosts <= 6, `${hosts} handshakes`);
    });

    test("do not replace what a client's token names, nor its host", async (t) => {
      const { handler, hub } = await openToAll(t, ["connected"]);
      /** @type {Record<string, string>} */
      const headers = accepted ? { host: "made-up.example" } : {};
      const audience = accepted ? `https://PUBLIC.example/client/hubs/${hub.name}` : hub.audience;
      const socket = await Socket.open(`${hub.url}?access_token=${hub.token({ audience })}`, {
        protocols: JSON_V1,
        headers,
      });
      await socket.json();
      const host = accepted ? "public.example" : new URL(service.endpoint).host;
      assert.equal((await handler.next("sys.connected")).header("WebHook-Request-Origin"), host);
    });
  });
}
