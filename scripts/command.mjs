// The command line of every command: parsed once into values, and described by `--help`.
import { parseArgs } from "node:util";
import { nearest } from "./nearest.mjs";
import { Help, UsageProblem } from "./terminal.mjs";
import { afterDashes } from "./typed.mjs";

/** Does what a command does that has a `run(values)`, with these arguments. */
export const runCommand = (command, args = process.argv.slice(2)) => command.run(parse(args, command));

/**
 * Parses the arguments of a command; a wrong one is a problem that says which, and what there is. `--help` ends the
 * command with its description.
 *
 * A command has a `name` as it is typed, an `about`, `examples` (pairs of what is typed and what it does), `flags` as
 * `parseArgs` takes them, each with an `about` and, if it takes a value, a `value` to stand for it, and `rest`, which
 * says what its other arguments are, if it takes any: they are returned under this name.
 * @returns {any} the values by their flags' names
 */
export function parse(args, command) {
  if (args.some((arg) => arg === "--help" || arg === "-h")) throw new Help(describe(command));
  /** @type {Record<string, { type: "string" | "boolean", multiple?: boolean, default?: string | boolean }>} */
  const options = Object.fromEntries(
    Object.entries(command.flags).map(([name, { type, multiple = false, default: value }]) => [
      name,
      { type, multiple, default: value },
    ]),
  );
  const flags = Object.keys(options).map((name) => `--${name}`);
  try {
    const { values, positionals } = parseArgs({
      args,
      options: withoutUndefined(options),
      allowPositionals: command.rest !== undefined,
      strict: true,
    });
    return command.rest === undefined ? values : { ...values, rest: positionals };
  } catch (error) {
    const [flag] = error.message.match(/--?[a-zA-Z][\w-]*/) ?? [];
    const takes = flags.length === 0 ? "takes no options" : `takes ${flags.join(", ")}`;
    if (error.code === "ERR_PARSE_ARGS_UNKNOWN_OPTION") {
      const meant = nearest(flag.replace(/^-+/, ""), Object.keys(options));
      throw new UsageProblem(
        `Unknown option ${flag}. ${command.name} ${takes}.${meant ? ` Did you mean --${meant}?` : ""}`,
      );
    }
    if (flags.includes(flag)) {
      throw new UsageProblem(
        `${flag} ${options[flag.slice(2)].type === "string" ? "needs a value" : "takes no value"}.`,
      );
    }
    throw new UsageProblem(`${command.name} ${takes} and nothing else. (${error.message.split(".")[0]}.)`);
  }
}

/** A command's description, as `--help` prints it. */
export function describe({ name, about, flags, rest, examples }) {
  const rows = Object.entries(flags).map(([flag, { value, about, multiple, default: usual }]) => [
    `--${flag}${value ? ` ${value}` : ""}`,
    `${about}${multiple ? " Repeatable." : ""}${typeof usual === "string" ? ` (${usual})` : ""}`,
  ]);
  rows.push(["--help", "This description."]);
  const options = Object.keys(flags).length > 0 ? " [options]" : "";
  // npm takes what stands before them; a file that Node runs is typed with all of it.
  const isDashed = afterDashes && name.startsWith("npm ");
  const dashes = isDashed && (options || rest) ? " --" : "";
  return [
    `${name}${dashes}${options}${rest ? ` ${rest}` : ""}`,
    "",
    about,
    "",
    isDashed ? "Options, after --:" : "Options:",
    ...columns(rows),
    "",
    "Examples:",
    ...columns(examples),
  ].join("\n");
}

/** Rows of two texts, as lines with the second ones below each other. */
export function columns(rows) {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}

/** @returns {any} */
const withoutUndefined = (options) =>
  Object.fromEntries(
    Object.entries(options).map(([name, option]) => [
      name,
      Object.fromEntries(Object.entries(option).filter(([, value]) => value !== undefined)),
    ]),
  );
