//! The open sockets of a shard, kept on the JavaScript side: a fan-out is one call that carries
//! the receivers' slots and one frame, and the loop over them costs no crossing.

use wasm_bindgen::prelude::wasm_bindgen;
use worker::web_sys::WebSocket;

#[wasm_bindgen(module = "worker/js/sockets.ts")]
extern "C" {
    pub(crate) type Sockets;

    #[wasm_bindgen(constructor)]
    pub(crate) fn new() -> Sockets;

    /// Knows a socket by this slot from here on.
    #[wasm_bindgen(method)]
    pub(crate) fn put(this: &Sockets, slot: u32, socket: &WebSocket);

    /// Knows a slot's socket by another slot from here on.
    #[wasm_bindgen(method)]
    pub(crate) fn rename(this: &Sockets, from: u32, to: u32);

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

    /// Accepts a socket without a connection, and closes it.
    #[wasm_bindgen(js_name = refuseSocket)]
    pub(crate) fn refuse_socket(socket: &WebSocket, code: u16, reason: &str);

    /// What [`Sockets::attach`] kept on a socket.
    #[wasm_bindgen(js_name = readAttachment)]
    pub(crate) fn read_attachment(socket: &WebSocket) -> Option<Vec<u8>>;
}
