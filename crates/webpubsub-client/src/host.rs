//! What only JavaScript can do.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// What only JavaScript can do: an object of the npm package, one for each client.
    ///
    /// None of its methods may throw. Numbers that mean something (`problem`, `kind`) are explained
    /// in `npm/src/core.d.ts`.
    pub type Host;

    /// Asks the credential; answered by `Client.urlFetched` or `Client.urlFailed`.
    #[wasm_bindgen(method, js_name = fetchUrl)]
    pub(crate) fn fetch_url(this: &Host, attempt: u32);

    /// Opens a socket, and lets go of the one before: a browser's `WebSocket` or anything like it.
    /// Its events go to `Client.opened`, `received` and its neighbours, `closed` and, where the
    /// platform knows why it did not open, `connectFailed`.
    ///
    /// Whether the platform takes the URL.
    #[wasm_bindgen(method, js_name = openSocket)]
    pub(crate) fn open_socket(this: &Host, attempt: u32, url: &str) -> bool;

    /// Closes an attempt's socket without a code, if it is the newest one.
    #[wasm_bindgen(method, js_name = closeSocket)]
    pub(crate) fn close_socket(this: &Host, attempt: u32);

    /// Sends a message on the newest socket: see `outgoing.rs`.
    #[wasm_bindgen(method)]
    pub(crate) fn send(
        this: &Host,
        kind: u32,
        name: &str,
        id: &str,
        number: f64,
        flag: bool,
        payload: &JsValue,
    );

    /// Sends a message of `Client.other`, with its ack id, which is negative where it has none.
    #[wasm_bindgen(method, js_name = sendOther)]
    pub(crate) fn send_other(this: &Host, message: &JsValue, ack_id: f64);

    /// Sets the one timer anew, for `Client.timeout` to be called after so many milliseconds; or
    /// stops it, where they are negative.
    #[wasm_bindgen(method, js_name = setTimer)]
    pub(crate) fn set_timer(this: &Host, milliseconds: i32);

    /// The answer to `Client.start`.
    #[wasm_bindgen(method)]
    pub(crate) fn started(this: &Host, call: u32);

    /// The other answer to `Client.start`: which problem it was, and the HTTP status or close code,
    /// 0 where it has none.
    #[wasm_bindgen(method, js_name = startFailed)]
    pub(crate) fn start_failed(this: &Host, call: u32, problem: u32, number: u16);

    /// The answer to an operation. Its ack id is negative where it has none.
    #[wasm_bindgen(method)]
    pub(crate) fn done(this: &Host, call: u32, ack_id: f64, is_duplicated: bool);

    /// The other answer to an operation; the texts are the service's.
    #[wasm_bindgen(method)]
    pub(crate) fn failed(
        this: &Host,
        call: u32,
        problem: u32,
        ack_id: f64,
        name: Option<&str>,
        text: Option<&str>,
    );

    /// The answer to an invocation.
    #[wasm_bindgen(method)]
    pub(crate) fn invoked(this: &Host, call: u32, answer: &JsValue);

    /// The other answer to an invocation; the texts are the service's.
    #[wasm_bindgen(method, js_name = invocationFailed)]
    pub(crate) fn invocation_failed(
        this: &Host,
        call: u32,
        invocation_id: &str,
        problem: u32,
        name: Option<&str>,
        text: Option<&str>,
    );

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

    /// The event `stopped`. The code is 0 where no socket was ever open.
    #[wasm_bindgen(method)]
    pub(crate) fn stopped(this: &Host, code: u16, reason: &str);

    /// The event `recovering`, or `recovered`.
    #[wasm_bindgen(method)]
    pub(crate) fn recovery(this: &Host, is_over: bool, connection_id: &str);

    /// The events `server-message` and `group-message`.
    #[wasm_bindgen(method)]
    pub(crate) fn message(this: &Host, message: &JsValue);

    /// The event `rejoin-group-failed`, with what `failed` gets.
    #[wasm_bindgen(method, js_name = rejoinFailed)]
    pub(crate) fn rejoin_failed(
        this: &Host,
        group: &str,
        problem: u32,
        ack_id: f64,
        name: Option<&str>,
        text: Option<&str>,
    );
}
