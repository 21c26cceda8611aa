//! How fast a client may send.

use std::time::Duration;

use webpubsub_protocol::time::Timestamp;

use crate::config::Limits;

/// A bucket of messages that a client may still send, filled as time passes.
#[derive(Debug, Default)]
pub(crate) struct TokenBucket {
    /// Thousandths of messages that are missing from a full bucket.
    missing: u64,
    seen: Timestamp,
}

impl TokenBucket {
    /// Takes one message out; false if there is none.
    pub(crate) fn take(&mut self, now: Timestamp, limits: &Limits) -> bool {
        let allowed = self.next(now, limits).is_none();
        if allowed && limits.messages_per_second > 0 {
            self.missing += 1000;
        }
        allowed
    }

    /// When there is a message in it; `None` if there is one.
    pub(crate) fn next(&mut self, now: Timestamp, limits: &Limits) -> Option<Timestamp> {
        let Limits { messages_per_second, message_burst, .. } = *limits;
        if messages_per_second == 0 || message_burst == 0 {
            return None;
        }
        let rate = u64::from(messages_per_second);
        self.missing = self.missing.saturating_sub(milliseconds(self.seen, now).saturating_mul(rate));
        self.seen = now;
        let above = (self.missing + 1000).saturating_sub(u64::from(message_burst) * 1000);
        (above > 0).then(|| now.after(Duration::from_millis(above.div_ceil(rate))))
    }
}

const fn milliseconds(from: Timestamp, to: Timestamp) -> u64 {
    to.as_millis().saturating_sub(from.as_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(milliseconds: u64) -> Timestamp {
        Timestamp::from_millis(milliseconds)
    }

    fn limits(messages_per_second: u32, message_burst: u32) -> Limits {
        Limits { messages_per_second, message_burst, ..Limits::DEFAULT }
    }

    #[test]
    fn a_client_may_send_a_burst_and_then_at_its_rate() {
        let limits = limits(10, 3);
        let mut bucket = TokenBucket::default();
        assert_eq!(
            [0, 0, 0, 0, 99, 100, 100, 199, 200].map(|now| bucket.take(at(now), &limits)),
            [true, true, true, false, false, true, false, false, true]
        );
        assert_eq!([10_000; 4].map(|now| bucket.take(at(now), &limits)), [true, true, true, false]);
    }

    #[test]
    fn a_bucket_counts_every_millisecond_however_often_it_is_asked() {
        let limits = limits(3, 1);
        let mut bucket = TokenBucket::default();
        let taken = (1_000_000..1_060_000).filter(|now| bucket.take(at(*now), &limits)).count();
        assert_eq!(taken, 180);
    }

    #[test]
    fn a_clock_that_is_put_back_lets_no_bucket_run_dry() {
        let limits = limits(1, 2);
        let mut bucket = TokenBucket::default();
        assert_eq!(
            [50_000, 50_000, 0, 1000].map(|now| bucket.take(at(now), &limits)),
            [true, true, false, true]
        );
    }

    #[test]
    fn without_a_rate_or_a_burst_everything_may_be_sent() {
        for limits in [limits(0, 3), limits(3, 0)] {
            let mut bucket = TokenBucket::default();
            assert!((0..10_000).all(|_| bucket.take(at(0), &limits)));
        }
    }

    #[test]
    fn the_largest_numbers_overflow_nothing() {
        let limits = limits(u32::MAX, u32::MAX);
        let mut bucket = TokenBucket::default();
        assert!([0, u64::MAX, 0, u64::MAX].iter().all(|now| bucket.take(at(*now), &limits)));
    }
}
