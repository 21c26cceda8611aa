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
use crate::promise::run_later;

#[wasm_bindgen(module = "worker/js/env.ts")]
extern "C" {
    pub(crate) fn variable(env: &Env, name: &str) -> Option<String>;
}

#[wasm_bindgen(module = "worker/js/assets.ts")]
extern "C" {
    #[wasm_bindgen(catch)]
    pub(crate) fn asset(env: &Env, request: &Request) -> std::result::Result<Promise, JsValue>;
}

#[wasm_bindgen(module = "worker/js/timer.ts")]
extern "C" {
    pub(crate) fn sleep(milliseconds: f64) -> Promise;

    pub(crate) type Timer;

    #[wasm_bindgen(constructor)]
    pub(crate) fn new() -> Timer;

    #[wasm_bindgen(method)]
    pub(crate) fn wait(this: &Timer, milliseconds: f64) -> Promise;

    /// Ends the wait.
    #[wasm_bindgen(method)]
    pub(crate) fn stop(this: &Timer);
}

#[wasm_bindgen(module = "worker/js/state.ts")]
extern "C" {
    #[wasm_bindgen(js_name = objectName)]
    pub(crate) fn object_name(state: &State) -> Option<String>;

    #[wasm_bindgen(js_name = answerPings)]
    pub(crate) fn answer_pings(state: &State, ping: &str, pong: &str);

    #[wasm_bindgen(js_name = openWebSockets)]
    pub(crate) fn open_web_sockets(state: &State) -> Vec<WebSocket>;

    #[wasm_bindgen(js_name = setAlarm)]
    pub(crate) fn set_alarm(state: &State, due: f64);

    #[wasm_bindgen(js_name = deleteAlarm)]
    pub(crate) fn delete_alarm(state: &State);

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
