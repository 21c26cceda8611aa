//! What a reliable connection was sent and has not acknowledged.

use std::collections::VecDeque;

use webpubsub_protocol::id::SequenceId;
use webpubsub_protocol::limits::{MAX_BUFFERED_BYTES, MAX_BUFFERED_MESSAGES};
use webpubsub_protocol::time::Timestamp;

use crate::ack::WrittenAcks;

/// How many messages a connection may acknowledge before that is written to the disk.
const MESSAGES_BETWEEN_WRITES: usize = MAX_BUFFERED_MESSAGES / 10;

/// How many bytes of messages a connection may acknowledge before that is written to the disk.
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
/// Source: docs/spec/client.md#reliable-buffer.
#[derive(Debug)]
pub(crate) struct Buffer {
    acknowledged: Cursor,
    /// What is on disk of `acknowledged`, which may be older.
    stored: Cursor,
    /// The bytes of the messages between the two.
    unstored_bytes: usize,
    copies: VecDeque<Kept>,
    bytes: usize,
    /// Whether its client may have acknowledged more than is known, because a crash lost it.
    /// It has room for that much more.
    is_behind: bool,
    /// How much of its connection's ack ids is on disk.
    pub(crate) acks: WrittenAcks,
    /// Whether it has a socket.
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
    /// It has a socket.
    Attached,
    /// It has lost its socket and may be recovered.
    Detached {
        /// The end of its recovery window.
        until: Timestamp,
    },
}

impl Buffer {
    /// The empty buffer of a new connection.
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

    /// The buffer of a restored connection, without a socket and without its messages.
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

    /// Attaches a socket, whose client had acknowledged this, or more if it `is_behind`.
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

    /// The number of its last message. It does not depend on memory: after a crash that lost an
    /// acknowledgement, the messages are in the buffer again under the same numbers.
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

    /// The bytes of all messages in it.
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

    /// The same, once it is more than a crash should lose.
    pub(crate) fn take_much_unstored(&mut self) -> Option<Cursor> {
        let messages = self.acknowledged.sequence_id.0 - self.stored.sequence_id.0;
        let is_much =
            messages >= MESSAGES_BETWEEN_WRITES as u64 || self.unstored_bytes >= BYTES_BETWEEN_WRITES;
        is_much.then(|| self.take_unstored()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buffer() -> Buffer {
        Buffer::new(Cursor { row: 10, sequence_id: SequenceId(5) })
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
    fn a_buffer_is_full_at_a_thousand_messages_or_sixteen_mebibytes() {
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
}
