//! The open sockets of a shard, kept on the JavaScript side: a fan-out is one call that carries
//! the receivers' slots and one frame, and the loop over them costs no crossing.

use wasm_bindgen::prelude::wasm_bindgen;
use worker::web_sys::WebSocket;

#[wasm_bindgen(module = "worker/js/sockets.ts")]
extern "C" {
    pub(crate) type Sockets;

    #[wasm_bindgen(constructor)]
    pub(crate) fn new() -> Sockets;

    #[wasm_bindgen(method)]
    pub(crate) fn put(this: &Sockets, slot: u32, socket: &WebSocket);

    /// Knows a slot's socket by another slot from here on.
    #[wasm_bindgen(method)]
    pub(crate) fn rename(this: &Sockets, from: u32, to: u32);

    #[wasm_bindgen(method)]
    pub(crate) fn slot(this: &Sockets, socket: &WebSocket) -> Option<u32>;

    #[wasm_bindgen(method, js_name = answerClose)]
    pub(crate) fn answer_close(this: &Sockets, slot: u32, code: u16, reason: &str);

    #[wasm_bindgen(method)]
    pub(crate) fn forget(this: &Sockets, slot: u32);

    #[wasm_bindgen(method)]
    pub(crate) fn close(this: &Sockets, slot: u32, code: u16, reason: &str);

    #[wasm_bindgen(method, catch)]
    pub(crate) fn attach(this: &Sockets, slot: u32, bytes: &[u8]) -> Result<(), wasm_bindgen::JsValue>;

    #[wasm_bindgen(method)]
    pub(crate) fn waiting(this: &Sockets, slot: u32) -> f64;

    #[wasm_bindgen(method, js_name = sendText)]
    pub(crate) fn send_text(this: &Sockets, slots: &[u32], text: &str) -> Option<Vec<u32>>;

    #[wasm_bindgen(method, js_name = sendLargeText)]
    pub(crate) fn send_large_text(this: &Sockets, slots: &[u32], text: &[u8]) -> Option<Vec<u32>>;

    #[wasm_bindgen(method, js_name = sendBytes)]
    pub(crate) fn send_bytes(this: &Sockets, slots: &[u32], bytes: &[u8]) -> Option<Vec<u32>>;

    #[wasm_bindgen(method, js_name = sendNumbered)]
    pub(crate) fn send_numbered(
        this: &Sockets,
        slots: &[u32],
        head: &str,
        numbers: &[f64],
        tail: &str,
    ) -> Option<Vec<u32>>;

    #[wasm_bindgen(js_name = closeSocket)]
    pub(crate) fn close_socket(socket: &WebSocket, code: u16, reason: &str);

    #[wasm_bindgen(js_name = refuseSocket)]
    pub(crate) fn refuse_socket(socket: &WebSocket, code: u16, reason: &str);

    #[wasm_bindgen(js_name = readAttachment)]
    pub(crate) fn read_attachment(socket: &WebSocket) -> Option<Vec<u8>>;
}
