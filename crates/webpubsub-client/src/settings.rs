//! The options that an application gives, as the core's.

use std::time::Duration;

use webpubsub_client_core::{Options, Retry, RetryMode};
use webpubsub_protocol::client::Subprotocol;

use crate::host::Host;

/// The numbers of options: their places in `coreOptions` of `npm/src/settings.ts`.
mod which {
    pub(super) const IS_RELIABLE: u32 = 0;
    pub(super) const AUTO_RECONNECT: u32 = 1;
    pub(super) const AUTO_REJOIN_GROUPS: u32 = 2;
    /// The first of the four of a [`retry`](super::retry), as the next one is.
    pub(super) const MESSAGE_RETRY: u32 = 3;
    pub(super) const RECONNECT_RETRY: u32 = 7;
    pub(super) const KEEP_ALIVE_TIMEOUT: u32 = 11;
    pub(super) const KEEP_ALIVE_INTERVAL: u32 = 12;
}

/// The options of the client that a host is for.
pub(crate) fn of(host: &Host) -> Options {
    let default = Options::default();
    Options {
        // The protocol object has the name: what counts here is whether messages are numbered.
        subprotocol: if is_on(host, which::IS_RELIABLE) {
            Subprotocol::JsonReliable
        } else {
            Subprotocol::Json
        },
        auto_reconnect: is_on(host, which::AUTO_RECONNECT),
        auto_rejoin_groups: is_on(host, which::AUTO_REJOIN_GROUPS),
        message_retry: retry(host, which::MESSAGE_RETRY, default.message_retry),
        reconnect_retry: retry(host, which::RECONNECT_RETRY, default.reconnect_retry),
        keep_alive_timeout: pause(host, which::KEEP_ALIVE_TIMEOUT, default.keep_alive_timeout),
        keep_alive_interval: pause(host, which::KEEP_ALIVE_INTERVAL, default.keep_alive_interval),
    }
}

/// `WebPubSubRetryOptions`: four options from this one on. A number that is missing is negative, and means the
/// default, as one that an application makes negative does.
///
/// Source: docs/spec/sdk.md#retry-options.
fn retry(host: &Host, first: u32, default: Retry) -> Retry {
    let max_retries = host.option(first);
    Retry {
        // A number beyond `u32`, such as `Number.MAX_VALUE`, becomes the largest one.
        max_retries: if max_retries >= 0.0 { max_retries as u32 } else { default.max_retries },
        delay: pause(host, first + 1, default.delay),
        max_delay: pause(host, first + 2, default.max_delay),
        mode: if is_on(host, first + 3) { RetryMode::Exponential } else { default.mode },
    }
}

/// A time in milliseconds, by the same rule.
fn pause(host: &Host, which: u32, default: Duration) -> Duration {
    let milliseconds = host.option(which);
    if milliseconds >= 0.0 { Duration::from_millis(milliseconds as u64) } else { default }
}

/// A switch: what is no number of JavaScript's is off.
fn is_on(host: &Host, which: u32) -> bool {
    host.option(which) > 0.0
}
