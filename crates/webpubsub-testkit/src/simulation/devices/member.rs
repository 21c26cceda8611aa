//! One client of another protocol, in the group of the devices' topic.

use std::collections::VecDeque;

use webpubsub_protocol::client::{DownstreamMessage, Echo, Encoding, Frame, Subprotocol, UpstreamMessage};
use webpubsub_protocol::data::{MessageData, Metadata, TimeToLive};
use webpubsub_protocol::id::{AckId, SequenceId};
use webpubsub_protocol::name::ConnectionId;
use webpubsub_shard::{ConnectRequest, Slot};

use super::device::TOPIC;
use super::ledger::Account;
use crate::shard::{group, json, text};
use crate::simulation::check::{broken, check};

#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: String,
    subprotocol: Subprotocol,
    /// The shard and the slot of its socket, if it has one.
    pub(super) socket: Option<(usize, Slot)>,
    /// The connection that it would recover, and its shard.
    pub(super) connection: Option<(usize, ConnectionId)>,
    /// How many it has had.
    pub(super) connections: u32,
    /// What it has sent and has not arrived.
    pub(super) up: VecDeque<Frame>,
    /// What it was sent and has not arrived.
    pub(super) down: VecDeque<Frame>,
    /// Messages without an ack, and their ack ids, oldest first.
    outstanding: Vec<(u32, AckId)>,
    ack_ids: u64,
    sequence_id: SequenceId,
    pub(super) account: Account,
}

/// What a frame came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Came {
    Acknowledged(u32),
    Received(u32),
    Nothing,
}

impl Member {
    pub(super) fn new(number: usize, subprotocol: Subprotocol) -> Self {
        Self {
            name: format!("m{number}"),
            subprotocol,
            socket: None,
            connection: None,
            connections: 0,
            up: VecDeque::new(),
            down: VecDeque::new(),
            outstanding: Vec::new(),
            ack_ids: 0,
            sequence_id: SequenceId(0),
            account: Account::default(),
        }
    }

    pub(super) fn request(&self) -> ConnectRequest {
        ConnectRequest { subprotocol: self.subprotocol, groups: vec![group(TOPIC)], ..json(&self.name) }
    }

    pub(super) const fn is_reliable(&self) -> bool {
        self.subprotocol.is_reliable()
    }

    fn encoding(&self) -> Encoding {
        self.subprotocol.encoding().unwrap_or_else(|| broken("members speak in messages"))
    }

    /// Its socket is gone, with what was on its way. One that is not reliable has no connection without it.
    pub(super) fn lose_socket(&mut self) {
        self.socket = None;
        self.up.clear();
        self.down.clear();
        if !self.is_reliable() {
            self.connection = None;
        }
    }

    /// It has another connection, where what has come over the one before may come, too: from another shard, or late.
    /// Returns which of its messages may be published twice.
    pub(super) fn begin(&mut self, shard: usize, connection: ConnectionId, step: u32) -> Vec<u32> {
        self.connection = Some((shard, connection));
        self.connections += 1;
        self.sequence_id = SequenceId(0);
        self.account = Account::default();
        self.account.since = Some(step);
        self.outstanding.iter().map(|(message, _)| *message).collect()
    }

    /// Sends again what has no ack, under the same ack ids.
    pub(super) fn send_again(&mut self) {
        for (message, ack_id) in self.outstanding.clone() {
            self.send(message, ack_id);
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.outstanding.is_empty() && self.up.is_empty() && self.down.is_empty()
    }

    pub(super) fn publish(&mut self, message: u32) {
        self.ack_ids += 1;
        let ack_id = AckId(self.ack_ids);
        self.outstanding.push((message, ack_id));
        self.send(message, ack_id);
    }

    fn send(&mut self, message: u32, ack_id: AckId) {
        self.say(&UpstreamMessage::SendToGroup {
            group: group(TOPIC),
            ack_id: Some(ack_id),
            echo: Echo::Send,
            ttl: TimeToLive::FOREVER,
            data: text(&message.to_string()),
            metadata: Metadata::default(),
        });
    }

    fn say(&mut self, message: &UpstreamMessage) {
        self.up.push_back(self.encoding().encode_upstream(message));
    }

    /// Takes the next frame that has arrived.
    pub(super) fn take(&mut self) -> Came {
        let Some(frame) = self.down.pop_front() else { return Came::Nothing };
        let message = self.encoding().decode_downstream(&frame).ok().flatten();
        match message {
            Some(DownstreamMessage::Data { data, sequence_id, .. }) => {
                let number = number_of(&data);
                let Some(sequence_id) = sequence_id else { return Came::Received(number) };
                if sequence_id <= self.sequence_id {
                    return Came::Nothing;
                }
                let expected = self.sequence_id.0 + 1;
                check!(sequence_id.0 == expected, "{} is sent {sequence_id:?} for {expected}", self.name);
                self.sequence_id = sequence_id;
                self.say(&UpstreamMessage::SequenceAck { sequence_id });
                Came::Received(number)
            }
            Some(DownstreamMessage::Ack { ack_id, .. }) => {
                let at = self.outstanding.iter().position(|(_, known)| *known == ack_id);
                at.map_or(Came::Nothing, |at| Came::Acknowledged(self.outstanding.remove(at).0))
            }
            _ => Came::Nothing,
        }
    }
}

/// The number of a message: devices of 3.1.1 cannot say that theirs are texts.
fn number_of(data: &MessageData) -> u32 {
    let number = match data {
        MessageData::Text(text) => text.parse().ok(),
        MessageData::Binary(bytes) => std::str::from_utf8(bytes).ok().and_then(|text| text.parse().ok()),
        MessageData::Json(_) | MessageData::Protobuf(_) => None,
    };
    number.unwrap_or_else(|| broken(format!("{data:?} was never published")))
}
