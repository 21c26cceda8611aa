//! What the packets of MQTT clients lead to.

use webpubsub_mqtt::{Disconnect, Publish, Qos, ReasonCode, Subscribe, Unsubscribe, UpstreamPacket, Version};
use webpubsub_protocol::close::CloseCause;
use webpubsub_protocol::data::TimeToLive;
use webpubsub_protocol::role::PermissionType;
use webpubsub_protocol::time::Timestamp;
use webpubsub_shard::Output;

use super::{Options, State};
use crate::simulation::check::broken;
use crate::simulation::message::Published;
use crate::simulation::model::Model;
use crate::simulation::packet::Packet;
use crate::simulation::words::{Sent, Word, group_number_of};

impl Model {
    /// A client of this version is owed a packet, if that has it.
    pub(super) fn owe_packet_in(&mut self, at: usize, packet: Packet, version: Version) {
        if let Some(packet) = packet.said_in(version) {
            self.owe_word(at, Word::Packet(packet));
        }
    }

    pub(in crate::simulation::model) fn owe_packet(&mut self, at: usize, packet: Packet) {
        if let Some(version) = self.connections[at].session().map(|session| session.version) {
            self.owe_packet_in(at, packet, version);
        }
    }

    /// A packet has come over a socket, though it may wait for a turn.
    pub(in crate::simulation) fn note_packet(&mut self, now: Timestamp, at: usize) {
        if let Some(session) = self.connections[at].session_mut() {
            (session.last, session.begun) = ((now, now), None);
        }
    }

    /// The first bytes of a packet have come.
    pub(in crate::simulation) fn note_part(&mut self, now: Timestamp, at: usize) {
        if let Some(session) = self.connections[at].session_mut() {
            session.begun = Some(now);
        }
    }

    /// Whether a shard has a part of a packet in its memory, for which it stays awake.
    pub(in crate::simulation) fn is_mid_packet(&self, shard: usize) -> bool {
        let mut sessions = self.alive(shard).iter().filter_map(|at| self.connections[*at].session());
        sessions.any(|session| session.begun.is_some())
    }

    /// A client's packet is carried out.
    pub(in crate::simulation::model) fn packet(
        &mut self,
        now: Timestamp,
        at: usize,
        Sent { packet, message }: &Sent,
        outputs: &[Output],
    ) {
        let id = |ack: &webpubsub_mqtt::Ack| ack.packet_id.get();
        match packet {
            UpstreamPacket::Connect(connect) => self.take_connect(now, at, connect, *message, outputs),
            UpstreamPacket::Publish(publish) => self.take_publish(now, at, publish, *message),
            UpstreamPacket::Puback(ack) | UpstreamPacket::Pubcomp(ack) => self.done(now, at, id(ack)),
            UpstreamPacket::Pubrec(ack) => self.received(at, id(ack)),
            UpstreamPacket::Pubrel(ack) => self.release(at, id(ack)),
            UpstreamPacket::Subscribe(subscribe) => self.subscribe(at, subscribe),
            UpstreamPacket::Unsubscribe(unsubscribe) => self.unsubscribe(at, unsubscribe),
            UpstreamPacket::Pingreq => self.owe_packet(at, Packet::Pingresp),
            UpstreamPacket::Disconnect(disconnect) => self.take_disconnect(now, at, disconnect),
            UpstreamPacket::Auth(_) => broken("no client of the simulation sends AUTH"),
        }
    }

    fn take_publish(&mut self, now: Timestamp, at: usize, publish: &Publish, message: Option<u32>) {
        let (qos, id) = (publish.qos, publish.packet_id.map_or(0, |id| id.get()));
        let message = message.unwrap_or_else(|| broken("a PUBLISH has no message"));
        let is_known = self.connections[at].session().is_some_and(|session| session.received.contains(&id));
        let reason = if qos == Qos::ExactlyOnce && is_known {
            ReasonCode::SUCCESS
        } else {
            let seconds = publish.properties.number(webpubsub_mqtt::Property::MessageExpiryInterval);
            let ttl = TimeToLive::from_seconds(seconds.unwrap_or(0).into()).expect("a time to live");
            let published = Published { message, expires: ttl.end(now), qos };
            self.publish_over_mqtt(now, at, group_number_of(&publish.topic), published)
        };
        if qos == Qos::ExactlyOnce
            && !reason.is_failure()
            && let Some(session) = self.connections[at].session_mut()
        {
            session.received.insert(id);
        }
        match qos {
            Qos::AtMostOnce => {}
            Qos::AtLeastOnce => self.owe_packet(at, Packet::Puback(id, reason)),
            Qos::ExactlyOnce => self.owe_packet(at, Packet::Pubrec(id, reason)),
        }
    }

    /// The client releases a packet identifier.
    fn release(&mut self, at: usize, id: u16) {
        let is_known = self.connections[at].session_mut().is_some_and(|session| session.received.remove(&id));
        let reason = if is_known { ReasonCode::SUCCESS } else { ReasonCode::PACKET_IDENTIFIER_NOT_FOUND };
        self.owe_packet(at, Packet::Pubcomp(id, reason));
    }

    /// The client has received a message at QoS 2.
    fn received(&mut self, at: usize, id: u16) {
        let Some(place) = self.place_of(at, id) else {
            // There may be a message at that place later.
            return self.owe_packet(at, Packet::Pubrel(id, ReasonCode::PACKET_IDENTIFIER_NOT_FOUND));
        };
        let Some(session) = self.connections[at].session_mut() else { return };
        let copy = &mut session.copies[place];
        let reason = match copy.state {
            State::Sent | State::Released => {
                (copy.state, copy.is_released) = (State::Released, true);
                ReasonCode::SUCCESS
            }
            State::Waiting | State::Done => ReasonCode::PACKET_IDENTIFIER_NOT_FOUND,
        };
        self.owe_packet(at, Packet::Pubrel(id, reason));
    }

    /// The client has a message for good.
    fn done(&mut self, now: Timestamp, at: usize, id: u16) {
        let Some(place) = self.place_of(at, id) else { return };
        let Some(session) = self.connections[at].session() else { return };
        if matches!(session.copies[place].state, State::Sent | State::Released) {
            self.finish(at, place);
            self.send_waiting(now, at);
        }
    }

    fn subscribe(&mut self, at: usize, subscribe: &Subscribe) {
        for subscription in &subscribe.subscriptions {
            let group = group_number_of(&subscription.filter);
            let mut reason = ReasonCode::NOT_AUTHORIZED;
            if self.connections[at].may(PermissionType::JoinLeaveGroup, group) {
                self.set_groups(at, self.connections[at].groups | 1 << group);
                let options = Options { qos: subscription.qos, no_local: subscription.no_local };
                if let Some(session) = self.connections[at].session_mut() {
                    session.options[usize::from(group)] = Some(options);
                }
                reason = subscription.qos.granted();
            }
            self.owe_packet(at, Packet::Suback(subscribe.packet_id.get(), reason));
        }
    }

    fn unsubscribe(&mut self, at: usize, unsubscribe: &Unsubscribe) {
        for filter in &unsubscribe.filters {
            let group = group_number_of(filter);
            let groups = self.connections[at].groups;
            let reason = if groups & (1 << group) == 0 {
                ReasonCode::NO_SUBSCRIPTION_EXISTED
            } else if self.connections[at].may(PermissionType::JoinLeaveGroup, group) {
                self.set_groups(at, groups & !(1 << group));
                ReasonCode::SUCCESS
            } else {
                ReasonCode::NOT_AUTHORIZED
            };
            self.owe_packet(at, Packet::Unsuback(unsubscribe.packet_id.get(), reason));
        }
    }

    /// The client leaves; its will is published only if it says so.
    fn take_disconnect(&mut self, now: Timestamp, at: usize, disconnect: &Disconnect) {
        if let Some(session) = self.connections[at].session_mut()
            && (session.version == Version::V3_1_1 || disconnect.reason == ReasonCode::SUCCESS)
        {
            session.will = None;
        }
        self.owe_only_close(at, CloseCause::MqttEnded);
        self.lose_socket(now, at);
    }
}
