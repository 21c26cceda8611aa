// `token`: prints a token for requests to one path of a service and nothing else.
import { requestToken } from "../access.mjs";
import { address } from "../address.mjs";
import { addressFlags, addressOptions, whole } from "../options.mjs";
import { UsageProblem, say } from "../terminal.mjs";
import { typed } from "../typed.mjs";

/** @import { Flags, ValuesOf } from "../command.mjs" */

const A_YEAR_IN_MINUTES = 365 * 24 * 60;
const name = "token";

/** @satisfies {Flags} */
const flags = {
  path: { type: "string", value: "PATH", about: "The path, such as /management/hubs/chat; needed." },
  minutes: { type: "string", default: "60", value: "M", about: "How long the token is good for." },
  ...addressFlags,
};

export const token = {
  name: typed(name),
  summary: "Prints a token for requests to one path of a service.",
  about:
    "Prints a token for requests to one path of the service and nothing else. It holds at the http port, or with --https at the other one.",
  flags,
  examples: [
    [
      `curl http://localhost:8080/management/hubs -H "Authorization: Bearer $(${typed(name, "--path /management/hubs")})"`,
      "the names of all hubs",
    ],
    [typed(name, "--path /management/metrics --deployed"), "for the deployed service's metrics"],
  ],

  /** @param {ValuesOf<typeof flags>} values */
  run(values) {
    if (!values.path?.startsWith("/"))
      throw new UsageProblem(
        `--path must be a request's path, such as /management/hubs: ${typed(name, "--path PATH [--minutes N]")}`,
      );
    const minutes = whole("--minutes", values.minutes, 1, A_YEAR_IN_MINUTES);
    say(requestToken({ path: values.path, minutes }, address(addressOptions(values, process.env), "http")));
  },
};
