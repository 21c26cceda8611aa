//! The open sockets of a shard, kept on the JavaScript side: a fan-out is one call that carries
//! the receivers' slots and one frame, and the loop over them costs no crossing.

use wasm_bindgen::prelude::wasm_bindgen;
use worker::web_sys::WebSocket;

#[wasm_bindgen(inline_js = r#"
/** Node's, where the platform has it: a TextDecoder takes ten times the size of what is not ASCII. */
const { Buffer } = await import("node:buffer").catch(() => ({}));
const decode = (bytes) =>
  Buffer ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString() : new TextDecoder().decode(bytes);

export class Sockets {
  #sockets = [];
  #slots = new WeakMap();
  #goodbyes = new Map();

  put(slot, socket) {
    this.#sockets[slot] = socket;
    this.#slots.set(socket, slot);
  }

  slot(socket) {
    return this.#slots.get(socket);
  }

  answerClose(slot, code, reason) {
    this.#goodbyes.set(slot, [code, reason]);
  }

  forget(slot) {
    const goodbye = this.#goodbyes.get(slot);
    const socket = this.#remove(slot);
    if (socket && goodbye) closeSocket(socket, ...goodbye);
  }

  #remove(slot) {
    const socket = this.#sockets[slot];
    this.#sockets[slot] = undefined;
    this.#goodbyes.delete(slot);
    if (socket) this.#slots.delete(socket);
    return socket;
  }

  close(slot, code, reason) {
    const socket = this.#remove(slot);
    if (!socket) return;
    // Nobody's from here on, also for the next life of the memory.
    socket.serializeAttachment(null);
    closeSocket(socket, code, reason);
  }

  attach(slot, bytes) {
    this.#sockets[slot]?.serializeAttachment(bytes.slice());
  }

  waiting(slot) {
    return this.#sockets[slot]?.bufferedAmount ?? 0;
  }

  sendText(slots, text) {
    return this.#each(slots, (socket) => socket.send(text));
  }

  sendLargeText(slots, bytes) {
    return this.sendText(slots, decode(bytes));
  }

  sendBytes(slots, bytes) {
    // Each copies them.
    return this.#each(slots, (socket) => socket.send(bytes));
  }

  sendNumbered(slots, head, numbers, tail) {
    // Members of a group mostly have the same number.
    let number, text;
    return this.#each(slots, (socket, i) => {
      if (numbers[i] !== number) text = head + (number = numbers[i]) + tail;
      socket.send(text);
    });
  }

  #each(slots, send) {
    let failed;
    for (let i = 0; i < slots.length; i++) {
      const socket = this.#sockets[slots[i]];
      if (!socket) continue;
      try {
        send(socket, i);
      } catch {
        (failed ??= []).push(slots[i]);
      }
    }
    return failed && Uint32Array.from(failed);
  }
}

export function closeSocket(socket, code, reason) {
  try {
    socket.close(code, reason);
  } catch {
    // It is closed already.
  }
}

/** For a socket that is nobody's: its close frame leaves right away. */
export function refuseSocket(socket, code, reason) {
  socket.accept();
  socket.close(code, reason);
}

export function readAttachment(socket) {
  const bytes = socket.deserializeAttachment();
  return bytes instanceof Uint8Array ? bytes : undefined;
}
"#)]
extern "C" {
    pub(crate) type Sockets;

    #[wasm_bindgen(constructor)]
    pub(crate) fn new() -> Sockets;

    /// Knows a socket by this slot from here on.
    #[wasm_bindgen(method)]
    pub(crate) fn put(this: &Sockets, slot: u32, socket: &WebSocket);

    /// The slot of a socket that is known.
    #[wasm_bindgen(method)]
    pub(crate) fn slot(this: &Sockets, socket: &WebSocket) -> Option<u32>;

    /// Has a client's close frame be answered when its slot's socket is forgotten.
    #[wasm_bindgen(method, js_name = answerClose)]
    pub(crate) fn answer_close(this: &Sockets, slot: u32, code: u16, reason: &str);

    /// Knows a slot's socket no more.
    #[wasm_bindgen(method)]
    pub(crate) fn forget(this: &Sockets, slot: u32);

    /// Sends a close frame and knows the socket no more.
    #[wasm_bindgen(method)]
    pub(crate) fn close(this: &Sockets, slot: u32, code: u16, reason: &str);

    /// Keeps bytes on a socket, where hibernation does not reach them.
    #[wasm_bindgen(method, catch)]
    pub(crate) fn attach(this: &Sockets, slot: u32, bytes: &[u8]) -> Result<(), wasm_bindgen::JsValue>;

    /// How many bytes wait on a slot's socket for its client to read.
    #[wasm_bindgen(method)]
    pub(crate) fn waiting(this: &Sockets, slot: u32) -> f64;

    /// Sends one text to many; returns the slots of sockets that could not take it, if any.
    #[wasm_bindgen(method, js_name = sendText)]
    pub(crate) fn send_text(this: &Sockets, slots: &[u32], text: &str) -> Option<Vec<u32>>;

    /// Sends one UTF-8 text to many, as [`Sockets::send_text`] does it: slower, but a large one costs no
    /// more than its string, and what the platform makes of that.
    #[wasm_bindgen(method, js_name = sendLargeText)]
    pub(crate) fn send_large_text(this: &Sockets, slots: &[u32], text: &[u8]) -> Option<Vec<u32>>;

    /// Sends the same bytes to many; returns the slots of sockets that could not take them, if any.
    #[wasm_bindgen(method, js_name = sendBytes)]
    pub(crate) fn send_bytes(this: &Sockets, slots: &[u32], bytes: &[u8]) -> Option<Vec<u32>>;

    /// Sends `head`, a number of each socket's own, and `tail` to many; returns the slots of
    /// sockets that could not take it, if any.
    #[wasm_bindgen(method, js_name = sendNumbered)]
    pub(crate) fn send_numbered(
        this: &Sockets,
        slots: &[u32],
        head: &str,
        numbers: &[f64],
        tail: &str,
    ) -> Option<Vec<u32>>;

    /// Sends a close frame on a socket, whoever's it is and whether or not it is still open.
    #[wasm_bindgen(js_name = closeSocket)]
    pub(crate) fn close_socket(socket: &WebSocket, code: u16, reason: &str);

    /// Accepts a socket for nobody, and closes it.
    #[wasm_bindgen(js_name = refuseSocket)]
    pub(crate) fn refuse_socket(socket: &WebSocket, code: u16, reason: &str);

    /// What [`Sockets::attach`] kept on a socket.
    #[wasm_bindgen(js_name = readAttachment)]
    pub(crate) fn read_attachment(socket: &WebSocket) -> Option<Vec<u8>>;
}
