// The open sockets of a shard: a fan-out is one call that carries the receivers' slots and one frame, and
// the loop over them costs no crossing.

/** Node's, where the platform has it: a `TextDecoder` takes ten times the size of what is not ASCII. */
const { Buffer } = await import("node:buffer").catch(() => ({ Buffer: undefined }));

const decode = (bytes: Uint8Array): string =>
  Buffer ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString() : new TextDecoder().decode(bytes);

/** The sockets by their slots. Methods that send return the slots of sockets that could not take it, if any. */
export class Sockets {
  #sockets: (WebSocket | undefined)[] = [];
  #slots = new WeakMap<WebSocket, number>();
  /** The close frames that answer those of clients. */
  #answers = new Map<number, [code: number, reason: string]>();

  /** Knows a socket by this slot from here on. */
  put(slot: number, socket: WebSocket): void {
    this.#sockets[slot] = socket;
    this.#slots.set(socket, slot);
  }

  rename(from: number, to: number): void {
    const socket = this.#remove(from);
    if (socket) this.put(to, socket);
  }

  /** The slot of a socket that is known. */
  slot(socket: WebSocket): number | undefined {
    return this.#slots.get(socket);
  }

  /** Has a client's close frame be answered when its slot's socket is forgotten. */
  answerClose(slot: number, code: number, reason: string): void {
    this.#answers.set(slot, [code, reason]);
  }

  /** Knows a slot's socket no more. */
  forget(slot: number): void {
    const answer = this.#answers.get(slot);
    const socket = this.#remove(slot);
    if (socket && answer) closeSocket(socket, ...answer);
  }

  #remove(slot: number): WebSocket | undefined {
    const socket = this.#sockets[slot];
    this.#sockets[slot] = undefined;
    this.#answers.delete(slot);
    if (socket) this.#slots.delete(socket);
    return socket;
  }

  /** Sends a close frame and knows the socket no more. */
  close(slot: number, code: number, reason: string): void {
    const socket = this.#remove(slot);
    if (!socket) return;
    // It belongs to no connection from here on, also when the object has been evicted and restored.
    socket.serializeAttachment(null);
    closeSocket(socket, code, reason);
  }

  /** Keeps bytes on a socket, where hibernation does not reach them. */
  attach(slot: number, bytes: Uint8Array): void {
    this.#sockets[slot]?.serializeAttachment(bytes.slice());
  }

  /** How many bytes wait on a slot's socket for its client to read; `bufferedAmount` is workerd's. */
  waiting(slot: number): number {
    const socket: (WebSocket & { bufferedAmount?: number }) | undefined = this.#sockets[slot];
    return socket?.bufferedAmount ?? 0;
  }

  /** Sends one text to many. */
  sendText(slots: Uint32Array, text: string): Uint32Array | undefined {
    return this.#each(slots, (socket) => socket.send(text));
  }

  /** The same of a UTF-8 text: slower, but a large one costs no more than its string, and what the platform makes of that. */
  sendLargeText(slots: Uint32Array, bytes: Uint8Array): Uint32Array | undefined {
    return this.sendText(slots, decode(bytes));
  }

  /** Sends the same bytes to many. */
  sendBytes(slots: Uint32Array, bytes: Uint8Array): Uint32Array | undefined {
    // The platform copies them for each socket.
    return this.#each(slots, (socket) => socket.send(bytes));
  }

  /** Sends `head`, a number of each socket's own, and `tail` to many. */
  sendNumbered(slots: Uint32Array, head: string, numbers: Float64Array, tail: string): Uint32Array | undefined {
    // Members of a group mostly have the same number.
    let number: number | undefined;
    let text = "";
    return this.#each(slots, (socket, i) => {
      if (numbers[i] !== number) text = head + (number = numbers[i]) + tail;
      socket.send(text);
    });
  }

  #each(slots: Uint32Array, send: (socket: WebSocket, index: number) => void): Uint32Array | undefined {
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
export function closeSocket(socket: WebSocket, code: number, reason: string): void {
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
