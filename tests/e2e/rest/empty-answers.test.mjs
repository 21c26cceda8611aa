// Answers without a body, as clients see them that take compressed ones.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { sign } from "../../support/token.mjs";
import { request, upgrade } from "../../support/rest.mjs";
import { isNative, Service } from "../../support/service.mjs";
import { cases } from "../../support/cases.mjs";

const COMPRESSED = { "accept-encoding": "gzip, deflate, br" };
/** What an empty answer may say of its encoding: nothing, or under wrangler dev that there is none. */
const ENCODINGS = isNative ? { server: [undefined] } : { start: [undefined, "identity"], serve: [undefined] };

for (const [runner, allowed] of Object.entries(ENCODINGS)) {
  describe(`Empty answers under npm ${runner === "start" ? "start" : `run ${runner}`}`, () => {
    const service = new Service({ runner });
    before(() => service.start());
    after(() => service.stop());

    test("no answer without a body is said to be compressed", async () => {
      const hub = service.newHub();
      const member = await hub.connect({ user: "alice", groups: ["room"] });
      const rest = (method, path, options) =>
        hub.rest(method, path, { ...options, headers: { ...COMPRESSED, ...options?.headers } });
      const page = await request(service.endpoint, "GET", "/");
      const get = (path, headers) => request(service.endpoint, "GET", path, { headers: { ...COMPRESSED, ...headers } });
      const { endpoint } = service;
      const bearer = (path) => ({
        ...COMPRESSED,
        authorization: `Bearer ${sign({ aud: `${endpoint}${path}` }, service.key)}`,
      });
      const management = `/management/hubs/${hub.name}`;
      // One after the other: what is asked of the user comes before the connection is closed.
      const requests = cases([
        [202, () => rest("POST", "/:send", { headers: { "content-type": "text/plain" }, body: "hi" })],
        [200, () => rest("HEAD", "/users/alice")],
        [404, () => rest("HEAD", "/users/bob")],
        [200, () => rest("PUT", `/groups/other/connections/${member.id}`)],
        [204, () => rest("DELETE", `/groups/other/connections/${member.id}`)],
        [204, () => rest("POST", "/groups/room/:closeConnections")],
        [401, () => rest("HEAD", "/users/alice", { token: "" })],
        [204, () => request(endpoint, "DELETE", management, { headers: bearer(management) })],
        [401, () => upgrade(endpoint, `/client/hubs/${hub.name}`, COMPRESSED)],
        [200, () => request(endpoint, "HEAD", "/", { headers: COMPRESSED })],
        [304, () => get("/", { "if-none-match": page.headers.etag })],
        [307, () => get("/index.html")],
      ]);
      for (const [number, [status, ask]] of requests.entries()) {
        const { status: its, headers, body } = await ask();
        assert.equal(its, status, `answer ${number}`);
        if (body) continue;
        assert.ok(allowed.includes(headers["content-encoding"]), `answer ${number}: ${headers["content-encoding"]}`);
      }
    });
  });
}
