// Whether a service can be started at an address, and whether it answers there.
import { request } from "node:http";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { HOST } from "../defaults.mjs";
import { codeOf, messageOf } from "../errors.mjs";
import { Problem, UsageProblem } from "../terminal.mjs";

const READY_WITHIN_MS = 60_000;
const ASK_EVERY_MS = 50;

/**
 * Where a service listens, and the `flag` that says at which port.
 * @typedef {{ host: string, port: number, flag?: string }} ListenAddress
 */

/**
 * The port to listen at: the wished one if it is free, and a free one for 0.
 * @param {ListenAddress} address
 */
export async function freePort({ host, port, flag = "--port" }) {
  const server = createServer();
  try {
    await /** @type {Promise<void>} */ (
      new Promise((resolve, reject) => {
        server.once("error", reject).listen({ port, host, exclusive: true }, resolve);
      })
    );
    return portOf(server);
  } catch (error) {
    throw listenProblem(error, { host, port, flag });
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

/**
 * The port that a server listens at.
 * @param {import("node:net").Server} server
 */
export const portOf = (server) => /** @type {import("node:net").AddressInfo} */ (server.address()).port;

/**
 * Why it is not possible to listen there.
 * @param {unknown} error
 * @param {ListenAddress} address
 */
export function listenProblem(error, { host, port, flag }) {
  const code = codeOf(error);
  if (code === "EADDRINUSE") {
    return new UsageProblem(
      `Port ${port} is in use. End what listens there, or take another one: ${flag} ${port + 1} (0: any free one).`,
    );
  }
  if (code === "EACCES")
    return new UsageProblem(
      `Port ${port} needs more rights than you have. Take one above 1023: ${flag} ${port + 8000}.`,
    );
  return new UsageProblem(`Cannot listen at ${host}: ${messageOf(error)}. Take another address: --host ${HOST}.`);
}

/** How the worker begins to say which variable or setting is wrong. */
const NOT_SET_UP = "The service is not set up: ";

/**
 * Resolves when the service at an address says that it is well; rejects when its process ends before, and when it says
 * that a variable or a setting is wrong.
 * @param {ListenAddress} address
 * @param {import("node:child_process").ChildProcess} child
 */
export async function healthy({ host, port }, child) {
  const deadline = Date.now() + READY_WITHIN_MS;
  /** @type {string | number | undefined} */
  let last = "no answer";
  while (Date.now() < deadline) {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Problem("The service ended before it answered.");
    last = await health(reachable(host), port, "HEAD").then(
      ({ status }) => status,
      (error) => codeOf(error) ?? messageOf(error),
    );
    if (last === 200) return;
    if (last === 500) await checkSetUp(reachable(host), port);
    await sleep(ASK_EVERY_MS);
  }
  throw new Problem(
    `The service did not answer HEAD /api/health with 200 within ${READY_WITHIN_MS / 1000} s (${last}).`,
  );
}

/**
 * @param {string} host
 * @param {number} port
 */
async function checkSetUp(host, port) {
  const { body } = await health(host, port, "GET").catch(() => ({ body: "" }));
  if (body.startsWith(NOT_SET_UP)) throw new UsageProblem(body.trim());
}

/**
 * The address at which a service that listens at `host` is reached from this machine.
 * @param {string} host
 */
export const reachable = (host) => (host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host);

/**
 * @param {string} host
 * @param {number} port
 * @param {string} method
 * @returns {Promise<{ status?: number, body: string }>}
 */
function health(host, port, method) {
  return new Promise((resolve, reject) => {
    const asked = request(
      { method, host, port, path: "/api/health?api-version=2024-12-01", agent: false, timeout: 5_000 },
      async (response) => {
        try {
          resolve({ status: response.statusCode, body: (await response.setEncoding("utf8").toArray()).join("") });
        } catch (error) {
          reject(error);
        }
      },
    );
    asked
      .on("timeout", () => asked.destroy(new Error("timed out")))
      .on("error", reject)
      .end();
  });
}
