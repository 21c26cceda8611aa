// Deploying the built worker to Cloudflare by wrangler, whatever has it and wherever its configuration is.
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { weakKeys, weakness } from "./access.mjs";
import { filesUnder } from "./build/inputs.mjs";
import { privateFolder, writePrivate } from "./service/folder.mjs";
import { quiet } from "./service/wrangler.mjs";
import { Problem } from "./terminal.mjs";

export const KEY = "WEBPUBSUB_ACCESS_KEY";
export const SECONDARY_KEY = "WEBPUBSUB_ACCESS_KEY_SECONDARY";

/**
 * Runs wrangler to its end, and resolves with what it printed.
 * @typedef {(args: string[], options?: Parameters<typeof import("./processes.mjs").run>[2]) => Promise<string>} Wrangler
 */

/** A deployment by wrangler; `folder` is for what it leaves on disk. */
export class Deployment {
  #wrangler;
  #folder;

  /** @param {{ wrangler: Wrangler, folder: string }} how */
  constructor({ wrangler, folder }) {
    this.#wrangler = wrangler;
    this.#folder = folder;
  }

  /**
   * Everything that a deployment does on this machine, and nothing that leaves it. Returns what wrangler says of it.
   * @param {string[]} args
   */
  dryRun(args = []) {
    const outdir = join(this.#folder, "dry-run");
    return this.#wrangler(["deploy", "--dry-run", "--outdir", outdir, ...args], { env: quiet(this.#folder) });
  }

  /**
   * What wrangler says of the secrets that are set, as JSON.
   * @param {string[]} args
   */
  secrets(args = []) {
    return this.#wrangler(["secret", "list", "--format", "json", ...args], { env: quiet(this.#folder) });
  }

  /**
   * Deploys, with the access key if one is to be set. Returns the URL of what was deployed, where wrangler says it.
   * @param {string[]} args
   * @param {string} [key]
   * @returns {Promise<string | undefined>}
   */
  async deploy(args, key) {
    const [report, secrets] = ["report.ndjson", "secrets.json"].map((name) => join(privateFolder(this.#folder), name));
    rmSync(report, { force: true });
    if (key) writePrivate(secrets, JSON.stringify({ [KEY]: key }));
    try {
      const withKey = key ? ["--secrets-file", secrets] : [];
      await this.#wrangler(["deploy", ...withKey, ...args], {
        echo: true,
        env: { ...process.env, WRANGLER_OUTPUT_FILE_PATH: report },
      });
    } finally {
      rmSync(secrets, { force: true });
    }
    const lines = existsSync(report) ? readFileSync(report, "utf8").split("\n").filter(Boolean) : [];
    /** @type {{ targets?: string[] }} */
    const { targets = [] } = lines.map((line) => JSON.parse(line)).find(({ type }) => type === "deploy") ?? {};
    return targets.find((target) => target.startsWith("https://"));
  }
}

/**
 * The bindings and variables in what wrangler says of a dry run, and the migrations and assets in the configuration;
 * `assets` is where these are.
 * @param {string} output
 * @param {import("./service/worker-config.mjs").WorkerConfig} config
 * @param {string} assets
 */
export function deploymentPlan(output, config, assets) {
  const [, table] = output.match(/^(Your Worker has access to the following bindings:\n[^]*?)\n\s*\n/m) ?? [];
  if (!table) throw new Problem(`wrangler did not say what the worker is bound to:\n${output}`);
  const migrations = config.migrations.map(
    ({ tag, ...steps }) =>
      `  ${tag}: ${Object.entries(steps)
        .map(([step, classes]) => `${step} ${[classes].flat().join(", ")}`)
        .join("; ")}`,
  );
  const files = filesUnder(assets).length;
  return `${table.replace(/ +$/gm, "")}\n\nMigrations:\n${migrations.join("\n")}\n\nAssets:\n  ${files} files of ${config.assets.directory}, as env.${config.assets.binding}`;
}

/**
 * Fails if a key that would be the service's can be guessed; `otherwise` says what to do.
 * @param {Record<string, string | undefined>} keys
 * @param {string} otherwise
 */
export function checkKeys(keys, otherwise) {
  const known = Object.fromEntries(Object.entries(keys).filter(([, key]) => key));
  const weak = weakKeys(known);
  if (weak.length > 0)
    throw new Problem(
      `${weak.map(weakness).join(" ")} It is not deployed: take a random one, or leave it out and ${otherwise}.`,
    );
}
