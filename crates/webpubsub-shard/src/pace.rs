//! How fast a client may send, and how far it may fall behind what it is sent.

use std::time::Duration;

use webpubsub_protocol::close::CloseCause;
use webpubsub_protocol::limits::{
    DEFAULT_CLIENT_GROUPS, DEFAULT_CLIENT_MESSAGE_BURST, DEFAULT_CLIENT_MESSAGES_PER_SECOND,
    DEFAULT_OUTBOUND_LIMIT_BYTES, MAX_CLIENT_MESSAGE_BYTES,
};
use webpubsub_protocol::time::Timestamp;

use crate::connection::Slot;
use crate::output::Output;
use crate::shard::Shard;

/// How many times as much may wait on all sockets of a shard as on one.
const SOCKETS_AT_LIMIT: u64 = 16;
/// All sockets are measured when a quarter of that was put on them.
const MEASURES: u64 = 4;
/// What may wait on a socket in any case: some messages of the longest kind.
const MODEST_BYTES: u64 = 2 * MAX_CLIENT_MESSAGE_BYTES as u64;
/// Only an answer of an event handler makes a frame that is longer than this.
const ANSWER_BYTES: u64 = 8 * MAX_CLIENT_MESSAGE_BYTES as u64;

/// What one connection may ask of its shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Messages that a client may send a second, in the long run; 0 for as many as it likes.
    pub messages_per_second: u32,
    /// Messages that it may send at once; 0 for as many as it likes.
    pub message_burst: u32,
    /// Bytes that may wait on a socket for its client to read, beside those that a reliable client has not
    /// acknowledged; 0 for as many as there are. On all sockets of a shard together 16 times as many may.
    pub outbound_bytes: u32,
    /// Groups that it may be in; 0 for as many as there are.
    pub groups: u32,
}

impl Limits {
    /// What holds where nothing else is set.
    pub const DEFAULT: Self = Self {
        messages_per_second: DEFAULT_CLIENT_MESSAGES_PER_SECOND,
        message_burst: DEFAULT_CLIENT_MESSAGE_BURST,
        outbound_bytes: DEFAULT_OUTBOUND_LIMIT_BYTES,
        groups: DEFAULT_CLIENT_GROUPS,
    };

    /// Whether a connection may be in so many groups.
    #[must_use]
    pub const fn allows_groups(&self, groups: usize) -> bool {
        self.groups == 0 || groups <= self.groups as usize
    }
}

/// What a connection sent and was sent of late. It starts afresh when the shard wakes.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    pub(crate) bucket: Bucket,
    /// Bytes that may wait on its socket: those that did when it was measured last, and those since.
    pub(crate) unread: u64,
    /// Bytes of the longest answer that its client was sent: it may wait, and a little more, however much
    /// else may.
    answer: u64,
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

const fn milliseconds(from: Timestamp, to: Timestamp) -> u64 {
    to.as_millis().saturating_sub(from.as_millis())
}

impl Shard {
    /// Adds up what these outputs put on sockets, and has those measured on which too much may wait.
    ///
    /// What a reliable connection is sent is added when its client says that it has read it: until then it
    /// is bounded by what is kept for it.
    ///
    /// Source: client spec, section 11.
    pub(crate) fn watch(&mut self, outputs: &mut Vec<Output>) {
        let limit = u64::from(self.place.limits.outbound_bytes);
        if limit == 0 {
            return;
        }
        let mut slots = Vec::new();
        for output in &*outputs {
            if let Output::Send { to, frame } = output {
                let bytes = frame.len();
                self.unmeasured += (bytes * to.len()) as u64;
                slots.extend(to.iter().copied().filter(|slot| self.add_unread(*slot, bytes) > limit));
            } else if let Output::SendNumbered { to, frame } = output {
                self.unmeasured += (frame.len() * to.len()) as u64;
            }
        }
        if self.unmeasured > limit * SOCKETS_AT_LIMIT / MEASURES {
            self.measure_all(outputs);
        } else if !slots.is_empty() {
            outputs.push(Output::Measure { slots });
        }
    }

    /// A reliable client says that it has read so many bytes more, whether or not it has.
    pub(crate) fn doubt(&mut self, slot: Slot, bytes: usize, outputs: &mut Vec<Output>) {
        let limit = u64::from(self.place.limits.outbound_bytes);
        if self.add_unread(slot, bytes) > limit && limit > 0 {
            outputs.push(Output::Measure { slots: vec![slot] });
        }
    }

    /// Adds to what may wait on a socket, and returns how much that is.
    fn add_unread(&mut self, slot: Slot, bytes: usize) -> u64 {
        let bytes = bytes as u64;
        self.directory.get_mut(slot).map_or(0, |connection| {
            let pace = &mut connection.pace;
            if bytes > ANSWER_BYTES {
                pace.answer = pace.answer.max(bytes + MODEST_BYTES);
            }
            pace.unread += bytes;
            pace.unread
        })
    }

    /// Has every socket measured.
    pub(crate) fn measure_all(&mut self, outputs: &mut Vec<Output>) {
        self.unmeasured = 0;
        let attached = self.directory.iter().filter(|(_, connection)| connection.is_attached());
        outputs.push(Output::Measure { slots: attached.map(|(slot, _)| slot).collect() });
    }

    /// So many bytes wait on these sockets. Ends the connections on whose sockets too much waits. If it is
    /// too much on all sockets together, those go on which most waits: a reliable connection, which has
    /// not acknowledged it, can be recovered.
    pub(crate) fn measured(&mut self, now: Timestamp, waiting: Vec<(Slot, u64)>, outputs: &mut Vec<Output>) {
        for (slot, bytes) in waiting {
            if let Some(connection) = self.directory.get_mut(slot) {
                connection.pace.unread = bytes;
            }
        }
        while let Some((slot, cause)) = self.slowest() {
            if cause == CloseCause::SlowRecoverable {
                self.counters.drops += 1;
                self.detach(now, slot, outputs);
                outputs.push(Output::Close { slot, cause });
            } else {
                self.close(slot, cause, outputs);
            }
        }
    }

    /// A connection that leaves too much unread, if any does.
    fn slowest(&self) -> Option<(Slot, CloseCause)> {
        let limit = u64::from(self.place.limits.outbound_bytes);
        let (mut total, mut most, mut slowest) = (0, MODEST_BYTES, None);
        for (slot, connection) in self.directory.iter().filter(|_| limit > 0) {
            let bytes = connection.pace.unread;
            // A shard that wakes sends it once more.
            let unacknowledged = connection.buffer.as_ref().map_or(0, |buffer| 2 * buffer.bytes() as u64);
            if bytes > limit.max(connection.pace.answer) + unacknowledged {
                return Some((slot, CloseCause::SlowConsumer));
            }
            total += bytes;
            if bytes > most {
                let is_reliable = connection.buffer.is_some();
                let cause = if is_reliable { CloseCause::SlowRecoverable } else { CloseCause::SlowConsumer };
                (most, slowest) = (bytes, Some((slot, cause)));
            }
        }
        slowest.filter(|_| total > limit * SOCKETS_AT_LIMIT)
    }
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
    }
}
