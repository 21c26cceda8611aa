// `npm run -s token -- --path P`: prints a token for requests to one path of a running service and nothing else.
import { accessKeys, endpoint, primaryKey, requestToken } from "./access.mjs";
import { host, parse, port, whole } from "./options.mjs";
import { UsageProblem, main, say } from "./terminal.mjs";

const COMMAND = "npm run token";
const A_YEAR_IN_MINUTES = 365 * 24 * 60;

const flags = {
  path: { type: "string" },
  minutes: { type: "string", default: "60" },
  port: { type: "string", default: "8080" },
  host: { type: "string", default: "127.0.0.1" },
};

await main(() => {
  const values = parse(process.argv.slice(2), flags, COMMAND);
  if (!values.path?.startsWith("/")) throw new UsageProblem(`--path must be a request's path, such as /management/hubs: ${COMMAND} -- --path PATH [--minutes N]`);
  const minutes = whole("--minutes", values.minutes, 1, A_YEAR_IN_MINUTES);
  const url = endpoint({ host: host(values.host), port: port(values.port) });
  say(requestToken({ path: values.path, minutes }, { url, key: primaryKey(accessKeys()) }));
});
