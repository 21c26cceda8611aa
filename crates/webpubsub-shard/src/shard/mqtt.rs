//! MQTT clients: what their packets do, and what they are sent beside messages.

mod admission;
mod connect;
mod deliver;
mod events;
mod leave;
mod publish;
mod restore;
mod rules;
mod subscribe;
mod time;

use std::mem;

use webpubsub_mqtt::{
    Ack, Connack, DecodeError, Disconnect, DownstreamPacket, PacketId, Property, ReasonCode, UpstreamPacket,
    Version,
};
use webpubsub_protocol::client::Frame;
use webpubsub_protocol::close::CloseCause;
use webpubsub_protocol::limits::MAX_CLIENT_MESSAGE_BYTES;

use crate::connection::Connection;
use crate::inbox::Arrived;
use crate::mqtt::{Leaving, MqttSession};
use crate::output::{Change, Output};
use crate::shard::Shard;
use crate::slot::Slot;
use crate::step::Step;

/// How many bytes of one client may wait to be read as packets.
const MAX_UNREAD: usize = 4 * MAX_CLIENT_MESSAGE_BYTES;
/// How many bytes of memory a packet counts, and each of its filters, beside what it had on the wire.
const SPARE_BYTES: usize = 64;

impl Shard {
    pub(crate) fn session(&self, slot: Slot) -> Option<&MqttSession> {
        self.connections.get(slot)?.mqtt.as_deref()
    }

    fn session_mut(&mut self, slot: Slot) -> Option<&mut MqttSession> {
        self.connections.get_mut(slot)?.mqtt.as_deref_mut()
    }

    /// Reads what came over the socket of an MQTT client: any part of a packet, or several.
    ///
    /// Source: docs/spec/mqtt.md#framing.
    pub(crate) fn receive_packets(&mut self, from: Slot, frame: Frame, step: &mut Step) {
        let Frame::Binary(bytes) = frame else {
            return self.enqueue(from, Arrived::Unreadable(DecodeError::PacketType), 0, step);
        };
        let Some(session) = self.session_mut(from) else { return };
        if session.unreadable.is_none() {
            session.decoder.feed(bytes);
            self.read_packets(from, step);
        }
    }

    /// Takes in every packet that is complete.
    pub(crate) fn read_packets(&mut self, from: Slot, step: &mut Step) {
        loop {
            let Some(connection) = self.connections.get_mut(from) else { return };
            // What comes behind DISCONNECT is not looked at.
            if !connection.is_attached() {
                return;
            }
            let Some(session) = &mut connection.mqtt else { return };
            // One message may have thousands of packets: the rest waits until these are carried out.
            if connection.inbox.is_over_its_share() {
                if session.decoder.unread() > MAX_UNREAD {
                    return self.close(from, CloseCause::TooManyMessages, step);
                }
                if !mem::replace(&mut session.is_behind, true) {
                    self.mqtt.behind.push(from);
                }
                return;
            }
            let unread = session.decoder.unread();
            match session.decoder.next_packet() {
                Ok(Some(packet)) => {
                    let is_news = session.note_packet(step.now);
                    let bytes = unread - session.decoder.unread() + spare_bytes(&packet);
                    if is_news {
                        self.touch(from);
                    }
                    self.take_in(from, Arrived::Packet(Box::new(packet)), bytes, step);
                }
                Ok(None) => {
                    return match session.end.take() {
                        Some(end) => self.enqueue(from, end, 0, step),
                        None => self.wait_for_rest(from, step),
                    };
                }
                Err(error) => {
                    session.unreadable = Some(error);
                    return self.enqueue(from, Arrived::Unreadable(error), 0, step);
                }
            }
        }
    }

    /// Takes in the end of a socket, behind all that came over it.
    pub(crate) fn receive_end(&mut self, from: Slot, end: Arrived, step: &mut Step) {
        match self.session_mut(from) {
            Some(session) if session.is_behind => {
                session.end = Some(end);
                self.end_limits(from);
            }
            Some(_) | None => self.enqueue(from, end, 0, step),
        }
    }

    /// Goes on with what clients have sent, whose packets were more than a turn takes.
    pub(crate) fn read_on(&mut self, step: &mut Step) {
        for slot in mem::take(&mut self.mqtt.behind) {
            if let Some(session) = self.session_mut(slot)
                && mem::take(&mut session.is_behind)
            {
                self.read_packets(slot, step);
            }
        }
        let is_slowed =
            |slot: &Slot| self.connections.get(*slot).is_none_or(|connection| connection.inbox.is_slowed);
        // Nothing more of them is to be taken in before.
        self.turns.is_due |= !self.mqtt.behind.iter().all(is_slowed);
    }

    /// Whether a packet leads to a write that an answer waits for, as far as is known beforehand.
    pub(super) fn packet_writes(&self, packet: &UpstreamPacket) -> bool {
        match packet {
            UpstreamPacket::Publish(publish) => {
                let is_acknowledged = publish.packet_id.is_some();
                is_acknowledged || self.relay.is_needed() || self.connections.has_reliable()
            }
            UpstreamPacket::Puback(_) | UpstreamPacket::Pubcomp(_) | UpstreamPacket::Pingreq => false,
            UpstreamPacket::Pubrec(_)
            | UpstreamPacket::Pubrel(_)
            | UpstreamPacket::Subscribe(_)
            | UpstreamPacket::Unsubscribe(_)
            | UpstreamPacket::Disconnect(_)
            | UpstreamPacket::Connect(_)
            | UpstreamPacket::Auth(_) => true,
        }
    }

    /// Carries out a packet of an MQTT client.
    pub(super) fn packet(&mut self, slot: Slot, packet: UpstreamPacket, step: &mut Step) {
        match packet {
            UpstreamPacket::Publish(publish) => self.take_publish(slot, publish, step),
            UpstreamPacket::Puback(ack) => self.finish_delivery(slot, ack.packet_id, step),
            UpstreamPacket::Pubrec(ack) => self.received(slot, &ack, step),
            UpstreamPacket::Pubrel(ack) => self.release(slot, ack.packet_id, step),
            UpstreamPacket::Pubcomp(ack) => self.finish_delivery(slot, ack.packet_id, step),
            UpstreamPacket::Subscribe(subscribe) => self.take_subscribe(slot, subscribe, step),
            UpstreamPacket::Unsubscribe(unsubscribe) => self.take_unsubscribe(slot, &unsubscribe, step),
            UpstreamPacket::Pingreq => self.send_packet(slot, DownstreamPacket::Pingresp, step),
            UpstreamPacket::Disconnect(disconnect) => self.take_disconnect(slot, &disconnect, step),
            UpstreamPacket::Connect(_) | UpstreamPacket::Auth(_) => {
                self.drop_socket(slot, ReasonCode::PROTOCOL_ERROR, CloseCause::InvalidPacket, step);
            }
        }
    }

    /// Ends the socket of a client that sent what is no packet.
    ///
    /// Source: docs/spec/mqtt.md#malformed-packets.
    pub(super) fn end_unreadable(&mut self, slot: Slot, error: DecodeError, step: &mut Step) {
        let cause = if error == DecodeError::TooLarge {
            CloseCause::MessageTooLarge
        } else {
            CloseCause::InvalidPacket
        };
        self.drop_socket(slot, error.reason_code(), cause, step);
    }

    /// Sends a packet to an MQTT client, if it has a socket and its version has that packet.
    pub(super) fn send_packet(&self, slot: Slot, packet: DownstreamPacket, step: &mut Step) {
        let Some(connection) = self.connections.get(slot).filter(|connection| connection.is_attached())
        else {
            return;
        };
        let Some(session) = &connection.mqtt else { return };
        send_encoded(slot, packet, session.version, session.packet_maximum, step);
    }

    /// Sends DISCONNECT to an MQTT client of 5.0, and remembers it for the event of the session's end.
    pub(crate) fn send_disconnect(
        &mut self,
        slot: Slot,
        reason: ReasonCode,
        text: Option<&str>,
        step: &mut Step,
    ) {
        if !self.connections.get(slot).is_some_and(Connection::is_attached) {
            return;
        }
        let Some(session) = self.session_mut(slot) else { return };
        if session.version == Version::V5 {
            session.leaving = Some(Leaving {
                is_by_client: false,
                reason,
                text: text.map(str::to_owned),
                user_properties: Vec::new(),
            });
        }
        let mut disconnect = Disconnect { reason, ..Disconnect::default() };
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            disconnect.properties.push_text(Property::ReasonString, text);
        }
        self.send_packet(slot, DownstreamPacket::Disconnect(disconnect), step);
    }

    /// Closes a client's socket with this code; its session goes on if it outlives it.
    pub(super) fn drop_socket(&mut self, slot: Slot, reason: ReasonCode, cause: CloseCause, step: &mut Step) {
        self.send_disconnect(slot, reason, Some(cause.reason()), step);
        step.push(Output::Close { slot, cause });
        self.lose(slot, step);
    }

    /// The socket of a session is gone.
    ///
    /// Source: docs/spec/mqtt.md#sessions.
    pub(crate) fn lose(&mut self, slot: Slot, step: &mut Step) {
        self.detach(slot, step);
    }

    /// Writes what a session is beside its connection.
    pub(super) fn store_session(&self, slot: Slot, step: &mut Step) {
        if let Some(session) = self.session(slot) {
            step.store(Change::PutMqtt { slot, session: session.encode() });
        }
    }
}

/// Puts a packet on a socket whose client takes packets of at most `maximum` bytes: of a longer one the reason in
/// words and the user properties are left out, and what is longer still is not sent.
///
/// Source: docs/spec/mqtt.md#delivery.
fn send_encoded(slot: Slot, mut packet: DownstreamPacket, version: Version, maximum: u32, step: &mut Step) {
    let mut bytes = packet.encode(version);
    if bytes.len() > maximum as usize
        && let DownstreamPacket::Connack(Connack { properties, .. })
        | DownstreamPacket::Disconnect(Disconnect { properties, .. }) = &mut packet
    {
        properties.remove(Property::ReasonString);
        properties.remove(Property::UserProperty);
        bytes = packet.encode(version);
    }
    if (1..=maximum as usize).contains(&bytes.len()) {
        step.push(Output::Send { to: vec![slot], frame: Frame::Binary(bytes) });
    }
}

/// How many bytes a packet counts while it waits, beside those that it had on the wire.
const fn spare_bytes(packet: &UpstreamPacket) -> usize {
    let filters = match packet {
        UpstreamPacket::Subscribe(subscribe) => subscribe.subscriptions.len(),
        UpstreamPacket::Unsubscribe(unsubscribe) => unsubscribe.filters.len(),
        UpstreamPacket::Connect(_)
        | UpstreamPacket::Publish(_)
        | UpstreamPacket::Puback(_)
        | UpstreamPacket::Pubrec(_)
        | UpstreamPacket::Pubrel(_)
        | UpstreamPacket::Pubcomp(_)
        | UpstreamPacket::Pingreq
        | UpstreamPacket::Disconnect(_)
        | UpstreamPacket::Auth(_) => 0,
    };
    SPARE_BYTES * (1 + filters)
}

/// What DISCONNECT says of the end of a connection.
///
/// Source: docs/spec/mqtt.md#malformed-packets, docs/spec/mqtt.md#over-rest.
pub(crate) const fn reason_code(cause: CloseCause) -> ReasonCode {
    match cause {
        CloseCause::ByServer => ReasonCode::ADMINISTRATIVE_ACTION,
        CloseCause::MessageTooLarge => ReasonCode::PACKET_TOO_LARGE,
        CloseCause::TooManyMessages => ReasonCode::MESSAGE_RATE_TOO_HIGH,
        CloseCause::SlowConsumer | CloseCause::SlowRecoverable | CloseCause::BufferFull => {
            ReasonCode::QUOTA_EXCEEDED
        }
        CloseCause::ShardDrained | CloseCause::ServiceStops => ReasonCode::SERVER_SHUTTING_DOWN,
        CloseCause::TakenOver => ReasonCode::SESSION_TAKEN_OVER,
        CloseCause::KeepAliveTimeout => ReasonCode::KEEP_ALIVE_TIMEOUT,
        CloseCause::InvalidPacket => ReasonCode::MALFORMED_PACKET,
        CloseCause::MqttEnded | CloseCause::MqttRefused(_) => ReasonCode::SUCCESS,
        CloseCause::BinaryOnJson
        | CloseCause::InvalidJsonMessage
        | CloseCause::TextOnProtobuf
        | CloseCause::InvalidProtobufMessage
        | CloseCause::MessageTooSlow
        | CloseCause::NotRecoverable
        | CloseCause::RawSendForbidden
        | CloseCause::EventFailed
        | CloseCause::ServiceFault => ReasonCode::UNSPECIFIED_ERROR,
    }
}

/// An acknowledgement without properties.
fn ack(id: u16, reason: ReasonCode) -> Option<Ack> {
    PacketId::new(id).map(|packet_id| Ack::new(packet_id, reason))
}
