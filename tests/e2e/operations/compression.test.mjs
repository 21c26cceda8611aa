// Compressed WebSockets cost much memory: they are for operators who want them.
import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import WebSocket from "ws";
import { upgrade } from "../../support/rest.mjs";
import { Service, ofWorkerd } from "../../support/service.mjs";
import { within } from "../../support/waiting.mjs";

const OFFER = { "sec-websocket-extensions": "permessage-deflate; client_max_window_bits" };

for (const { title, options, agreed } of [
  { title: "by default", options: [], agreed: "is not" },
  { title: "asked for", options: ["--web-socket-compression"], agreed: "is" },
]) {
  describe(`Compression (${title})`, { skip: agreed === "is" && ofWorkerd }, () => {
    const service = new Service({ options });
    before(() => service.start());
    after(() => service.stop());

    test(`${agreed} agreed on with a client that offers it, new or recovering`, async () => {
      const hub = service.newHub();
      for (const url of [hub.clientUrl(), hub.recoveryUrl("unknown", "nothing")]) {
        const { status, headers } = await upgrade(service.endpoint, url.replace(/^.*?\/\/[^/]*/, ""), OFFER);
        assert.equal(status, 101);
        const extensions = headers["sec-websocket-extensions"] ?? "";
        assert.equal(extensions.startsWith("permessage-deflate"), agreed === "is", extensions);
      }
    });

    test("hinders no message, of a client that offers it", async (t) => {
      const hub = service.newHub();
      const socket = new WebSocket(hub.clientUrl());
      t.after(() => socket.terminate());
      const [, upgraded] = await within(Promise.all([once(socket, "open"), once(socket, "upgrade")]), "an upgrade");
      assert.equal("sec-websocket-extensions" in upgraded[0].headers, agreed === "is");
      for (const text of ["z".repeat(100_000), "a short one"]) {
        const received = once(socket, "message");
        await hub.send("", text);
        assert.equal(String((await within(received, "a message"))[0]), text);
      }
    });
  });
}
