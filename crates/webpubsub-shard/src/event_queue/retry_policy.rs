//! How often the delivery of an event is attempted, and when.

use std::time::Duration;

use webpubsub_protocol::event_handler::{AnswerUse, CallFailure};
use webpubsub_protocol::time::Timestamp;

use super::policy::EventPolicy;

/// The attempts at delivering one event.
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

    /// Whether the time for them has passed.
    #[must_use]
    pub(crate) fn are_over(&self, now: Timestamp) -> bool {
        now >= self.until
    }

    /// How much time is left for the event.
    #[must_use]
    pub fn left(&self, now: Timestamp) -> Duration {
        self.until.since(now)
    }

    /// How long this one may take, of an event whose answer has this use: all the time that is left where somebody waits
    /// for it. A notification is sent again rather, so each attempt at one has an even share of it.
    #[must_use]
    pub fn limit(&self, now: Timestamp, policy: &EventPolicy, purpose: AnswerUse) -> Duration {
        let left = self.until.since(now);
        if purpose.is_awaited() {
            return left;
        }
        let retries = policy.retries.len().saturating_sub(usize::from(self.made) - 1);
        left / (retries as u32 + 1)
    }

    /// This one, at an event whose answer has this use, has failed. The pause before the next; `None` if there is none.
    pub fn failed(
        &mut self,
        now: Timestamp,
        policy: &EventPolicy,
        why: CallFailure,
        purpose: AnswerUse,
    ) -> Option<Duration> {
        let pause = *policy.retries.get(usize::from(self.made) - 1)?;
        // It had all the time.
        let is_last = purpose.is_awaited() && why == CallFailure::TimedOut;
        if is_last || !why.is_passing() || now.after(pause) >= self.until {
            return None;
        }
        self.made = self.made.saturating_add(1);
        Some(pause)
    }
}

#[cfg(test)]
mod tests {
    use webpubsub_protocol::name::HubName;

    use AnswerUse::{Nothing, Reply};

    use super::*;

    const fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn policy() -> EventPolicy {
        EventPolicy::new(HubName::parse("chat").unwrap())
    }

    // Source: docs/spec/cloudevents.md#retries.
    #[test]
    fn a_transient_failure_is_retried_after_1_3_and_5_seconds() {
        let (policy, why) = (policy(), CallFailure::Status(500));
        let mut attempts = Attempts::new(at(0), &policy);
        let mut failed = |now| attempts.failed(at(now), &policy, why, Reply);
        assert_eq!([failed(0), failed(1), failed(4)], [1, 3, 5].map(|pause| Some(seconds(pause))));
        assert_eq!(failed(9), None);
        assert_eq!(attempts.number(), 4);
    }

    #[test]
    fn a_failure_that_will_not_pass_is_final() {
        for why in [CallFailure::Status(400), CallFailure::Status(429), CallFailure::NotValidated] {
            assert_eq!(
                Attempts::new(at(0), &policy()).failed(at(0), &policy(), why, Nothing),
                None,
                "{why:?}"
            );
        }
    }

    // Source: docs/spec/cloudevents.md#retries.
    #[test]
    fn a_slow_answer_that_is_waited_for_has_all_the_time() {
        let policy = policy();
        let mut attempts = Attempts::new(at(0), &policy);
        assert_eq!(attempts.limit(at(0), &policy, Reply), seconds(100));
        assert_eq!(attempts.failed(at(10), &policy, CallFailure::Network, Reply), Some(seconds(1)));
        assert_eq!(attempts.limit(at(11), &policy, Reply), seconds(89));
        assert_eq!(
            attempts.failed(at(11), &policy, CallFailure::TimedOut, Reply),
            None,
            "it is not repeated"
        );
    }

    #[test]
    fn a_notification_that_hangs_has_four_attempts_in_the_time() {
        let policy = policy();
        let (mut now, mut attempts) = (at(0), Attempts::new(at(0), &policy));
        loop {
            let limit = attempts.limit(now, &policy, Nothing);
            assert!((18..=25).contains(&limit.as_secs()), "{limit:?}");
            now = now.after(limit);
            match attempts.failed(now, &policy, CallFailure::TimedOut, Nothing) {
                Some(pause) => now = now.after(pause),
                None => break,
            }
        }
        assert_eq!(attempts.number(), 4);
        assert_eq!(now, at(100));
    }

    #[test]
    fn without_pauses_there_is_one_attempt_that_has_all_the_time() {
        let policy = EventPolicy { retries: Vec::new(), ..policy() };
        let mut attempts = Attempts::new(at(0), &policy);
        assert_eq!(attempts.limit(at(0), &policy, Nothing), seconds(100));
        assert_eq!(attempts.failed(at(0), &policy, CallFailure::Network, Nothing), None);
    }
}
