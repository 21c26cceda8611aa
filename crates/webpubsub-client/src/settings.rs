//! The options that an application gives, as the core's.

use std::time::Duration;

use webpubsub_client_core::{Retry, RetryMode};

/// `WebPubSubRetryOptions`. A number that is missing is negative, and means the default, as one that
/// an application makes negative does.
///
/// Source: docs/spec/sdk.md#retry-options.
pub(crate) fn retry(default: Retry, [max_retries, delay, max_delay]: [f64; 3], doubles: bool) -> Retry {
    Retry {
        // A number beyond `u32`, such as `Number.MAX_VALUE`, becomes the largest one.
        max_retries: if max_retries >= 0.0 { max_retries as u32 } else { default.max_retries },
        delay: milliseconds(default.delay, delay),
        max_delay: milliseconds(default.max_delay, max_delay),
        mode: if doubles { RetryMode::Exponential } else { default.mode },
    }
}

/// A pause, by the same rule.
pub(crate) fn milliseconds(default: Duration, number: f64) -> Duration {
    if number >= 0.0 { Duration::from_millis(number as u64) } else { default }
}
