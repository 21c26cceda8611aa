//! What reliable connections were sent and have not acknowledged.
//!
//! A publish adds one row to a log, whoever receives it: the message, and a bitmap of the receivers'
//! slots. The sequence id of a message to a connection is a base plus how many rows with its bit
//! follow, so numbers and copies survive the loss of memory at the price of one row a publish. In
//! memory a connection knows which rows it still needs, and how long they are.

use std::collections::VecDeque;

use webpubsub_protocol::id::SequenceId;
use webpubsub_protocol::limits::{MAX_BUFFERED_BYTES, MAX_BUFFERED_MESSAGES};
use webpubsub_protocol::time::Timestamp;

use crate::ack::WrittenAcks;
use crate::slot::Slot;

/// Rows after which those that nobody needs are deleted.
const ROWS_BETWEEN_TRIMS: usize = 1024;
/// Bytes of messages after which they are, if that is sooner.
const BYTES_BETWEEN_TRIMS: usize = 16 * 1024 * 1024;

/// How many messages a connection may acknowledge before that is written to the disk,
const MESSAGES_BETWEEN_WRITES: usize = MAX_BUFFERED_MESSAGES / 10;
/// or how many bytes of them, if that is sooner.
const BYTES_BETWEEN_WRITES: usize = MAX_BUFFERED_BYTES / 10;

/// How far a connection's messages are acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    /// A row of the log.
    pub row: u64,
    /// The sequence id of the connection's last message up to and including that row.
    pub sequence_id: SequenceId,
}

/// The messages of one reliable connection that it has not acknowledged, oldest first.
///
/// At most [`MAX_BUFFERED_MESSAGES`] and [`MAX_BUFFERED_BYTES`].
///
/// Source: client spec, section 8.1.
#[derive(Debug)]
pub(crate) struct Buffer {
    acknowledged: Cursor,
    /// What is on disk of it, which may be older,
    stored: Cursor,
    /// and the bytes of the messages between the two.
    unstored_bytes: usize,
    copies: VecDeque<Kept>,
    bytes: usize,
    /// Whether its client may have acknowledged more than is known, because a crash lost it.
    /// It has room for that much more.
    is_behind: bool,
    /// How much of its connection's ack ids is on disk.
    pub(crate) acks: WrittenAcks,
    /// Where its client is.
    pub(crate) link: Link,
}

/// A message that a connection may need again.
#[derive(Debug)]
struct Kept {
    row: u64,
    bytes: usize,
}

/// Whether a reliable connection has a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    /// It has.
    Attached,
    /// It has lost its socket and may be recovered until then.
    Detached {
        /// The end of its time.
        until: Timestamp,
    },
}

impl Buffer {
    /// The buffer of a connection that begins.
    pub(crate) fn new(start: Cursor) -> Self {
        Self {
            acknowledged: start,
            stored: start,
            unstored_bytes: 0,
            copies: VecDeque::new(),
            bytes: 0,
            is_behind: false,
            acks: WrittenAcks::default(),
            link: Link::Attached,
        }
    }

    /// The buffer of a connection that had acknowledged this when it was written down. Its copies
    /// are yet to come.
    pub(crate) fn restore(stored: Cursor, until: Timestamp) -> Self {
        Self { is_behind: true, link: Link::Detached { until }, ..Self::new(stored) }
    }

    pub(crate) const fn acknowledged(&self) -> Cursor {
        self.acknowledged
    }

    /// Whether its client may have acknowledged more than is known.
    pub(crate) const fn is_behind(&self) -> bool {
        self.is_behind
    }

    /// Its client is there and had acknowledged this, or more if it `is_behind`.
    pub(crate) fn resume(&mut self, acknowledged: Cursor, is_behind: bool) {
        self.acknowledged = self.acknowledged.max(acknowledged);
        self.is_behind = is_behind;
        self.link = Link::Attached;
    }

    /// Whether it can take another message.
    pub(crate) fn has_room(&self, bytes: usize) -> bool {
        let (more_messages, more_bytes) =
            if self.is_behind { (MESSAGES_BETWEEN_WRITES, BYTES_BETWEEN_WRITES) } else { (0, 0) };
        self.copies.len() < MAX_BUFFERED_MESSAGES + more_messages
            && self.bytes + bytes <= MAX_BUFFERED_BYTES + more_bytes
    }

    /// Numbers a message that stands in this row, later than all before.
    pub(crate) fn push(&mut self, row: u64, bytes: usize) -> SequenceId {
        self.copies.push_back(Kept { row, bytes });
        self.bytes += bytes;
        self.newest()
    }

    /// The number of its last message, whatever memory was lost since: the numbers that a crash took
    /// the acknowledgement of are those of copies again.
    pub(crate) fn newest(&self) -> SequenceId {
        SequenceId(self.acknowledged.sequence_id.0 + self.copies.len() as u64)
    }

    /// The client has every message up to this one, which is at most [`Self::newest`]. Returns whether that
    /// changes what its socket carries.
    pub(crate) fn acknowledge(&mut self, id: SequenceId) -> bool {
        let was_behind = self.is_behind;
        let newly = id.0.saturating_sub(self.acknowledged.sequence_id.0);
        let newly = usize::try_from(newly).unwrap_or(usize::MAX).min(self.copies.len());
        for copy in self.copies.drain(..newly) {
            self.bytes -= copy.bytes;
            self.unstored_bytes += copy.bytes;
            self.acknowledged.row = copy.row;
            self.acknowledged.sequence_id.0 += 1;
        }
        self.is_behind &= self.copies.len() > MAX_BUFFERED_MESSAGES || self.bytes > MAX_BUFFERED_BYTES;
        newly > 0 || was_behind != self.is_behind
    }

    /// Bytes of what it may need again.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// The rows that it needs, with their numbers, oldest first.
    pub(crate) fn needed(&self) -> impl Iterator<Item = (u64, SequenceId)> {
        let numbers = (self.acknowledged.sequence_id.0 + 1..).map(SequenceId);
        self.copies.iter().map(|copy| copy.row).zip(numbers)
    }

    /// What is to be written before rows that it has acknowledged may be deleted, if anything is.
    pub(crate) fn take_unstored(&mut self) -> Option<Cursor> {
        let moved = self.stored != self.acknowledged;
        (self.stored, self.unstored_bytes) = (self.acknowledged, 0);
        moved.then_some(self.acknowledged)
    }

    /// The same, if it is so much that a crash should not lose it.
    pub(crate) fn take_much_unstored(&mut self) -> Option<Cursor> {
        let messages = self.acknowledged.sequence_id.0 - self.stored.sequence_id.0;
        let is_much =
            messages >= MESSAGES_BETWEEN_WRITES as u64 || self.unstored_bytes >= BYTES_BETWEEN_WRITES;
        is_much.then(|| self.take_unstored()).flatten()
    }
}

/// Which rows there are; what is in them is on disk.
#[derive(Debug, Default)]
pub(crate) struct Log {
    /// The id of the newest row, 0 before the first.
    newest: u64,
    /// The newest row when it was trimmed last. Every row after it is there.
    trimmed: u64,
    /// The rows up to there that are left, oldest first.
    left: Vec<u64>,
    /// Rows that nobody has looked at since, to see whether they are still needed,
    unseen: usize,
    /// and the bytes of their messages.
    bytes: usize,
}

impl Log {
    /// The log that has these rows, oldest first, with so many bytes of messages. `newest` has been
    /// given to a row before.
    pub(crate) fn restore(newest: u64, rows: Vec<u64>, bytes: usize) -> Self {
        let newest = rows.last().copied().unwrap_or(0).max(newest);
        Self { newest, trimmed: newest, unseen: rows.len(), left: rows, bytes }
    }

    /// The id of the newest row.
    pub(crate) const fn newest(&self) -> u64 {
        self.newest
    }

    /// How many rows there are.
    pub(crate) const fn rows(&self) -> u64 {
        self.left.len() as u64 + self.newest - self.trimmed
    }

    /// Adds a row for a message of so many bytes.
    pub(crate) const fn add(&mut self, bytes: usize) {
        self.newest += 1;
        self.unseen += 1;
        self.bytes += bytes;
    }

    /// Whether it is time to delete what nobody needs.
    pub(crate) const fn is_long(&self) -> bool {
        self.unseen >= ROWS_BETWEEN_TRIMS || self.bytes >= BYTES_BETWEEN_TRIMS
    }

    /// Leaves nothing but the rows that are needed, which may be named several times, and the newest,
    /// whose number must not be given again. Returns the ranges to delete: first and last row.
    pub(crate) fn trim(&mut self, needed: impl Iterator<Item = u64>) -> Vec<(u64, u64)> {
        let rows: Vec<u64> = self.left.iter().copied().chain(self.trimmed + 1..=self.newest).collect();
        let mut keep = vec![false; rows.len()];
        for row in needed.chain([self.newest]) {
            // Rows since the last time stand without a gap at the end.
            let at = match row.checked_sub(self.trimmed + 1) {
                Some(later) => Ok(self.left.len() + usize::try_from(later).unwrap_or(usize::MAX)),
                None => self.left.binary_search(&row),
            };
            if let Some(keep) = at.ok().and_then(|at| keep.get_mut(at)) {
                *keep = true;
            }
        }
        let mut ranges: Vec<(u64, u64)> = Vec::new();
        self.left.clear();
        let mut before = None;
        for (row, keep) in rows.into_iter().zip(keep) {
            match ranges.last_mut() {
                _ if keep => self.left.push(row),
                // Nothing that is needed lies between.
                Some((_, last)) if before == Some(*last) => *last = row,
                Some(_) | None => ranges.push((row, row)),
            }
            before = Some(row);
        }
        self.trimmed = self.newest;
        (self.unseen, self.bytes) = (0, 0);
        ranges
    }
}

/// The bitmap of these slots, no longer than the largest needs.
pub(crate) fn bitmap(slots: impl IntoIterator<Item = Slot>) -> Vec<u8> {
    let mut bits = Vec::new();
    for slot in slots {
        let at = slot.index() / 8;
        if bits.len() <= at {
            bits.resize(at + 1, 0);
        }
        if let Some(byte) = bits.get_mut(at) {
            *byte |= 1 << (slot.index() % 8);
        }
    }
    bits
}

/// The slots in a bitmap, smallest first.
pub(crate) fn slots(bits: &[u8]) -> impl Iterator<Item = Slot> {
    (0..).zip(bits).filter(|(_, byte)| **byte != 0).flat_map(|(at, byte)| {
        (0..8_u32).filter(move |bit| byte & (1 << bit) != 0).map(move |bit| Slot(at * 8 + bit))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn buffer() -> Buffer {
        Buffer::new(Cursor { row: 10, sequence_id: SequenceId(5) })
    }

    #[test]
    fn a_bitmap_holds_its_slots_and_no_others() {
        let bits = bitmap([Slot(0), Slot(9), Slot(23)]);
        assert_eq!(bits, [0b1, 0b10, 0b1000_0000]);
        assert_eq!(slots(&bits).collect::<Vec<_>>(), [Slot(0), Slot(9), Slot(23)]);
    }

    #[test]
    fn an_acknowledgement_is_for_everything_before_it() {
        let mut buffer = buffer();
        assert_eq!([11, 14, 20].map(|row| buffer.push(row, 7)), [6, 7, 8].map(SequenceId));
        assert!(buffer.acknowledge(SequenceId(7)));
        assert_eq!(buffer.acknowledged(), Cursor { row: 14, sequence_id: SequenceId(7) });
        assert_eq!(buffer.needed().collect::<Vec<_>>(), [(20, SequenceId(8))]);
        assert_eq!(buffer.take_unstored(), Some(buffer.acknowledged()));
        assert_eq!(buffer.take_unstored(), None);
    }

    #[test]
    fn old_acknowledgements_do_no_harm() {
        let mut buffer = buffer();
        assert_eq!(buffer.newest(), SequenceId(5));
        buffer.push(11, 1);
        assert!(!buffer.acknowledge(SequenceId(0)));
        assert!(!buffer.acknowledge(SequenceId(5)));
        assert!(buffer.acknowledge(SequenceId(6)));
        assert!(!buffer.acknowledge(SequenceId(6)));
        assert_eq!(buffer.newest(), SequenceId(6));
        assert_eq!(buffer.push(12, 1), SequenceId(7));
    }

    #[test]
    fn a_buffer_is_full_at_a_thousand_messages_or_sixteen_megabytes() {
        let mut buffer = buffer();
        for row in 0..1000 {
            assert!(buffer.has_room(1));
            buffer.push(11 + row, 1);
        }
        assert!(!buffer.has_room(1));
        buffer.acknowledge(SequenceId(1005));
        for row in 0..16 {
            assert!(buffer.has_room(1024 * 1024));
            buffer.push(2000 + row, 1024 * 1024);
        }
        assert!(!buffer.has_room(1));
        buffer.acknowledge(SequenceId(1006));
        assert!(buffer.has_room(1024 * 1024));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn a_trimmed_log_has_exactly_the_needed_rows(rounds in prop::collection::vec((0..20_u64, any::<u64>()), 1..20)) {
            let mut log = Log::restore(3, vec![1, 3], 2);
            let mut disk: Vec<u64> = vec![1, 3];
            for (more, bits) in rounds {
                for _ in 0..more {
                    log.add(1);
                    disk.push(log.newest());
                }
                let needed = |row: &u64| bits & (1 << (row % 64)) != 0 || *row == log.newest();
                let needed: Vec<u64> = disk.iter().copied().filter(needed).collect();
                for (first, last) in log.trim(needed.iter().chain(&needed).copied()) {
                    prop_assert!(disk.iter().any(|row| (first..=last).contains(row)), "every range has rows");
                    disk.retain(|row| !(first..=last).contains(row));
                }
                prop_assert_eq!(&disk, &needed);
            }
        }
    }
}
