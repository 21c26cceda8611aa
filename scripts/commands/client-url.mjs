// `client-url`: prints one client access URL and nothing else.
import { problemOfRole } from "../../www/src/access/roles.js";
import { clientUrl as makeClientUrl, groupName, hubName, userId } from "../access.mjs";
import { address } from "../address.mjs";
import { addressFlags, addressOptions, whole } from "../options.mjs";
import { UsageProblem, say } from "../terminal.mjs";
import { typed } from "../typed.mjs";

/** @import { Flags, ValuesOf } from "../command.mjs" */

const A_YEAR_IN_MINUTES = 365 * 24 * 60;
const name = "client-url";

/**
 * The flags that say who a client is and what it may do.
 * @satisfies {Flags}
 */
export const clientFlags = {
  user: { type: "string", value: "USER", about: "Who connects." },
  role: {
    type: "string",
    multiple: true,
    value: "ROLE",
    about: "What the client may do, such as webpubsub.sendToGroup.",
  },
  group: {
    type: "string",
    multiple: true,
    value: "GROUP",
    about: "A group that it is a member of from the beginning.",
  },
};

/** @satisfies {Flags} */
const flags = {
  hub: { type: "string", value: "HUB", about: "The hub to connect to; needed." },
  ...clientFlags,
  minutes: { type: "string", default: "60", value: "M", about: "How long the URL is good for." },
  ...addressFlags,
};

const ROLES =
  "Roles are webpubsub.sendToGroup and webpubsub.joinLeaveGroup, each with .GROUP behind it for one group, and webpubsub.sendToGroups.PATTERN and webpubsub.joinLeaveGroups.PATTERN.";

/**
 * Who a client is and what it may do. Roles that grant nothing are said on standard error and stay, since an event
 * handler may know them.
 * @param {ValuesOf<typeof clientFlags>} values
 */
export function clientOf({ user, role: roles = [], group: groups = [] }) {
  const client = { user: user === undefined ? undefined : userId(user), roles, groups: groups.map(groupName) };
  const problems = roles.map((role) => ({ role, problem: problemOfRole(role) })).filter(({ problem }) => problem);
  for (const { role, problem } of problems) process.stderr.write(`--role ${role}: ${problem}\n`);
  if (problems.length > 0) process.stderr.write(`${ROLES}\n`);
  return client;
}

export const clientUrl = {
  name: typed(name),
  summary: "Prints a URL for a client to connect with.",
  about: "Prints one client access URL and nothing else: ws://, or wss:// with --https.",
  flags,
  examples: [
    [typed(name, "--hub myHub1"), "for anybody, who may only listen"],
    [
      typed(name, "--hub myHub1 --user me --role webpubsub.sendToGroup --role webpubsub.joinLeaveGroup"),
      "with all that a client may do",
    ],
    [typed(name, "--hub myHub1 --https"), "by https"],
    [typed(name, "--hub myHub1 --deployed"), "of the deployed service"],
  ],

  /** @param {ValuesOf<typeof flags>} values */
  run(values) {
    if (values.hub === undefined)
      throw new UsageProblem(
        `--hub is missing: ${typed(name, "--hub HUB [--user USER] [--role ROLE]… [--group GROUP]… [--minutes N]")}`,
      );
    const request = {
      hub: hubName(values.hub),
      ...clientOf(values),
      minutes: whole("--minutes", values.minutes, 1, A_YEAR_IN_MINUTES),
    };
    say(makeClientUrl(request, address(addressOptions(values, process.env), "http")));
  },
};
