// The turns: in every run of a scene each contender is started, measured with the scene's workloads, and ended.
import { once } from "node:events";
import { start } from "../scripts/processes.mjs";
import { Problem, step } from "../scripts/terminal.mjs";

/**
 * @import { RunningServer } from "./contenders.mjs"
 * @import { Failure, Figures, Results } from "./report.mjs"
 * @import { Plan } from "./workloads.mjs"
 */

/**
 * How long a workload is measured, and how long the same is done before, in seconds.
 * @typedef {{ measured: number, warmUp: number }} Seconds
 *
 * What the load generator is to know of a server.
 * @typedef {Pick<RunningServer, "address" | "pid" | "dialect">} Measured
 */

/** How long a workload is measured, in seconds, and how long the same is done before. */
const SECONDS = { measured: 0.7, warmUp: 0.2 };
const QUICK_SECONDS = { measured: 0.5, warmUp: 0.2 };
const LONG_SECONDS = { measured: 2, warmUp: 0.3 };

/**
 * Measures everything: `measure(server, plan, seconds)` resolves with the figures of one workload. A workload with `of`
 * is for contenders of these names only; one that `staysOpen` has a connection more with each thing that it does, and is
 * measured no longer in a `long` run. Returns figures by workload, contender and run, `undefined` for a run that
 * failed, and what failed.
 * @template {{ stop(): Promise<void> }} Server
 * @template Plan
 * @param {{
 *   contenders: { name: string, scenes?: string[], start(): Promise<Server> }[],
 *   workloads: {
 *     name: string, scene: string, staysOpen?: boolean, of?: string[],
 *     plan(server: Server, options: { hub: string, isQuick: boolean }): Plan | undefined,
 *   }[],
 *   runs: number, quick?: boolean, long?: boolean,
 *   measure(server: Server, plan: Plan, seconds: Seconds): Promise<Figures>,
 * }} what
 */
export async function runAll({ contenders, workloads, runs, quick = false, long = false, measure }) {
  /** @type {Results} */
  const results = Object.fromEntries(workloads.map(({ name }) => [name, {}]));
  /** @type {Failure[]} */
  const failures = [];
  const seconds = (/** @type {{ staysOpen?: boolean }} */ { staysOpen }) =>
    quick ? QUICK_SECONDS : long && !staysOpen ? LONG_SECONDS : SECONDS;
  for (const [scene, its] of Map.groupBy(workloads, (workload) => workload.scene)) {
    await step(scene, async (at) => {
      for (let run = 0; run < runs; run++) {
        for (const contender of contenders) {
          if (contender.scenes && !contender.scenes.includes(scene)) continue;
          const own = its.filter(({ of }) => of?.includes(contender.name) ?? true);
          if (own.length === 0) continue;
          const where = (/** @type {string} */ what) => at(`run ${run + 1} of ${runs}, ${contender.name}, ${what}`);
          /**
           * @template T
           * @param {string} workload
           * @param {() => Promise<T>} work
           * @returns {Promise<T | undefined>}
           */
          const attempt = async (workload, work) => {
            try {
              return await work();
            } catch (error) {
              if (!(error instanceof Problem)) throw error;
              failures.push({ workload, contender: contender.name, run, message: error.message });
              return undefined;
            }
          };
          where("start");
          const server = await attempt(scene, () => contender.start());
          if (!server) continue;
          for (const workload of own) {
            const plan = workload.plan(server, { hub: workload.name.replaceAll("-", "_"), isQuick: quick });
            if (!plan) continue;
            where(workload.name);
            const figures = (results[workload.name][contender.name] ??= Array(runs).fill(undefined));
            figures[run] = await attempt(workload.name, () => measure(server, plan, seconds(workload)));
          }
          await server.stop();
        }
      }
    });
  }
  return { results, failures };
}

/**
 * Has the load generator, a program, carry out a workload's plan; the figures.
 * @param {string} generator
 * @param {Measured} server
 * @param {Plan} workload
 * @param {Seconds} seconds
 * @returns {Promise<Figures>}
 */
export async function generate(generator, { address, pid, dialect }, workload, { measured, warmUp }) {
  const child = start(generator, [], { stdio: ["pipe", "pipe", "pipe"] });
  const outputs = { stdout: "", stderr: "" };
  for (const name of /** @type {const} */ (["stdout", "stderr"]))
    child[name].setEncoding("utf8").on("data", (text) => (outputs[name] += text));
  child.stdin.on("error", () => {}); // It ended before it read: its exit code says why.
  child.stdin.end(JSON.stringify({ address, pid, dialect, seconds: measured, warm_up: warmUp, workload }));
  const [code, signal] = await once(child, "close");
  if (code !== 0) throw new Problem(outputs.stderr.trim() || `The load generator ended with ${code ?? signal}.`);
  return JSON.parse(outputs.stdout);
}
