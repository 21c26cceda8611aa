//! MQTT sessions are put together from what outlived the memory.

use webpubsub_protocol::name::GroupName;

use crate::buffer::Link;
use crate::mqtt::Options;
use crate::shard::Shard;
use crate::slot::Slot;
use crate::snapshot::MqttPacket;
use crate::step::Step;

impl Shard {
    pub(crate) fn restore_subscriptions(&mut self, subscriptions: Vec<(Slot, GroupName, u64)>) {
        for (slot, topic, options) in subscriptions {
            if let Some(session) = self.session_mut(slot) {
                session.subscriptions.insert(&topic, Options::decode(options));
            }
        }
        self.mqtt.sessions = self.connections.slots(&|connection| connection.mqtt.is_some()).len();
    }

    /// Restores how far packets have come, after the buffers. What a socket was sent is not sent again over it.
    pub(crate) fn restore_packets(&mut self, packets: Vec<(Slot, MqttPacket)>, step: &mut Step) {
        for (slot, packet) in packets {
            let Some(connection) = self.connections.get_mut(slot) else { continue };
            let (Some(session), Some(buffer)) = (&mut connection.mqtt, &connection.buffer) else { continue };
            match packet {
                MqttPacket::Received(id) => drop(session.received.insert(id)),
                MqttPacket::Released(number) => {
                    let after = number.checked_sub(buffer.acknowledged().sequence_id.0 + 1);
                    if let Some(at) = after.and_then(|at| usize::try_from(at).ok()) {
                        session.outgoing.restore_released(at);
                    }
                }
            }
        }
        for slot in self.connections.slots(&|connection| connection.mqtt.is_some()) {
            let Some(connection) = self.connections.get_mut(slot) else { continue };
            let (Some(session), Some(buffer)) = (&mut connection.mqtt, &connection.buffer) else { continue };
            let acknowledged = buffer.acknowledged().sequence_id;
            if buffer.link != Link::Attached {
                if let Some(due) = session.will_due {
                    self.mqtt.deadlines.insert((due, slot));
                }
                continue;
            }
            session.outgoing.resume(&session.carried.take().unwrap_or_default(), acknowledged);
            self.watch_keep_alive(slot);
            self.send_waiting(slot, step);
        }
    }
}
