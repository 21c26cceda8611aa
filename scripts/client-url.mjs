// `npm run -s client-url -- --hub H …`: prints one client access URL and nothing else.
import { clientUrl, groupName, hubName } from "./access.mjs";
import { address } from "./address.mjs";
import { parse } from "./command.mjs";
import { addressFlags, addressOptions, whole } from "./options.mjs";
import { UsageProblem, main, say } from "./terminal.mjs";

const A_YEAR_IN_MINUTES = 365 * 24 * 60;

const command = {
  name: "npm run -s client-url",
  about: "Prints one client access URL and nothing else: ws://, or wss:// with --https.",
  flags: {
    hub: { type: "string", value: "HUB", about: "The hub to connect to; needed." },
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
    minutes: { type: "string", default: "60", value: "M", about: "How long the URL is good for." },
    ...addressFlags,
  },
  examples: [
    ["npm run -s client-url -- --hub myHub1", "for anybody, who may only listen"],
    [
      "npm run -s client-url -- --hub myHub1 --user me --role webpubsub.sendToGroup --role webpubsub.joinLeaveGroup",
      "with all that a client may do",
    ],
    ["npm run -s client-url -- --hub myHub1 --https", "by https"],
    ["npm run -s client-url -- --hub myHub1 --deployed", "of the deployed service"],
  ],
};

await main(() => {
  const values = parse(process.argv.slice(2), command);
  if (values.hub === undefined)
    throw new UsageProblem(
      `--hub is missing: ${command.name} -- --hub HUB [--user USER] [--role ROLE]… [--group GROUP]… [--minutes N]`,
    );
  const request = {
    hub: hubName(values.hub),
    user: values.user,
    roles: values.role,
    groups: values.group?.map(groupName),
    minutes: whole("--minutes", values.minutes, 1, A_YEAR_IN_MINUTES),
  };
  say(clientUrl(request, address(addressOptions(values), "http")));
});
