// `npm run fmt`: formats the Rust sources.
import { root } from "./paths.mjs";
import { run } from "./processes.mjs";
import { main } from "./terminal.mjs";

await main(() => run("cargo", ["fmt", "--all"], { cwd: root, echo: true }));
