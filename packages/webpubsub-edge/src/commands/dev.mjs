// `dev`: the service for development, with https, and with all that one needs to begin.
import { primaryKey, signInLink } from "../../../../scripts/access.mjs";
import { serviceFlags } from "../../../../scripts/options.mjs";
import { greeting } from "../../../../scripts/service/greeting.mjs";
import { say } from "../../../../scripts/terminal.mjs";
import { typed } from "../../../../scripts/typed.mjs";
import { hasBrowser, openPage } from "../browser.mjs";
import { runWorkerd } from "../run-workerd.mjs";

/** @import { Flags } from "../../../../scripts/command.mjs" */

const isAtTerminal = () => Boolean(process.stdin.isTTY && process.stdout.isTTY);

/** @satisfies {Flags} */
const flags = {
  ...serviceFlags,
  open: { type: "boolean", about: "Opens the page, signed in, also where no screen is found." },
  "no-open": { type: "boolean", about: "Does not open it." },
  json: { type: "boolean", about: "Says in one line of JSON how the service is reached, for programs." },
};

export const dev = {
  name: typed("dev"),
  summary: "Runs the service for development, and says how to reach it.",
  about:
    "Runs the service for development, with https beside http, says how to reach it, and opens its page in the browser.\nEvent handlers may be on this machine.",
  flags,
  alwaysHttps: true,
  examples: [
    [typed("dev"), "http at port 8080 of this machine, https at 8443"],
    [typed("dev", "--no-open"), "without the page in the browser"],
    [typed("dev", "--port 9000 --https-port 9443 --state /tmp/state"), "a second one, with a state of its own"],
    [typed("dev", "--settings settings.json"), "with hubs' settings, such as event handlers"],
  ],

  /** @param {string[]} args */
  start(args) {
    return runWorkerd(this, args, {
      signedIn: true,
      // A handler under development listens on the developer's own machine.
      variables: { ALLOW_PRIVATE_EVENT_HANDLERS: "on" },
      ready(options, keys, reached, values) {
        if (!values.json) {
          say(greeting(options, primaryKey(keys), reached));
          say("Ctrl-C stops the service; its state stays.\n");
        }
        const opens = values.open || (!values["no-open"] && !values.json && hasBrowser({ isTerminal: isAtTerminal() }));
        if (opens) openPage(signInLink({ url: reached.endpoint, secure: reached.secure, key: primaryKey(keys) }));
      },
    });
  },
};
