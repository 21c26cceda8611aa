//! Messages of clients are checked and carried out.

use std::slice;

use webpubsub_protocol::client::endpoint::SimpleMode;
use webpubsub_protocol::client::{
    DownstreamMessage, Echo, Frame, GroupStateAction, Origin, StreamAction, StreamPart, UpstreamMessage,
    simple,
};
use webpubsub_protocol::close::CloseCause;
use webpubsub_protocol::data::{MessageData, Metadata};
use webpubsub_protocol::event_handler::Event;
use webpubsub_protocol::id::{AckId, SequenceId};
use webpubsub_protocol::name::{EventName, GroupName};
use webpubsub_protocol::role::PermissionType;
use webpubsub_protocol::time::Timestamp;

use crate::error::Refusal;
use crate::event_queue::ReplyTarget;
use crate::framing::Framing;
use crate::output::Change;
use crate::publish::{Publish, Reach};
use crate::shard::Shard;
use crate::slot::Slot;
use crate::step::Step;

/// The name of every event of a simple client.
///
/// Source: docs/spec/client.md#simple-clients.
const SIMPLE_EVENT: &str = "message";

/// A payload, what rides beside it, when it expires, and what it is in a stream.
type Parts = (MessageData, Metadata, Option<Timestamp>, Option<Box<StreamPart>>);

impl Shard {
    /// Carries out what a simple client sent.
    pub(crate) fn payload(&mut self, slot: Slot, frame: Frame, step: &mut Step) {
        let Some(connection) = self.connections.get(slot) else { return };
        let Framing::Simple(mode) = &connection.framing else { return };
        match mode.clone() {
            SimpleMode::SendEvent => match EventName::parse(SIMPLE_EVENT) {
                Ok(name) if self.has_event_handlers() => {
                    let (data, metadata) = (simple::decode(frame), Metadata::default());
                    self.user_event(slot, Event::User { name, data, metadata }, ReplyTarget::Frame, step);
                }
                Ok(_) | Err(_) => self.close(slot, CloseCause::EventFailed, step),
            },
            SimpleMode::SendToGroup { group, echo } => {
                let data = simple::decode(frame);
                let publish = (data, Metadata::default(), None);
                match self.send_to_group(slot, group, echo, publish, step) {
                    Ok(()) => {}
                    Err(Refusal::SendForbidden(_)) => self.close(slot, CloseCause::RawSendForbidden, step),
                    Err(
                        Refusal::JoinForbidden(_)
                        | Refusal::LeaveForbidden(_)
                        | Refusal::NotAMember(_)
                        | Refusal::SubscribeForbidden(_)
                        | Refusal::StateLimit(_)
                        | Refusal::TooManyGroups(_)
                        | Refusal::Duplicate(_)
                        | Refusal::EventFailed
                        | Refusal::InvocationPending
                        | Refusal::StreamOpen
                        | Refusal::TooManyStreams
                        | Refusal::NeverIdle
                        | Refusal::OutboxFull,
                    ) => self.close(slot, CloseCause::ServiceFault, step),
                }
            }
        }
    }

    /// Carries out a message of any other client.
    pub(crate) fn message(&mut self, slot: Slot, message: UpstreamMessage, step: &mut Step) {
        match message {
            UpstreamMessage::JoinGroup { group, ack_id } => {
                self.acknowledged(slot, ack_id, step, |shard, step| shard.join_group(slot, group, step));
            }
            UpstreamMessage::LeaveGroup { group, ack_id } => {
                self.acknowledged(slot, ack_id, step, |shard, step| shard.leave_group(slot, group, step));
            }
            UpstreamMessage::SendToGroup { group, ack_id, echo, ttl, data, metadata } => {
                self.acknowledged(slot, ack_id, step, |shard, step| {
                    shard.send_to_group(slot, group, echo, (data, metadata, ttl.end(step.now)), step)
                });
            }
            UpstreamMessage::Event { event: name, ack_id, data, metadata } => {
                self.user_event(slot, Event::User { name, data, metadata }, ReplyTarget::Ack(ack_id), step);
            }
            UpstreamMessage::Invoke { invocation_id, event: name, data, metadata } => {
                let event = Event::User { name, data, metadata };
                self.user_event(slot, event, ReplyTarget::Invocation(invocation_id), step);
            }
            UpstreamMessage::CancelInvocation { invocation_id } => {
                self.cancel_invocation(slot, invocation_id, step);
            }
            UpstreamMessage::GroupState { group, ack_id, action } => {
                let (is_subscription, mut is_done) = (action == GroupStateAction::Subscribe, false);
                self.acknowledged(slot, ack_id, step, |shard, step| {
                    shard.group_state(slot, &group, action, step)?;
                    is_done = true;
                    Ok(())
                });
                if is_subscription && is_done {
                    self.send_snapshot(&[slot], &group, step);
                }
            }
            UpstreamMessage::Stream { stream_id, action } => match action {
                StreamAction::Start { ack_id, .. } => {
                    self.acknowledged(slot, ack_id, step, |shard, step| {
                        shard.start_stream(slot, stream_id, action, step)
                    });
                }
                StreamAction::Data { .. } | StreamAction::KeepAlive | StreamAction::End { .. } => {
                    self.stream(slot, stream_id, action, step);
                }
            },
            UpstreamMessage::Ping => self.send(slot, DownstreamMessage::Pong, step),
            UpstreamMessage::SequenceAck { sequence_id } => self.sequence_ack(slot, sequence_id, step),
        }
    }

    /// Carries out an operation at most once for its ack id, and acknowledges it if the client gave one.
    ///
    /// Source: docs/spec/client.md#acks.
    fn acknowledged(
        &mut self,
        slot: Slot,
        ack_id: Option<AckId>,
        step: &mut Step,
        operation: impl FnOnce(&mut Self, &mut Step) -> Result<(), Refusal>,
    ) {
        let result = match ack_id.filter(|id| self.is_used(slot, *id)) {
            Some(id) => Err(Refusal::Duplicate(id)),
            None => operation(self, step),
        };
        if let Some(ack_id) = ack_id {
            self.acknowledge(slot, ack_id, result, step);
        }
    }

    /// Whether a connection has done something with this ack id.
    pub(crate) fn is_used(&self, slot: Slot, id: AckId) -> bool {
        self.connections.get(slot).is_some_and(|connection| connection.acks.contains(id))
    }

    /// Sends an ack with the result of an operation. Only success uses the ack id up.
    pub(crate) fn acknowledge(
        &mut self,
        slot: Slot,
        ack_id: AckId,
        result: Result<(), Refusal>,
        step: &mut Step,
    ) {
        if result.is_ok()
            && let Some(connection) = self.connections.get_mut(slot)
        {
            connection.acks.insert(ack_id);
            match &mut connection.buffer {
                Some(buffer) => {
                    if buffer.acks.add() {
                        self.turns.write_acks(slot);
                    }
                }
                None => self.touch(slot),
            }
        }
        let result = result.map_err(|refusal| refusal.to_ack_error());
        self.send(slot, DownstreamMessage::Ack { ack_id, result }, step);
    }

    /// Takes a client's acknowledgement of everything up to a message; one of a message that it was never
    /// sent closes the connection. On the subprotocols that are not reliable it has no effect.
    ///
    /// Source: docs/spec/client.md#data-types, docs/spec/client.md#sequence-ids.
    fn sequence_ack(&mut self, slot: Slot, id: SequenceId, step: &mut Step) {
        let Some(connection) = self.connections.get_mut(slot) else { return };
        let (Some(buffer), Framing::Messages(encoding)) = (&mut connection.buffer, &connection.framing)
        else {
            return;
        };
        if id > buffer.newest() {
            let cause = encoding.invalid();
            return self.close(slot, cause, step);
        }
        let before = buffer.bytes();
        if buffer.acknowledge(id) {
            let bytes = before - buffer.bytes();
            if let Some(cursor) = buffer.take_much_unstored() {
                step.store(Change::Acknowledge { slot, cursor });
            }
            self.touch(slot);
            self.count_acknowledged(slot, bytes, step);
        }
    }

    fn join_group(&mut self, slot: Slot, group: GroupName, step: &mut Step) -> Result<(), Refusal> {
        if !self.allows(slot, PermissionType::JoinLeaveGroup, &group) {
            return Err(Refusal::JoinForbidden(group));
        }
        if !self.has_room_for(slot, slice::from_ref(&group)) {
            return Err(Refusal::TooManyGroups(self.config.limits.groups));
        }
        self.join(slot, &group, step);
        Ok(())
    }

    fn leave_group(&mut self, slot: Slot, group: GroupName, step: &mut Step) -> Result<(), Refusal> {
        if !self.allows(slot, PermissionType::JoinLeaveGroup, &group) {
            return Err(Refusal::LeaveForbidden(group));
        }
        self.leave(slot, &group, step);
        Ok(())
    }

    fn send_to_group(
        &mut self,
        slot: Slot,
        group: GroupName,
        echo: Echo,
        (data, metadata, expires): (MessageData, Metadata, Option<Timestamp>),
        step: &mut Step,
    ) -> Result<(), Refusal> {
        if !self.allows(slot, PermissionType::SendToGroup, &group) {
            return Err(Refusal::SendForbidden(group));
        }
        if !self.relay.has_room() {
            return Err(Refusal::OutboxFull);
        }
        self.publish(slot, group, echo, (data, metadata, expires, None), step);
        Ok(())
    }

    /// Sends a client's message to the members of a group, on every shard.
    pub(crate) fn publish(
        &mut self,
        slot: Slot,
        group: GroupName,
        echo: Echo,
        (data, metadata, expires, stream): Parts,
        step: &mut Step,
    ) {
        let from = Origin::Group { group, from_user: None };
        let publish = Publish { from, data, metadata, expires, stream, mqtt: None };
        self.publish_as(slot, echo, publish, step);
    }

    /// Sends a message to the members of its group, on every shard, as one of a connection.
    pub(crate) fn publish_as(&mut self, slot: Slot, echo: Echo, mut publish: Publish, step: &mut Step) {
        let Origin::Group { group, from_user } = &mut publish.from else { return };
        *from_user = self.connections.get(slot).and_then(|connection| connection.user.clone());
        let to: Vec<Slot> =
            self.connections.members(group).filter(|member| echo == Echo::Send || *member != slot).collect();
        self.fan_out(&to, &publish, Reach::AllShards, step);
    }

    pub(crate) fn allows(&self, slot: Slot, kind: PermissionType, group: &GroupName) -> bool {
        self.connections.get(slot).is_some_and(|connection| connection.permissions.allows(kind, group))
    }
}
