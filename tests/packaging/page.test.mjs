// The package in a page, as one script.
import assert from "node:assert/strict";
import { test } from "node:test";
import { page, resultOf, serve } from "./pages.mjs";
import { Project, echo, echoed, ping, pinged, service } from "./project.mjs";

/** Serves a page with this module script and the package's own script beside it. */
const serveBeside = (t, project, script, policy) =>
  serve(
    t,
    { "/page.js": script, "/client.js": project.file("node_modules/@webpubsub-edge/client/dist/browser.js") },
    policy,
  );

test("one script, under the strictest policy with WebAssembly", async (t) => {
  const project = await Project.install(t);
  const { url, accept } = await service(t);
  const policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src ws:; img-src data:";
  const address = await serveBeside(t, project, page(url, "/client.js"), policy);
  const [result] = await Promise.all([resultOf(t, address), accept()]);
  assert.equal(result, echoed);
});

test("a policy that forbids WebAssembly is named, with its lack", async (t) => {
  const project = await Project.install(t);
  const script = `
    import { WebPubSubClient } from "/client.js";
    globalThis.result = await new WebPubSubClient("ws://127.0.0.1/").start().catch(({ message }) => message);`;
  const address = await serveBeside(t, project, script, "script-src 'self'");
  assert.match(await resultOf(t, address, true), /Content-Security-Policy.*'wasm-unsafe-eval'/);
});

test("a browser's failed start says whether anybody was there", async (t) => {
  const project = await Project.install(t);
  const { url } = await service(t);
  const script = (url) => `
    import { WebPubSubClient } from "/client.js";
    const { name, problem, message } = await new WebPubSubClient(${JSON.stringify(url)}).start().catch((error) => error);
    globalThis.result = { name, problem, message };`;
  const failure = async (url) => resultOf(t, await serveBeside(t, project, script(url)), true);
  const refusing = await service(t);
  refusing.refuseWith = 401;
  const refused = await failure(refusing.url);
  assert.deepEqual([refused.name, refused.problem], ["ConnectError", "refused"]);
  assert.match(refused.message, /refused the connection\. Is the access token there/);
  const closed = new URL(url);
  closed.port = "65532";
  assert.equal((await failure(closed.href)).problem, "unreachable");
  assert.equal((await failure("chat?access_token=secret")).problem, "invalid-url");
});

for (const [what, target] of [
  ["online", "globalThis"],
  ["visibilitychange", "document"],
]) {
  test(`${what} ends a wait for the next attempt`, async (t) => {
    const project = await Project.install(t);
    const scripted = await service(t);
    const script = `
      import { WebPubSubClient } from "/client.js";
      const options = { reconnectRetryOptions: { retryDelayInMs: 3_600_000 } };
      const client = new WebPubSubClient(${JSON.stringify(scripted.url)}, options);
      client.on("connected", ({ connectionId }) => {
        if (connectionId === "c2") globalThis.result = connectionId;
      });
      client.on("disconnected", () => setInterval(() => ${target}.dispatchEvent(new Event("${what}")), 20));
      client.start();`;
    const lose = async () => {
      const first = await scripted.connection();
      await scripted.upgrade();
      first.connected("c1");
      scripted.refuseWith = 503;
      first.close(1008);
      // One attempt follows at once; the next one only when the page has it.
      await scripted.upgrade();
      scripted.refuseWith = undefined;
      (await scripted.connection()).connected("c2");
    };
    const address = await serveBeside(t, project, script);
    const [result] = await Promise.all([resultOf(t, address, true), lose()]);
    assert.equal(result, "c2");
  });
}

test("the protobuf module in a page, by itself and from esbuild", async (t) => {
  const project = await Project.install(t);
  const script = (from) => `
    import { WebPubSubProtobufProtocol } from ${JSON.stringify(from)};
    (async () => { ${ping} globalThis.result = pinged; })();`;
  const own = project.file("node_modules/@webpubsub-edge/client/dist/protobuf-browser.js");
  const served = await serve(t, { "/page.js": script("/protobuf.js"), "/protobuf.js": own });
  assert.equal(await resultOf(t, served), pinged);
  project.write("app.js", script("@webpubsub-edge/client/protobuf"));
  await project.bundle("app.js", { format: "esm", platform: "browser", outfile: project.path("dist/page.js") });
  assert.equal(await resultOf(t, await serve(t, project.files("dist"))), pinged);
});

/** What passes an address to a worker of a page, and leaves its answer in `result`. */
const askWorker = {
  "a worker": `
    const worker = new Worker("/worker.js", { type: "module" });
    worker.onmessage = ({ data }) => (globalThis.result = data);
    worker.postMessage(url);`,
  "a service worker": `
    navigator.serviceWorker.onmessage = ({ data }) => (globalThis.result = data);
    await navigator.serviceWorker.register("/worker.js", { type: "module" });
    (await navigator.serviceWorker.ready).active.postMessage(url);`,
};
for (const [name, ask] of Object.entries(askWorker)) {
  test(`${name} connects, echoes and stops`, async (t) => {
    const project = await Project.install(t);
    const { url, accept } = await service(t);
    const address = await serve(t, {
      "/page.js": `const url = ${JSON.stringify(url)}; ${ask}`,
      "/worker.js": `
        import { WebPubSubClient } from "/client.js";
        self.onmessage = async ({ data: url, source }) => { ${echo} (source ?? self).postMessage(result); };`,
      "/client.js": project.file("node_modules/@webpubsub-edge/client/dist/browser.js"),
    });
    const [result] = await Promise.all([resultOf(t, address), accept()]);
    assert.equal(result, echoed);
  });
}
