// The command line of every command: parsed once into values, and described by `--help`.
import { parseArgs } from "node:util";
import { codeOf, messageOf } from "./errors.mjs";
import { nearest } from "./nearest.mjs";
import { Help, UsageProblem } from "./terminal.mjs";
import { afterDashes } from "./typed.mjs";

/**
 * A flag as `parseArgs` takes it, with what `--help` says of it: an `about` and, if it takes a value, a `value` to stand
 * for it.
 * @typedef {{ type: "string" | "boolean", multiple?: boolean, default?: string, value?: string, about: string }} Flag
 *
 * Flags by their names.
 * @typedef {Record<string, Flag>} Flags
 *
 * Rows of two texts each.
 * @typedef {string[][]} Rows
 */

/**
 * What is known of a command: its `name` as it is typed, what the list of all commands says of it, `examples` (pairs of
 * what is typed and what it does), and `rest`, which says what its other arguments are, if it takes any.
 * @template {Flags} [F=Flags]
 * @typedef {{
 *   name: string, summary?: string, about: string, flags: F, rest?: string, examples: Rows, alwaysHttps?: boolean,
 * }} Command
 */

/**
 * What was given to a command: the values by their flags' names.
 * @template {Flags} [F=Flags]
 * @typedef {{
 *   [Name in keyof F]: F[Name] extends { type: "boolean" } ? boolean | undefined
 *     : F[Name] extends { multiple: true } ? string[] | undefined
 *     : F[Name] extends { default: string } ? string
 *     : string | undefined
 * }} ValuesOf
 */

/**
 * What was given to a command that takes other arguments.
 * @typedef {{ rest: string[] }} Operands
 */

/**
 * Does what a command does that has a `run(values)`, with these arguments.
 * @template {Flags} F
 * @param {Command<F> & { run(values: ValuesOf<F>): unknown }} command
 */
export const runCommand = (command, args = process.argv.slice(2)) => command.run(parse(args, command));

/**
 * Parses the arguments of a command; a wrong one is a problem that says which, and what there is. `--help` ends the
 * command with its description.
 * @template {Flags} F
 * @template {string | undefined} [Rest=undefined]
 * @param {string[]} args
 * @param {Command<F> & { rest?: Rest }} command
 * @returns {ValuesOf<F> & (Rest extends string ? Operands : {})}
 */
export function parse(args, command) {
  if (args.some((arg) => arg === "--help" || arg === "-h")) throw new Help(describe(command));
  const options = Object.fromEntries(
    Object.entries(command.flags).map(([name, { type, multiple = false, default: value }]) => [
      name,
      { type, multiple, ...(value !== undefined && { default: value }) },
    ]),
  );
  const flags = Object.keys(options).map((name) => `--${name}`);
  try {
    const allowPositionals = command.rest !== undefined;
    const { values, positionals } = parseArgs({ args, options, allowPositionals, strict: true });
    return /** @type {ReturnType<typeof parse<F, Rest>>} */ (
      /** @type {unknown} */ (allowPositionals ? { ...values, rest: positionals } : values)
    );
  } catch (error) {
    const message = messageOf(error);
    const [flag = ""] = message.match(/--?[a-zA-Z][\w-]*/) ?? [];
    const takes = flags.length === 0 ? "takes no options" : `takes ${flags.join(", ")}`;
    if (codeOf(error) === "ERR_PARSE_ARGS_UNKNOWN_OPTION") {
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
    throw new UsageProblem(`${command.name} ${takes} and nothing else. (${message.split(".")[0]}.)`);
  }
}

/**
 * A command's description, as `--help` prints it.
 * @param {Pick<Command, "name" | "about" | "flags" | "rest" | "examples">} command
 */
export function describe({ name, about, flags, rest, examples }) {
  /** @type {Rows} */
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

/**
 * Rows of two texts, as lines with the second ones below each other.
 * @param {Rows} rows
 */
export function columns(rows) {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}
