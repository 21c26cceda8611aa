// `npm run -s client-url -- --hub H …`: prints one client access URL and nothing else.
import { accessKeys, clientUrl, endpoint, groupName, hubName, primaryKey } from "./access.mjs";
import { host, parse, port, whole } from "./options.mjs";
import { UsageProblem, main, say } from "./terminal.mjs";

const COMMAND = "npm run client-url";
const A_YEAR_IN_MINUTES = 365 * 24 * 60;

const flags = {
  hub: { type: "string" },
  user: { type: "string" },
  role: { type: "string", multiple: true, default: [] },
  group: { type: "string", multiple: true, default: [] },
  minutes: { type: "string", default: "60" },
  port: { type: "string", default: "8080" },
  host: { type: "string", default: "127.0.0.1" },
};

await main(() => {
  const values = parse(process.argv.slice(2), flags, COMMAND);
  if (values.hub === undefined) throw new UsageProblem(`--hub is missing: ${COMMAND} -- --hub HUB [--user USER] [--role ROLE]… [--group GROUP]… [--minutes N]`);
  const request = {
    hub: hubName(values.hub),
    user: values.user,
    roles: values.role,
    groups: values.group.map(groupName),
    minutes: whole("--minutes", values.minutes, 1, A_YEAR_IN_MINUTES),
  };
  const url = endpoint({ host: host(values.host), port: port(values.port) });
  say(clientUrl(request, { url, key: primaryKey(accessKeys()) }));
});
