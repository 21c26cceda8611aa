//! Numbers that identify: acks and sequence positions.

use std::fmt;

/// Chosen by a client to have an operation acknowledged, and to do it at most once.
///
/// Any 64-bit unsigned number, 0 and the largest included.
///
/// Source: docs/spec/client.md#acks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AckId(pub u64);

/// Position of a data message in what one reliable connection receives: 1, 2, 3, … without gaps.
///
/// Source: docs/spec/client.md#sequence-ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SequenceId(pub u64);

impl SequenceId {
    /// The MQTT packet identifier of the message in this place: 1 to 65535, and again. It is the same after any
    /// loss of memory, and no two of the messages have the same that a session has not acknowledged.
    #[must_use]
    pub fn packet_identifier(self) -> u16 {
        u16::try_from(self.0.saturating_sub(1) % u64::from(u16::MAX)).unwrap_or_default() + 1
    }
}

impl fmt::Display for AckId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for SequenceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
