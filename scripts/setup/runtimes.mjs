// Older Nodes, Bun and Deno, which the npm package promises to run in: npm's own packages of them.
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { run } from "../processes.mjs";
import { tools } from "../paths.mjs";
import { runtimes as pinned } from "../versions.mjs";

/**
 * Where a package of each kind has its program.
 * @type {Record<string, string>}
 */
const programs = { node: "bin/node", bun: "bin/bun", deno: "deno" };

/** The runtimes for this system: a name such as `node 22.12.0`, the package and the program. */
export const runtimes = (pinned[`${process.platform}-${process.arch}`] ?? []).map((pin) => {
  const [, spec = pin, version = ""] = /^(.+)@([^@]+)$/.exec(pin) ?? [];
  const kind = Object.keys(programs).find((name) => spec.includes(name)) ?? "";
  return { name: `${kind} ${version}`, kind, version, spec, program: join(tools, "runtimes", `${kind}-${version}`) };
});

/** Each runtime as something for the set-up to install. */
export const otherRuntimes = runtimes.map(({ name, kind, spec, version, program }) => ({
  name,
  kind,
  isThere: () => existsSync(program),
  async install() {
    const made = join(tools, "tmp", `${kind}-${version}`);
    rmSync(made, { recursive: true, force: true });
    mkdirSync(made, { recursive: true });
    const args = [
      "--prefix",
      made,
      "--no-save",
      "--ignore-scripts",
      "--no-bin-links",
      "--no-audit",
      "--no-fund",
      "--loglevel=error",
    ];
    await run("npm", ["install", ...args, `${spec}@${version}`]);
    mkdirSync(dirname(program), { recursive: true });
    renameSync(join(made, "node_modules", ...spec.split("/"), ...programs[kind].split("/")), program);
    rmSync(made, { recursive: true, force: true });
  },
}));
