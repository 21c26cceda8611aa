// Headers that say what browsers may do with an answer; the same under every runner.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { request, upgrade } from "../../support/rest.mjs";
import { Service } from "../../support/service.mjs";

const POLICY = {
  "default-src": "'none'",
  "script-src": "'self' 'wasm-unsafe-eval'",
  "style-src": "'self'",
  "img-src": "'self'",
  "connect-src": "'self' ws: wss: http: https:",
  "base-uri": "'none'",
  "form-action": "'none'",
  "frame-ancestors": "'none'",
};

for (const runner of ["serve", "start"]) {
  describe(`Security headers of npm run ${runner}`, () => {
    const service = new Service({ runner });
    before(() => service.start());
    after(() => service.stop());
    const ask = (method, path, options) => request(service.endpoint, method, path, options);

    test("the page may run its own scripts and wasm, and not be framed", async () => {
      for (const [method, path, status] of [
        ["GET", "/", 200],
        ["HEAD", "/", 200],
        ["GET", "/app/main.js", 200],
        ["GET", "/nowhere", 404],
        ["GET", "/index.html", 307],
      ]) {
        const { status: answered, headers } = await ask(method, path);
        const what = `${method} ${path}`;
        assert.equal(answered, status, what);
        const directives = String(headers["content-security-policy"] ?? "")
          .split("; ")
          .map((directive) => [directive.split(" ")[0], directive.slice(directive.indexOf(" ") + 1)]);
        assert.deepEqual(Object.fromEntries(directives), POLICY, what);
        assert.equal(headers["x-content-type-options"], "nosniff", what);
        assert.equal(headers["referrer-policy"], "no-referrer", what);
      }
      const { headers } = await ask("GET", "/");
      const again = await ask("GET", "/", { headers: { "if-none-match": headers.etag } });
      assert.equal(again.status, 304);
      assert.equal(again.headers["x-content-type-options"], "nosniff");
    });

    test("answers of the API, errors among them, are not guessed at", async () => {
      const hub = service.newHub();
      const answers = {
        health: await ask("HEAD", "/api/health?api-version=2024-12-01"),
        document: await ask("GET", "/api/openapi.json"),
        "a publish": await hub.rest("POST", "/:send", { body: "x", headers: { "content-type": "text/plain" } }),
        "an answer without a body": await hub.rest("DELETE", "/connections/x"),
        "a list": await hub.rest("GET", "/groups/g/connections"),
        "a token": await hub.rest("POST", "/:generateToken"),
        "no token": await hub.rest("POST", "/:send", { token: "", body: "x" }),
        "a wrong parameter": await hub.rest("POST", "/:send", { query: { filter: "<script>" }, body: "x" }),
        "an unknown path": await ask("POST", "/api/nowhere"),
        settings: await service.manage("GET", `hubs/${hub.name}`),
        "wrong settings": await service.manage("PUT", `hubs/${hub.name}`, { body: "<script>" }),
        metrics: await service.manage("GET", "metrics"),
        "a client's endpoint without an upgrade": await ask("GET", `/client/hubs/${hub.name}`),
        "a client without a token": await upgrade(service.endpoint, `/client/hubs/${hub.name}`),
        "a hub that is none": await upgrade(service.endpoint, "/client/hubs/%3Cscript%3E"),
      };
      for (const [what, { headers }] of Object.entries(answers))
        assert.equal(headers["x-content-type-options"], "nosniff", what);
    });
  });
}
