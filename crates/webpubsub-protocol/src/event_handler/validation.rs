//! The handshake that proves that a handler wants events of this service.

use std::time::Duration;

use crate::time::Timestamp;

/// What [`crate::event_handler::UrlTemplate::resolve`] has in place of an event in the handshake.
pub const EVENT: &str = "validate";

/// Whether an answer with this status and these values of `WebHook-Allowed-Origin` allows `origin`.
///
/// Source: `CloudEvents` spec, section 2.
#[must_use]
pub fn allows(_status: u16, _allowed: &[String], _origin: &str) -> bool {
    todo!()
}

/// What the last handshake with a URL came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validation {
    /// Whether the handler wants events.
    pub allowed: bool,
    /// How many handshakes in a row it refused or failed.
    pub failures: u32,
    /// When the next one is due; events go by this one until then, and while it is under way.
    pub due: Timestamp,
}

impl Validation {
    /// What follows from a handshake, with what was known before.
    #[must_use]
    pub fn next(_before: Option<Self>, _now: Timestamp, _allowed: bool) -> Self {
        let _ = Duration::ZERO;
        todo!()
    }
}
