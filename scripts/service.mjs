// Running the service on this machine, whatever runs it: from the command line to the last signal.
import { once } from "node:events";
import { mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { accessKeys, bracketed, primaryKey } from "./access.mjs";
import { build } from "./build.mjs";
import { serviceOptions } from "./options.mjs";
import { exitOnSignals, onNextSignal, stop } from "./processes.mjs";
import { Farewell } from "./service/farewell.mjs";
import { freePort, healthy } from "./service/ready.mjs";
import { setUp } from "./setup.mjs";
import { Problem, say } from "./terminal.mjs";

/**
 * Sets up, builds, starts the service and stays until it ends.
 *
 * `launch(options, { variables, keys }, stdio)` starts the program called `program`; `variables`
 * are this way's own defaults; `ready(options, keys)` is called when the service answers. A program that `drains` takes
 * no new connections after SIGTERM, and goes on with those it has.
 */
export async function runService({ command, program, launch, variables, drains = false, ready = () => {} }) {
  exitOnSignals();
  const options = serviceOptions(process.argv.slice(2), command);
  options.port = await freePort(options);
  const keys = accessKeys();
  await setUp("build");
  await build();

  const stdio = ["ignore", ...outputs(options.logFile)];
  const child = await launch(options, { variables: { ...variables, ...options.variables }, keys }, stdio);
  const ended = once(child, "exit");
  const farewell = new Farewell(options, primaryKey(keys));
  let [listening, stopping] = [false, false];
  onNextSignal(async () => {
    stopping = true;
    // No client that is sent away is to come back before the end.
    if (drains) child.kill("SIGTERM");
    const problem = listening && (await farewell.say());
    if (problem) say(`Not every client was sent away: ${problem}.`);
    stop(child);
  });
  say(`${program} pid ${child.pid}`);
  try {
    await healthy(options, child);
    listening = true;
    if (drains) farewell.hold();
    await ready(options, keys);
    say(`listening on http://${bracketed(options.host)}:${options.port}`);
  } catch (error) {
    if (!stopping) await stop(child);
    if (!stopping) throw error;
  }
  const [code, signal] = await ended;
  if (stopping) return;
  throw new Problem(`${program} ${signal ? `was ended by ${signal}` : `ended by itself with exit code ${code}`}.`);
}

function outputs(logFile) {
  if (!logFile) return ["inherit", "inherit"];
  mkdirSync(dirname(logFile), { recursive: true });
  const log = openSync(logFile, "a");
  return [log, log];
}
