// What `--help` says where no command is named: which there are.
import { columns } from "../../../scripts/command.mjs";
import { commands } from "./commands.mjs";
import { EXIT_CODES } from "./exit-codes.mjs";
import { PROGRAM } from "./typed.mjs";

/** All commands with a line each, or those of a group. */
export function overview(group = "") {
  const rows = Object.entries(commands)
    .filter(([name]) => group === "" || name.startsWith(`${group} `))
    .map(([name, { rest, summary }]) => [`${name}${rest ? ` ${rest}` : ""}`, summary ?? ""]);
  if (group) return [`${PROGRAM} ${group} COMMAND`, "", ...columns(rows), "", ...more(group)].join("\n");
  return [
    `${PROGRAM} COMMAND [options]`,
    "",
    "Azure Web PubSub's wire protocols on your own machine or on Cloudflare.",
    "",
    "Commands:",
    ...columns(rows),
    "",
    "Exit codes:",
    ...columns(EXIT_CODES.map(([code, meaning]) => [String(code), meaning])),
    "",
    "Examples:",
    ...columns([
      [`${PROGRAM} dev`, "the service, at http://localhost:8080"],
      [`${PROGRAM} listen chat`, "a subscriber of the hub chat, in another terminal"],
      [`${PROGRAM} send chat "Hello World"`, "and a publisher, in a third one"],
    ]),
    "",
    ...more("COMMAND"),
  ].join("\n");
}

/** @param {string} name */
const more = (name) => [
  `${PROGRAM} ${name}${name === "COMMAND" ? "" : " COMMAND"} --help describes a command, with examples.`,
];
