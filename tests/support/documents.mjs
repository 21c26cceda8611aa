// The documents' fenced blocks, by the label after their language: ```sh subscriber
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { root } from "./service.mjs";

/** The README and the pages of `docs`, as one text. */
export const documents = () =>
  ["README.md", ...globSync("docs/*.md", { cwd: root })]
    .map((file) => readFileSync(path.join(root, file), "utf8"))
    .join("\n");

/**
 * The text of the block with this label, which must be there once.
 * @param {string} label
 */
export function documentBlock(label) {
  const blocks = [...documents().matchAll(/^```\w+ (\S+)\n([^]*?)^```$/gm)].filter(([, its]) => its === label);
  if (blocks.length !== 1) throw new Error(`README.md and docs have ${blocks.length} blocks labelled ${label}`);
  return blocks[0][2];
}
