//! What only JavaScript can do.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// What only JavaScript can do: an object of the npm package, one for each client.
    ///
    /// None of its methods may throw. What `problem` means is explained in `problem.rs`.
    pub type GroupsHost;

    /// Sets the one timer anew, for `Groups.timeout` to be called after so many milliseconds; or
    /// stops it, where they are negative.
    #[wasm_bindgen(method, js_name = setTimer)]
    pub(crate) fn set_timer(this: &GroupsHost, milliseconds: i32);

    /// Sends the start of a stream. `idle_millis` is negative where there is none.
    #[wasm_bindgen(method, js_name = sendStart)]
    pub(crate) fn send_start(
        this: &GroupsHost,
        stream_id: &str,
        group: &str,
        no_echo: bool,
        idle_millis: f64,
    );

    /// Sends a fragment; without a payload it is a keep-alive, and the number means nothing.
    #[wasm_bindgen(method, js_name = sendData)]
    pub(crate) fn send_data(this: &GroupsHost, stream_id: &str, sequence_id: f64, payload: &JsValue);

    /// Sends the end of a stream.
    #[wasm_bindgen(method, js_name = sendEnd)]
    pub(crate) fn send_end(
        this: &GroupsHost,
        stream_id: &str,
        is_error: bool,
        message: Option<&str>,
        user_error_code: Option<&str>,
    );

    /// The answer to a call.
    #[wasm_bindgen(method)]
    pub(crate) fn done(this: &GroupsHost, call: u32);

    /// The other answer to a call; the texts are those of the service, or of a violation.
    #[wasm_bindgen(method)]
    pub(crate) fn failed(this: &GroupsHost, call: u32, problem: u32, name: &str, text: &str);

    /// A stream that this client sends ended before its sender ended it.
    #[wasm_bindgen(method, js_name = streamFailed)]
    pub(crate) fn stream_failed(this: &GroupsHost, stream_id: &str, problem: u32, name: &str, text: &str);

    /// A stream begins, for a listener.
    #[wasm_bindgen(method)]
    pub(crate) fn began(this: &GroupsHost, subscription: u32, stream: u32, group: &str, stream_id: &str);

    /// A fragment of a stream.
    #[wasm_bindgen(method)]
    pub(crate) fn fragment(this: &GroupsHost, stream: u32, message: &JsValue);

    /// A stream is over: well (0), with the error that its last message has (1), or because nothing
    /// came for too long (2).
    #[wasm_bindgen(method)]
    pub(crate) fn ended(this: &GroupsHost, stream: u32, how: u32, error: &JsValue);
}
