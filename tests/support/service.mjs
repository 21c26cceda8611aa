// The service under test: the real worker on the real runtime, in a process group and a folder of its own.
import assert from "node:assert/strict";
import { createWriteStream, existsSync, mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, afterEach, before, describe } from "node:test";
import { fileURLToPath } from "node:url";
import { present } from "./found.mjs";
import { Growing } from "./growing.mjs";
import { Hub } from "./hub.mjs";
import { freePort } from "./port.mjs";
import { ended, kill, start } from "./processes.mjs";
import { request } from "./rest.mjs";
import { sign } from "./token.mjs";
import { deferred, within } from "./waiting.mjs";

export const root = fileURLToPath(new URL("../..", import.meta.url));
const KEY = "an-access-key-for-tests-of-48-characters-in-all!";
const SECONDARY_KEY = "the-other-access-key-for-tests-48-characters-too";
const START_LIMIT_MS = 180_000;
const READY = /^listening on (http:\/\/\S+)$/m;
const SECURE = /^listening on (https:\/\/\S+)$/m;
let logs = 0;
/** Whether the tests are run on the native server: `npm run e2e -- --host native`. */
export const isNative = process.env.TEST_HOST === "native";
/** Why a test of workerd's own ways, or of a command that runs it, is left out there. */
export const ofWorkerd = isNative && "it is about workerd";
/** Which of their numbers of shards suites are run with, if not with all of them: `fewest` or `most`, without growing. */
const NARROWED = process.env.TEST_SHARDS;
/** What runs the service where a test does not say it. */
const HOST_RUNNER = isNative ? "server" : "serve";

export class Service {
  /** @type {ReturnType<typeof start> | undefined} */
  #child;
  /** @type {ReturnType<typeof ended>} */
  #gone = Promise.resolve(null);
  #output = "";
  #hubs = 0;
  /** Where it is reached, once it has started; `secure` is by https. */
  endpoint = "";
  secure = "";
  port = 0;
  securePort = 0;
  /** Whether its hubs are given more and more shards. */
  grows = false;

  /**
   * `runner` is the npm script that runs it: `serve` or `start`, which always serves https, too; `https` asks for it, at
   * a free port unless it is to be the usual one, with a certificate of one's own if there are the files of `cert` and `key`; `settings` are those of
   * `--settings`, `options` any others of the command. A service of very many hubs, each of which is some files, may keep
   * them in memory: what tests end is the process, not the machine.
   * @typedef {{
   *   shards?: number, runner?: string, variables?: Record<string, string | number>, settings?: { hubs?: Record<string, object>, [section: string]: unknown },
   *   https?: boolean | "at the usual port" | { cert: string, key: string }, key?: string, inMemory?: boolean, options?: (string | number)[], secrets?: Record<string, string>,
   * }} ServiceOptions
   * @param {ServiceOptions} options
   */
  constructor({
    shards = 1,
    runner = HOST_RUNNER,
    variables = {},
    settings,
    https = runner === "start",
    key = KEY,
    inMemory = false,
    options = [],
    secrets = {},
  } = {}) {
    this.shards = shards;
    this.runner = runner;
    this.variables = variables;
    this.settings = settings;
    this.https = https;
    this.options = options;
    this.secrets = secrets;
    this.key = key;
    this.secondaryKey = SECONDARY_KEY;
    this.state = mkdtempSync(path.join(inMemory ? memory() : tmpdir(), "webpubsub-"));
  }

  /** Starts it on a free port, or again on the port that it had. */
  async start() {
    this.port ||= await freePort();
    if (this.https && this.https !== "at the usual port") this.securePort ||= await freePort();
    const options = ["--port", this.port, "--state", this.state, "--shards", this.shards, ...this.options];
    for (const [name, value] of Object.entries(this.variables)) options.push("--var", `${name}=${value}`);
    if (this.https === true) options.push("--https", "--https-port", this.securePort);
    if (typeof this.https === "object")
      options.push("--cert", this.https.cert, "--key", this.https.key, "--https-port", this.securePort);
    if (this.settings) options.push("--settings", this.#writeSettings());
    this.#output = "";
    /** @type {ReturnType<typeof deferred<string>>} */
    const ready = deferred();
    const log = this.#openLog();
    this.#child = start(process.execPath, [path.join(root, "scripts", `${this.runner}.mjs`), ...options.map(String)], {
      cwd: root,
      env: {
        ...process.env,
        WEBPUBSUB_ACCESS_KEY: this.key,
        WEBPUBSUB_ACCESS_KEY_SECONDARY: SECONDARY_KEY,
        ...this.secrets,
      },
      onOutput: (text) => {
        log.write(text);
        this.#output += text;
        const [, address] = READY.exec(this.#output) ?? [];
        if (address) ready.resolve(address);
      },
    });
    this.#gone = ended(this.#child).then((code) => {
      log.end();
      ready.reject(new Error(`the service ended with ${code} before it was ready:\n${this.#output}`));
      return code;
    });
    this.endpoint = await within(ready.promise, `the ready line of npm run ${this.runner}`, START_LIMIT_MS);
    if (this.https) {
      this.secure = SECURE.exec(this.#output)?.[1] ?? "";
      this.securePort = Number(new URL(this.secure).port);
    }
    return this;
  }

  #writeSettings() {
    const file = path.join(this.state, "settings.json");
    writeFileSync(file, JSON.stringify(this.settings));
    return file;
  }

  #openLog() {
    const folder = path.join(root, "build", "test-logs");
    mkdirSync(folder, { recursive: true });
    const test = path
      .relative(path.join(root, "tests"), process.argv[1] ?? "test")
      .replace(/\.test\.mjs$/, "")
      .replaceAll(/[^\w-]+/g, "-");
    return createWriteStream(path.join(folder, `${test}-${process.pid}-${++logs}-${this.runner}-${this.shards}.log`));
  }

  /** Where the certificate is of the authority that signed the service's. */
  get authority() {
    return path.join(this.state, "tls", "authority.pem");
  }

  /**
   * Asks it to end, or all of its processes, as Ctrl-C in a terminal does; its exit code once it has.
   * @param {string} signal
   */
  async end(signal = "SIGTERM", { whole = false } = {}) {
    const pid = present(this.#child?.pid, "the process of the service");
    process.kill(whole ? -pid : pid, signal);
    const code = await within(this.#gone, `its end after ${signal}`);
    assert.ok(!this.#output.includes("panicked at"), `the service panicked:\n${this.#output}`);
    return code;
  }

  /** Ends it as a crash would, and fails if it panicked. */
  async crash() {
    kill(present(this.#child, "the process of the service"));
    await within(this.#gone, "the end of the service");
    assert.ok(!this.#output.includes("panicked at"), `the service panicked:\n${this.#output}`);
  }

  async stop() {
    if (this.#child) await this.crash();
    rmSync(this.state, { recursive: true, force: true, maxRetries: 5 });
  }

  /**
   * How often it has logged this line since its start.
   * @param {object} line
   */
  logged(line) {
    return this.#output.split("\n").filter((text) => text === JSON.stringify(line)).length;
  }

  /** The process id of workerd under `npm run serve`, or of the native server. */
  get pid() {
    return Number(/^(?:workerd|webpubsub-server) pid (\d+)$/m.exec(this.#output)?.[1]);
  }

  get connectionString() {
    return `Endpoint=${this.endpoint};AccessKey=${this.key};Version=1.0;`;
  }

  /** The https form. */
  get secureConnectionString() {
    return `Endpoint=${this.secure};AccessKey=${this.key};Version=1.0;`;
  }

  /**
   * A request of an operator to `/management/{path}`, signed for exactly that URL unless a token is given.
   * @param {string} method
   * @param {string} path
   * @param {{ body?: import("./rest.mjs").Body, token?: string }} options
   */
  manage(method, path, { body, token } = {}) {
    const target = `/management/${path}`;
    const bearer = token ?? sign({ aud: `${this.endpoint}${target}` }, this.key);
    return request(this.endpoint, method, target, {
      headers: bearer ? { authorization: `Bearer ${bearer}` } : {},
      body,
    });
  }

  /** After a test: a service whose hubs grow has those that are there stay as they are. */
  async rest() {}

  /** Everything that it has said since its start. */
  get output() {
    return this.#output;
  }

  /** A hub that no other test uses. */
  newHub() {
    return new Hub(this, `hub_${++this.#hubs}`);
  }
}

/**
 * Runs `define(service)` as a suite for each number of shards, and again with hubs that are given one more again and
 * again: all rules hold for all of them. `steady` says why hubs of a suite cannot grow, or show nothing then;
 * `isOfWorkerd` that it is about what only workerd does.
 * @template {Service} [Made=Service]
 * @param {string} title
 * @param {(service: Made) => void} define
 * @param {{ Kind?: new (options: ServiceOptions) => Made, steady?: string, shardCounts?: number[], isOfWorkerd?: boolean } & ServiceOptions} options
 */
export function forEachShardCount(
  title,
  define,
  {
    Kind = /** @type {new (options: ServiceOptions) => Made} */ (Service),
    steady,
    shardCounts = [1, 4],
    isOfWorkerd = false,
    ...options
  } = {},
) {
  if (isNative && isOfWorkerd) return;
  const suite = (/** @type {string} */ mode, /** @type {Made} */ service) =>
    describe(`${title} (${mode})`, () => {
      before(() => service.start());
      after(() => service.stop());
      if (service.grows) afterEach(() => service.rest());
      define(service);
    });
  for (const shards of NARROWED ? [shardCounts.at(NARROWED === "most" ? -1 : 0)] : shardCounts)
    suite(`${shards} ${shards === 1 ? "shard" : "shards"}`, new Kind({ shards, ...options }));
  if (!steady && !NARROWED)
    suite("growing", /** @type {Made} */ (/** @type {unknown} */ (new (Growing(Kind))(options))));
}

/**
 * The same with one shard under `npm start`, too: whoever tries a package tries it there first.
 * @param {string} title
 * @param {(service: Service) => void} define
 * @param {Parameters<typeof forEachShardCount>[2]} options
 */
export function forEachRunner(title, define, options = {}) {
  forEachShardCount(title, define, options);
  if (isNative) return;
  forEachShardCount(`${title} under npm start`, define, {
    ...options,
    runner: "start",
    shardCounts: [1],
    steady: "its hubs grow under npm run serve",
  });
}

/** A folder in memory, if the system has one that is large enough. */
function memory() {
  const folder = "/dev/shm";
  if (!existsSync(folder)) return tmpdir();
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize > 2 ** 30 ? folder : tmpdir();
}
