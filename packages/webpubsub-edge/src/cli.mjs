// The command line of the package: which command is meant, and what comes of it.
import { readFileSync } from "node:fs";
import { parse } from "../../../scripts/command.mjs";
import { nearest } from "../../../scripts/nearest.mjs";
import { Help, UsageProblem, main, say } from "../../../scripts/terminal.mjs";
import { commands, groups } from "./commands.mjs";
import { candidates } from "./commands/completion.mjs";
import { overview } from "./overview.mjs";
import { at } from "./paths.mjs";
import { checkKeyIsKnown } from "./service.mjs";

/** @import { AddressValues } from "../../../scripts/options.mjs" */

// Whoever reads may have enough, such as `head`.
process.stdout.on("error", (/** @type {NodeJS.ErrnoException} */ error) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});

await main(async () => {
  const [first, ...others] = process.argv.slice(2);
  if (first === undefined || first === "--help" || first === "-h") throw new Help(overview());
  if (first === "--version" || first === "-v") {
    say(JSON.parse(readFileSync(at("package.json"), "utf8")).version);
    return;
  }
  // What the scripts of `completion` ask.
  if (first === "complete") {
    for (const word of candidates(others.slice(1), commands)) say(word);
    return;
  }
  if (first === "help") return doCommand([...others, "--help"]);
  await doCommand([first, ...others]);
});

/** @param {string[]} words */
async function doCommand(words) {
  const [first, second] = words;
  const isHelp = (/** @type {string | undefined} */ word) => word === undefined || word === "--help" || word === "-h";
  if (isHelp(first) || (groups.includes(first) && isHelp(second))) throw new Help(overview(isHelp(first) ? "" : first));
  const name = groups.includes(first) ? `${first} ${second}` : first;
  const command = commands[name];
  if (!Object.hasOwn(commands, name)) throw unknown(name, groups.includes(first) ? first : undefined);
  const args = words.slice(name.split(" ").length);
  // What runs the service reads its own options.
  if (command.start) return command.start(args);
  const values = parse(args, command);
  checkOperands(command, "rest" in values ? values.rest : []);
  if ("state" in command.flags) checkKeyIsKnown(/** @type {AddressValues} */ (/** @type {unknown} */ (values)));
  return command.run?.(/** @type {never} */ (values));
}

/**
 * @param {string} name
 * @param {string} [group]
 */
function unknown(name, group) {
  const names = [...Object.keys(commands), ...groups].filter((other) => !group || other.startsWith(`${group} `));
  const meant = nearest(name, names);
  return new UsageProblem(
    `There is no command ${name}.${meant ? ` Did you mean ${meant}?` : ""} There are ${names.join(", ")}.`,
  );
}

/**
 * Fails where a command has fewer or more words than its `rest` says: those in brackets may be left out.
 * @param {{ name: string, rest?: string }} command
 * @param {string[]} given
 */
function checkOperands({ name, rest }, given) {
  const words = rest?.split(" ") ?? [];
  const least = words.filter((word) => !word.startsWith("["));
  if (given.length >= least.length && given.length <= words.length) return;
  const wrong = given.length < least.length ? `needs ${least[given.length]}` : `takes no ${given[words.length]}`;
  throw new UsageProblem(`${name} ${wrong}: ${name} ${rest}. See ${name} --help.`);
}
