// `deploy`: the built worker to Cloudflare, by wrangler.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline/promises";
import {
  connectionString,
  deployment as knownDeployment,
  keepDeployment,
  newKey,
} from "../../../../scripts/access.mjs";
import { parse } from "../../../../scripts/command.mjs";
import { Deployment, KEY, SECONDARY_KEY, checkKeys, deploymentPlan } from "../../../../scripts/deployment.mjs";
import { codeOf, messageOf } from "../../../../scripts/errors.mjs";
import { variablesOf, serviceFlags } from "../../../../scripts/options.mjs";
import { exitOnSignals, run } from "../../../../scripts/processes.mjs";
import { privateFolder } from "../../../../scripts/service/folder.mjs";
import { workerConfig } from "../../../../scripts/service/worker-config.mjs";
import { Problem, say, step } from "../../../../scripts/terminal.mjs";
import { typed } from "../../../../scripts/typed.mjs";
import { at, home, makeHome } from "../paths.mjs";

/**
 * @import { Flags, ValuesOf } from "../../../../scripts/command.mjs"
 * @import { Wrangler } from "../../../../scripts/deployment.mjs"
 * @import { WorkerConfig } from "../../../../scripts/service/worker-config.mjs"
 */

const { shards, settings, var: variable, "web-socket-compression": compression } = serviceFlags;

/** @satisfies {Flags} */
const flags = {
  name: { type: "string", default: "webpubsub-edge", value: "NAME", about: "What the worker is called." },
  shards,
  settings,
  var: variable,
  "web-socket-compression": compression,
  "dry-run": {
    type: "boolean",
    about: "Deploys nothing, and prints the bindings, variables, migrations and assets that a deployment has.",
  },
};

export const deploy = {
  name: typed("deploy"),
  summary: "Deploys the service to Cloudflare.",
  about: `Deploys the service to Cloudflare, by the project's own wrangler or else one that npx gets. The first time it sets the
access key: ${KEY} of the environment, else what you answer, else a random one. At the end it prints the
connection string. What comes after -- is passed on to wrangler.`,
  rest: "[-- OPTIONS…]",
  flags,
  examples: [
    ["npx wrangler login", "once, before the first deployment"],
    [typed("deploy"), "to https://webpubsub-edge.ACCOUNT.workers.dev"],
    [typed("deploy", "--dry-run"), "to see what it would have"],
    [typed("deploy", "--name chat --shards 4 -- --routes chat.example/*"), "under another name and at a domain"],
  ],

  /** @param {string[]} args */
  async start(args) {
    exitOnSignals();
    const end = args.includes("--") ? args.indexOf("--") : args.length;
    const values = parse(args.slice(0, end), { ...this, rest: undefined });
    const known = knownDeployment();
    checkKeys({ [KEY]: known.key, [SECONDARY_KEY]: process.env[SECONDARY_KEY] }, "have one made");
    const config = configuration(
      await workerConfig({ webSocketCompression: values["web-socket-compression"] }),
      values,
    );
    makeHome();
    const folder = privateFolder(join(home, "deploy"));
    const file = join(folder, "wrangler.json");
    writeFileSync(file, JSON.stringify(config, null, 2), { mode: 0o600 });
    const more = ["--config", file, ...args.slice(end + 1)];
    const deployment = new Deployment({ wrangler: wranglerOf(process.cwd()), folder });
    if (values["dry-run"]) {
      const output = await step("Deployment, dry run", () => deployment.dryRun(more));
      say(`\n${deploymentPlan(output, config, config.assets.directory)}`);
      return;
    }
    const isSet = await step("Is the access key set?", () => isKeySet(deployment, ["--config", file]));
    const key = isSet ? undefined : (known.key ?? (await askForKey()));
    // Before it is the service's: a deployment that breaks off after that must not lose it.
    if (key) keepDeployment({ endpoint: known.endpoint, key });
    const endpoint = (await deployment.deploy(more, key)) ?? known.endpoint;
    keepDeployment({ endpoint, key: key ?? known.storedKey });
    sayWhatNext(endpoint, key ?? known.key);
  },
};

/**
 * What wrangler deploys: the package's worker and pages, under the person's name and with their variables.
 * @param {WorkerConfig} config
 * @param {ValuesOf<typeof flags>} values
 */
function configuration(config, values) {
  return {
    ...config,
    name: values.name,
    main: at(config.main),
    assets: { ...config.assets, directory: at(config.assets.directory) },
    vars: { ...config.vars, ...variablesOf(values) },
  };
}

/**
 * What runs the project's wrangler, or the one that this version was tested with.
 * @param {string} folder
 * @returns {Wrangler}
 */
function wranglerOf(folder) {
  const [program, ...first] = ownWrangler(folder) ?? ["npx", "--yes", `wrangler@${tested()}`];
  return async (args, options) => {
    try {
      return await run(program, [...first, ...args], { cwd: folder, failure: "wrangler", ...options });
    } catch (error) {
      if (codeOf(error) !== "ENOENT") throw error;
      throw new Problem(`${program} is not in PATH: it comes with npm. Or install wrangler in this folder.`);
    }
  };
}

/** @param {string} folder */
function ownWrangler(folder) {
  try {
    const manifest = createRequire(join(folder, "package.json")).resolve("wrangler/package.json");
    const script = join(dirname(manifest), "bin", "wrangler.js");
    return existsSync(script) ? [process.execPath, script] : undefined;
  } catch {
    return undefined;
  }
}

const tested = () => JSON.parse(readFileSync(at("package.json"), "utf8")).config.wrangler;

/**
 * Whether the worker is there and has its key.
 * @param {Deployment} deployment
 * @param {string[]} args
 */
async function isKeySet(deployment, args) {
  try {
    return (await deployment.secrets(args)).includes(`"${KEY}"`);
  } catch (error) {
    // Cloudflare's numbers for a worker that there is not.
    if (/\b(10007|10090)\b|does not exist/.test(messageOf(error))) return false;
    throw new Problem(
      `Whether the access key is set could not be asked. If you are not logged in: npx wrangler login.\n\n${messageOf(error)}`,
    );
  }
}

async function askForKey() {
  if (!process.stdin.isTTY) return newKey();
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = (
    await terminal.question("Access key of the service, 32 characters or more (nothing for a random one): ")
  ).trim();
  terminal.close();
  if (answer) checkKeys({ [KEY]: answer }, "have one made");
  return answer || newKey();
}

/**
 * @param {string | undefined} endpoint
 * @param {string | undefined} key
 */
function sayWhatNext(endpoint, key) {
  say(`\nThe service is deployed${endpoint ? ` at ${endpoint}` : ""}.\n`);
  if (endpoint && key) {
    say(`  Connection string  ${connectionString(endpoint, key)}`);
    say(`  Client URL         ${typed("client-url", "--deployed --hub myHub1 --user me")}`);
    return;
  }
  if (!endpoint) say("wrangler did not say at which URL: add --endpoint URL to connection-string and client-url.");
  if (!key)
    say(`Its access key is not known here: set ${KEY} in the environment to it for connection-string and client-url.`);
}
