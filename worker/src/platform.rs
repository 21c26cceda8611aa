//! What the platform offers, each as one call.
//!
//! `worker`'s own wrappers know every kind of error, body and binding that there is, which is
//! several times the size of these.

use std::future::Future;

use js_sys::{Array, Promise};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use webpubsub_protocol::time::Timestamp;
use worker::Env;
use worker::web_sys::{Request, WebSocket};

pub(crate) use crate::error::{Error, Result};
use crate::task::run_later;

#[wasm_bindgen(module = "worker/js/env.ts")]
extern "C" {
    /// A variable or secret of the Worker's, if it is set.
    pub(crate) fn variable(env: &Env, name: &str) -> Option<String>;
}

#[wasm_bindgen(module = "worker/js/assets.ts")]
extern "C" {
    /// Has the platform answer a request for a file, and adds the page's security headers.
    #[wasm_bindgen(catch)]
    pub(crate) fn asset(env: &Env, request: &Request) -> std::result::Result<Promise, JsValue>;
}

#[wasm_bindgen(module = "worker/js/timer.ts")]
extern "C" {
    /// Resolves after some milliseconds.
    pub(crate) fn sleep(milliseconds: f64) -> Promise;

    /// One wait at a time, which can be ended.
    pub(crate) type Timer;

    #[wasm_bindgen(constructor)]
    pub(crate) fn new() -> Timer;

    /// Waits so many milliseconds, unless this is called again or stopped before. Resolves with
    /// whether they have passed.
    #[wasm_bindgen(method)]
    pub(crate) fn wait(this: &Timer, milliseconds: f64) -> Promise;

    /// Ends the wait.
    #[wasm_bindgen(method)]
    pub(crate) fn stop(this: &Timer);
}

#[wasm_bindgen(module = "worker/js/state.ts")]
extern "C" {
    /// The object's name, which the platform does not give to one that an alarm woke.
    #[wasm_bindgen(js_name = objectName)]
    pub(crate) fn object_name(state: &State) -> Option<String>;

    /// Has the platform answer every text `ping` with `pong`, without waking the object.
    #[wasm_bindgen(js_name = answerPings)]
    pub(crate) fn answer_pings(state: &State, ping: &str, pong: &str);

    /// The sockets that the object has accepted and that are open.
    #[wasm_bindgen(js_name = openWebSockets)]
    pub(crate) fn open_web_sockets(state: &State) -> Vec<WebSocket>;

    /// Wakes the object at that time, in milliseconds since the Unix epoch.
    #[wasm_bindgen(js_name = setAlarm)]
    pub(crate) fn set_alarm(state: &State, due: f64);

    /// Takes back what [`set_alarm`] asked for.
    #[wasm_bindgen(js_name = deleteAlarm)]
    pub(crate) fn delete_alarm(state: &State);

    /// The rows that statements find, each an array; `values` are those of the last.
    #[wasm_bindgen(js_name = runSql, catch)]
    pub(crate) fn run_sql(
        state: &State,
        statement: &str,
        values: Vec<JsValue>,
    ) -> std::result::Result<Vec<Array>, JsValue>;
}

#[wasm_bindgen]
extern "C" {
    /// The two ends of a new socket.
    pub(crate) type WebSocketPair;

    #[wasm_bindgen(constructor)]
    pub(crate) fn new() -> WebSocketPair;

    #[wasm_bindgen(method, getter, js_name = "0")]
    pub(crate) fn client(this: &WebSocketPair) -> WebSocket;

    #[wasm_bindgen(method, getter, js_name = "1")]
    pub(crate) fn server(this: &WebSocketPair) -> WebSocket;

    /// The state of a Durable Object.
    #[derive(Clone)]
    pub type State;

    /// Has the object hold a socket, also while it sleeps.
    #[wasm_bindgen(method, catch, js_name = acceptWebSocket)]
    pub(crate) fn accept_web_socket(this: &State, socket: &WebSocket) -> std::result::Result<(), JsValue>;

    /// Keeps the object awake until a promise has settled.
    #[wasm_bindgen(method, js_name = waitUntil)]
    pub(crate) fn wait_for(this: &State, promise: &Promise);

    /// Ends the object at once: its memory is gone and its sockets are closed.
    #[wasm_bindgen(method, catch)]
    pub(crate) fn abort(this: &State, reason: &str) -> std::result::Result<(), JsValue>;
}

impl State {
    /// Keeps the object awake until something is done.
    pub(crate) fn wait_until(&self, future: impl Future<Output = ()> + 'static) {
        self.wait_for(&run_later(async {
            future.await;
            Ok(JsValue::UNDEFINED)
        }));
    }
}

/// The time, in milliseconds.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_millis(js_sys::Date::now() as u64)
}
