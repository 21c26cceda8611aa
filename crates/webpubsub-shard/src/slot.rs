//! Connections' numbers within a shard.

use std::collections::{HashMap, VecDeque};

use webpubsub_protocol::sorted::SortedSet;
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

/// Takes a slot out of a set, and the set out of the index with its last one.
pub(crate) fn remove_member<K: std::hash::Hash + Eq>(
    index: &mut HashMap<K, SortedSet<Slot>>,
    key: &K,
    slot: Slot,
) {
    if let Some(slots) = index.get_mut(key) {
        slots.remove(&slot);
        if slots.as_slice().is_empty() {
            index.remove(key);
        }
    }
}
