// `dev`: the service for development, with https, and with all that one needs to begin.
import { spawn } from "node:child_process";
import { primaryKey, signInLink } from "../../../../scripts/access.mjs";
import { serviceFlags } from "../../../../scripts/options.mjs";
import { greeting } from "../../../../scripts/service/greeting.mjs";
import { say } from "../../../../scripts/terminal.mjs";
import { typed } from "../../../../scripts/typed.mjs";
import { runWorkerd } from "../run-workerd.mjs";

export const dev = {
  name: typed("dev"),
  summary: "Runs the service for development, and says how to reach it.",
  about:
    "Runs the service for development, with https beside http, and says how to reach it. Event handlers may be on this machine.",
  flags: {
    ...serviceFlags,
    open: { type: "boolean", about: "Opens the service's page in the browser." },
    json: { type: "boolean", about: "Says in one line of JSON how the service is reached, for programs." },
  },
  alwaysHttps: true,
  examples: [
    [typed("dev"), "http at port 8080 of this machine, https at 8443"],
    [typed("dev", "--open"), "and the page in the browser"],
    [typed("dev", "--port 9000 --https-port 9443 --state /tmp/state"), "a second one, with a state of its own"],
    [typed("dev", "--settings settings.json"), "with hubs' settings, such as event handlers"],
  ],

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
        if (values.open) open(signInLink({ url: reached.endpoint, key: primaryKey(keys) }));
      },
    });
  },
};

/** Opens a page in the person's browser, if there is one. */
function open(url) {
  const [program, ...args] = { darwin: ["open"], win32: ["cmd", "/c", "start", ""] }[process.platform] ?? ["xdg-open"];
  spawn(program, [...args, url], { stdio: "ignore", detached: true })
    .on("error", () => say(`No browser could be opened: open ${url}`))
    .unref();
}
