//! What clients and servers ask of the hub, and what that is to lead to.

use webpubsub_mqtt::Qos;
use webpubsub_protocol::client::UpstreamMessage;
use webpubsub_protocol::close::{CloseCause, CloseCode};
use webpubsub_protocol::id::AckId;
use webpubsub_protocol::limits::{ACK_CACHE_SIZE, MAX_BUFFERED_BYTES, MAX_BUFFERED_MESSAGES};
use webpubsub_protocol::name::GroupName;
use webpubsub_protocol::rest::Member;
use webpubsub_protocol::role::PermissionType;
use webpubsub_protocol::time::Timestamp;
use webpubsub_shard::{Output, Reply};

use super::{Connection, End, Link, Model, kind_number};
use crate::simulation::check::{broken, check};
use crate::simulation::message::Published;
use crate::simulation::request::{Request, To};
use crate::simulation::words::{Answer, Arrival, Profile, Word, group_number, user_id};

impl Model {
    /// What came over a socket is carried out, which has led to this. What follows the end of the socket is not.
    pub(in crate::simulation) fn arrivals(
        &mut self,
        now: Timestamp,
        arrivals: &[Arrival],
        outputs: &[Output],
    ) {
        self.follow(outputs);
        for arrival in arrivals {
            self.arrival(now, arrival, outputs);
            if let Arrival::Packet(at, _) = arrival
                && self.connections[*at].link != Link::Open
            {
                return;
            }
        }
    }

    fn arrival(&mut self, now: Timestamp, arrival: &Arrival, outputs: &[Output]) {
        match arrival {
            Arrival::Message(at, message) => self.message(now, *at, message),
            Arrival::Payload(at, message) => self.payload(now, *at, *message),
            Arrival::Packet(at, sent) => self.packet(now, *at, sent, outputs),
            Arrival::Closed(at, code) => self.closed(now, *at, *code),
            Arrival::Broken(at) if self.connections[*at].mqtt.is_some() => {
                self.closed(now, *at, CloseCode::ABNORMAL);
            }
            Arrival::Broken(at) => self.end(now, *at, End::Broken),
        }
    }

    /// A bare client publishes to its group, if it may.
    fn payload(&mut self, now: Timestamp, at: usize, message: u32) {
        let Profile { mode: Some((group, echo)), .. } = self.connections[at].profile else {
            broken("a bare client has no group")
        };
        if self.connections[at].may(PermissionType::SendToGroup, group) {
            let published = Published { message, expires: None, qos: Qos::AtLeastOnce };
            self.publish_from(now, at, group, echo, published);
        } else {
            self.owe_close(at, CloseCause::RawSendForbidden);
            self.end(now, at, End::Forbidden);
        }
    }

    /// A client's message is taken.
    pub(super) fn message(&mut self, now: Timestamp, at: usize, message: &UpstreamMessage<u32>) {
        match message {
            UpstreamMessage::JoinGroup { group, ack_id } => {
                self.operation(at, *ack_id, PermissionType::JoinLeaveGroup, group, |model, group| {
                    model.set_groups(at, model.connections[at].groups | 1 << group);
                });
            }
            UpstreamMessage::LeaveGroup { group, ack_id } => {
                self.operation(at, *ack_id, PermissionType::JoinLeaveGroup, group, |model, group| {
                    model.set_groups(at, model.connections[at].groups & !(1 << group));
                });
            }
            UpstreamMessage::SendToGroup { group, ack_id, echo, ttl, data, .. } => {
                self.operation(at, *ack_id, PermissionType::SendToGroup, group, |model, group| {
                    let published =
                        Published { message: *data, expires: ttl.end(now), qos: Qos::AtLeastOnce };
                    model.publish_from(now, at, group, *echo, published);
                });
            }
            UpstreamMessage::Event { ack_id, data, .. } => self.ask(at, *data, *ack_id),
            UpstreamMessage::Invoke { .. } | UpstreamMessage::CancelInvocation { .. } => {
                broken("sessions invoke nothing")
            }
            UpstreamMessage::Stream { .. } => broken("sessions open no streams"),
            UpstreamMessage::GroupState { .. } => broken("sessions set no states"),
            UpstreamMessage::Ping => self.owe_word(at, Word::Pong),
            UpstreamMessage::SequenceAck { sequence_id } => {
                let connection = &mut self.connections[at];
                let number = sequence_id.0 as usize;
                check!(number <= connection.expected.len(), "a client acknowledges what it was never sent");
                connection.said = connection.said.max(number);
                while connection.acknowledged < number {
                    let Published { message, .. } = connection.expected[connection.acknowledged];
                    connection.bytes -= self.messages[message as usize].bytes;
                    connection.acknowledged += 1;
                }
                connection.behind &= connection.expected.len() - connection.acknowledged
                    > MAX_BUFFERED_MESSAGES
                    || connection.bytes > MAX_BUFFERED_BYTES;
            }
        }
    }

    /// An operation is carried out at most once for its ack id, and acknowledged.
    pub(super) fn operation(
        &mut self,
        at: usize,
        ack_id: Option<AckId>,
        kind: PermissionType,
        group: &GroupName,
        carry_out: impl FnOnce(&mut Self, u8),
    ) {
        let group = group_number(group);
        let connection = &self.connections[at];
        let answer = if ack_id.is_some_and(|id| connection.has_done(id)) {
            Answer::Duplicate
        } else if connection.may(kind, group) {
            carry_out(self, group);
            Answer::Done
        } else {
            Answer::Forbidden
        };
        if let Some(id) = ack_id {
            self.owe_ack(at, id, answer);
        }
    }

    /// A client is to receive how its operation went. Only success uses the ack id up.
    pub(super) fn owe_ack(&mut self, at: usize, id: AckId, answer: Answer) {
        if answer == Answer::Done {
            let acks = &mut self.connections[at].acks;
            acks.push_back(id.0);
            if acks.len() > ACK_CACHE_SIZE {
                acks.pop_front();
            }
        }
        self.owe_word(at, Word::Ack(id, answer));
    }

    /// A server's request is carried out on one shard.
    pub(in crate::simulation) fn request(
        &mut self,
        now: Timestamp,
        shard: usize,
        request: &Request,
    ) -> Reply {
        let found = |found: bool| if found { Reply::Done } else { Reply::NotFound };
        match *request {
            Request::Send { to, excluded, message, ttl } => {
                let published = Published { message, expires: ttl.end(now), qos: Qos::AtLeastOnce };
                self.publish(now, shard, to, excluded, published);
                Reply::Done
            }
            Request::Close(to) => {
                // In the order of their slots: who has ended receives no will of the next.
                let mut meant = self.meant(shard, to);
                meant.sort_by_key(|at| self.connections[*at].slot);
                for at in meant {
                    if self.connections[at].end.is_none() {
                        self.owe_close(at, CloseCause::ByServer);
                        self.end(now, at, End::Server);
                    }
                }
                Reply::Done
            }
            Request::Join(to, group) => {
                let meant = self.meant(shard, to);
                for at in &meant {
                    self.set_groups(*at, self.connections[*at].groups | 1 << group);
                }
                found(!meant.is_empty())
            }
            Request::Leave(to, group) => {
                for at in self.meant(shard, to) {
                    let left = self.connections[at].groups & group.map_or(0, |group| !(1 << group));
                    self.set_groups(at, left);
                }
                Reply::Done
            }
            Request::Permit { connection, kind, group, granted } => {
                let here = self.meant(shard, To::Connection(connection));
                for at in &here {
                    self.connections[*at].verdicts[kind_number(kind)][usize::from(group)] = Some(granted);
                }
                found(!here.is_empty() || !granted)
            }
            Request::Exists(to) => found(!self.meant(shard, to).is_empty()),
            Request::Allowed { connection, kind, group } => {
                let here = self.meant(shard, To::Connection(connection));
                found(here.iter().any(|at| self.connections[*at].may(kind, group)))
            }
            Request::Members(group) => {
                let members = self.meant(shard, To::Group(group)).into_iter().map(|at| {
                    let Connection { id, profile, .. } = &self.connections[at];
                    Member { connection: id.clone(), user: Some(user_id(profile.user)) }
                });
                let mut members: Vec<_> = members.collect();
                members.sort_by(|one, other| one.connection.cmp(&other.connection));
                Reply::Members(members)
            }
        }
    }
}
