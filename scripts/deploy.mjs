// `npm run deploy`: the built worker to Cloudflare, once its access key is there.
//
// What follows `--` is passed on to `wrangler deploy`.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "./build.mjs";
import { reportSizes } from "./build/sizes.mjs";
import { at, build as built, root } from "./paths.mjs";
import { exitOnSignals, run } from "./processes.mjs";
import { quiet } from "./service/wrangler.mjs";
import { setUp } from "./setup.mjs";
import { Problem, main, step } from "./terminal.mjs";

const KEY = "WEBPUBSUB_ACCESS_KEY";
const PUT_KEY = `node -p 'crypto.randomBytes(48).toString("base64url")' | npx wrangler secret put ${KEY}`;

const wrangler = (args, options) => run(process.execPath, [at("node_modules", "wrangler", "bin", "wrangler.js"), ...args], { cwd: root, ...options });

/** Everything that a deployment does on this machine, and nothing that leaves it. */
export const dryRun = (args = []) =>
  wrangler(["deploy", "--dry-run", "--outdir", join(built, ".dry-run"), ...args], { env: quiet(join(built, ".wrangler")) });

async function checkSecret(args) {
  const env = args.flatMap((arg, index) => (arg === "--env" || arg === "-e" ? [arg, args[index + 1]] : arg.startsWith("--env=") ? [arg] : []));
  let secrets;
  try {
    secrets = await wrangler(["secret", "list", "--format", "json", ...env], { env: quiet(join(built, ".wrangler")) });
  } catch (error) {
    throw new Problem(`Whether the access key is set could not be asked. If you are not logged in: npx wrangler login. If the worker is not there yet, this makes it and sets its key:\n  ${PUT_KEY}\n\n${error.message}`);
  }
  if (!secrets.includes(`"${KEY}"`)) {
    throw new Problem(`The secret ${KEY} is not set: nobody could connect. Set a random one, then deploy again:\n  ${PUT_KEY}`);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  exitOnSignals();
  await main(async () => {
    const args = process.argv.slice(2);
    await setUp("build");
    await build();
    reportSizes();
    if (args.includes("--dry-run")) {
      await step("Deployment, dry run", () => dryRun(args.filter((arg) => arg !== "--dry-run")));
      return;
    }
    await step("Is the access key set?", () => checkSecret(args));
    await wrangler(["deploy", ...args], { echo: true });
  });
}
