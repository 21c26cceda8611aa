//! How often an event is told, and when.

use std::time::Duration;

use webpubsub_protocol::event_handler::CallFailure;
use webpubsub_protocol::time::Timestamp;

use super::EventPolicy;

/// The attempts at telling of one event.
#[derive(Debug, Clone, Copy)]
pub struct Attempts {
    until: Timestamp,
    made: u8,
}

impl Attempts {
    /// The first is about to be made.
    #[must_use]
    pub fn new(now: Timestamp, policy: &EventPolicy) -> Self {
        Self { until: now.after(policy.timeout), made: 1 }
    }

    /// Which attempt this is, from 1.
    #[must_use]
    pub const fn number(&self) -> u8 {
        self.made
    }

    /// How long this one may take: an even share of the time that is left beside the pauses.
    #[must_use]
    pub fn limit(&self, _now: Timestamp, _policy: &EventPolicy) -> Duration {
        todo!()
    }

    /// This one has failed. The pause before the next; `None` if there is none.
    pub fn failed(&mut self, _now: Timestamp, _policy: &EventPolicy, _why: CallFailure) -> Option<Duration> {
        todo!()
    }
}
