// The page: `www/` and the client that it uses, together in `build/www/`.
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { at, build } from "../paths.mjs";
import { pageFiles } from "./client.mjs";
import { filesUnder } from "./inputs.mjs";

const folder = join(build, "www");

export const www = {
  part: "www",
  title: "page",
  inputs: () => sources().map(([from]) => from),
  outputs: [folder],

  async make() {
    mkdirSync(folder, { recursive: true });
    const wanted = new Set();
    for (const [from, to] of sources()) {
      wanted.add(to);
      // Files that are the same stay untouched: a running service watches them.
      if (existsSync(to) && readFileSync(to).equals(readFileSync(from))) continue;
      mkdirSync(dirname(to), { recursive: true });
      copyFileSync(from, to);
    }
    for (const file of filesUnder(folder)) if (!wanted.has(file)) rmSync(file);
    removeEmptyFolders(folder);
  },
};

/** Pairs of a file and its place in `build/www`. */
function sources() {
  const own = filesUnder(at("www")).map((file) => [file, join(folder, relative(at("www"), file))]);
  // The page imports `/client/index.js`; what that imports lies beside it.
  const client = pageFiles().map((file, index) => [
    join(build, "client", file),
    join(folder, "client", index === 0 ? "index.js" : basename(file)),
  ]);
  const maps = pageFiles().map((file) => [
    join(build, "client", `${file}.map`),
    join(folder, "client", `${basename(file)}.map`),
  ]);
  return [...own, ...client, ...maps];
}

function removeEmptyFolders(parent) {
  for (const entry of readdirSync(parent, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    const child = join(parent, entry.name);
    removeEmptyFolders(child);
    if (readdirSync(child).length === 0) rmSync(child, { recursive: true });
  }
}
