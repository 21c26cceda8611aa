// What a result depends on: the machine, and the versions of what was measured.
import { readFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { at } from "../scripts/paths.mjs";
import { ask } from "../scripts/processes.mjs";
import { runtimes } from "../scripts/setup/runtimes.mjs";

/** Processor, cores, memory and system: nothing that identifies this very machine. */
export function machine() {
  const all = cpus();
  return {
    cpu: all[0]?.model.trim() ?? "unknown",
    cores: all.length,
    memory: `${Math.round(totalmem() / 2 ** 30)} GB`,
    system: `${process.platform} ${process.arch}`,
  };
}

/**
 * The version of each thing that contenders are made of.
 * @param {{ made: string[] }[]} contenders
 */
export function versions(contenders) {
  const made = new Set(contenders.flatMap((contender) => contender.made));
  return [
    [
      "this service",
      `${packageVersion(at("package.json"))}, ${ask("git", ["rev-parse", "--short", "HEAD"], { cwd: at() }) ?? "no commit"}`,
    ],
    ...[...made].map((name) => [name, version(name)]),
  ];
}

/** @param {string} name */
function version(name) {
  if (name === "node") return process.versions.node;
  if (name === "bun") return runtimes.find(({ kind }) => kind === "bun")?.version ?? "unknown";
  if (name === "nginx") return ask("/bin/sh", ["-c", "nginx -v 2>&1"])?.replace(/^.*\//, "") ?? "unknown";
  return packageVersion(
    name === "workerd" ? at("node_modules", name, "package.json") : at("bench", "node_modules", name, "package.json"),
  );
}

/** @param {string} file */
const packageVersion = (file) => JSON.parse(readFileSync(file, "utf8")).version;
