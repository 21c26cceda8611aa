//! The numbers of messages to reliable connections.
//!
//! A publish adds one row to a log, whoever receives it: a bitmap of the receivers' slots. How many
//! numbered messages a connection has received is a base plus the later rows with its bit, so a
//! count survives hibernation at the price of one row a publish.

use webpubsub_protocol::id::SequenceId;

use crate::connection::Slot;

/// Rows after which every connection's base is brought forward and the log starts afresh.
pub(crate) const MAX_LOG_ROWS: u64 = 1024;

/// The log's head: the rows themselves are on disk.
#[derive(Debug, Default)]
pub(crate) struct Log {
    /// The id of the newest row, 0 before the first.
    newest: u64,
    /// The id of the newest row that was trimmed.
    trimmed: u64,
}

impl Log {
    /// The log that these ids of rows, in any order, belong to.
    pub(crate) fn restore(newest: u64, oldest: Option<u64>) -> Self {
        Self { newest, trimmed: oldest.map_or(newest, |oldest| oldest.saturating_sub(1)) }
    }

    /// The id of the newest row.
    pub(crate) const fn newest(&self) -> u64 {
        self.newest
    }

    /// The id of a further row.
    pub(crate) fn next(&mut self) -> u64 {
        self.newest += 1;
        self.newest
    }

    /// Whether it is time to bring the bases forward.
    pub(crate) const fn is_long(&self) -> bool {
        self.newest - self.trimmed >= MAX_LOG_ROWS
    }

    /// The bases have been brought forward to the newest row.
    pub(crate) fn trim(&mut self) {
        self.trimmed = self.newest;
    }
}

/// How many numbered messages one reliable connection has received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sequence(u64);

impl Sequence {
    /// The count after so many messages; the number of the first is 1.
    pub(crate) const fn after(count: u64) -> Self {
        Self(count)
    }

    pub(crate) const fn count(self) -> u64 {
        self.0
    }

    /// Numbers a further message.
    pub(crate) fn next(&mut self) -> SequenceId {
        self.0 += 1;
        SequenceId(self.0)
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

/// Whether a bitmap has a slot's bit.
pub(crate) fn has_bit(bits: &[u8], slot: Slot) -> bool {
    bits.get(slot.index() / 8).is_some_and(|byte| byte & (1 << (slot.index() % 8)) != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bitmap_holds_its_slots_and_no_others() {
        let bits = bitmap([Slot(0), Slot(9), Slot(23)]);
        assert_eq!(bits, [0b1, 0b10, 0b1000_0000]);
        for slot in 0..64 {
            assert_eq!(has_bit(&bits, Slot(slot)), [0, 9, 23].contains(&slot), "{slot}");
        }
    }
}
