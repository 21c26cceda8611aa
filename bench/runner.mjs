// The turns: in every run of a scene each contender is started, measured with the scene's workloads, and ended.
import { once } from "node:events";
import { start } from "../scripts/processes.mjs";
import { Problem, step } from "../scripts/terminal.mjs";

/** How long a workload is measured, in seconds, and how long the same is done before. */
const SECONDS = { measured: 0.7, warmUp: 0.2 };
const QUICK_SECONDS = { measured: 0.5, warmUp: 0.2 };

/**
 * Measures everything: `measure(server, plan, seconds)` resolves with the figures of one workload. Returns figures by
 * workload, contender and run, `undefined` for a run that failed, and what failed.
 */
export async function runAll({ contenders, workloads, runs, quick = false, measure }) {
  const results = Object.fromEntries(workloads.map(({ name }) => [name, {}]));
  const failures = [];
  const seconds = quick ? QUICK_SECONDS : SECONDS;
  for (const [scene, its] of Map.groupBy(workloads, (workload) => workload.scene)) {
    await step(scene, async (at) => {
      for (let run = 0; run < runs; run++) {
        for (const contender of contenders) {
          if (contender.scenes && !contender.scenes.includes(scene)) continue;
          const where = (what) => at(`run ${run + 1} of ${runs}, ${contender.name}, ${what}`);
          const attempt = async (workload, work) => {
            try {
              return await work();
            } catch (error) {
              if (!(error instanceof Problem)) throw error;
              failures.push({ workload, contender: contender.name, run, message: error.message });
            }
          };
          where("start");
          const server = await attempt(scene, () => contender.start());
          for (const workload of server ? its : []) {
            const plan = workload.plan(server, { hub: workload.name.replaceAll("-", "_"), isQuick: quick });
            if (!plan) continue;
            where(workload.name);
            const figures = (results[workload.name][contender.name] ??= Array(runs).fill(undefined));
            figures[run] = await attempt(workload.name, () => measure(server, plan, seconds));
          }
          await server?.stop();
        }
      }
    });
  }
  return { results, failures };
}

/** Has the load generator, a program, carry out a workload's plan; the figures. */
export async function generate(generator, { address, pid, dialect }, workload, { measured, warmUp }) {
  const child = start(generator, [], { stdio: ["pipe", "pipe", "pipe"] });
  const outputs = { stdout: "", stderr: "" };
  for (const name of Object.keys(outputs))
    child[name].setEncoding("utf8").on("data", (text) => (outputs[name] += text));
  child.stdin.on("error", () => {}); // It ended before it read: its exit code says why.
  child.stdin.end(JSON.stringify({ address, pid, dialect, seconds: measured, warm_up: warmUp, workload }));
  const [code, signal] = await once(child, "close");
  if (code !== 0) throw new Problem(outputs.stderr.trim() || `The load generator ended with ${code ?? signal}.`);
  return JSON.parse(outputs.stdout);
}
