// `npm run example -- NAME`: runs an example of `examples/` with the service that runs here, or any other.
//
// It does what the example's README has a person do elsewhere: it names the service in the environment, and has the service
// send the example its events. The example itself knows nothing of this project.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { once } from "node:events";
import { delimiter, dirname, join } from "node:path";
import { connectionString, requestToken } from "./access.mjs";
import { address } from "./address.mjs";
import { build } from "./build.mjs";
import { parse } from "./command.mjs";
import { nearest } from "./nearest.mjs";
import { addressFlags, addressOptions } from "./options.mjs";
import { at } from "./paths.mjs";
import { exitOnSignals, start } from "./processes.mjs";
import { setUp } from "./setup.mjs";
import { Problem, UsageProblem, main, say } from "./terminal.mjs";
import { python } from "./toolchain.mjs";

const CONNECTION_STRING = "WEBPUBSUB_CONNECTION_STRING";

const examples = readdirSync(at("examples")).filter((name) => existsSync(at("examples", name, "package.json")));

/** @satisfies {import("./command.mjs").Command} */
const command = {
  name: "npm run example",
  about: `Runs an example with the service that runs here, or with the one that ${CONNECTION_STRING} names.\nThere are: ${examples.join(", ")}. PORT in the environment gives it another port.`,
  flags: addressFlags,
  rest: "NAME [SCRIPT [ARG…]]",
  examples: [
    ["npm run example -- chat", "the chat, beside npm start"],
    ['npm run example -- notifications notify "Hello"', "another npm script of an example"],
    ["PORT=4000 npm run example -- chat --state /tmp/state", "with the service on that state folder"],
  ],
};

exitOnSignals();
await main(async () => {
  const values = parse(process.argv.slice(2), command);
  const [name, script = "start", ...args] = values.rest;
  if (name === undefined)
    throw new UsageProblem(`${command.name} -- NAME runs an example. There are: ${examples.join(", ")}.`);
  if (!examples.includes(name)) {
    if (existsSync(at("examples", name, "Cargo.toml")))
      throw new UsageProblem(`${name} is a program in Rust, which cargo starts: see examples/${name}/README.md.`);
    const meant = nearest(name, examples);
    throw new UsageProblem(
      `There is no example ${name}, but ${examples.join(", ")}.${meant ? ` Did you mean ${meant}?` : ""}`,
    );
  }
  const folder = at("examples", name);

  const env = { ...process.env };
  // Without one there is nothing to wait for.
  const service = env[CONNECTION_STRING] ? undefined : address(addressOptions(values), "http");
  if (service) await checkRuns(service.url);
  await setUp("build");
  await build();
  if (name === "rust-chat") await setUp(name);
  if (existsSync(join(folder, "requirements.txt"))) {
    await setUp("python");
    env.PATH = [dirname(python), env.PATH].join(delimiter);
  }
  if (service) {
    const settings = join(folder, "settings.json");
    if (script === "start" && existsSync(settings)) await configure(service, settings, env.PORT);
    env[CONNECTION_STRING] = connectionString(service.url, service.key);
  }
  const child = start("npm", ["run", "--silent", script, "--", ...args], { cwd: folder, env, stdio: "inherit" });
  const [code] = await once(child, "exit");
  process.exitCode = code ?? 1;
});

/** @param {string} url */
async function checkRuns(url) {
  const response = await fetch(`${url}/api/health`, { method: "HEAD" }).catch(() => undefined);
  if (!response) throw new Problem(`No service answers at ${url}: run npm start in another terminal first.`);
}

/**
 * Gives the service the settings of the example's hubs, with the port that the example listens at.
 * @param {import("./address.mjs").Address} options
 * @param {string} file
 * @param {string | undefined} port
 */
async function configure({ url, key }, file, port) {
  const { hubs } = JSON.parse(readFileSync(file, "utf8"));
  for (const [hub, settings] of Object.entries(hubs)) {
    const path = `/management/hubs/${hub}`;
    const body = JSON.stringify(settings).replaceAll(/(?<=http:\/\/localhost:)\d+/g, (usual) => port || usual);
    const headers = { authorization: `Bearer ${requestToken({ path }, { url, key })}` };
    const response = await fetch(`${url}${path}`, { method: "PUT", headers, body });
    if (!response.ok) throw new Problem(`The hub ${hub} was not set up: ${response.status} ${await response.text()}`);
    say(`The hub ${hub} has the settings of examples/${file.split(/[\\/]/).at(-2)}/settings.json.`);
  }
}
