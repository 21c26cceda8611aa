//! Messages of MQTT clients.

use std::time::Duration;

use webpubsub_mqtt::{DownstreamPacket, Property, Publish as PublishPacket, Qos, ReasonCode};
use webpubsub_protocol::client::{Echo, Origin};
use webpubsub_protocol::close::CloseCause;
use webpubsub_protocol::name::GroupName;
use webpubsub_protocol::role::PermissionType;

use crate::mqtt::{SYSTEM_TOPICS, is_topic, read_message};
use crate::output::Change;
use crate::publish::Publish;
use crate::shard::Shard;
use crate::shard::mqtt::ack;
use crate::slot::Slot;
use crate::snapshot::MqttPacket;
use crate::step::Step;

/// How many messages of QoS 2 a client may have published and not released.
const MAX_RECEIVED: usize = 10_000;

impl Shard {
    /// Takes a client's message, and acknowledges it with what became of it.
    ///
    /// Source: docs/spec/mqtt.md#publishing, docs/spec/mqtt.md#refusals.
    pub(super) fn take_publish(&mut self, slot: Slot, publish: PublishPacket, step: &mut Step) {
        let (qos, id) = (publish.qos, publish.packet_id.map_or(0, |id| id.get()));
        let ends = if publish.properties.number(Property::TopicAlias).is_some() {
            Some(ReasonCode::TOPIC_ALIAS_INVALID)
        } else if !is_topic(&publish.topic) {
            Some(ReasonCode::TOPIC_NAME_INVALID)
        } else if publish.retain && self.is_of_version_5(slot) && qos == Qos::AtMostOnce {
            Some(ReasonCode::RETAIN_NOT_SUPPORTED)
        } else {
            None
        };
        if let Some(reason) = ends {
            return self.drop_socket(slot, reason, CloseCause::InvalidPacket, step);
        }
        let received = self.session(slot).map(|session| &session.received);
        let is_exact = qos == Qos::ExactlyOnce;
        let reason = if is_exact && received.is_some_and(|received| received.contains(&id)) {
            // It came before, and is sent.
            ReasonCode::SUCCESS
        } else if is_exact && received.is_some_and(|received| received.as_slice().len() >= MAX_RECEIVED) {
            ReasonCode::QUOTA_EXCEEDED
        } else if publish.retain && self.is_of_version_5(slot) {
            ReasonCode::IMPLEMENTATION_SPECIFIC_ERROR
        } else {
            let reason = self.send_message(slot, publish, step);
            // It may have ended the session, which has no room for it.
            if is_exact
                && !reason.is_failure()
                && let Some(session) = self.session_mut(slot)
            {
                session.received.insert(id);
                step.store(Change::AddMqttPacket(slot, MqttPacket::Received(id)));
            }
            reason
        };
        let Some(ack) = ack(id, reason) else { return };
        match qos {
            Qos::AtMostOnce => {}
            Qos::AtLeastOnce => self.send_packet(slot, DownstreamPacket::Puback(ack), step),
            Qos::ExactlyOnce => self.send_packet(slot, DownstreamPacket::Pubrec(ack), step),
        }
    }

    /// The client releases a packet identifier of QoS 2, which may then be that of another message.
    pub(super) fn release(&mut self, slot: Slot, id: webpubsub_mqtt::PacketId, step: &mut Step) {
        let id = id.get();
        let Some(session) = self.session_mut(slot) else { return };
        let reason = if session.received.remove(&id) {
            step.store(Change::RemoveMqttPacket(slot, MqttPacket::Received(id)));
            ReasonCode::SUCCESS
        } else {
            ReasonCode::PACKET_IDENTIFIER_NOT_FOUND
        };
        if let Some(ack) = ack(id, reason) {
            self.send_packet(slot, DownstreamPacket::Pubcomp(ack), step);
        }
    }

    /// Sends a message of a client to the group of its topic, or as an event to its handler. Returns what became
    /// of it.
    pub(super) fn send_message(&mut self, slot: Slot, publish: PublishPacket, step: &mut Step) -> ReasonCode {
        let PublishPacket { topic, qos, properties, payload, .. } = publish;
        if topic.starts_with(SYSTEM_TOPICS) {
            return self.send_request(slot, &topic, qos, &properties, payload, step);
        }
        let Ok(group) = GroupName::parse(topic) else { return ReasonCode::TOPIC_NAME_INVALID };
        if !self.allows(slot, PermissionType::SendToGroup, &group) {
            return ReasonCode::NOT_AUTHORIZED;
        }
        if !self.relay.has_room() {
            return ReasonCode::QUOTA_EXCEEDED;
        }
        let lives = properties.number(Property::MessageExpiryInterval);
        let expires = lives.map(|seconds| step.now.after(Duration::from_secs(seconds.into())));
        let (data, metadata, content) = match read_message(payload, properties, qos) {
            Ok(message) => message,
            Err(reason) => return reason,
        };
        let own = self.session(slot).and_then(|session| session.subscriptions.get(group.as_str()));
        let echo = if own.is_some_and(|own| own.no_local) { Echo::Skip } else { Echo::Send };
        let from = Origin::Group { group, from_user: None };
        let mqtt = Some(Box::new(content));
        self.publish_as(slot, echo, Publish { from, data, metadata, expires, stream: None, mqtt }, step);
        ReasonCode::SUCCESS
    }

    fn is_of_version_5(&self, slot: Slot) -> bool {
        self.session(slot).is_some_and(|session| session.version == webpubsub_mqtt::Version::V5)
    }
}
