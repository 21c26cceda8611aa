// The open sockets of a shard: a fan-out is one call that carries the receivers' slots and one frame, and
// the loop over them costs no crossing.

/** Node's, where the platform has it: a `TextDecoder` takes ten times the size of what is not ASCII. */
const { Buffer } = await import("node:buffer").catch(() => ({ Buffer: undefined }));

const decode = (bytes: Uint8Array): string =>
  Buffer ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString() : new TextDecoder().decode(bytes);

/** What the sockets of a shard are used for; `bufferedAmount` is workerd's. */
type Sendable = Pick<WebSocket, "send" | "close" | "serializeAttachment"> & { bufferedAmount?: number };

/**
 * A socket whose client does not have the answer to its upgrade. What is sent before that answer costs workerd some
 * 10 KB for as long as the connection lasts, so it waits until then.
 */
class OpeningSocket implements Sendable {
  readonly socket: WebSocket;
  #frames: (string | Uint8Array)[] = [];

  constructor(socket: WebSocket) {
    this.socket = socket;
  }

  serializeAttachment(value: unknown): void {
    this.socket.serializeAttachment(value);
  }

  send(frame: string | Uint8Array): void {
    // The bytes are a view of the wasm module's memory.
    this.#frames.push(typeof frame === "string" ? frame : frame.slice());
  }

  /** Sends what has waited. A socket that takes nothing any more has a close event of its own. */
  finish(): WebSocket {
    try {
      for (const frame of this.#frames) this.socket.send(frame);
    } catch {
      // It is closed already.
    }
    return this.socket;
  }

  close(code: number, reason: string): void {
    this.finish().close(code, reason);
  }
}

/** The sockets by their slots. Methods that send return the slots of sockets that could not take it, if any. */
export class Sockets {
  #sockets: (Sendable | undefined)[] = [];
  /** The slots of sockets that are opening. */
  #opening: number[] = [];
  #slots = new WeakMap<Sendable, number>();
  /** The close frames that answer those of clients. */
  #answers = new Map<number, [code: number, reason: string]>();

  put(slot: number, socket: WebSocket): void {
    this.#sockets[slot] = socket;
    this.#slots.set(socket, slot);
  }

  /** The same of a socket that has just been accepted: what it is sent now leaves after the answer to its upgrade. */
  open(slot: number, socket: WebSocket): void {
    this.#sockets[slot] = new OpeningSocket(socket);
    this.#slots.set(socket, slot);
    if (this.#opening.push(slot) === 1) void this.#finishOpening();
  }

  async #finishOpening(): Promise<void> {
    // After one the answer has left the object, after two the Worker.
    await scheduler.wait(0);
    await scheduler.wait(0);
    const slots = this.#opening;
    this.#opening = [];
    for (const slot of slots) {
      const socket = this.#sockets[slot];
      if (socket instanceof OpeningSocket) this.#sockets[slot] = socket.finish();
    }
  }

  slot(socket: WebSocket): number | undefined {
    return this.#slots.get(socket);
  }

  answerClose(slot: number, code: number, reason: string): void {
    this.#answers.set(slot, [code, reason]);
  }

  forget(slot: number): void {
    const answer = this.#answers.get(slot);
    const socket = this.#remove(slot);
    if (socket && answer) closeSocket(socket, ...answer);
  }

  #remove(slot: number): Sendable | undefined {
    const socket = this.#sockets[slot];
    this.#sockets[slot] = undefined;
    this.#answers.delete(slot);
    if (socket) this.#slots.delete(socket instanceof OpeningSocket ? socket.socket : socket);
    return socket;
  }

  close(slot: number, code: number, reason: string): void {
    const socket = this.#remove(slot);
    if (!socket) return;
    // It belongs to no connection from here on, also when the object has been evicted and restored.
    socket.serializeAttachment(null);
    closeSocket(socket, code, reason);
  }

  attach(slot: number, bytes: Uint8Array): void {
    this.#sockets[slot]?.serializeAttachment(bytes.slice());
  }

  /** How many bytes wait on a slot's socket for its client to read. */
  waiting(slot: number): number {
    return this.#sockets[slot]?.bufferedAmount ?? 0;
  }

  sendText(slots: Uint32Array, text: string): Uint32Array | undefined {
    return this.#each(slots, (socket) => socket.send(text));
  }

  sendLargeText(slots: Uint32Array, bytes: Uint8Array): Uint32Array | undefined {
    return this.sendText(slots, decode(bytes));
  }

  sendBytes(slots: Uint32Array, bytes: Uint8Array): Uint32Array | undefined {
    // The platform copies them for each socket.
    return this.#each(slots, (socket) => socket.send(bytes));
  }

  sendNumbered(slots: Uint32Array, head: string, numbers: Float64Array, tail: string): Uint32Array | undefined {
    // Members of a group mostly have the same number.
    let number: number | undefined;
    let text = "";
    return this.#each(slots, (socket, i) => {
      if (numbers[i] !== number) text = head + (number = numbers[i]) + tail;
      socket.send(text);
    });
  }

  #each(slots: Uint32Array, send: (socket: Sendable, index: number) => void): Uint32Array | undefined {
    let failed: number[] | undefined;
    for (let i = 0; i < slots.length; i++) {
      const slot = slots[i]!;
      const socket = this.#sockets[slot];
      if (!socket) continue;
      try {
        send(socket, i);
      } catch {
        (failed ??= []).push(slot);
      }
    }
    return failed && Uint32Array.from(failed);
  }
}

/** Sends a close frame, whether or not the socket is still open. */
export function closeSocket(socket: Sendable, code: number, reason: string): void {
  try {
    socket.close(code, reason);
  } catch {
    // It is closed already.
  }
}

/** Accepts a socket that no connection is to have, and closes it: its close frame leaves right away. */
export function refuseSocket(socket: WebSocket, code: number, reason: string): void {
  socket.accept();
  socket.close(code, reason);
}

/** What `attach` kept on a socket. */
export function readAttachment(socket: WebSocket): Uint8Array | undefined {
  const bytes: unknown = socket.deserializeAttachment();
  return bytes instanceof Uint8Array ? bytes : undefined;
}
