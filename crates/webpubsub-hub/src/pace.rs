//! How fast a client may send, and how far it may fall behind what it is sent.

use std::time::Duration;

use webpubsub_protocol::close::CloseCause;
use webpubsub_protocol::limits::{
    ASSUMED_DRAIN_BYTES_PER_SECOND, DEFAULT_CLIENT_MESSAGE_BURST, DEFAULT_CLIENT_MESSAGES_PER_SECOND,
    DEFAULT_OUTBOUND_LIMIT_BYTES,
};
use webpubsub_protocol::time::Timestamp;

use crate::hub::Hub;
use crate::output::Output;

/// What one connection may ask of its shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Messages that a client may send a second, in the long run; 0 for as many as it likes.
    pub messages_per_second: u32,
    /// Messages that it may send at once; 0 for as many as it likes.
    pub message_burst: u32,
    /// Bytes that may be on their way to a client that is not reliable; 0 for as many as there are.
    pub outbound_bytes: u32,
}

impl Limits {
    /// What holds where nothing else is set.
    pub const DEFAULT: Self = Self {
        messages_per_second: DEFAULT_CLIENT_MESSAGES_PER_SECOND,
        message_burst: DEFAULT_CLIENT_MESSAGE_BURST,
        outbound_bytes: DEFAULT_OUTBOUND_LIMIT_BYTES,
    };
}

/// What a connection sent and was sent of late. It starts afresh when the shard wakes.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    pub(crate) bucket: Bucket,
    backlog: Backlog,
}

/// A bucket of messages that a client may still send, filled as time passes.
#[derive(Debug, Default)]
pub(crate) struct Bucket {
    /// Thousandths of messages that are missing from a full bucket.
    missing: u64,
    seen: Timestamp,
}

impl Bucket {
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

/// An estimate of the bytes on their way to a client.
///
/// The platform does not tell what a socket has yet to deliver. The estimate supposes that a client
/// takes in [`ASSUMED_DRAIN_BYTES_PER_SECOND`], and that one that says something has taken in
/// everything.
#[derive(Debug, Default)]
struct Backlog {
    bytes: u64,
    seen: Timestamp,
}

impl Backlog {
    /// Adds a frame; false if that is more than may be on its way.
    fn add(&mut self, now: Timestamp, bytes: u64, limit: u64) -> bool {
        let drained = milliseconds(self.seen, now).saturating_mul(ASSUMED_DRAIN_BYTES_PER_SECOND) / 1000;
        self.seen = now;
        self.bytes = self.bytes.saturating_sub(drained) + bytes;
        self.bytes <= limit
    }
}

const fn milliseconds(from: Timestamp, to: Timestamp) -> u64 {
    to.as_millis().saturating_sub(from.as_millis())
}

impl Pace {
    /// The client sent something.
    pub(crate) const fn hear(&mut self) {
        self.backlog.bytes = 0;
    }
}

impl Hub {
    /// Adds up what these outputs send to connections that are not reliable, and closes those that
    /// have too much on its way. What reliable connections leave unread is bounded by what is kept
    /// for them.
    ///
    /// Source: client spec, section 11.
    pub(crate) fn watch(&mut self, now: Timestamp, outputs: &mut Vec<Output>) {
        let limit = match self.place.limits.outbound_bytes {
            0 => return,
            limit => u64::from(limit),
        };
        let mut slow = Vec::new();
        for output in &*outputs {
            let Output::Send { to, frame } = output else { continue };
            let bytes = frame.len() as u64;
            for slot in to {
                let Some(connection) = self.directory.get_mut(*slot) else { continue };
                if !connection.subprotocol.is_reliable() && !connection.pace.backlog.add(now, bytes, limit) {
                    slow.push(*slot);
                }
            }
        }
        for slot in slow {
            // Several frames of one step may each have been too much.
            if self.directory.get(slot).is_some() {
                self.close(slot, CloseCause::SlowConsumer, outputs);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEGABYTE: u64 = 1024 * 1024;

    const fn at(milliseconds: u64) -> Timestamp {
        Timestamp::from_millis(milliseconds)
    }

    fn limits(messages_per_second: u32, message_burst: u32) -> Limits {
        Limits { messages_per_second, message_burst, ..Limits::DEFAULT }
    }

    #[test]
    fn a_client_may_send_a_burst_and_then_as_fast_as_the_bucket_fills() {
        let limits = limits(10, 3);
        let mut bucket = Bucket::default();
        assert_eq!(
            [0, 0, 0, 0, 99, 100, 100, 199, 200].map(|now| bucket.take(at(now), &limits)),
            [true, true, true, false, false, true, false, false, true]
        );
        assert_eq!([10_000; 4].map(|now| bucket.take(at(now), &limits)), [true, true, true, false]);
    }

    #[test]
    fn a_bucket_counts_every_millisecond_however_often_it_is_asked() {
        let limits = limits(3, 1);
        let mut bucket = Bucket::default();
        let taken = (1_000_000..1_060_000).filter(|now| bucket.take(at(*now), &limits)).count();
        assert_eq!(taken, 180);
    }

    #[test]
    fn a_clock_that_is_put_back_lets_no_bucket_run_dry() {
        let limits = limits(1, 2);
        let mut bucket = Bucket::default();
        assert_eq!(
            [50_000, 50_000, 0, 1000].map(|now| bucket.take(at(now), &limits)),
            [true, true, false, true]
        );
    }

    #[test]
    fn without_a_rate_or_a_burst_everything_may_be_sent() {
        for limits in [limits(0, 3), limits(3, 0)] {
            let mut bucket = Bucket::default();
            assert!((0..10_000).all(|_| bucket.take(at(0), &limits)));
        }
    }

    #[test]
    fn the_largest_numbers_overflow_nothing() {
        let limits = limits(u32::MAX, u32::MAX);
        let mut bucket = Bucket::default();
        assert!([0, u64::MAX, 0, u64::MAX].iter().all(|now| bucket.take(at(*now), &limits)));
        let mut backlog = Backlog::default();
        assert!(backlog.add(at(0), u64::from(u32::MAX), u64::from(u32::MAX)));
        assert!(backlog.add(at(u64::MAX), u64::from(u32::MAX), u64::from(u32::MAX)));
    }

    #[test]
    fn a_client_that_is_sent_a_megabyte_a_second_never_falls_behind() {
        let mut backlog = Backlog::default();
        assert!((0..100).all(|second| backlog.add(at(second * 1000), MEGABYTE, MEGABYTE)));
    }

    #[test]
    fn bytes_above_what_drains_add_up() {
        let mut backlog = Backlog::default();
        let kept = (0..).take_while(|second| backlog.add(at(second * 1000), 2 * MEGABYTE, 16 * MEGABYTE));
        assert_eq!(kept.count(), 15);
    }
}
