// `npm run fmt`: formats the Rust sources.
import { parse } from "./command.mjs";
import { root } from "./paths.mjs";
import { run } from "./processes.mjs";
import { main } from "./terminal.mjs";

const command = {
  name: "npm run fmt",
  about: "Formats the Rust sources.",
  flags: {},
  examples: [["npm run fmt", "before a commit"]],
};

await main(() => {
  parse(process.argv.slice(2), command);
  return run("cargo", ["fmt", "--all"], { cwd: root, echo: true });
});
