//! The options that an application gives, as the core's.

use std::time::Duration;

use wasm_bindgen::prelude::*;
use webpubsub_client_core::{Options, Retry, RetryMode};
use webpubsub_protocol::client::Subprotocol;

use crate::convert::property;

/// Reads `WebPubSubClientOptions`, with `reliable` in place of its `protocol`. What is missing or
/// negative is the core's default.
///
/// Source: docs/spec/sdk.md#construction.
pub(crate) fn options(settings: &JsValue) -> Options {
    let default = Options::default();
    let flag = |name, default| property(settings, name).as_bool().unwrap_or(default);
    Options {
        subprotocol: if flag("reliable", true) { Subprotocol::JsonReliable } else { Subprotocol::Json },
        auto_reconnect: flag("autoReconnect", default.auto_reconnect),
        auto_rejoin_groups: flag("autoRejoinGroups", default.auto_rejoin_groups),
        message_retry: retry(&property(settings, "messageRetryOptions"), default.message_retry),
        reconnect_retry: retry(&property(settings, "reconnectRetryOptions"), default.reconnect_retry),
        keep_alive_timeout: milliseconds(settings, "keepAliveTimeoutInMs", default.keep_alive_timeout),
        keep_alive_interval: milliseconds(settings, "keepAliveIntervalInMs", default.keep_alive_interval),
    }
}

fn retry(settings: &JsValue, default: Retry) -> Retry {
    Retry {
        // A number beyond `u32`, such as `Number.MAX_VALUE`, becomes the largest one.
        max_retries: number(settings, "maxRetries").map_or(default.max_retries, |number| number as u32),
        delay: milliseconds(settings, "retryDelayInMs", default.delay),
        max_delay: milliseconds(settings, "maxRetryDelayInMs", default.max_delay),
        mode: match property(settings, "mode").as_string().as_deref() {
            Some("Exponential") => RetryMode::Exponential,
            Some(_) | None => default.mode,
        },
    }
}

fn milliseconds(settings: &JsValue, name: &str, default: Duration) -> Duration {
    number(settings, name).map_or(default, |number| Duration::from_millis(number as u64))
}

fn number(settings: &JsValue, name: &str) -> Option<f64> {
    property(settings, name).as_f64().filter(|number| *number >= 0.0)
}
