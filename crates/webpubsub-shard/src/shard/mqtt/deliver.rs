//! Messages at QoS 1 and 2 on their way to an MQTT client.

use webpubsub_mqtt::{Ack, DownstreamPacket, PacketId, Qos, ReasonCode};
use webpubsub_protocol::close::CloseCause;
use webpubsub_protocol::id::SequenceId;

use crate::log;
use crate::mqtt::{Content, Delivery, Receivers};
use crate::output::{Change, Output};
use crate::publish::Stored;
use crate::shard::Shard;
use crate::shard::mqtt::ack;
use crate::slot::Slot;
use crate::snapshot::{MqttPacket, StoredMessage};
use crate::step::Step;

impl Shard {
    /// Where the message of a packet identifier is among those that are not acknowledged.
    fn place_of(&self, slot: Slot, id: u16) -> Option<(usize, SequenceId)> {
        let buffer = self.connections.get(slot)?.buffer.as_ref()?;
        let oldest = SequenceId(buffer.acknowledged().sequence_id.0 + 1);
        let ids = u64::from(u16::MAX);
        let after = (u64::from(id) + ids - u64::from(oldest.packet_identifier())) % ids;
        Some((usize::try_from(after).ok()?, SequenceId(oldest.0 + after)))
    }

    /// The client has received a message at QoS 2, or refuses it.
    ///
    /// Source: docs/spec/mqtt.md#delivery.
    pub(super) fn received(&mut self, slot: Slot, pubrec: &Ack, step: &mut Step) {
        let id = pubrec.packet_id.get();
        let Some((at, number)) = self.place_of(slot, id) else { return };
        let Some(session) = self.session_mut(slot) else { return };
        if pubrec.reason.is_failure() {
            if session.outgoing.is_sent(at) {
                self.end_delivery(slot, at, step);
            }
            return;
        }
        let is_known = session.outgoing.is_released(at);
        let reason = if session.outgoing.release(at) {
            step.store(Change::AddMqttPacket(slot, MqttPacket::Released(number.0)));
            ReasonCode::SUCCESS
        } else if is_known {
            ReasonCode::SUCCESS
        } else {
            ReasonCode::PACKET_IDENTIFIER_NOT_FOUND
        };
        if let Some(pubrel) = ack(id, reason) {
            self.send_packet(slot, DownstreamPacket::Pubrel(pubrel), step);
        }
    }

    /// The client has a message: PUBACK, or PUBCOMP.
    pub(super) fn finish_delivery(&mut self, slot: Slot, id: PacketId, step: &mut Step) {
        let Some((at, _)) = self.place_of(slot, id.get()) else { return };
        let Some(session) = self.session(slot) else { return };
        if session.outgoing.is_sent(at) || session.outgoing.is_released(at) {
            self.end_delivery(slot, at, step);
        }
    }

    /// Ends the delivery of a message, and sends the next.
    fn end_delivery(&mut self, slot: Slot, at: usize, step: &mut Step) {
        let Some(connection) = self.connections.get_mut(slot) else { return };
        let (Some(session), Some(buffer)) = (&mut connection.mqtt, &mut connection.buffer) else { return };
        let done = session.outgoing.finish(at) as u64;
        if done > 0 {
            let before = buffer.bytes();
            let last = SequenceId(buffer.acknowledged().sequence_id.0 + done);
            buffer.acknowledge(last);
            let bytes = before - buffer.bytes();
            if let Some(cursor) = buffer.take_much_unstored() {
                let released = MqttPacket::Released(cursor.sequence_id.0);
                step.store(Change::Acknowledge { slot, cursor });
                step.store(Change::RemoveMqttPacket(slot, released));
            }
            self.count_acknowledged(slot, bytes, step);
        }
        self.touch(slot);
        self.send_waiting(slot, step);
    }

    /// Sends what waits, as much as the client takes.
    pub(super) fn send_waiting(&mut self, slot: Slot, step: &mut Step) {
        let Some(connection) = self.connections.get_mut(slot) else { return };
        let (Some(session), Some(buffer)) = (&mut connection.mqtt, &connection.buffer) else { return };
        let mut is_touched = false;
        while let Some(at) = session.outgoing.take_next() {
            if let Some((row, id)) = buffer.needed().nth(at) {
                step.push(Output::Fetch { row, to: vec![(slot, id)] });
                is_touched = true;
            }
        }
        if is_touched {
            self.touch(slot);
        }
    }

    /// Begins again over a new socket: first what the client has received and may have forgotten, then what it may
    /// not have received.
    pub(super) fn send_again(&mut self, slot: Slot, step: &mut Step) {
        let Some(connection) = self.connections.get_mut(slot) else { return };
        let (Some(session), Some(buffer)) = (&mut connection.mqtt, &connection.buffer) else { return };
        let oldest = buffer.acknowledged().sequence_id.0 + 1;
        let released = session.outgoing.begin_again(session.receive_maximum);
        for at in released {
            let id = SequenceId(oldest + at as u64).packet_identifier();
            if let Some(pubrel) = ack(id, ReasonCode::SUCCESS) {
                self.send_packet(slot, DownstreamPacket::Pubrel(pubrel), step);
            }
        }
        self.send_waiting(slot, step);
    }

    /// Sends a row of the log to those MQTT clients that asked for it, and returns the other receivers.
    pub(crate) fn fetch_for_sessions(
        &mut self,
        stored: Option<&StoredMessage>,
        mut to: Vec<(Slot, SequenceId)>,
        step: &mut Step,
    ) -> Vec<(Slot, SequenceId)> {
        let sessions: Vec<_> = to.extract_if(.., |(slot, _)| self.session(*slot).is_some()).collect();
        if sessions.is_empty() {
            return to;
        }
        let content = stored.and_then(|stored| Content::read(&stored.message));
        let Some(Stored::Publish(mut publish)) = stored.and_then(Stored::decode) else {
            for (slot, _) in sessions {
                self.close(slot, CloseCause::NotRecoverable, step);
            }
            return to;
        };
        let (content, exactly_once) = content.unzip();
        publish.mqtt = content.map(Box::new);
        let is_over = publish.expires.is_some_and(|expires| expires <= step.now);
        let mut receivers = Receivers::default();
        for (slot, id) in sessions {
            let is_exact = log::slots(exactly_once.as_deref().unwrap_or_default()).any(|other| other == slot);
            let Some(connection) = self.connections.get_mut(slot) else { continue };
            let (Some(session), Some(buffer)) = (&mut connection.mqtt, &connection.buffer) else { continue };
            let after = id.0.checked_sub(buffer.acknowledged().sequence_id.0 + 1);
            let Some(at) = after.and_then(|at| usize::try_from(at).ok()) else { continue };
            if !session.outgoing.is_sent(at) {
                continue;
            }
            let delivery = Delivery {
                qos: if is_exact { Qos::ExactlyOnce } else { Qos::AtLeastOnce },
                is_again: session.outgoing.mark_sent(at),
                ..session.delivery(&publish)
            };
            let bytes = receivers.choose(&publish, delivery, step.now);
            // One of QoS 2 that the client may know has to come to its end.
            let is_skipped = is_over && !(delivery.is_again && is_exact);
            if is_skipped || bytes > session.packet_maximum as usize {
                self.skip(slot, at, step);
            } else {
                receivers.add(slot, Some(id));
            }
        }
        receivers.send(step);
        to
    }

    /// Ends the delivery of a message that is not sent. What comes next is sent with the timer: there may be many
    /// of these.
    fn skip(&mut self, slot: Slot, at: usize, step: &Step) {
        let Some(connection) = self.connections.get_mut(slot) else { return };
        let (Some(session), Some(buffer)) = (&mut connection.mqtt, &mut connection.buffer) else { return };
        let done = session.outgoing.finish(at) as u64;
        if done > 0 {
            buffer.acknowledge(SequenceId(buffer.acknowledged().sequence_id.0 + done));
        }
        self.touch(slot);
        self.mqtt.timeouts.insert((step.now, slot));
    }
}
