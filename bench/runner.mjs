// The turns: in every run of a scene each contender is started, measured with the scene's workloads, and ended.
import { once } from "node:events";
import { start } from "../scripts/processes.mjs";
import { Problem, step } from "../scripts/terminal.mjs";

/** How long a workload is measured, and done before, in seconds. */
const SECONDS = 1;
const WARM_UP = 0.3;

/**
 * Measures everything; figures by workload, contender and run (`undefined` where one failed), and what failed.
 */
export async function runAll({ contenders, workloads, runs, quick, generator }) {
  const results = Object.fromEntries(workloads.map(({ name }) => [name, {}]));
  const failures = [];
  const fail = (where, error) => {
    if (!(error instanceof Problem)) throw error;
    failures.push({ ...where, message: error.message });
  };
  const scenes = Map.groupBy(workloads, ({ scene }) => scene);
  for (const [scene, its] of scenes) {
    await step(scene, async (at) => {
      for (let run = 0; run < runs; run++) {
        for (const contender of contenders) {
          at(`run ${run + 1} of ${runs}, ${contender.name}`);
          let server;
          try {
            server = await contender.start();
            for (const workload of its) {
              const plan = workload.plan(server, { hub: workload.name.replaceAll("-", "_"), isQuick: quick });
              if (!plan) continue;
              at(`run ${run + 1} of ${runs}, ${contender.name}, ${workload.name}`);
              const of = (results[workload.name][contender.name] ??= Array(runs).fill(undefined));
              try {
                of[run] = await measure(generator, server, plan);
              } catch (error) {
                fail({ workload: workload.name, contender: contender.name, run }, error);
              }
            }
          } catch (error) {
            fail({ workload: scene, contender: contender.name, run }, error);
          } finally {
            await server?.stop();
          }
        }
      }
    });
  }
  return { results, failures };
}

/** Has the load generator carry out a plan; the figures. */
async function measure(generator, { address, pid, dialect }, workload) {
  const child = start(generator, [], { stdio: ["pipe", "pipe", "pipe"] });
  const outputs = { stdout: "", stderr: "" };
  for (const name of Object.keys(outputs)) child[name].setEncoding("utf8").on("data", (text) => (outputs[name] += text));
  child.stdin.end(JSON.stringify({ address, pid, dialect, seconds: SECONDS, warm_up: WARM_UP, workload }));
  const [code, signal] = await once(child, "close");
  if (code !== 0) throw new Problem(outputs.stderr.trim() || `The load generator ended with ${code ?? signal}.`);
  return JSON.parse(outputs.stdout);
}
