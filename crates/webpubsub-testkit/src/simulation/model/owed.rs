//! What a step owes each socket, and what it does.

use webpubsub_mqtt::ReasonCode;
use webpubsub_protocol::close::{CloseCause, CloseCode};
use webpubsub_protocol::time::Timestamp;
use webpubsub_shard::Slot;

use super::{Connection, Link, Model};
use crate::simulation::check::{broken, check};
use crate::simulation::packet::Packet;
use crate::simulation::words::{Received, Word};

/// What DISCONNECT says of the end of a socket.
fn reason_of(cause: CloseCause) -> ReasonCode {
    let known = [
        (CloseCause::TakenOver, ReasonCode::SESSION_TAKEN_OVER),
        (CloseCause::ServiceStops, ReasonCode::SERVER_SHUTTING_DOWN),
        (CloseCause::ByServer, ReasonCode::ADMINISTRATIVE_ACTION),
        (CloseCause::BufferFull, ReasonCode::QUOTA_EXCEEDED),
        (CloseCause::KeepAliveTimeout, ReasonCode::KEEP_ALIVE_TIMEOUT),
    ];
    let known = known.into_iter().find(|(other, _)| *other == cause);
    let (_, reason) = known.unwrap_or_else(|| broken(format!("no session here ends with {cause:?}")));
    reason
}

impl Model {
    pub(super) fn owe_word(&mut self, at: usize, word: Word) {
        if self.connections[at].link == Link::Open && self.connections[at].end.is_none() {
            self.connections[at].words.push_back(word);
            self.owed.push(at);
        }
    }

    pub(super) fn owe_data(&mut self, at: usize, message: u32, number: Option<u64>) {
        self.owe_received(at, Received { message, number, delivered: None });
    }

    pub(super) fn owe_received(&mut self, at: usize, received: Received) {
        if self.connections[at].link == Link::Open {
            self.connections[at].data.push_back(received);
            self.owed.push(at);
        }
    }

    /// A socket is closed, after what says so in its client's protocol.
    pub(super) fn owe_close(&mut self, at: usize, cause: CloseCause) {
        let connection = &self.connections[at];
        if connection.session().is_some() {
            self.owe_packet(at, Packet::Disconnect(reason_of(cause)));
        } else if connection.profile.subprotocol.encoding().is_some() {
            self.owe_word(at, Word::Disconnected);
        }
        self.owe_only_close(at, cause);
    }

    /// A socket is closed.
    pub(super) fn owe_only_close(&mut self, at: usize, cause: CloseCause) {
        if self.connections[at].link == Link::Open {
            self.connections[at].close = Some(cause.code());
            self.owed.push(at);
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
                let (message, number) = (published.message, Some(number as u64 + 1));
                connection.data.push_back(Received { message, number, delivered: None });
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
    pub(in crate::simulation) fn send(&mut self, at: usize, received: Received) {
        let owed = self.connections[at].data.pop_front();
        check!(owed == Some(received), "connection {at} is sent {received:?} where it is owed {owed:?}");
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
        let is_over = |at: usize| {
            let connection = &self.connections[at];
            connection.end.is_some() && connection.session().is_none()
        };
        if holder.is_some_and(is_over) {
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
