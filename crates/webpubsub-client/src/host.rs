//! What only JavaScript can do.

use js_sys::JsString;
use wasm_bindgen::prelude::*;
use web_sys::WebSocket;

use crate::convert::Frame;

#[wasm_bindgen]
extern "C" {
    /// A WebSocket that takes text as JavaScript has it, where `web_sys` would copy it into Rust
    /// and out again.
    #[wasm_bindgen(extends = WebSocket)]
    pub(crate) type Socket;

    /// # Errors
    /// Whatever the platform throws for a socket that is not open.
    #[wasm_bindgen(method, catch)]
    pub(crate) fn send(this: &Socket, text: &JsString) -> Result<(), JsValue>;
}

#[wasm_bindgen]
extern "C" {
    /// What only JavaScript can do: an object of the npm package, one for each client.
    ///
    /// None of its methods may throw, except `openSocket`.
    pub type Host;

    /// Asks the credential; answered by `Client.urlFetched` or `Client.urlFailed`.
    #[wasm_bindgen(method, js_name = fetchUrl)]
    pub(crate) fn fetch_url(this: &Host, attempt: u32);

    /// Opens a socket: a browser's `WebSocket` or anything like it. Its events go to
    /// `Client.opened`, `received`, `closed` and, where the platform knows why it did not open,
    /// `connectFailed`.
    ///
    /// # Errors
    /// Whatever the platform throws for a URL that it does not take.
    #[wasm_bindgen(method, catch, js_name = openSocket)]
    pub(crate) fn open_socket(
        this: &Host,
        attempt: u32,
        url: &str,
        protocol: &str,
    ) -> Result<Socket, JsValue>;

    /// Sets the one timer anew, for `Client.timeout` to be called after so many milliseconds; or
    /// stops it.
    #[wasm_bindgen(method, js_name = setTimer)]
    pub(crate) fn set_timer(this: &Host, milliseconds: Option<i32>);

    /// The answer to `Client.start`.
    #[wasm_bindgen(method)]
    pub(crate) fn started(this: &Host, call: u32);

    /// The other answer to `Client.start`: which problem it was, and the HTTP status or close code
    /// if it has one.
    #[wasm_bindgen(method, js_name = startFailed)]
    pub(crate) fn start_failed(this: &Host, call: u32, problem: &str, number: Option<u16>);

    /// The answer to an operation.
    #[wasm_bindgen(method)]
    pub(crate) fn done(this: &Host, call: u32, ack_id: Option<f64>, is_duplicated: bool);

    /// The answer to an invocation.
    #[wasm_bindgen(method)]
    pub(crate) fn invoked(this: &Host, call: u32, answer: &Frame);

    /// The other answer to an operation, and to an invocation.
    #[wasm_bindgen(method)]
    pub(crate) fn failed(this: &Host, call: u32, error: &JsValue);

    /// Makes a `SendMessageError`.
    #[wasm_bindgen(method, js_name = sendError)]
    pub(crate) fn send_error(
        this: &Host,
        message: &str,
        ack_id: Option<f64>,
        detail_name: Option<&str>,
        detail_message: Option<&str>,
    ) -> JsValue;

    /// Makes an `InvocationError`.
    #[wasm_bindgen(method, js_name = invocationError)]
    pub(crate) fn invocation_error(
        this: &Host,
        message: &str,
        invocation_id: &str,
        detail_name: Option<&str>,
        detail_message: Option<&str>,
    ) -> JsValue;

    /// The event `connected`.
    #[wasm_bindgen(method)]
    pub(crate) fn connected(this: &Host, connection_id: &str, user_id: Option<&str>);

    /// The event `disconnected`.
    #[wasm_bindgen(method)]
    pub(crate) fn disconnected(
        this: &Host,
        connection_id: Option<&str>,
        message: Option<&str>,
        code: u16,
        reason: &str,
        will_reconnect: bool,
    );

    /// The event `stopped`.
    #[wasm_bindgen(method)]
    pub(crate) fn stopped(this: &Host, code: Option<u16>, reason: Option<&str>);

    /// The event `recovering`.
    #[wasm_bindgen(method)]
    pub(crate) fn recovering(this: &Host, connection_id: &str);

    /// The event `recovered`.
    #[wasm_bindgen(method)]
    pub(crate) fn recovered(this: &Host, connection_id: &str);

    /// The events `server-message` and `group-message`.
    #[wasm_bindgen(method)]
    pub(crate) fn message(this: &Host, message: &Frame);

    /// The event `rejoin-group-failed`.
    #[wasm_bindgen(method, js_name = rejoinFailed)]
    pub(crate) fn rejoin_failed(this: &Host, group: &str, error: &JsValue);
}
