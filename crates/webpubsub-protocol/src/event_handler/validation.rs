//! The handshake that proves that a handler wants events of this service.

use std::time::Duration;

use super::CallFailure;
use crate::time::Timestamp;

/// What [`crate::event_handler::UrlTemplate::resolve`] has in place of an event in the handshake.
pub const EVENT: &str = "validate";

/// The longest pause between two handshakes with a URL, in seconds.
///
/// Source: docs/spec/cloudevents.md#validation.
const PERIOD_SECONDS: u64 = 60;

/// Whether an answer with this status and these values of `WebHook-Allowed-Origin` allows `origin`, one
/// host or several with commas between, of which one is enough.
///
/// # Errors
/// The [`CallFailure`] that the handshake comes to where it does not.
///
/// Source: docs/spec/cloudevents.md#validation.
pub fn check(status: u16, allowed: &[String], origin: &str) -> Result<(), CallFailure> {
    if let Some(failure) = CallFailure::of_status(status) {
        return Err(failure);
    }
    let mut named = allowed.iter().flat_map(|value| hosts(value)).peekable();
    if named.peek().is_none() {
        return Err(CallFailure::NoAllowedOrigin);
    }
    let is_this =
        |allowed: &str| allowed == "*" || hosts(origin).any(|host| allowed.eq_ignore_ascii_case(host));
    if named.any(is_this) { Ok(()) } else { Err(CallFailure::OtherOrigin) }
}

fn hosts(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|host| !host.is_empty())
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
    ///
    /// The next one is due a minute after a success, and 1 s after a failure, which doubles with
    /// every further failure up to a minute.
    ///
    /// Source: docs/spec/cloudevents.md#validation.
    #[must_use]
    pub fn next(before: Option<Self>, now: Timestamp, allowed: bool) -> Self {
        let failures_before = before.map_or(0, |before| before.failures);
        let failures = if allowed { 0 } else { failures_before.saturating_add(1) };
        let doubled = 1_u64.checked_shl(failures_before).unwrap_or(PERIOD_SECONDS);
        let pause = if allowed { PERIOD_SECONDS } else { doubled.min(PERIOD_SECONDS) };
        Self { allowed, failures, due: now.after(Duration::from_secs(pause)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_minute_and_start_over_after_a_success() {
        let mut known = None;
        let mut pause = |allowed| {
            let now = Timestamp::from_millis(5);
            let next = Validation::next(known, now, allowed);
            known = Some(next);
            assert_eq!(next.allowed, allowed);
            next.due.since(now).as_secs()
        };
        let failed: Vec<_> = (0..70).map(|_| pause(false)).collect();
        assert_eq!(failed[..8], [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(failed[8..], [60; 62]);
        assert_eq!([pause(true), pause(true), pause(false), pause(false)], [60, 60, 1, 2]);
    }
}
