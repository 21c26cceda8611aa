// Compressed WebSockets cost much memory: they are for operators who want them.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { upgrade } from "../support/rest.mjs";
import { Service } from "../support/service.mjs";

const OFFER = { "sec-websocket-extensions": "permessage-deflate; client_max_window_bits" };

for (const { options, extensions } of [
  { options: [], extensions: undefined },
  { options: ["--web-socket-compression"], extensions: /^permessage-deflate/ },
]) {
  describe(`Compression (${options[0] ?? "by default"})`, () => {
    const service = new Service({ options });
    before(() => service.start());
    after(() => service.stop());

    test(`${extensions ? "is" : "is not"} agreed on with a client that offers it, new or recovering`, async () => {
      const hub = service.newHub();
      for (const url of [hub.clientUrl(), hub.recoveryUrl("nobody", "nothing")]) {
        const { status, headers } = await upgrade(service.endpoint, url.replace(/^.*?\/\/[^/]*/, ""), OFFER);
        assert.equal(status, 101);
        if (extensions) assert.match(headers["sec-websocket-extensions"], extensions);
        else assert.equal(headers["sec-websocket-extensions"], undefined);
      }
    });

    test("hinders no message", async () => {
      const hub = service.newHub();
      const listener = await hub.connect();
      await hub.send("", "z".repeat(100_000));
      assert.equal((await listener.json()).data.length, 100_000);
      listener.cut();
    });
  });
}
