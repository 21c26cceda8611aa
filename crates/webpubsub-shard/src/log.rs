//! The rows of messages that were numbered or are relayed.
//!
//! A publish adds one row to a log, whoever receives it: the message, and a bitmap of the receivers'
//! slots. The sequence id of a message to a connection is a base plus how many rows with its bit
//! follow, so numbers and copies survive the loss of memory at the price of one row a publish. In
//! memory a connection knows which rows it still needs, and how long they are.

use crate::slot::Slot;

/// How many rows are added before those that are not needed are deleted.
const ROWS_BETWEEN_TRIMS: usize = 1024;

/// How many bytes of messages are added before the same happens.
const BYTES_BETWEEN_TRIMS: usize = 16 * 1024 * 1024;

/// Which rows there are; what is in them is on disk.
#[derive(Debug, Default)]
pub(crate) struct Log {
    /// The id of the newest row, 0 before the first.
    newest: u64,
    /// The newest row when it was trimmed last. Every row after it is there.
    trimmed: u64,
    /// The rows up to there that are left, oldest first.
    left: Vec<u64>,
    /// Rows added since it was trimmed last.
    unseen: usize,
    /// Bytes of the messages in those rows.
    bytes: usize,
}

impl Log {
    /// The log with these rows, oldest first, and `bytes` of messages in them. `newest` has been
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

    /// Adds a row for a message of `bytes` bytes.
    pub(crate) const fn add(&mut self, bytes: usize) {
        self.newest += 1;
        self.unseen += 1;
        self.bytes += bytes;
    }

    /// Whether it is time to delete rows that are not needed.
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
pub(crate) fn bitmap(slots: &[Slot]) -> Vec<u8> {
    let bytes = slots.iter().max().map_or(0, |last| last.index() / 8 + 1);
    let mut bits = vec![0; bytes];
    for slot in slots {
        if let Some(byte) = bits.get_mut(slot.index() / 8) {
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

    #[test]
    fn a_bitmap_holds_its_slots_and_no_others() {
        let bits = bitmap(&[Slot(0), Slot(9), Slot(23)]);
        assert_eq!(bits, [0b1, 0b10, 0b1000_0000]);
        assert_eq!(slots(&bits).collect::<Vec<_>>(), [Slot(0), Slot(9), Slot(23)]);
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
