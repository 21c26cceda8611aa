// The package in Node: by import, by require, bundled, and without its own WebAssembly.
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { echo, echoed, ping, pinged, Project, service } from "./project.mjs";

async function prints(t, project, ...args) {
  const { url, accept } = await service(t);
  const [printed] = await Promise.all([project.node(...args, url), accept()]);
  return printed;
}

const main = `(async () => { const url = process.argv[2]; ${echo} console.log(result); })();`;

test("import", async (t) => {
  const project = await Project.install(t, { type: "module" });
  project.write("app.js", `import { WebPubSubClient } from "@webpubsub-edge/client"; ${main}`);
  assert.equal(await prints(t, project, "app.js"), echoed);
});

test("require", async (t) => {
  const project = await Project.install(t);
  project.write("app.js", `const { WebPubSubClient } = require("@webpubsub-edge/client"); ${main}`);
  assert.equal(await prints(t, project, "app.js"), echoed);
});

test("import and require have the same names", async (t) => {
  const project = await Project.install(t, { type: "module" });
  project.write(
    "app.js",
    `import { createRequire } from "node:module";
     import * as imported from "@webpubsub-edge/client";
     const required = createRequire(import.meta.url)("@webpubsub-edge/client");
     console.log(JSON.stringify([Object.keys(imported).sort(), Object.keys(required).sort()]));`,
  );
  const names = [
    "ConnectError",
    "InvocationError",
    "SendMessageError",
    "WebPubSubClient",
    "WebPubSubJsonProtocol",
    "WebPubSubJsonReliableProtocol",
    "preload",
  ];
  assert.deepEqual(JSON.parse(await project.node("app.js")), [names, names]);
});

test("a bundle that was moved away from its WebAssembly", async (t) => {
  const project = await Project.install(t);
  project.write("app.js", `const { WebPubSubClient } = require("@webpubsub-edge/client"); ${main}`);
  await project.bundle("app.js", { platform: "node", outfile: project.path("bundle", "app.js") });
  mkdirSync(project.path("elsewhere"));
  copyFileSync(project.path("bundle", "app.js"), project.path("elsewhere", "app.js"));
  assert.equal(await prints(t, project, path.join("elsewhere", "app.js")), echoed);
});

test("a bundle that makes CommonJS of modules", async (t) => {
  const project = await Project.install(t, { type: "module" });
  project.write("app.js", `import { WebPubSubClient } from "@webpubsub-edge/client"; ${main}`);
  await project.bundle("app.js", { platform: "node", outfile: project.path("bundle.cjs") });
  assert.equal(await prints(t, project, "bundle.cjs"), echoed);
});

test("slim, with WebAssembly passed in and sockets of one's own", async (t) => {
  const project = await Project.install(t, { type: "module" });
  project.write(
    "app.js",
    `import { readFileSync } from "node:fs";
     import { createRequire } from "node:module";
     import { WebSocket } from "ws";
     import { WebPubSubClient as Client, init } from "@webpubsub-edge/client/slim";
     const webSocketFactory = (url, protocol) => new WebSocket(url, protocol);
     class WebPubSubClient extends Client { constructor(url) { super(url, { webSocketFactory }); } }
     const early = await new WebPubSubClient("ws://localhost").start().catch(({ cause }) => cause.message);
     if (early !== "init() has not been called.") throw new Error(early);
     init(readFileSync(createRequire(import.meta.url).resolve("@webpubsub-edge/client/core.wasm")));
     ${main}`,
  );
  assert.equal(await prints(t, project, "app.js"), echoed);
});

test("importing the package does nothing: its bundle is empty", async (t) => {
  const project = await Project.install(t);
  project.write("app.js", 'import { WebPubSubClient } from "@webpubsub-edge/client";');
  const { outputs } = await project.bundle("app.js", { format: "esm", outfile: project.path("out.js") });
  const [{ bytes }] = Object.values(outputs);
  assert.ok(bytes < 100, `${bytes} bytes`);
});

test("the protobuf module is imported and required", async (t) => {
  const project = await Project.install(t, { type: "module" });
  const own = 'from "@webpubsub-edge/client/protobuf"';
  project.write("app.js", `import { WebPubSubProtobufProtocol } ${own}; ${ping} console.log(pinged);`);
  project.write(
    "app.cjs",
    `const { WebPubSubProtobufProtocol } = require("@webpubsub-edge/client/protobuf");
     (async () => { ${ping} console.log(pinged); })();`,
  );
  for (const file of ["app.js", "app.cjs"]) assert.equal(await project.node(file), pinged, file);
});
