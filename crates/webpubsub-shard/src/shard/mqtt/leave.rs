//! MQTT clients leave, and their sessions end.

use webpubsub_mqtt::{Disconnect, Property, ReasonCode, Version};
use webpubsub_protocol::close::CloseCause;

use crate::buffer::Link;
use crate::mqtt::{Leaving, MAX_EXPIRY_SECONDS};
use crate::output::{Change, Output};
use crate::shard::Shard;
use crate::slot::Slot;
use crate::step::Step;

/// How many bytes of user properties of DISCONNECT the event of a session's end has: it stands on disk in one value, in
/// which each may take seven.
///
/// Source: docs/spec/mqtt.md#session-events.
const MAX_END_PROPERTY_BYTES: usize = 64 << 10;

impl Shard {
    /// The client leaves.
    ///
    /// Source: docs/spec/mqtt.md#sessions, docs/spec/mqtt.md#wills.
    pub(super) fn take_disconnect(&mut self, slot: Slot, disconnect: &Disconnect, step: &mut Step) {
        let Some(session) = self.session_mut(slot) else { return };
        if let Some(expiry) = disconnect.properties.number(Property::SessionExpiryInterval) {
            if session.expiry == 0 && expiry > 0 {
                let reason = ReasonCode::PROTOCOL_ERROR;
                return self.drop_socket(slot, reason, CloseCause::InvalidPacket, step);
            }
            session.expiry = expiry.min(MAX_EXPIRY_SECONDS);
        }
        if session.version == Version::V3_1_1 || disconnect.reason == ReasonCode::SUCCESS {
            session.will = None;
        }
        let mut left = MAX_END_PROPERTY_BYTES;
        let within = |(name, value): &(&str, &str)| {
            let rest = left.checked_sub(name.len() + value.len());
            left = rest.unwrap_or(left);
            rest.is_some()
        };
        let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let user_properties = disconnect.properties.user().take_while(within).map(own).collect();
        let text = disconnect.properties.text(Property::ReasonString).map(str::to_owned);
        session.leaving =
            Some(Leaving { is_by_client: true, reason: disconnect.reason, text, user_properties });
        if session.expiry > 0 {
            self.store_session(slot, step);
        }
        step.push(Output::Close { slot, cause: CloseCause::MqttEnded });
        self.lose(slot, step);
    }

    /// A session ends: its will is published, if it has one still.
    pub(crate) fn end_session(&mut self, slot: Slot, step: &mut Step) {
        if let Some(session) = self.session_mut(slot) {
            session.is_over = true;
            self.unlink(slot, step);
            self.publish_will(slot, step);
            step.store(Change::RemoveMqtt(slot));
            self.mqtt.sessions = self.mqtt.sessions.saturating_sub(1);
        }
    }

    /// Has nothing more sent over the socket of a session, which is closed or about to be.
    pub(super) fn unlink(&mut self, slot: Slot, step: &Step) {
        let buffer = self.connections.get_mut(slot).and_then(|connection| connection.buffer.as_mut());
        if let Some(buffer) = buffer {
            buffer.link = Link::Detached { until: step.now };
        }
    }

    /// Publishes the will of a session, as its client would.
    ///
    /// Source: docs/spec/mqtt.md#wills.
    pub(super) fn publish_will(&mut self, slot: Slot, step: &mut Step) {
        let Some(session) = self.session_mut(slot) else { return };
        session.will_due = None;
        if let Some(will) = session.will.take() {
            // Whatever becomes of it: its client has gone, and no packet answers a will.
            let _ = self.send_message(slot, will.message, step);
        }
    }
}
