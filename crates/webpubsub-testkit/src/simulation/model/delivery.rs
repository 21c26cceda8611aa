//! Who is to receive what is published, here and in other shards, and what ends a connection.

use webpubsub_protocol::client::Echo;
use webpubsub_protocol::close::CloseCause;
use webpubsub_protocol::limits::{MAX_BUFFERED_BYTES, MAX_BUFFERED_MESSAGES};
use webpubsub_protocol::time::Timestamp;
use webpubsub_shard::ShardId;

use super::{DurableEvent, End, Link, Model, Relayed, bytes};
use crate::simulation::check::{broken, check};
use crate::simulation::message::Published;
use crate::simulation::request::To;

impl Model {
    /// A shard takes a batch of another: what it has not had of it is published. Returns how much.
    pub(in crate::simulation) fn batch(
        &mut self,
        now: Timestamp,
        shard: usize,
        from: usize,
        rows: &[u64],
    ) -> usize {
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
            self.publish(now, shard, To::Group(group), None, *published);
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
            // Of MQTT, a session may have the id of one before it.
            To::Connection(connection) => self.connections[*at].id == self.connections[connection].id,
        };
        self.shards[shard].alive.iter().copied().filter(meant).collect()
    }

    /// A connection publishes to a group, here and on every other shard.
    pub(super) fn publish_from(
        &mut self,
        now: Timestamp,
        at: usize,
        group: u8,
        echo: Echo,
        published: Published,
    ) {
        self.messages[published.message as usize].accepted += 1;
        let shard = self.connections[at].shard;
        let map = self.shards[shard].map;
        self.check_reach(map.reached, Some(shard));
        let mut others = map.others(ShardId(shard as u16)).peekable();
        if others.peek().is_some() {
            let row = self.rows.pop_front();
            let row = row.unwrap_or_else(|| broken("a publish is not kept for other shards"));
            for to in others {
                let relayed = Relayed { row, published, owed: true };
                self.shards[shard].relayed[usize::from(to.0)].push(relayed);
            }
        }
        self.publish(now, shard, To::Group(group), (echo == Echo::Skip).then_some(at), published);
    }

    pub(super) fn publish(
        &mut self,
        now: Timestamp,
        shard: usize,
        to: To,
        skipped: Option<usize>,
        published: Published,
    ) {
        let skipped = skipped.map(|at| &self.connections[at].id);
        let is_meant = |at: &usize| Some(&self.connections[*at].id) != skipped;
        let meant: Vec<_> = self.meant(shard, to).into_iter().filter(is_meant).collect();
        let mut full: Vec<usize> = meant.into_iter().filter(|at| !self.deliver(*at, published)).collect();
        // Their ends come in the order of their slots, which the will of one may show another. MQTT sessions begin in
        // that of their CONNECT.
        full.sort_by_key(|at| self.connections[*at].slot);
        for at in full {
            // The will of one may have been too much for another.
            if self.connections[at].end.is_none() {
                self.overflow(now, at, published);
            }
        }
    }

    /// A connection is to receive a message. Returns whether it has room for it.
    pub(super) fn deliver(&mut self, at: usize, published: Published) -> bool {
        let bytes = self.messages[published.message as usize].bytes;
        let connection = &mut self.connections[at];
        if connection.mqtt.is_some() {
            return self.deliver_over_mqtt(at, published);
        }
        if connection.is_reliable() && connection.is_full(bytes) {
            return false;
        }
        connection.expected.push(published);
        let number = connection.is_reliable().then(|| {
            connection.bytes += bytes;
            connection.expected.len() as u64
        });
        self.owe_data(at, published.message, number);
        true
    }

    /// A connection has no room for a message more, which is its client's doing.
    pub(super) fn overflow(&mut self, now: Timestamp, at: usize, published: Published) {
        let more = self.messages[published.message as usize].bytes;
        let connection = &self.connections[at];
        let outstanding = &connection.expected[connection.said..];
        let bytes = bytes(&self.messages, outstanding);
        check!(
            outstanding.len() >= MAX_BUFFERED_MESSAGES || bytes + more > MAX_BUFFERED_BYTES,
            "connection {at} is ended for being full with {} messages and {bytes} bytes outstanding",
            outstanding.len()
        );
        self.owe_close(at, CloseCause::BufferFull);
        self.end(now, at, End::Full);
    }

    /// A connection ends, its will first, if it has one.
    pub(super) fn end(&mut self, now: Timestamp, at: usize, why: End) {
        // It ends once, also where its own will would be too much for it.
        self.connections[at].end = Some(why);
        if self.connections[at].mqtt.is_some() {
            self.connections[at].link = Link::Lost { until: now };
            self.publish_will(now, at);
        }
        self.set_groups(at, 0);
        self.owe_event(at, DurableEvent::Disconnected(why));
        let shard = self.connections[at].shard;
        self.shards[shard].alive.retain(|other| *other != at);
    }
}
