// Our client package in Chromium, from the files that the service serves.
import assert from "node:assert/strict";
import { test } from "node:test";
import { openPage, useChromium } from "../support/browser.mjs";
import { ALL_ROLES } from "../support/hub.mjs";
import { forEachShardCount } from "../support/service.mjs";

forEachShardCount(
  "Our client in Chromium",
  (service) => {
    const browser = useChromium();

    for (const protocol of ["WebPubSubJsonProtocol", "WebPubSubJsonReliableProtocol"]) {
      test(`${protocol} connects, joins, sends, receives and stops cleanly`, async () => {
        const hub = service.newHub();
        const listener = await hub.connect({ groups: ["room"] });
        const { page, complaints } = await openPage(browser, `${service.endpoint}/`);
        const connected = await page.evaluate(
          async ({ module, url, protocol }) => {
            const client = await import(module);
            const plain = ({ message }) => {
              const { kind, group, fromUserId, dataType, data } = message;
              return {
                kind,
                group,
                fromUserId,
                dataType,
                data: data instanceof ArrayBuffer ? [...new Uint8Array(data)] : data,
              };
            };
            globalThis.received = [];
            globalThis.client = new client.WebPubSubClient(url, {
              protocol: client[protocol](),
              messageRetryOptions: { maxRetries: 0 },
            });
            const once = (name) => new Promise((resolve) => globalThis.client.on(name, resolve));
            const connected = once("connected");
            globalThis.stopped = once("stopped");
            for (const name of ["server-message", "group-message"])
              globalThis.client.on(name, (event) => globalThis.received.push(plain(event)));
            await globalThis.client.start();
            return connected;
          },
          { url: hub.clientUrl({ user: "alice", roles: ALL_ROLES }), protocol, module: "/client/index.js" },
        );
        assert.equal(connected.userId, "alice");
        assert.equal(await hub.exists(`/connections/${connected.connectionId}`), true);

        await page.evaluate(async () => {
          await globalThis.client.joinGroup("room");
          await globalThis.client.sendToGroup("room", "hi", "text");
          await globalThis.client.sendToGroup("room", { a: [1] }, "json");
          await globalThis.client.sendToGroup("room", new Uint8Array([0, 255]).buffer, "binary");
        });
        await hub.send("", "Hello World");
        for (const data of ["hi", { a: [1] }, "AP8=", "Hello World"])
          assert.deepEqual((await listener.json()).data, data);
        await page.waitForFunction(() => globalThis.received.length === 4);
        const from = { kind: "groupData", group: "room", fromUserId: "alice" };
        assert.deepEqual(await page.evaluate(() => globalThis.received), [
          { ...from, dataType: "text", data: "hi" },
          { ...from, dataType: "json", data: { a: [1] } },
          { ...from, dataType: "binary", data: [0, 255] },
          { kind: "serverData", group: undefined, fromUserId: undefined, dataType: "text", data: "Hello World" },
        ]);

        const error = await page.evaluate(async () => {
          const { name, errorDetail } = await globalThis.client.sendEvent("chat", "hi", "text").catch((error) => error);
          globalThis.client.stop();
          await globalThis.stopped;
          return { name, errorDetail };
        });
        assert.deepEqual(error, {
          name: "SendMessageError",
          errorDetail: { name: "InternalServerError", message: "Internal server error" },
        });
        assert.deepEqual(complaints, []);
      });
    }
  },
  { steady: "it is about the browser" },
);
