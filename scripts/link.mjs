// The examples use the npm package that was built last, as if each had installed it.
import { lstatSync, mkdirSync, readlinkSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { at, build } from "./paths.mjs";

const link = at("examples", "node_modules", "@webpubsub-edge", "client");
const built = join(build, "client");

/** Has the examples find the package: a link where Node, bundlers and TypeScript look for it. */
export function linkForExamples() {
  if (lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink() && readlinkSync(link) === built) return;
  rmSync(link, { force: true, recursive: true });
  mkdirSync(dirname(link), { recursive: true });
  symlinkSync(built, link, "junction");
}
