//! Connections' numbers within a shard.

use std::collections::VecDeque;

use webpubsub_protocol::time::Timestamp;

/// A connection's number in its shard: small, dense, and reused once the connection is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(pub u32);

impl Slot {
    pub(crate) const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Adds a slot to those that wait for a time, the soonest first and the oldest first of one time. It is
/// mostly the last of them.
pub(crate) fn insert_by_time(waiting: &mut VecDeque<(Timestamp, Slot)>, due: Timestamp, slot: Slot) {
    waiting.push_back((due, slot));
    for place in (1..waiting.len()).rev() {
        if waiting.get(place - 1).is_some_and(|(other, _)| *other <= due) {
            return;
        }
        waiting.swap(place, place - 1);
    }
}
