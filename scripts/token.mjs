// `npm run -s token -- --path P`: prints a token for requests to one path of a running service and nothing else.
import { requestToken } from "./access.mjs";
import { address } from "./address.mjs";
import { parse } from "./command.mjs";
import { addressFlags, addressOptions, whole } from "./options.mjs";
import { UsageProblem, main, say } from "./terminal.mjs";

const A_YEAR_IN_MINUTES = 365 * 24 * 60;

const command = {
  name: "npm run -s token",
  about:
    "Prints a token for requests to one path of the service and nothing else. It holds at the http port, or with --https at the other one.",
  flags: {
    path: { type: "string", value: "PATH", about: "The path, such as /management/hubs/chat; needed." },
    minutes: { type: "string", default: "60", value: "M", about: "How long the token is good for." },
    ...addressFlags,
  },
  examples: [
    [
      'curl http://localhost:8080/management/hubs -H "Authorization: Bearer $(npm run -s token -- --path /management/hubs)"',
      "the names of all hubs",
    ],
    ["npm run -s token -- --path /management/metrics --deployed", "for the deployed service's metrics"],
  ],
};

await main(() => {
  const values = parse(process.argv.slice(2), command);
  if (!values.path?.startsWith("/"))
    throw new UsageProblem(
      `--path must be a request's path, such as /management/hubs: ${command.name} -- --path PATH [--minutes N]`,
    );
  const minutes = whole("--minutes", values.minutes, 1, A_YEAR_IN_MINUTES);
  say(requestToken({ path: values.path, minutes }, address(addressOptions(values), "http")));
});
