//! MQTT sessions, their subscriptions, and their packets of QoS 2.

use webpubsub_protocol::name::GroupName;
use webpubsub_shard::{MqttPacket, Slot};

use crate::database::{Database, Value, integer};

pub(super) fn put<D: Database>(database: &D, slot: Slot, session: &str) -> Result<(), D::Error> {
    let values = [integer(slot.0), Value::Text(session)];
    database.run("INSERT OR REPLACE INTO mqtt_session VALUES (?, ?)", &values)
}

/// Removes a session with what stands in other tables of it.
pub(super) fn remove<D: Database>(database: &D, slot: Slot) -> Result<(), D::Error> {
    let slot = [integer(slot.0)];
    database.run("DELETE FROM mqtt_session WHERE slot = ?", &slot)?;
    database.run("DELETE FROM mqtt_subscription WHERE slot = ?", &slot)?;
    database.run("DELETE FROM mqtt_packet WHERE slot = ?", &slot)
}

pub(super) fn subscribe<D: Database>(
    database: &D,
    slot: Slot,
    topic: &GroupName,
    options: u64,
) -> Result<(), D::Error> {
    let values = [integer(slot.0), topic.as_str().into(), integer(options)];
    database.run("INSERT OR REPLACE INTO mqtt_subscription VALUES (?, ?, ?)", &values)
}

pub(super) fn unsubscribe<D: Database>(database: &D, slot: Slot, topic: &GroupName) -> Result<(), D::Error> {
    let values = [integer(slot.0), topic.as_str().into()];
    database.run("DELETE FROM mqtt_subscription WHERE slot = ? AND topic = ?", &values)
}

pub(super) fn add_packet<D: Database>(database: &D, slot: Slot, packet: MqttPacket) -> Result<(), D::Error> {
    database.run("INSERT OR IGNORE INTO mqtt_packet VALUES (?, ?, ?)", &packet_key(slot, packet))
}

/// Removes a packet identifier that the client has released, or all released messages up to one.
pub(super) fn remove_packet<D: Database>(
    database: &D,
    slot: Slot,
    packet: MqttPacket,
) -> Result<(), D::Error> {
    let statement = match packet {
        MqttPacket::Received(_) => "DELETE FROM mqtt_packet WHERE slot = ? AND kind = ? AND number = ?",
        MqttPacket::Released(_) => "DELETE FROM mqtt_packet WHERE slot = ? AND kind = ? AND number <= ?",
    };
    database.run(statement, &packet_key(slot, packet))
}

/// The columns of `mqtt_packet`.
fn packet_key(slot: Slot, packet: MqttPacket) -> [Value<'static>; 3] {
    let (kind, number) = match packet {
        MqttPacket::Received(id) => (0_u8, u64::from(id)),
        MqttPacket::Released(number) => (1, number),
    };
    [integer(slot.0), integer(kind), integer(number)]
}
