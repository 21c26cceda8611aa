// The package in a page: as one script, and bundled.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { chromium } from "../../scripts/toolchain.mjs";
import { Project, echo, echoed, service } from "./project.mjs";

process.env.CHROMIUM ??= chromium();
const { launchChromium, openPage } = await import("../support/browser.mjs");

let browser;
before(async () => (browser = await launchChromium()));
after(() => browser.close());

/** Serves a page with one module script, beside which these files lie. */
async function serve(t, script, files, policy) {
  const html = `<!doctype html><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>`;
  const http = createServer(({ url }, response) => {
    const file = url === "/page.js" ? script : files[url] && readFileSync(files[url]);
    const type = file ? "text/javascript" : "text/html";
    response.writeHead(200, { "content-type": type, ...(policy && { "content-security-policy": policy }) });
    response.end(file ?? html);
  });
  await once(http.listen(0, "127.0.0.1"), "listening");
  t.after(() => http.close());
  return `http://127.0.0.1:${http.address().port}/`;
}

/** What the page leaves in `result`, once it is there, without a complaint in the console. */
async function resultOf(t, url, expectComplaints = false) {
  const { page, complaints } = await openPage(browser, url);
  t.after(() => page.context().close());
  const result = await (await page.waitForFunction(() => globalThis.result)).jsonValue();
  if (!expectComplaints) assert.deepEqual(complaints, []);
  return result;
}

const page = (url, from) => `
  import { WebPubSubClient } from ${JSON.stringify(from)};
  const url = ${JSON.stringify(url)};
  ${echo}
  globalThis.result = result;`;

test("one script, under the strictest policy that allows WebAssembly", async (t) => {
  const project = await Project.install(t);
  const { url, accept } = await service(t);
  const files = { "/client.js": project.path("node_modules/@webpubsub-edge/client/dist/browser.js") };
  const policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src ws:; img-src data:";
  const address = await serve(t, page(url, "/client.js"), files, policy);
  const [result] = await Promise.all([resultOf(t, address), accept()]);
  assert.equal(result, echoed);
});

test("a policy that forbids WebAssembly is named, with what it lacks", async (t) => {
  const project = await Project.install(t);
  const files = { "/client.js": project.path("node_modules/@webpubsub-edge/client/dist/browser.js") };
  const script = `
    import { WebPubSubClient } from "/client.js";
    globalThis.result = await new WebPubSubClient("ws://127.0.0.1/").start().catch(({ message }) => message);`;
  const address = await serve(t, script, files, "script-src 'self'");
  assert.match(await resultOf(t, address, true), /Content-Security-Policy.*'wasm-unsafe-eval'/);
});

test("a bundle of esbuild, with no option but the platform", async (t) => {
  const project = await Project.install(t);
  const { url, accept } = await service(t);
  project.write("app.js", page(url, "@webpubsub-edge/client"));
  await project.bundle("app.js", { format: "esm", platform: "browser", minify: true, outfile: project.path("out.js") });
  const address = await serve(t, readFileSync(project.path("out.js")), {});
  const [result] = await Promise.all([resultOf(t, address), accept()]);
  assert.equal(result, echoed);
});

test("a browser's failed start says whether anybody was there", async (t) => {
  const project = await Project.install(t);
  const { url } = await service(t);
  const files = { "/client.js": project.path("node_modules/@webpubsub-edge/client/dist/browser.js") };
  const script = (url) => `
    import { WebPubSubClient } from "/client.js";
    const { name, problem, message } = await new WebPubSubClient(${JSON.stringify(url)}).start().catch((error) => error);
    globalThis.result = { name, problem, message };`;
  const failure = async (url) => resultOf(t, await serve(t, script(url), files), true);
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
