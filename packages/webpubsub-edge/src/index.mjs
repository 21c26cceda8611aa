// `import { startEmulator } from "webpubsub-edge"`: the service for other people's tests.
import { fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { clientUrl } from "../../../scripts/access.mjs";
import { at } from "./paths.mjs";

const STARTED_WITHIN_MS = 60_000;

/**
 * Starts the service at a free port, with a state and a key of its own, which are gone with it.
 * @param {import("../index.d.ts").EmulatorOptions} options
 * @returns {Promise<import("../index.d.ts").Emulator>}
 */
export async function startEmulator({ port = 0, https = false, hubs, variables = {}, shards = 1, onOutput } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "webpubsub-edge-"));
  const key = randomBytes(48).toString("base64url");
  const args = ["serve", "--json", "--port", port, "--state", join(folder, "state"), "--shards", shards];
  if (https) args.push("--https", "--https-port", 0);
  for (const [name, value] of Object.entries({ ALLOW_PRIVATE_EVENT_HANDLERS: "on", ...variables }))
    args.push("--var", `${name}=${value}`);
  if (hubs !== undefined) {
    writeFileSync(join(folder, "settings.json"), JSON.stringify({ hubs }));
    args.push("--settings", join(folder, "settings.json"));
  }
  // Over the channel it learns when this process has ended, however that comes about.
  const child = fork(at("bin", "webpubsub-edge.mjs"), args.map(String), {
    cwd: folder,
    execArgv: [],
    env: { ...process.env, WEBPUBSUB_ACCESS_KEY: key, WEBPUBSUB_ACCESS_KEY_SECONDARY: "" },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  const ended = once(child, "exit");
  const stop = async () => {
    child.ref();
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
    await ended;
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  let reached;
  try {
    reached = await ready(child, onOutput);
  } catch (error) {
    await stop();
    throw error;
  }
  // A program that has nothing else to do may end, and the service ends with it.
  child.unref();
  child.channel?.unref();
  for (const stream of [child.stdout, child.stderr]) /** @type {{ unref?: () => void }} */ (stream).unref?.();
  return {
    endpoint: reached.endpoint,
    secureEndpoint: reached.secure,
    authority: reached.authority,
    accessKey: key,
    connectionString: `Endpoint=${reached.endpoint};AccessKey=${key};Version=1.0;`,
    secureConnectionString: reached.secure && `Endpoint=${reached.secure};AccessKey=${key};Version=1.0;`,
    clientUrl: (client) => clientUrl(client, { url: reached.endpoint, key }),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/**
 * Where the service says in its line of JSON that it is reached; fails with what it said where it ends before.
 * @param {import("node:child_process").ChildProcess} child
 * @param {(text: string) => void} [onOutput]
 * @returns {Promise<import("../../../scripts/service.mjs").Reached>}
 */
function ready(child, onOutput) {
  return new Promise((resolve, reject) => {
    /** @type {string | undefined} */
    let output = "";
    const fail = (/** @type {string} */ what) => reject(new Error(`The emulator ${what}.\n${output ?? ""}`.trimEnd()));
    const timer = setTimeout(() => fail(`did not start within ${STARTED_WITHIN_MS / 1000} s`), STARTED_WITHIN_MS);
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text) => {
        onOutput?.(text);
        if (output === undefined) return;
        output += text;
        const line = /^(\{"endpoint":.*\})\n/m.exec(output)?.[1];
        if (line === undefined) return;
        output = undefined;
        clearTimeout(timer);
        resolve(JSON.parse(line));
      });
    }
    child.once("exit", (code, signal) => {
      clearTimeout(timer);
      if (output !== undefined) fail(`ended with ${signal ?? `exit code ${code}`} before it was ready`);
    });
  });
}
