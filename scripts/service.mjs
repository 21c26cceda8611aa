// Running the service on this machine, whatever runs it: from the command line to the last signal.
import { once } from "node:events";
import { mkdirSync, openSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import {
  accessKeys,
  bracketed,
  endpoint,
  handlerSecrets,
  keepPrimaryKey,
  portalSecret,
  primaryKey,
  secretFor,
  serviceHosts,
  warnOfWeakKeys,
} from "./access.mjs";
import { serviceOptions } from "./options.mjs";
import { exitOnSignals, onNextSignal, stop } from "./processes.mjs";
import { currentKeys } from "./service/current-keys.mjs";
import { Farewell } from "./service/farewell.mjs";
import { privately } from "./service/folder.mjs";
import { freePort, healthy, reachable } from "./service/ready.mjs";
import { checkFolder, checkUnused, claim, forget, makeFolder, record } from "./service/record.mjs";
import { LOOK_EVERY_MS, certificateIn, listenSecurely } from "./service/secure.mjs";
import { workerConfig } from "./service/worker-config.mjs";
import { Problem, UsageProblem, say } from "./terminal.mjs";
import { codeOf, messageOf } from "./errors.mjs";
import { KEYS } from "./typed.mjs";
import { checkConfigured } from "./variables.mjs";

/**
 * @import { ChildProcess } from "node:child_process"
 * @import { Command, Flags } from "./command.mjs"
 * @import { CertificateFiles, HttpsOptions, ServiceOptions } from "./options.mjs"
 * @import { AccessKeys } from "./access.mjs"
 */

/**
 * Where a service is reached: by http, and where it serves https by that, with the certificate that clients have to trust
 * if no authority that they know signed it.
 * @typedef {{ endpoint: string, secure?: string, authority?: string }} Reached
 *
 * Where a program's input, output and errors are.
 * @typedef {("ignore" | "inherit" | number)[]} Stdio
 *
 * What a service is given by names of variables: those that are no secrets, and its keys.
 * @typedef {{ variables: Record<string, string>, keys: Record<string, string | undefined> }} ServiceEnvironment
 *
 * Starts the program.
 * @typedef {(options: ServiceOptions, environment: ServiceEnvironment, stdio: Stdio) => ChildProcess | Promise<ChildProcess>} Launch
 *
 * Called when the service answers.
 * @typedef {(options: ServiceOptions, keys: AccessKeys, reached: Reached) => unknown} Ready
 */

const nothing = () => {};

/** A program that sends its clients away is ended after so long. */
const ENDS_WITHIN_MS = 15_000;

/**
 * Sets up, builds, starts the service and stays until it ends.
 *
 * `command` is what was typed, as `parse` takes it, with the arguments `args`; `setUp()` and `build()` see to it that all
 * that it needs is there; `launch(options, { variables, keys }, stdio)` starts the program called `program`; `variables`
 * are this way's own defaults; `ready(options, keys, reached)` is called when the service answers, with where it is
 * `reached`. Where operators are `signedIn`, there is a secret for that without one of the environment's. A program that
 * `drains` takes no new connections after SIGTERM, and goes on with those it has; one that `endsItself` sends its clients
 * away then. In one that `endsTls` TLS ends, with the files of `options.https.certificate`, which it reads again after
 * SIGHUP.
 * @param {{
 *   command: Command<Flags>, args?: string[], setUp?: () => unknown, build?: () => unknown, program: string,
 *   launch: Launch, variables?: Record<string, string>, drains?: boolean, endsItself?: boolean, endsTls?: boolean,
 *   signedIn?: boolean, ready?: Ready,
 * }} how
 */
export async function runService({
  command,
  args = process.argv.slice(2),
  setUp = nothing,
  build = nothing,
  program,
  launch,
  variables,
  drains = false,
  endsItself = false,
  endsTls = false,
  signedIn = false,
  ready = nothing,
}) {
  exitOnSignals();
  const options = await optionsOf(args, command);
  /** @type {Stdio} */
  const stdio = ["ignore", ...outputs(options)];
  let keys = warnOfWeakKeys(accessKeys());
  await setUp();
  checkConfigured((await workerConfig(options)).vars ?? {});
  await build();

  await claim(options.state, command.name);
  const environment = environmentOf(options, keys, { variables, signedIn });
  const own = endsTls ? options.https : undefined;
  if (own) {
    own.port ||= await freePort({ host: options.host, port: 0 });
    own.certificate = await certificateFiles(options);
  }
  const child = await privately(() => launch(options, environment, stdio));
  if (own) renewDaily(options, child);
  record(options.state, [child.pid], { command: command.name });
  const ended = once(child, "exit");
  const farewell = new Farewell(options, primaryKey(keys));
  let [listening, stopping] = [false, false];
  /** @type {import("./service/secure.mjs").SecureListener | undefined} */
  let secure;
  onNextSignal(async () => {
    stopping = true;
    // No client that is sent away is to come back before the end.
    secure?.refuse();
    if (drains) child.kill("SIGTERM");
    const problem = !endsItself && listening && (await farewell.say());
    if (problem) say(`Not every client was sent away: ${problem}.`);
    stop(child, endsItself ? { grace: ENDS_WITHIN_MS } : {});
  });
  say(`${program} pid ${child.pid}`);
  try {
    await healthy(options, child);
    listening = true;
    keys = await withCurrent(keys, options, environment.keys.PORTAL_SECRET);
    farewell.key = primaryKey(keys);
    if (drains) farewell.hold();
    if (options.https && !own)
      secure = await listenSecurely({
        ...options.https,
        host: options.host,
        to: options,
        certificate: await certificateOf(options),
      });
    const securePort = own ? own.port : secure?.port;
    const reached = await whereReached(options, securePort);
    record(options.state, [child.pid], { command: command.name, host: options.host, ...reached });
    await ready(options, keys, reached);
    if (securePort) say(`listening on https://${bracketed(options.host)}:${securePort}`);
    say(`listening on http://${bracketed(options.host)}:${options.port}`);
  } catch (error) {
    if (!stopping) await stop(child);
    if (!stopping) throw error;
  } finally {
    if (child.exitCode !== null || child.signalCode !== null) forget(options.state);
  }
  const [code, signal] = await ended;
  await secure?.close();
  forget(options.state);
  if (stopping) return;
  throw new Problem(`${program} ${signal ? `was ended by ${signal}` : `ended by itself with exit code ${code}`}.`);
}

/**
 * How the service is run, with ports that are free, on a state folder that no other uses.
 * @param {string[]} args
 * @param {Command<Flags>} command
 */
async function optionsOf(args, command) {
  const options = serviceOptions(args, command);
  const files = options.https?.files;
  if (files) certificateIn(files);
  checkFolder(options.state);
  checkUnused(options.state);
  options.port = await freePort(options);
  if (options.https) options.https.port = await httpsPort(options.host, options.https, command);
  return options;
}

/**
 * What the program is given: this way's own variables with those of the options, and all secrets.
 * @param {ServiceOptions} options
 * @param {AccessKeys} keys
 * @param {{ variables?: Record<string, string>, signedIn: boolean }} how
 * @returns {ServiceEnvironment}
 */
function environmentOf(options, keys, { variables, signedIn }) {
  const hosts = { SERVICE_HOSTS: serviceHosts(options).join(",") };
  return {
    variables: { ...hosts, ...variables, ...options.variables },
    keys: { ...handlerSecrets(), ...portalSecret(signedIn ? secretFor(options.state) : ""), ...keys },
  };
}

/**
 * The keys that the service takes, which may have been regenerated while it ran. The new one is kept.
 * @param {AccessKeys} keys
 * @param {{ host: string, port: number }} address
 * @param {string | undefined} secret
 */
async function withCurrent(keys, { host, port }, secret) {
  const key = primaryKey(keys);
  const url = `http://${bracketed(reachable(host))}:${port}`;
  const current = await currentKeys({ url, key, secret });
  if (!current) {
    process.stderr.write(
      `The service does not take the access key that it was started with: it was regenerated. Write the new one to where the old one is, such as ${KEYS}.\n`,
    );
    return keys;
  }
  if (current.primary.key === key) return keys;
  const kept = keepPrimaryKey(current.primary.key)
    ? `it is kept in ${KEYS}`
    : "set WEBPUBSUB_ACCESS_KEY in the environment to it";
  process.stderr.write(`The service's primary access key is a new one, since it was regenerated: ${kept}.\n`);
  return { ...keys, WEBPUBSUB_ACCESS_KEY: current.primary.key };
}

/**
 * The port to listen at for https, 0 for any free one. Where none was asked for and another service has the usual one,
 * any will do for a command that always serves https.
 * @param {string} host
 * @param {HttpsOptions} https
 * @param {Pick<Command, "alwaysHttps">} command
 */
async function httpsPort(host, https, { alwaysHttps }) {
  if (https.port === 0) return 0;
  try {
    return await freePort({ host, port: https.port, flag: "--https-port" });
  } catch (error) {
    if (!(error instanceof UsageProblem) || https.isGiven || !alwaysHttps) throw error;
    return 0;
  }
}

/**
 * What gives the certificate: the operator's files, or the local authority.
 * @param {ServiceOptions} options
 */
async function certificateOf({ state, host, https }) {
  const files = https?.files;
  if (files) return async () => certificateIn(files);
  // It is there once the set-up is done, and not before.
  const { certificateFor } = await import("./service/authority.mjs");
  return () => certificateFor({ state, host });
}

/**
 * The files of the certificate: the operator's, or the local authority's.
 * @param {ServiceOptions} options
 * @returns {Promise<CertificateFiles>}
 */
async function certificateFiles({ state, host, https }) {
  if (https?.files) return https.files;
  const { certificateFor, serviceFiles } = await import("./service/authority.mjs");
  await certificateFor({ state, host });
  return serviceFiles(state);
}

/**
 * Has a program in which TLS ends read its certificate again every day, so that one that was renewed comes into force.
 * @param {ServiceOptions} options
 * @param {ChildProcess} child
 */
function renewDaily(options, child) {
  const renew = async () => {
    // Where none can be made, the one that is there goes on being used.
    await certificateFiles(options).catch(nothing);
    child.kill("SIGHUP");
  };
  const renewing = setInterval(renew, LOOK_EVERY_MS).unref();
  child.once("exit", () => clearInterval(renewing));
}

/**
 * The URLs for people.
 * @param {ServiceOptions} options
 * @param {number} [securePort]
 * @returns {Promise<Reached>}
 */
async function whereReached({ host, port, state, https }, securePort) {
  const plain = { endpoint: endpoint({ host, port }) };
  if (!securePort) return plain;
  const reached = { ...plain, secure: endpoint({ scheme: "https", host, port: securePort }) };
  if (https?.files) return reached;
  const { authorityFile } = await import("./service/authority.mjs");
  return { ...reached, authority: authorityFile(state) };
}

/**
 * @param {Pick<ServiceOptions, "logFile" | "state">} options
 * @returns {Stdio}
 */
function outputs({ logFile, state }) {
  if (!logFile) return ["inherit", "inherit"];
  // Made for the log alone, the state folder would be open to all.
  if (logFile.startsWith(join(state, sep))) makeFolder(state);
  try {
    mkdirSync(dirname(logFile), { recursive: true });
    const log = openSync(logFile, "a");
    return [log, log];
  } catch (error) {
    throw new UsageProblem(`--log-file: ${logFile} cannot be written (${codeOf(error) ?? messageOf(error)}).`);
  }
}
