// What axe finds wrong with a page, for those who use it without a mouse or without seeing it.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const source = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/**
 * Each violation: its rule, and the elements.
 * @param {import("playwright-core").Page} page
 */
export async function violationsOn(page) {
  await page.evaluate(source);
  const { violations } = await page.evaluate(() =>
    /** @type {typeof globalThis & { axe: typeof import("axe-core") }} */ (globalThis).axe.run(),
  );
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(" ")).join(", ")}`);
}
