// What all servers have in common: a folder and a port of their own, and an end.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { stop } from "../../scripts/processes.mjs";
import { freePort } from "../../scripts/service/ready.mjs";
import { Problem } from "../../scripts/terminal.mjs";

export const HOST = "127.0.0.1";
const READY_WITHIN_MS = 30_000;
const ASK_EVERY_MS = 20;

/** @import { ChildProcess } from "node:child_process" */

/** @type {Set<string>} */
const folders = new Set();
process.on("exit", () => folders.forEach(remove));

/** @param {string} folder */
function remove(folder) {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  folders.delete(folder);
}

export class Server {
  /** @type {ChildProcess | undefined} */
  #child;
  folder = "";
  port = 0;
  /** What it speaks with clients and servers: see `bench/load/src/dialect.rs`. */
  dialect = "";

  /**
   * Starts the program of a kind of server.
   * @returns {ChildProcess | Promise<ChildProcess>}
   */
  launch() {
    throw new Error("a kind of server says how it is started");
  }

  /** Starts with what `launch` returns, a child process, in a folder and at a port of its own. */
  async start() {
    this.folder = mkdtempSync(join(tmpdir(), "bench-"));
    folders.add(this.folder);
    this.port = await freePort({ host: HOST, port: 0 });
    this.#child = await this.launch();
    await this.ready(this.#child);
    return this;
  }

  /**
   * Whether the server answers anything over HTTP.
   * @returns {Promise<boolean>}
   */
  answers() {
    return fetch(`http://${this.address}/ready`).then(
      () => true,
      () => false,
    );
  }

  /**
   * Resolves when the server answers.
   * @param {ChildProcess} child
   */
  async ready(child) {
    const deadline = Date.now() + READY_WITHIN_MS;
    for (;;) {
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Problem("The server ended before it answered.");
      if (await this.answers()) return;
      if (Date.now() > deadline) throw new Problem(`The server did not answer within ${READY_WITHIN_MS / 1000} s.`);
      await sleep(ASK_EVERY_MS);
    }
  }

  get pid() {
    return this.#child?.pid;
  }

  get address() {
    return `${HOST}:${this.port}`;
  }

  async stop() {
    // Nothing is drained: clients are gone, and some would wait for them.
    if (this.#child) await stop(this.#child, { grace: 0 });
    if (this.folder) remove(this.folder);
  }
}
