//! Who is to receive what is published, here and in other shards, and what ends a connection.

use webpubsub_protocol::close::CloseCause;
use webpubsub_protocol::limits::{MAX_BUFFERED_BYTES, MAX_BUFFERED_MESSAGES};

use super::{DurableEvent, End, Model, bytes};
use crate::simulation::check::{broken, check};
use crate::simulation::words::{Published, To};

impl Model {
    /// A shard takes a batch of another: what it has not had of it is published. Returns how much.
    pub(in crate::simulation) fn batch(&mut self, shard: usize, from: usize, rows: &[u64]) -> usize {
        let relayed = &self.shards[from].relayed[shard];
        let mut next = self.shards[shard].taken[from];
        let last = next.checked_sub(1).map_or(0, |last| relayed[last].row);
        // What it has had may be deleted in the meantime; nothing else may be missing.
        let mut fresh = Vec::new();
        for row in rows.iter().filter(|row| **row > last) {
            while relayed.get(next).is_some_and(|relayed| relayed.row < *row && !relayed.owed) {
                next += 1;
            }
            let expected = relayed.get(next);
            check!(
                expected.is_some_and(|relayed| relayed.row == *row),
                "shard {shard} is brought row {row} of shard {from}, where {expected:?} is next"
            );
            fresh.extend(expected.map(|relayed| relayed.published));
            next += 1;
        }
        self.shards[shard].taken[from] = next;
        for published in &fresh {
            let group = self.messages[published.message as usize].group;
            let group = group.unwrap_or_else(|| broken("clients publish to groups only"));
            self.publish(shard, To::Group(group), None, *published);
        }
        fresh.len()
    }

    /// A shard learns that another has taken its publishes up to this row.
    pub(in crate::simulation) fn confirmed(&mut self, shard: usize, to: usize, row: u64) {
        let taken = self.shards[to].taken[shard];
        let known = &mut self.shards[shard];
        let confirmed = known.relayed[to].partition_point(|relayed| relayed.row <= row);
        check!(
            known.relayed[to][taken.min(confirmed)..confirmed].iter().all(|relayed| !relayed.owed),
            "shard {to} is said to have taken what it has not"
        );
        known.confirmed[to] = known.confirmed[to].max(confirmed);
    }

    pub(super) fn meant(&self, shard: usize, to: To) -> Vec<usize> {
        let meant = |at: &usize| match to {
            To::All => true,
            To::Group(group) => self.connections[*at].groups & (1 << group) != 0,
            To::User(user) => self.connections[*at].profile.user == user,
            To::Connection(connection) => *at == connection,
        };
        self.shards[shard].alive.iter().copied().filter(meant).collect()
    }

    pub(super) fn publish(&mut self, shard: usize, to: To, skipped: Option<usize>, published: Published) {
        for at in self.meant(shard, to) {
            if Some(at) != skipped {
                self.deliver(at, published);
            }
        }
    }

    pub(super) fn deliver(&mut self, at: usize, published: Published) {
        let bytes = self.messages[published.message as usize].bytes;
        let connection = &mut self.connections[at];
        if !connection.is_reliable() {
            connection.expected.push(published);
            self.owe_data(at, published.message, None);
        } else if connection.is_full(bytes) {
            self.overflow(at, bytes);
        } else {
            connection.expected.push(published);
            connection.bytes += bytes;
            let number = connection.expected.len() as u64;
            self.owe_data(at, published.message, Some(number));
        }
    }

    /// A connection has no room for a message more, which is its client's doing.
    pub(super) fn overflow(&mut self, at: usize, more: usize) {
        let connection = &self.connections[at];
        let outstanding = &connection.expected[connection.said..];
        let bytes = bytes(&self.messages, outstanding);
        check!(
            outstanding.len() >= MAX_BUFFERED_MESSAGES || bytes + more > MAX_BUFFERED_BYTES,
            "connection {at} is ended for being full with {} messages and {bytes} bytes outstanding",
            outstanding.len()
        );
        self.owe_close(at, CloseCause::BufferFull);
        self.end(at, End::Full);
    }

    pub(super) fn end(&mut self, at: usize, why: End) {
        self.set_groups(at, 0);
        self.owe_event(at, DurableEvent::Disconnected(why));
        let connection = &mut self.connections[at];
        connection.end = Some(why);
        self.shards[connection.shard].alive.retain(|other| *other != at);
    }
}
