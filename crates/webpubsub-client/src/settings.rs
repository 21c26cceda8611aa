//! The options that an application gives, as the core's.

use std::time::Duration;

use wasm_bindgen::prelude::*;
use webpubsub_client_core::{Options, Retry, RetryMode};
use webpubsub_protocol::client::Subprotocol;

#[wasm_bindgen]
extern "C" {
    /// `WebPubSubClientOptions`, and whether its `protocol` is reliable.
    pub type Settings;
    #[wasm_bindgen(method, getter)]
    fn reliable(this: &Settings) -> bool;
    #[wasm_bindgen(method, getter, js_name = autoReconnect)]
    fn auto_reconnect(this: &Settings) -> Option<bool>;
    #[wasm_bindgen(method, getter, js_name = autoRejoinGroups)]
    fn auto_rejoin_groups(this: &Settings) -> Option<bool>;
    #[wasm_bindgen(method, getter, js_name = messageRetryOptions)]
    fn message_retry(this: &Settings) -> Option<RetrySettings>;
    #[wasm_bindgen(method, getter, js_name = reconnectRetryOptions)]
    fn reconnect_retry(this: &Settings) -> Option<RetrySettings>;
    #[wasm_bindgen(method, getter, js_name = keepAliveTimeoutInMs)]
    fn keep_alive_timeout(this: &Settings) -> Option<f64>;
    #[wasm_bindgen(method, getter, js_name = keepAliveIntervalInMs)]
    fn keep_alive_interval(this: &Settings) -> Option<f64>;

    /// `WebPubSubRetryOptions`.
    type RetrySettings;
    #[wasm_bindgen(method, getter, js_name = maxRetries)]
    fn max_retries(this: &RetrySettings) -> Option<f64>;
    #[wasm_bindgen(method, getter, js_name = retryDelayInMs)]
    fn delay(this: &RetrySettings) -> Option<f64>;
    #[wasm_bindgen(method, getter, js_name = maxRetryDelayInMs)]
    fn max_delay(this: &RetrySettings) -> Option<f64>;
    #[wasm_bindgen(method, getter)]
    fn mode(this: &RetrySettings) -> JsValue;
}

/// What is missing, and what is negative, is the core's default.
///
/// Source: SDK expectations, part A.1.
pub(crate) fn options(settings: &Settings) -> Options {
    let default = Options::default();
    Options {
        subprotocol: if settings.reliable() { Subprotocol::JsonReliable } else { Subprotocol::Json },
        auto_reconnect: settings.auto_reconnect().unwrap_or(default.auto_reconnect),
        auto_rejoin_groups: settings.auto_rejoin_groups().unwrap_or(default.auto_rejoin_groups),
        message_retry: retry(settings.message_retry().as_ref(), default.message_retry),
        reconnect_retry: retry(settings.reconnect_retry().as_ref(), default.reconnect_retry),
        keep_alive_timeout: milliseconds(settings.keep_alive_timeout(), default.keep_alive_timeout),
        keep_alive_interval: milliseconds(settings.keep_alive_interval(), default.keep_alive_interval),
    }
}

fn retry(settings: Option<&RetrySettings>, default: Retry) -> Retry {
    let Some(settings) = settings else {
        return default;
    };
    Retry {
        // A number beyond `u32`, such as `Number.MAX_VALUE`, becomes the largest one.
        max_retries: settings.max_retries().filter(|n| *n >= 0.0).map_or(default.max_retries, |n| n as u32),
        delay: milliseconds(settings.delay(), default.delay),
        max_delay: milliseconds(settings.max_delay(), default.max_delay),
        mode: if settings.mode() == "Exponential" { RetryMode::Exponential } else { default.mode },
    }
}

fn milliseconds(number: Option<f64>, default: Duration) -> Duration {
    number.filter(|n| *n >= 0.0).map_or(default, |n| Duration::from_millis(n as u64))
}
