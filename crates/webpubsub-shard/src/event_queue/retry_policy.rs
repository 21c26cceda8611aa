//! How often the delivery of an event is attempted, and when.

use std::time::Duration;

use webpubsub_protocol::event_handler::CallFailure;
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

    /// How long this one may take: an even share of the time that is left beside the pauses. Those
    /// that would take more than half of it are left out.
    #[must_use]
    pub fn limit(&self, now: Timestamp, policy: &EventPolicy) -> Duration {
        let left = self.until.since(now);
        let (mut pauses, mut attempts) = (Duration::ZERO, 1);
        for pause in policy.retries.iter().skip(usize::from(self.made) - 1) {
            if pauses.saturating_add(*pause) > left / 2 {
                break;
            }
            pauses += *pause;
            attempts += 1;
        }
        left.saturating_sub(pauses) / attempts
    }

    /// This one has failed. The pause before the next; `None` if there is none.
    pub fn failed(&mut self, now: Timestamp, policy: &EventPolicy, why: CallFailure) -> Option<Duration> {
        let pause = *policy.retries.get(usize::from(self.made) - 1)?;
        if !why.is_passing() || now.after(pause) >= self.until {
            return None;
        }
        self.made = self.made.saturating_add(1);
        Some(pause)
    }
}

#[cfg(test)]
mod tests {
    use webpubsub_protocol::name::HubName;

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
        assert_eq!(attempts.failed(at(0), &policy, why), Some(seconds(1)));
        assert_eq!(attempts.failed(at(1), &policy, why), Some(seconds(3)));
        assert_eq!(attempts.failed(at(4), &policy, why), Some(seconds(5)));
        assert_eq!(attempts.number(), 4);
        assert_eq!(attempts.failed(at(9), &policy, why), None);
    }

    #[test]
    fn a_failure_that_will_not_pass_is_final() {
        for why in [CallFailure::Status(400), CallFailure::Status(429), CallFailure::NotValidated] {
            assert_eq!(Attempts::new(at(0), &policy()).failed(at(0), &policy(), why), None, "{why:?}");
        }
    }

    #[test]
    fn a_handler_that_hangs_gets_four_attempts_within_the_time() {
        let policy = policy();
        let (mut now, mut attempts) = (at(0), Attempts::new(at(0), &policy));
        loop {
            let limit = attempts.limit(now, &policy);
            assert!((limit.as_secs_f64() - 22.75).abs() < 0.01, "{limit:?}");
            now = now.after(limit);
            match attempts.failed(now, &policy, CallFailure::TimedOut) {
                Some(pause) => now = now.after(pause),
                None => break,
            }
        }
        assert_eq!(attempts.number(), 4);
        assert_eq!(now, at(100));
    }

    #[test]
    fn a_short_time_is_not_spent_on_pauses() {
        let policy = EventPolicy { timeout: seconds(5), ..policy() };
        let mut attempts = Attempts::new(at(0), &policy);
        assert_eq!(attempts.limit(at(0), &policy), seconds(2), "a pause of a second, and two attempts");
        assert_eq!(attempts.failed(at(0), &policy, CallFailure::Network), Some(seconds(1)));
        assert_eq!(attempts.failed(at(1), &policy, CallFailure::Network), Some(seconds(3)));
        assert_eq!(attempts.limit(at(4), &policy), seconds(1));
        assert_eq!(attempts.failed(at(4), &policy, CallFailure::Network), None, "the time is over then");
    }

    #[test]
    fn without_pauses_there_is_one_attempt_that_has_all_the_time() {
        let policy = EventPolicy { retries: Vec::new(), ..policy() };
        let mut attempts = Attempts::new(at(0), &policy);
        assert_eq!(attempts.limit(at(0), &policy), seconds(100));
        assert_eq!(attempts.failed(at(0), &policy, CallFailure::Network), None);
    }
}
