// The package in workerd, which compiles no WebAssembly at run time: it is imported as a module.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync } from "node:fs";
import { createServer } from "node:net";
import { test } from "node:test";
import { workerd } from "../../scripts/toolchain.mjs";
import { Project, echo, echoed, service } from "./project.mjs";

async function freePort() {
  const server = createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address();
  server.close();
  return port;
}

test("workerd", async (t) => {
  const project = await Project.install(t);
  const { url, accept } = await service(t);
  project.write(
    "app.js",
    `import { WebPubSubClient } from "@webpubsub-edge/client";
     export default { async fetch() { const url = ${JSON.stringify(url)}; ${echo} return new Response(result); } };`,
  );
  await project.bundle("app.js", {
    format: "esm",
    conditions: ["workerd", "worker", "browser"],
    external: ["*.wasm"],
    outfile: project.path("bundle.js"),
  });
  copyFileSync(project.path("node_modules/@webpubsub-edge/client/dist/core.wasm"), project.path("core.wasm"));
  const port = await freePort();
  project.write(
    "config.capnp",
    `using Workerd = import "/workerd/workerd.capnp";
     const config :Workerd.Config = (
       services = [
         (name = "main", worker = (
           modules = [(name = "bundle.js", esModule = embed "bundle.js"), (name = "core.wasm", wasm = embed "core.wasm")],
           compatibilityDate = "2026-04-01",
         )),
         (name = "internet", network = (allow = ["private", "public"])),
       ],
       sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
     );`,
  );
  const child = spawn(await workerd(), ["serve", "config.capnp"], { cwd: project.folder, stdio: ["ignore", "inherit", "inherit"] });
  t.after(() => child.kill());
  const answer = async () => {
    for (;;) {
      const response = await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined);
      if (response) return response.text();
      if (child.exitCode !== null) throw new Error(`workerd ended with ${child.exitCode}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  const [result] = await Promise.all([answer(), accept()]);
  assert.equal(result, echoed);
});
