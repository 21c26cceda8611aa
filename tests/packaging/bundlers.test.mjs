// The package in pages that bundlers make, each with nothing but its defaults.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { join } from "node:path";
import { test } from "node:test";
import { bundlersFolder } from "../../scripts/setup/bundlers.mjs";
import { html, page, resultOf, serve } from "./pages.mjs";
import { Project, echoed, service } from "./project.mjs";

const program = (...parts) => join(bundlersFolder, "node_modules", ...parts);

/** What each bundler does in a project with `index.html` and `app.js`; gives the folder of what it made. */
const bundlers = {
  esbuild: (project) =>
    project.bundle("app.js", {
      format: "esm",
      platform: "browser",
      minify: true,
      outfile: project.path("dist/page.js"),
    }),
  vite: (project) => project.node(program("vite", "bin", "vite.js"), "build"),
  async webpack(project) {
    project.write(
      "bundle.cjs",
      `require("webpack")({ mode: "production", context: __dirname, entry: "./app.js", output: { filename: "page.js" } }, (error, stats) => {
        if (error || stats.hasErrors() || stats.hasWarnings()) throw error ?? new Error(stats.toString());
      });`,
    );
    await project.node("bundle.cjs");
  },
  async rollup(project) {
    project.write(
      "bundle.mjs",
      `import { rollup } from "rollup";
       import resolve from "@rollup/plugin-node-resolve";
       const onwarn = (warning) => { throw new Error(warning.message); };
       const bundle = await rollup({ input: "app.js", plugins: [resolve({ browser: true })], onwarn });
       // Streams and group states are a chunk of their own, so one \`file\` is not enough.
       await bundle.write({ dir: "dist", entryFileNames: "page.js", format: "es" });`,
    );
    await project.node("bundle.mjs");
  },
  parcel: (project) =>
    project.node(
      program("parcel", "lib", "bin.js"),
      "build",
      "index.html",
      "--no-cache",
      "--no-autoinstall",
      "--log-level",
      "warn",
    ),
};

for (const [name, bundle] of Object.entries(bundlers)) {
  test(`a page that ${name} makes connects and echoes`, async (t) => {
    const project = await Project.installBesideBundlers(t, { type: "module" });
    const { url, accept } = await service(t);
    project.write("app.js", page(url));
    project.write("index.html", html("./app.js"));
    await bundle(project);
    const [result] = await Promise.all([resultOf(t, await serve(t, project.files("dist"))), accept()]);
    assert.equal(result, echoed);
  });
}

test("a page of Vite's development server connects and echoes", async (t) => {
  const project = await Project.installBesideBundlers(t, { type: "module" });
  const { url, accept } = await service(t);
  project.write("app.js", page(url));
  project.write("index.html", html("./app.js"));
  const args = [program("vite", "bin", "vite.js"), "--host", "127.0.0.1", "--port", "0", "--clearScreen", "false"];
  const child = spawn(process.execPath, args, {
    cwd: project.folder,
    env: { ...process.env, NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(async () => {
    child.kill();
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  });
  let address;
  for await (const line of createInterface({ input: child.stdout })) {
    address = /http:\/\/127\.0\.0\.1:\d+\//.exec(line)?.[0];
    if (address) break;
  }
  const [result] = await Promise.all([resultOf(t, address, true), accept()]);
  assert.equal(result, echoed);
});
