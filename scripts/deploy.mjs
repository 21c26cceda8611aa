// `npm run deploy`: the built worker to Cloudflare, once its access key is there.
//
// What is no option of its own is passed on to `wrangler deploy`.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { keepDeployment, deployment as knownDeployment, newKey } from "./access.mjs";
import { build } from "./build.mjs";
import { reportSizes } from "./build/sizes.mjs";
import { parse } from "./command.mjs";
import { Deployment, KEY, SECONDARY_KEY, checkKeys, deploymentPlan } from "./deployment.mjs";
import { messageOf } from "./errors.mjs";
import { at, build as built, root } from "./paths.mjs";
import { exitOnSignals, run } from "./processes.mjs";
import { workerConfig } from "./service/worker-config.mjs";
import { setUp } from "./setup.mjs";
import { Problem, main, say, step } from "./terminal.mjs";
import { checkConfigured } from "./variables.mjs";

/** @satisfies {import("./command.mjs").Command} */
const command = {
  name: "npm run deploy",
  about:
    "Deploys the built worker to Cloudflare, after checking that its access key is set as a secret, and says how to get the\nconnection string and client URLs of it. Other options are passed on to wrangler deploy.",
  flags: {
    "set-key": {
      type: "boolean",
      about: `Sets the access key with the deployment: ${KEY} of the environment, else the one in .deploy.vars (or the file that WEBPUBSUB_DEPLOY_VARS names), else a random one that is kept there.`,
    },
    "dry-run": {
      type: "boolean",
      about: "Deploys nothing, and prints the bindings, variables, migrations and assets that a deployment has.",
    },
  },
  examples: [
    ["npx wrangler login", "once, before the first deployment"],
    ["npm run deploy -- --set-key", "the first deployment, with a random access key"],
    ["npm run deploy", "each one after it"],
    ["npm run deploy -- --dry-run", "to see what it would have"],
    ["npm run deploy -- --env staging", "with an option of wrangler's"],
  ],
};

const folder = join(built, ".wrangler");
/**
 * @param {string[]} args
 * @param {Parameters<typeof run>[2]} [options]
 */
const wrangler = (args, options) =>
  run(process.execPath, [at("node_modules", "wrangler", "bin", "wrangler.js"), ...args], { cwd: root, ...options });

const deployment = new Deployment({ wrangler, folder });

/** What wrangler says of a deployment of which nothing leaves this machine. */
export const dryRun = () => deployment.dryRun();

/** @param {string[]} args */
async function checkSecret(args) {
  const env = args.flatMap((arg, index) =>
    arg === "--env" || arg === "-e" ? [arg, args[index + 1]] : arg.startsWith("--env=") ? [arg] : [],
  );
  const how = `This sets a random one and deploys:\n  ${command.name} -- --set-key`;
  let secrets;
  try {
    secrets = await deployment.secrets(env);
  } catch (error) {
    throw new Problem(
      `Whether the access key is set could not be asked. If you are not logged in: npx wrangler login. If the worker is not there yet: ${how}\n\n${messageOf(error)}`,
    );
  }
  if (!secrets.includes(`"${KEY}"`)) throw new Problem(`The secret ${KEY} is not set: no client could connect. ${how}`);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  exitOnSignals();
  await main(async () => {
    const own = ["--help", "-h", ...Object.keys(command.flags).map((flag) => `--${flag}`)];
    const args = process.argv.slice(2).filter((arg) => !own.includes(arg));
    const values = parse(
      process.argv.slice(2).filter((arg) => own.includes(arg)),
      command,
    );
    const known = knownDeployment();
    checkKeys({ [KEY]: known.key, [SECONDARY_KEY]: process.env[SECONDARY_KEY] }, "have --set-key make one");
    await setUp("build");
    const config = await workerConfig();
    checkConfigured(config.vars ?? {});
    await build();
    reportSizes();
    if (values["dry-run"]) {
      const output = await step("Deployment, dry run", () => deployment.dryRun(args));
      say(`\n${deploymentPlan(output, config, at(config.assets.directory))}`);
      return;
    }
    const key = values["set-key"] ? (known.key ?? newKey()) : undefined;
    // Before it is the service's: a deployment that breaks off after that must not lose it.
    if (key) keepDeployment({ endpoint: known.endpoint, key });
    else await step("Is the access key set?", () => checkSecret(args));
    const endpoint = (await deployment.deploy(args, key)) ?? known.endpoint;
    keepDeployment({ endpoint, key: key ?? known.storedKey });
    sayWhatNext({ endpoint, key: key ?? known.key });
  });
}

/** @param {{ endpoint: string, key: string }} options */
function sayWhatNext({ endpoint, key }) {
  const needs = [
    ...(endpoint ? [] : ["wrangler did not say at which URL it is: add --endpoint URL to these."]),
    ...(key ? [] : [`Its access key is not known here: set ${KEY} in the environment to it for these.`]),
  ];
  say(`
The service is deployed${endpoint ? ` at ${endpoint}` : ""}. Its connection string and client URLs:
  export WebPubSubConnectionString="$(npm run -s connection-string -- --deployed)"
  npm run -s client-url -- --deployed --hub myHub1 --user me
${needs.map((need) => `${need}\n`).join("")}`);
}
