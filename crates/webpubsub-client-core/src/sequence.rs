//! The largest sequence id that arrived, and when to acknowledge it.

use std::time::Duration;

use webpubsub_protocol::id::SequenceId;
use webpubsub_protocol::time::Timestamp;

/// How long an arrived message may stay unacknowledged.
///
/// Source: docs/spec/sdk.md#sequence-acks.
const ACK_AFTER: Duration = Duration::from_millis(1000);

/// How many messages may stay unacknowledged; past that the ack goes out at once. Half of the service's
/// buffer of 1000 is then left for what is on its way. An ack costs a client as much as many messages do.
///
/// Source: docs/spec/sdk.md#sequence-acks. The official SDK looks only at the gap between
/// two messages; counting from the last ack covers that gap and a fast stream alike.
const ACK_PAST: u64 = 500;

/// What arrived on a reliable connection, across its sockets.
#[derive(Debug, Default)]
pub(crate) struct Sequence {
    largest: u64,
    acknowledged: u64,
    due: Option<Timestamp>,
}

impl Sequence {
    /// Notes that a message arrived; whether it is the first with its number or a later one.
    /// A gap is accepted: expired messages leave some.
    pub(crate) fn arrived(&mut self, now: Timestamp, id: SequenceId) -> bool {
        self.due.get_or_insert(now.after(ACK_AFTER));
        if id.0 <= self.largest {
            return false;
        }
        self.largest = id.0;
        if self.largest.saturating_sub(self.acknowledged) > ACK_PAST {
            self.due = Some(now);
        }
        true
    }

    /// How many messages with the next numbers may arrive before an ack is due at once.
    pub(crate) const fn allowance(&self) -> u64 {
        ACK_PAST.saturating_sub(self.largest.saturating_sub(self.acknowledged))
    }

    /// Makes an ack that is outstanding due at once, as after a recovery.
    pub(crate) fn hurry(&mut self, now: Timestamp) {
        self.due = self.due.map(|_| now);
    }

    /// When the next ack is due, if anything arrived since the last one.
    pub(crate) const fn next_timeout(&self) -> Option<Timestamp> {
        self.due
    }

    /// The ack that is due, counted as sent.
    pub(crate) fn take_due(&mut self, now: Timestamp) -> Option<SequenceId> {
        if self.due? > now {
            return None;
        }
        self.due = None;
        self.acknowledged = self.largest;
        Some(SequenceId(self.largest))
    }
}
