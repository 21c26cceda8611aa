// The README's fenced blocks, by the label after their language: ```sh subscriber
import { readFileSync } from "node:fs";
import path from "node:path";
import { root } from "./service.mjs";

export const readme = () => readFileSync(path.join(root, "README.md"), "utf8");

/** The text of the block with this label, which must be there once. */
export function readmeBlock(label) {
  const blocks = [...readme().matchAll(/^```\w+ (\S+)\n([^]*?)^```$/gm)].filter(([, its]) => its === label);
  if (blocks.length !== 1) throw new Error(`README.md has ${blocks.length} blocks labelled ${label}`);
  return blocks[0][2];
}
