// The built worker under `wrangler dev`.
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { bracketed } from "../access.mjs";
import { at, root } from "../paths.mjs";
import { start } from "../processes.mjs";
import { Problem } from "../terminal.mjs";
import { copyFolder } from "./copy.mjs";
import { privateFolder } from "./folder.mjs";
import { workerConfig } from "./worker-config.mjs";

/**
 * wrangler dev puts `Content-Encoding: gzip` on an answer without a content type, and on one without a body, too, which
 * clients that decompress then cannot read. An answer that names an encoding is left as it is.
 */
const ENTRY = `// Generated; every start writes it anew.
import Worker from "./index.js";

export * from "./index.js";

export default {
  async fetch(request, env, context) {
    const answer = await Worker.fetch(request, env, context);
    if (answer.body !== null || answer.webSocket) return answer;
    const headers = new Headers(answer.headers);
    headers.set("Content-Encoding", "identity");
    return new Response(null, { status: answer.status, headers });
  },
};
`;

/**
 * Puts the built worker where wrangler reads it, the entry last: it is the file that wrangler watches.
 * Returns its path.
 * @param {{ state: string, webSocketCompression?: boolean }} options
 */
export async function loadWorker(options) {
  const folder = join(options.state, "wrangler", "worker");
  const config = await workerConfig(options);
  copyFolder(dirname(at(config.main)), folder);
  const entry = join(folder, "entry.js");
  writeFileSync(entry, ENTRY, { mode: 0o600 });
  return entry;
}

/**
 * Starts wrangler; everything that it writes goes into `options.state`.
 * @type {import("../service.mjs").Launch}
 */
export async function startWrangler(options, { variables, keys }, stdio) {
  const folder = privateFolder(join(options.state, "wrangler"));
  const main = await loadWorker(options);
  const config = join(folder, "wrangler.json");
  writeFileSync(config, JSON.stringify(localConfig(await workerConfig(options), { main, variables }), null, 2));
  // Beside the configuration wrangler takes this file for the secrets, and never shows them.
  writeFileSync(join(folder, ".dev.vars"), devVars(keys), { mode: 0o600 });
  const args = [
    ...["dev", "--config", config, "--local"],
    ...["--ip", bracketed(options.host), "--port", String(options.port), "--inspector-port", "0"],
    ...["--persist-to", join(folder, "state"), "--log-level", "warn", "--show-interactive-dev-session=false"],
  ];
  return start(process.execPath, [at("node_modules", "wrangler", "bin", "wrangler.js"), ...args], {
    cwd: root,
    stdio,
    env: quiet(folder, stdio),
  });
}

/**
 * The deployed configuration with this run's entry and variables, and paths that hold from anywhere.
 * @param {import("./worker-config.mjs").WorkerConfig} config
 * @param {{ main: string, variables: Record<string, string> }} run
 */
export function localConfig(config, { main, variables }) {
  return {
    ...config,
    main,
    rules: [{ type: "ESModule", globs: ["**/*.js"], fallthrough: false }, ...config.rules],
    assets: { ...config.assets, directory: at(config.assets.directory) },
    vars: { ...config.vars, ...variables },
  };
}

/**
 * Secrets as a `.dev.vars` file.
 * @param {Record<string, string | undefined>} keys
 */
export function devVars(keys) {
  return Object.entries(keys)
    .map(([name, value = ""]) => {
      const quote = ["'", '"', "`"].find((candidate) => !value.includes(candidate));
      if (!quote || /[\r\n]/.test(value) || (quote !== "'" && value.includes("\\"))) {
        throw new Problem(`${name} has characters that wrangler cannot read: take a key of letters and digits.`);
      }
      return `${name}=${quote}${value}${quote}\n`;
    })
    .join("");
}

/**
 * No telemetry, no look for updates, no questions, nothing from the network, colours only for eyes.
 * @param {string} folder
 * @param {import("../service.mjs").Stdio} [stdio]
 */
export function quiet(folder, stdio) {
  const seen = stdio?.[1] === "inherit" && process.stdout.isTTY;
  return {
    ...process.env,
    FORCE_COLOR: seen ? "1" : "0",
    CI: "true",
    CLOUDFLARE_CF_FETCH_ENABLED: "false",
    CLOUDFLARE_INCLUDE_PROCESS_ENV: "false",
    CLOUDFLARE_LOAD_DEV_VARS_FROM_DOT_ENV: "false",
    WRANGLER_HIDE_BANNER: "true",
    WRANGLER_LOG_PATH: join(folder, "logs"),
    WRANGLER_REGISTRY_PATH: join(folder, "registry"),
    WRANGLER_SEND_ERROR_REPORTS: "false",
    WRANGLER_SEND_METRICS: "false",
  };
}
