// The package in workerd, which compiles no WebAssembly at run time: it is imported as a module.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { copyFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { workerd } from "../../scripts/service/program.mjs";
import { Project, echo, echoed, ping, pinged, root, service } from "./project.mjs";
import { freePort } from "../support/port.mjs";

const DATE = "2026-11-01";

/** What makes a worker of `app.js`, with its modules in the folder `out`. */
const bundlers = {
  async wrangler(project) {
    const wrangler = path.join(root, "node_modules", "wrangler", "bin", "wrangler.js");
    process.env.WRANGLER_SEND_METRICS = "false";
    await project.node(
      wrangler,
      "deploy",
      "app.js",
      "--dry-run",
      "--outdir",
      "out",
      "--name",
      "project",
      "--compatibility-date",
      DATE,
    );
  },
  async esbuild(project) {
    const conditions = ["workerd", "worker", "browser"];
    await project.bundle("app.js", {
      format: "esm",
      conditions,
      external: ["*.wasm"],
      outfile: project.path("out/app.js"),
    });
    for (const file of ["core.wasm", "groups.wasm", "protobuf.wasm"])
      copyFileSync(project.path("node_modules/@webpubsub-edge/client/dist", file), project.path("out", file));
  },
};

for (const [name, bundle] of Object.entries(bundlers)) {
  test(`workerd, bundled by ${name}`, async (t) => {
    const project = await Project.install(t);
    const { url, accept } = await service(t);
    project.write(
      "app.js",
      `import { WebPubSubClient } from "@webpubsub-edge/client";
       import { WebPubSubProtobufProtocol } from "@webpubsub-edge/client/protobuf";
       export default { async fetch() {
         const url = ${JSON.stringify(url)}; ${echo}
         ${ping}
         return new Response(result + pinged);
       } };`,
    );
    await bundle(project);
    const files = readdirSync(project.path("out")).filter((file) => file.endsWith(".wasm"));
    const wasm = files.map((file) => `(name = "${file}", wasm = embed "out/${file}")`);
    const port = await freePort();
    project.write(
      "config.capnp",
      `using Workerd = import "/workerd/workerd.capnp";
       const config :Workerd.Config = (
         services = [
           (name = "main", worker = (
             modules = [(name = "app.js", esModule = embed "out/app.js"), ${wasm.join(", ")}],
             compatibilityDate = "${DATE}",
           )),
           (name = "internet", network = (allow = ["private", "public"])),
         ],
         sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
       );`,
    );
    const child = spawn(await workerd(), ["serve", "config.capnp"], {
      cwd: project.folder,
      stdio: ["ignore", "inherit", "inherit"],
    });
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
    assert.equal(result, echoed + pinged);
  });
}
