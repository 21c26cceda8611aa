//! The process's clock.

use std::time::{SystemTime, UNIX_EPOCH};

use webpubsub_protocol::time::{Timestamp, whole_millis};

/// The time.
#[expect(clippy::disallowed_methods, reason = "the pure crates are given the time from here")]
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(whole_millis(since))
}
