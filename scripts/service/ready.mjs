// Whether a service can be started at an address, and whether it answers there.
import { request } from "node:http";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Problem, UsageProblem } from "../terminal.mjs";

const READY_WITHIN_MS = 60_000;
const ASK_EVERY_MS = 50;

/** The port to listen at: the wished one if it is free, and a free one for 0. */
export async function freePort({ host, port }) {
  const server = createServer();
  try {
    await new Promise((resolve, reject) => server.once("error", reject).listen({ port, host, exclusive: true }, resolve));
    return server.address().port;
  } catch (error) {
    if (error.code === "EADDRINUSE") {
      throw new UsageProblem(`Port ${port} is in use. End what listens there, or take another one: --port ${port + 1} (0: any free one).`);
    }
    if (error.code === "EACCES") throw new UsageProblem(`Port ${port} needs more rights than you have. Take one above 1023: --port 8080.`);
    throw new UsageProblem(`Cannot listen at ${host}: ${error.message}. Take another address: --host 127.0.0.1.`);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

/** Resolves when the service at an address says that it is well; rejects when its process ends before. */
export async function healthy({ host, port }, child) {
  const deadline = Date.now() + READY_WITHIN_MS;
  let last = "no answer";
  while (Date.now() < deadline) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Problem("The service ended before it answered.");
    last = await health(reachable(host), port).catch((error) => error.code ?? error.message);
    if (last === 200) return;
    await sleep(ASK_EVERY_MS);
  }
  throw new Problem(`The service did not answer HEAD /api/health with 200 within ${READY_WITHIN_MS / 1000} s (${last}).`);
}

/** The address at which a service that listens at `host` is reached from this machine. */
export const reachable = (host) => ({ "0.0.0.0": "127.0.0.1", "::": "::1" })[host] ?? host;

function health(host, port) {
  return new Promise((resolve, reject) => {
    const asked = request({ method: "HEAD", host, port, path: "/api/health?api-version=2024-12-01", agent: false, timeout: 5_000 }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    asked.on("timeout", () => asked.destroy(new Error("timed out"))).on("error", reject).end();
  });
}
