//! What a step owes each socket, and what it does.

use webpubsub_protocol::close::{CloseCause, CloseCode};
use webpubsub_protocol::time::Timestamp;
use webpubsub_shard::Slot;

use super::{Connection, Link, Model};
use crate::simulation::check::check;
use crate::simulation::words::Word;

impl Model {
    pub(super) fn owe_word(&mut self, at: usize, word: Word) {
        if self.connections[at].link == Link::Open && self.connections[at].end.is_none() {
            self.connections[at].words.push_back(word);
            self.owed.push(at);
        }
    }

    pub(super) fn owe_data(&mut self, at: usize, message: u32, number: Option<u64>) {
        if self.connections[at].link == Link::Open {
            self.connections[at].data.push_back((message, number));
            self.owed.push(at);
        }
    }

    pub(super) fn owe_close(&mut self, at: usize, cause: CloseCause) {
        if self.connections[at].link == Link::Open {
            self.owe_word(at, Word::Disconnected);
            self.connections[at].close = Some(cause.code());
        }
    }

    /// A client is to get again what it has not acknowledged and what is still worth it.
    pub(super) fn owe_again(&mut self, now: Timestamp, at: usize) {
        self.owed.push(at);
        let connection = &mut self.connections[at];
        if !connection.is_reliable() {
            return;
        }
        for number in connection.acknowledged..connection.expected.len() {
            let published = connection.expected[number];
            if published.has_expired(now) {
                self.expired += 1;
            } else {
                connection.data.push_back((published.message, Some(number as u64 + 1)));
            }
        }
    }

    /// A word is put on a connection's socket.
    pub(in crate::simulation) fn say(&mut self, at: usize, word: Word) {
        if self.connections[at].words.front() != Some(&word) && self.is_refused_event(at, word) {
            return;
        }
        let owed = self.connections[at].words.pop_front();
        check!(owed == Some(word), "connection {at} is sent {word:?} where it is owed {owed:?}");
    }

    /// A message is put on a connection's socket.
    pub(in crate::simulation) fn send(&mut self, at: usize, message: u32, number: Option<u64>) {
        let owed = self.connections[at].data.pop_front();
        check!(
            owed == Some((message, number)),
            "connection {at} is sent message {message} as {number:?} where it is owed {owed:?}"
        );
    }

    /// A close frame is put on a connection's socket.
    pub(in crate::simulation) fn close(&mut self, at: usize, code: CloseCode) {
        let owed = self.connections[at].close.take();
        check!(owed == Some(code), "connection {at} is closed with {} where it is owed {owed:?}", code.0);
    }

    /// A connection is struck off the disk.
    pub(in crate::simulation) fn remove(&mut self, shard: usize, slot: Slot) {
        let at = self.holder(shard, slot);
        check!(self.connections[at].end.is_some(), "connection {at} is ended without a reason");
        self.shards[shard].holders[slot.0 as usize] = None;
    }

    /// A connection that has ended leaves its slot with its socket, if no row was deleted for it.
    pub(in crate::simulation) fn vacate(&mut self, shard: usize, slot: Slot) {
        let holder = &mut self.shards[shard].holders[slot.0 as usize];
        if holder.is_some_and(|at| self.connections[at].end.is_some()) {
            *holder = None;
        }
    }

    /// The step at hand has done all that it owed.
    pub(in crate::simulation) fn check_settled(&mut self) {
        while let Some(at) = self.owed.pop() {
            let Connection { words, data, close, .. } = &self.connections[at];
            check!(
                words.is_empty() && data.is_empty() && close.is_none(),
                "connection {at} was not sent {words:?}, messages {data:?}, close frame {close:?}"
            );
        }
    }
}
