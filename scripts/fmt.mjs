// `npm run fmt`: formats the sources, Rust, JavaScript and TypeScript.
import { parse } from "./command.mjs";
import { npmBin, root } from "./paths.mjs";
import { run } from "./processes.mjs";
import { setUp } from "./setup.mjs";
import { main } from "./terminal.mjs";

/** @satisfies {import("./command.mjs").Command} */
const command = {
  name: "npm run fmt",
  about: "Formats the sources: Rust, JavaScript and TypeScript.",
  flags: {},
  examples: [["npm run fmt", "before a commit"]],
};

await main(async () => {
  parse(process.argv.slice(2), command);
  await setUp("quick");
  await run("cargo", ["fmt", "--all"], { cwd: root, echo: true });
  await run(npmBin("biome"), ["format", "--write"], { cwd: root, failure: "biome format" });
});
