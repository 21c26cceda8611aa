//! A client, and the host that remembers what it was asked.

use js_sys::Function;
use serde::Serialize;
use serde_json::Value;
use wasm_bindgen::prelude::*;
use webpubsub_client::{Client, Host};

use crate::inputs::Inputs as _;

#[wasm_bindgen(module = "/tests/host.js")]
extern "C" {
    #[wasm_bindgen(js_name = fakeHost)]
    fn fake_host(options: Vec<f64>) -> JsValue;
    #[wasm_bindgen(js_name = browserHost)]
    fn browser_host(options: Vec<f64>, closed: &Closure<dyn FnMut(u32, u16, String)>) -> JsValue;
    #[wasm_bindgen(js_name = takeCalls)]
    fn take_calls(host: &JsValue) -> JsValue;
    #[wasm_bindgen(js_name = refuseUrls)]
    fn refuse_urls(host: &JsValue);
    #[wasm_bindgen(js_name = onMessage)]
    fn on_message(host: &JsValue, callback: &Function);
    #[wasm_bindgen(js_name = setClock)]
    pub(crate) fn set_clock(milliseconds: f64);
}

/// What the clock says, until a test sets it.
pub(crate) const NOW: f64 = 1_800_000_000_000.0;

/// A number that is missing.
pub(crate) const NONE: f64 = -1.0;

pub(crate) const NOTHING: [Value; 0] = [];

/// What the JavaScript package makes of an application's options.
pub(crate) struct Settings {
    pub(crate) is_reliable: bool,
    pub(crate) auto_reconnect: bool,
    /// Retries, pause and longest pause.
    pub(crate) message: [f64; 3],
    pub(crate) doubles: bool,
    pub(crate) timeout: f64,
    pub(crate) interval: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            is_reliable: true,
            auto_reconnect: true,
            message: [NONE; 3],
            doubles: false,
            timeout: NONE,
            interval: NONE,
        }
    }
}

impl Settings {
    /// The options, by their numbers: see `src/settings.rs`.
    fn options(&self) -> Vec<f64> {
        let is = |on: bool| f64::from(u8::from(on));
        let [retries, pause, longest] = self.message;
        let message = [retries, pause, longest, is(self.doubles)];
        let reconnect = [NONE, NONE, NONE, is(false)];
        let switches = [is(self.is_reliable), is(self.auto_reconnect), is(true)];
        [&switches[..], &message, &reconnect, &[self.timeout, self.interval]].concat()
    }
}

/// A client with a host that remembers what it was asked.
pub(crate) struct Fixture {
    pub(crate) client: Client,
    host: JsValue,
}

/// A client that has not started.
pub(crate) fn client(settings: &Settings) -> Fixture {
    set_clock(NOW);
    Fixture::of(fake_host(settings.options()))
}

/// A client as far as `connected`, with nothing in its host's memory.
pub(crate) fn connected(settings: &Settings) -> Fixture {
    let fixture = client(settings);
    fixture.client.start(1);
    fixture.client.url_fetched(1, "wss://h/");
    fixture.client.opened(1);
    fixture.client.connected(1, "c1", "", "t");
    // The first ping has left, too.
    fixture.calls();
    fixture
}

impl Fixture {
    fn of(host: JsValue) -> Self {
        Self { client: Client::new(host.clone().unchecked_into::<Host>()), host }
    }

    /// A client whose sockets are the browser's own; `closed` is called with the attempt, the code and the reason of
    /// one that has ended.
    pub(crate) fn in_browser(closed: &Closure<dyn FnMut(u32, u16, String)>) -> Self {
        Self::of(browser_host(Settings::default().options(), closed))
    }

    /// Has the host open no socket: what it is given is no URL.
    pub(crate) fn refuse_urls(&self) {
        refuse_urls(&self.host);
    }

    /// Has the host call this whenever it is given a message.
    pub(crate) fn on_message(&self, callback: &Function) {
        on_message(&self.host, callback);
    }

    /// What the host was asked since the last time.
    pub(crate) fn calls(&self) -> Vec<Value> {
        serde_wasm_bindgen::from_value(take_calls(&self.host)).unwrap()
    }

    /// The same, as far as it is of this name.
    pub(crate) fn calls_of(&self, name: &str) -> Vec<Value> {
        self.calls().into_iter().filter(|call| call[0] == name).collect()
    }

    /// The same without the timer.
    pub(crate) fn calls_but_timers(&self) -> Vec<Value> {
        self.calls().into_iter().filter(|call| call[0] != "setTimer").collect()
    }
}

/// The JavaScript value for this.
pub(crate) fn js(value: &Value) -> JsValue {
    value.serialize(&serde_wasm_bindgen::Serializer::json_compatible()).unwrap()
}
