// The service under V8's inspector, which reports what the service itself does not: when objects are put together.
import { readFileSync } from "node:fs";
import path from "node:path";
import WebSocket from "ws";
import { workerd } from "../../scripts/service/program.mjs";
import { freePort } from "./port.mjs";
import { kill, start } from "./processes.mjs";
import { request } from "./rest.mjs";
import { Service } from "./service.mjs";
import { until, within } from "./waiting.mjs";

const SAYS = "an object is put together: ";
/** The call by which the worker's glue makes an object; its first argument is the object's state. */
const MAKES = "hubshard_new(";

export class InspectedService extends Service {
  /** @type {ReturnType<typeof start> | undefined} */
  #workerd;
  #output = "";

  /** Has `npm run serve` prepare everything, then runs the same configuration on workerd with an inspector. */
  async start() {
    await super.start();
    await super.crash();
    const port = await freePort();
    const variables = {
      SHARDS: String(this.shards),
      WEBPUBSUB_ACCESS_KEY: this.key,
      WEBPUBSUB_ACCESS_KEY_SECONDARY: this.secondaryKey,
    };
    this.#workerd = start(
      await workerd(),
      ["serve", `--inspector-addr=127.0.0.1:${port}`, path.join(this.state, "workerd", "run", "service.capnp")],
      {
        env: { ...process.env, ...variables },
        onOutput: (text) => (this.#output += text),
      },
    );
    const isWell = () =>
      request(this.endpoint, "HEAD", "/api/health?api-version=2024-12-01").then(
        ({ status }) => status === 200,
        () => false,
      );
    await until(isWell, "the service under the inspector");
    await this.#watch(port);
    return this;
  }

  /**
   * Sets a breakpoint that never stops, but says whose object is put together.
   * @param {number} port
   */
  async #watch(port) {
    const before = readFileSync(path.join(this.state, "workerd", "run", "worker", "index.js"), "utf8")
      .split(MAKES)[0]
      .split("\n");
    const place = {
      urlRegex: "index\\.js$",
      lineNumber: before.length - 1,
      columnNumber: (before.at(-1) ?? "").length,
    };
    const inspector = new WebSocket(`ws://127.0.0.1:${port}/main`);
    const ask = (/** @type {number} */ id, /** @type {string} */ method, /** @type {unknown} */ params = undefined) =>
      new Promise((resolve, reject) => {
        inspector.on("message", (data) => {
          const answer = JSON.parse(data.toString());
          if (answer.id === id) answer.error ? reject(new Error(answer.error.message)) : resolve(answer.result);
        });
        inspector.send(JSON.stringify({ id, method, params }));
      });
    await within(new Promise((resolve, reject) => inspector.on("open", resolve).on("error", reject)), "the inspector");
    await ask(1, "Debugger.enable");
    const condition = `console.log(${JSON.stringify(SAYS)} + arguments[0].id.name), false`;
    const { locations } = await within(ask(2, "Debugger.setBreakpointByUrl", { ...place, condition }), "a breakpoint");
    if (locations.length !== 1) throw new Error("the worker does not say where it makes objects");
  }

  /**
   * How often objects of a hub have been put together.
   * @param {import("./hub.mjs").Hub} hub
   */
  constructions(hub) {
    return this.#output.split("\n").filter((line) => line.startsWith(`${SAYS}${hub.name}/`)).length;
  }

  async stop() {
    if (this.#workerd) kill(this.#workerd);
    await super.stop();
  }
}
