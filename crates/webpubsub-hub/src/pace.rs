//! How fast a client may send, and how far behind it may fall.

use std::time::Duration;

use webpubsub_protocol::time::Timestamp;

/// What one connection may ask of its shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Messages that a client may send a second, in the long run; 0 for as many as it likes.
    pub messages_per_second: u32,
    /// Messages that it may send at once after a while of silence.
    pub burst: u32,
    /// Bytes that may be on their way to a client before it is given up as too slow.
    pub outstanding_bytes: u64,
}

impl Default for Limits {
    /// 1,000 messages a second, 5,000 at once, 16 MB outstanding.
    fn default() -> Self {
        Self { messages_per_second: 1_000, burst: 5_000, outstanding_bytes: 16 * 1024 * 1024 }
    }
}

/// A bucket of messages that a client may still send, filled as time passes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bucket {
    /// Thousandths of messages that are missing from a full bucket.
    missing: u64,
    seen: Timestamp,
}

impl Bucket {
    pub(crate) const fn full(now: Timestamp) -> Self {
        Self { missing: 0, seen: now }
    }

    /// Takes one message out; false if there is none.
    pub(crate) fn take(&mut self, now: Timestamp, limits: &Limits) -> bool {
        if limits.messages_per_second == 0 {
            return true;
        }
        let passed = u64::try_from(now.since(self.seen).as_millis()).unwrap_or(u64::MAX);
        self.seen = now;
        self.missing =
            self.missing.saturating_sub(passed.saturating_mul(u64::from(limits.messages_per_second)));
        let allowed = self.missing.saturating_add(1000) <= u64::from(limits.burst).saturating_mul(1000);
        if allowed {
            self.missing += 1000;
        }
        allowed
    }
}

/// An estimate of the bytes on their way to a client.
///
/// The platform tells nothing about what a socket has not yet delivered, so the estimate supposes
/// that a client takes in 1 MB a second, and that one that says something has taken in everything.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Backlog {
    bytes: u64,
    seen: Timestamp,
}

/// What a client is supposed to take in.
const BYTES_PER_SECOND: u64 = 1024 * 1024;

impl Backlog {
    pub(crate) const fn empty(now: Timestamp) -> Self {
        Self { bytes: 0, seen: now }
    }

    /// The client said something.
    pub(crate) const fn heard(&mut self, now: Timestamp) {
        *self = Self::empty(now);
    }

    /// Adds a frame; false if that is more than may be outstanding.
    pub(crate) fn add(&mut self, now: Timestamp, bytes: usize, limits: &Limits) -> bool {
        let passed = now.since(self.seen);
        if passed >= Duration::from_millis(1) {
            let drained =
                u64::try_from(passed.as_millis()).unwrap_or(u64::MAX).saturating_mul(BYTES_PER_SECOND) / 1000;
            self.bytes = self.bytes.saturating_sub(drained);
            self.seen = now;
        }
        self.bytes = self.bytes.saturating_add(bytes as u64);
        self.bytes <= limits.outstanding_bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEGABYTE: usize = 1024 * 1024;

    #[test]
    fn a_client_may_send_a_burst_and_then_as_fast_as_the_bucket_fills() {
        let limits = Limits { messages_per_second: 10, burst: 3, ..Limits::default() };
        let at = Timestamp::from_millis;
        let mut bucket = Bucket::full(at(0));
        assert_eq!(
            [0, 0, 0, 0, 99, 100, 100, 199, 200].map(|now| bucket.take(at(now), &limits)),
            [true, true, true, false, false, true, false, false, true]
        );
        assert_eq!([10_000; 4].map(|now| bucket.take(at(now), &limits)), [true, true, true, false]);
    }

    #[test]
    fn without_a_rate_everything_may_be_sent() {
        let limits = Limits { messages_per_second: 0, burst: 0, ..Limits::default() };
        let mut bucket = Bucket::full(Timestamp::from_millis(0));
        assert!((0..10_000).all(|_| bucket.take(Timestamp::from_millis(0), &limits)));
    }

    #[test]
    fn a_client_that_takes_in_a_megabyte_a_second_never_falls_behind() {
        let mut backlog = Backlog::empty(Timestamp::from_millis(0));
        for second in 0..100 {
            assert!(backlog.add(Timestamp::from_millis(second * 1000), MEGABYTE, &Limits::default()));
        }
    }

    #[test]
    fn a_silent_client_falls_behind_and_one_that_speaks_starts_afresh() {
        let now = Timestamp::from_millis(0);
        let mut backlog = Backlog::empty(now);
        let mut sent = 0;
        while backlog.add(now, MEGABYTE, &Limits::default()) {
            sent += 1;
        }
        assert_eq!(sent, 16);
        backlog.heard(now);
        assert!(backlog.add(now, MEGABYTE, &Limits::default()));
    }
}
