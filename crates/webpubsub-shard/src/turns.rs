//! Which connections wait for the next turn, and what a turn may cost.

use std::collections::VecDeque;

use webpubsub_protocol::time::Timestamp;

use crate::config::Sockets;
use crate::inbox::Inbox;
use crate::output::Change;
use crate::slot::Slot;

/// What a turn may cost, and what is taken in before one has to come: a few milliseconds of a processor. A message that
/// costs more has a turn of its own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TurnCost {
    /// How much, in messages of the smallest kind.
    most: usize,
    /// How many bytes cost as much to take in as such a message.
    bytes_of_a_message: usize,
}

impl TurnCost {
    /// What a turn may cost where sockets live so long: on a platform that has them a delivery costs some 15 µs, and in
    /// a process that has them itself 1 µs, where several that one socket is owed cost as much as one. There the
    /// messages of a turn have 384 KiB together, and one reliable connection is sent 512 of them, half of what it may leave
    /// unacknowledged: no client is owed more by one turn than it may be at once.
    pub(crate) const fn of(sockets: Sockets) -> Self {
        match sockets {
            Sockets::OutliveMemory => Self { most: 256, bytes_of_a_message: 32 * 1024 },
            Sockets::EndWithMemory => Self { most: 1536, bytes_of_a_message: 256 },
        }
    }

    /// Whether so much is all that a turn may cost.
    pub(crate) const fn is_reached(self, cost: usize) -> bool {
        cost >= self.most
    }

    /// What a message of `bytes` bytes costs beside what it leads to, in messages of the smallest kind.
    pub(crate) const fn of_bytes(self, bytes: usize) -> usize {
        1 + bytes / self.bytes_of_a_message
    }
}

/// What a connection may cost in each round of a turn, in messages of the smallest kind.
pub(crate) const ROUND_COST: i64 = 8;

/// When [`Shard::turn`](crate::Shard::turn) is to be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextTurn {
    /// As soon as what has arrived by now is taken in.
    Soon,
    /// Before anything else is taken in.
    BeforeMore,
}

/// What waits for the next turn.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    /// Connections with something in their inboxes, the next one first.
    pub(crate) waiting: VecDeque<Slot>,
    /// Connections that have reached their rate limit, and when they may go on, soonest first.
    pub(crate) slowed: VecDeque<(Timestamp, Slot)>,
    /// Bytes in all inboxes.
    pub(crate) bytes: usize,
    /// What was taken in since the last turn, in messages of the smallest kind.
    pub(crate) taken_in: usize,
    /// What this turn has carried out, in messages of the smallest kind.
    pub(crate) carried_out: usize,
    /// Whether nothing more is to be taken in before a turn.
    pub(crate) is_due: bool,
    /// What is to be written for connections that do not outlive their sockets. A crash that comes
    /// before ends those, so nothing else waits for it.
    pub(crate) changes: Vec<Change>,
    /// Connections whose attachments are out of date.
    pub(crate) touched: Vec<Slot>,
    /// Connections whose streams have come further; some may stand there twice.
    pub(crate) streamed: Vec<Slot>,
    /// Reliable connections that have used ack ids which are not written.
    pub(crate) acked: Vec<Slot>,
}

impl Turns {
    /// When the first of those that were slowed down may go on.
    pub(crate) fn next_timeout(&self) -> Option<Timestamp> {
        self.slowed.front().map(|(due, _)| *due)
    }

    /// Drops what is in an inbox: its socket no longer exists.
    pub(crate) fn clear(&mut self, inbox: &mut Inbox) {
        self.bytes -= inbox.bytes;
        inbox.clear();
    }

    /// Has the ack ids of a connection written, of which it has used the first since they were.
    pub(crate) fn write_acks(&mut self, slot: Slot) {
        self.acked.push(slot);
    }

    /// Has something written with the next commit.
    pub(crate) fn write(&mut self, change: impl IntoIterator<Item = Change>) {
        self.changes.extend(change);
    }

    pub(crate) fn take_in(&mut self, cost: usize, turn: TurnCost) {
        self.taken_in += cost;
        self.is_due |= turn.is_reached(self.taken_in);
    }
}
