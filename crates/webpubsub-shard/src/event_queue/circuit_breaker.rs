//! Circuit breakers: event handlers that fail are not called for a while.

use std::time::Duration;

use webpubsub_protocol::event_handler::CallFailure;
use webpubsub_protocol::time::Timestamp;

/// How many failures in a row open the breaker of a URL.
const FAILURES: u32 = 5;
/// How long an open breaker lets no call through. An MQTT session waits for its client for 30 s at most, and the client
/// for the handler.
const PAUSE: Duration = Duration::from_secs(10);
/// How long a probe has the handler to itself: where it takes longer, the next one is made beside it.
const PROBE: Duration = Duration::from_secs(30);

/// The breakers of all URLs to which calls have failed.
#[derive(Debug, Default)]
pub struct CircuitBreakers(Vec<Breaker>);

/// A URL to which calls have failed since one succeeded.
#[derive(Debug)]
struct Breaker {
    url: String,
    failures: u32,
    /// When it may be called again, once it has failed too often.
    until: Timestamp,
}

impl CircuitBreakers {
    /// Until when no call may be made; `None` if one may.
    pub(crate) fn open_until(&self, now: Timestamp, url: &str) -> Option<Timestamp> {
        let breaker = self.0.iter().find(|breaker| breaker.url == url)?;
        (breaker.failures >= FAILURES && now < breaker.until).then_some(breaker.until)
    }

    /// Whether a call may be made now: true while the URL works, and once for a probe.
    pub fn allows(&mut self, now: Timestamp, url: &str) -> bool {
        let allowed = self.open_until(now, url).is_none();
        if allowed && let Some(breaker) = self.0.iter_mut().find(|breaker| breaker.url == url) {
            // If it is a probe, no other call is made before it has ended.
            breaker.until = now.after(PROBE);
        }
        allowed
    }

    /// A call has ended. Returns whether that changed what is allowed.
    pub fn ended(&mut self, now: Timestamp, url: &str, failure: Option<CallFailure>) -> bool {
        let works = match failure.map(CallFailure::shows_that_handler_works) {
            None => true,
            Some(Some(works)) => works,
            Some(None) => return false,
        };
        let at = self.0.iter().position(|breaker| breaker.url == url);
        if works {
            let breaker = at.map(|at| self.0.swap_remove(at));
            return breaker.is_some_and(|breaker| breaker.failures >= FAILURES);
        }
        if at.is_none() {
            self.0.push(Breaker { url: url.to_owned(), failures: 0, until: now });
        }
        let Some(breaker) = self.0.iter_mut().find(|breaker| breaker.url == url) else { return false };
        breaker.failures = breaker.failures.saturating_add(1);
        breaker.until = now.after(PAUSE);
        breaker.failures == FAILURES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BAD: Option<CallFailure> = Some(CallFailure::Network);
    const URL: &str = "https://example.com/{event}";

    const fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    fn broken() -> CircuitBreakers {
        let mut breakers = CircuitBreakers::default();
        assert_eq!([1; 5].map(|now| breakers.ended(at(now), URL, BAD)), [false, false, false, false, true]);
        breakers
    }

    #[test]
    fn five_failures_in_a_row_open_the_breaker_for_ten_seconds() {
        let mut breakers = broken();
        assert!(!breakers.allows(at(10), URL));
        assert!(breakers.allows(at(10), "https://example.com/other"));
        assert!(breakers.allows(at(11), URL));
    }

    #[test]
    fn a_success_in_between_begins_the_count_again() {
        let mut breakers = CircuitBreakers::default();
        for result in [BAD, BAD, BAD, BAD, Some(CallFailure::Status(404)), BAD, BAD, BAD, BAD] {
            assert!(!breakers.ended(at(1), URL, result));
            assert!(breakers.allows(at(1), URL));
        }
    }

    #[test]
    fn a_failure_that_is_not_the_handlers_changes_nothing() {
        let mut breakers = broken();
        for failure in [CallFailure::GivenUp, CallFailure::Unsendable, CallFailure::NotPublic] {
            assert!(!breakers.ended(at(6), URL, Some(failure)));
        }
        assert!(!breakers.allows(at(10), URL));
        assert!(breakers.allows(at(15), URL));
    }

    #[test]
    fn one_probe_is_made_and_its_end_decides() {
        let mut breakers = broken();
        assert!(breakers.allows(at(40), URL));
        assert!(!breakers.allows(at(40), URL), "the others wait for the probe");
        breakers.ended(at(41), URL, BAD);
        assert!(!breakers.allows(at(50), URL));
        assert!(breakers.allows(at(51), URL));
        assert!(breakers.ended(at(72), URL, None));
        assert!([72; 10].iter().all(|now| breakers.allows(at(*now), URL)));
    }

    #[test]
    fn a_probe_without_a_result_is_followed_by_another() {
        let mut breakers = broken();
        assert!(breakers.allows(at(40), URL));
        assert!(!breakers.allows(at(69), URL));
        assert!(breakers.allows(at(70), URL));
    }
}
