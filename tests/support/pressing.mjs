// Very many connections in a process of their own that all send the same bytes, as fast as they are taken, and count
// what comes back.
import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import net from "node:net";
import { fileURLToPath } from "node:url";
import { within } from "./waiting.mjs";

const AT_ONCE = 100;

/** The process, as a test sees it. */
export class Pressing {
  #child = fork(fileURLToPath(import.meta.url));

  /**
   * Opens so many connections to a port. Each sends `opening` and reads until there is `greeting`, if it is to; what it
   * sends once it is let go are `bytes`, without end if it is `endless`.
   * @param {{ port: number, count: number, opening?: string, greeting?: string, bytes: Buffer, endless?: boolean }} options
   */
  static async open({ bytes, ...options }) {
    const pressing = new Pressing();
    pressing.#child.send({ ...options, bytes: bytes.toString("base64") });
    await within(once(pressing.#child, "message"), `${options.count} connections`, 60_000);
    return pressing;
  }

  /** Has all of them send. */
  go() {
    this.#child.send("go");
  }

  /** How many bytes have come back since they send. */
  async received() {
    this.#child.send("count");
    const [{ received, ended }] = await within(once(this.#child, "message"), "a count");
    assert.equal(ended, 0, "none of them has ended");
    return received;
  }

  /**
   * Waits until so many bytes have come back.
   * @param {number} bytes
   */
  async until(bytes) {
    await within(
      (async () => {
        while ((await this.received()) < bytes);
      })(),
      `${bytes} bytes`,
      60_000,
    );
  }

  end() {
    this.#child.kill();
  }
}

async function serve() {
  const [{ port, count, opening = "", greeting = "", bytes, endless = false }] = await once(process, "message");
  let [received, ended] = [0, 0];
  async function open() {
    const socket = net.connect(port, "127.0.0.1");
    await once(socket, "connect");
    socket.write(opening);
    for (let text = ""; !text.includes(greeting); ) text += (await once(socket, "data"))[0].toString("latin1");
    socket.on("data", (data) => (received += data.length));
    socket.on("error", () => {}).on("close", () => ended++);
    return socket;
  }
  /** @type {net.Socket[]} */
  const sockets = [];
  while (sockets.length < count)
    sockets.push(...(await Promise.all(Array.from({ length: Math.min(AT_ONCE, count - sockets.length) }, open))));
  const flood = Buffer.from(bytes, "base64");
  process.on("message", (word) => {
    if (word === "go")
      for (const socket of sockets) {
        socket.write(flood);
        if (endless) socket.on("drain", () => socket.write(flood));
      }
    else process.send?.({ received, ended });
  });
  process.send?.("ready");
}

if (process.send && process.argv[1] === fileURLToPath(import.meta.url)) await serve();
