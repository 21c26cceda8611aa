//! Changes as statements.

use webpubsub_protocol::client::endpoint::SimpleMode;
use webpubsub_protocol::client::{Echo, GroupStateItem};
use webpubsub_protocol::json::Writer;
use webpubsub_protocol::name::UserId;
use webpubsub_protocol::time::Timestamp;
use webpubsub_shard::{Change, ConnectionRecord, MqttPacket, Slot};

use crate::database::{Database, Value, integer};

/// How many bytes of a message are kept in one value.
///
/// A Durable Object's SQLite takes 2 MB, and ends the object with a longer one (`SQLITE_TOOBIG`).
const MAX_VALUE_BYTES: usize = 1 << 20;

/// Writes one change: a statement for most, several for what stands in several tables or values.
pub(crate) fn write<D: Database>(database: &D, change: &Change) -> Result<(), D::Error> {
    match change {
        Change::PutConnection(record) => put_connection(database, record),
        Change::RemoveConnection(slot) => {
            let slot = [integer(slot.0)];
            database.run("DELETE FROM connection WHERE slot = ?", &slot)?;
            database.run("DELETE FROM membership WHERE slot = ?", &slot)?;
            database.run("DELETE FROM permission WHERE slot = ?", &slot)?;
            database.run("DELETE FROM ack_part WHERE slot = ?", &slot)
        }
        Change::Join(slot, group) => database
            .run("INSERT OR IGNORE INTO membership VALUES (?, ?)", &[integer(slot.0), group.as_str().into()]),
        Change::Leave(slot, group) => database.run(
            "DELETE FROM membership WHERE slot = ? AND group_name = ?",
            &[integer(slot.0), group.as_str().into()],
        ),
        Change::State(group, GroupStateItem { connection_id, user_id, state: Some(state), updated_at }) => {
            database.run(
                "INSERT OR REPLACE INTO group_state VALUES (?, ?, ?, ?, ?)",
                &[
                    connection_id.as_str().into(),
                    group.as_str().into(),
                    user_id.as_ref().map(UserId::as_str).into(),
                    Value::Text(state.as_json()),
                    integer(updated_at.as_millis()),
                ],
            )
        }
        Change::State(group, GroupStateItem { connection_id, state: None, .. }) => database.run(
            "DELETE FROM group_state WHERE connection = ? AND group_name = ?",
            &[connection_id.as_str().into(), group.as_str().into()],
        ),
        Change::UseStates(cleared) => {
            database.run("DELETE FROM uses_states", &[])?;
            database.run("INSERT INTO uses_states VALUES (?)", &[integer(cleared.as_millis())])
        }
        Change::Subscribe(slot, group) => database.run(
            "INSERT OR IGNORE INTO state_subscription VALUES (?, ?)",
            &[integer(slot.0), group.as_str().into()],
        ),
        Change::Unsubscribe(slot, group) => database.run(
            "DELETE FROM state_subscription WHERE slot = ? AND group_name = ?",
            &[integer(slot.0), group.as_str().into()],
        ),
        Change::Permit { slot, kind, group, literal } => database.run(
            "INSERT OR REPLACE INTO permission VALUES (?, ?, ?, ?)",
            &[
                integer(slot.0),
                kind.as_str().into(),
                group.as_str().into(),
                literal.map(|verdict| verdict.as_str()).into(),
            ],
        ),
        Change::UseAcks { slot, part, acks } => {
            if *part == 0 {
                database.run("DELETE FROM ack_part WHERE slot = ?", &[integer(slot.0)])?;
            }
            let values = [integer(slot.0), integer(*part), Value::Blob(acks)];
            database.run("INSERT INTO ack_part VALUES (?, ?, ?)", &values)
        }
        Change::PutStream { slot, number, stream } => database.run(
            "INSERT OR REPLACE INTO stream VALUES (?, ?, ?)",
            &[integer(slot.0), integer(*number), Value::Text(stream)],
        ),
        Change::RemoveStream { slot, number } => database
            .run("DELETE FROM stream WHERE slot = ? AND number = ?", &[integer(slot.0), integer(*number)]),
        Change::PutMqtt { slot, session } => database.run(
            "INSERT OR REPLACE INTO mqtt_session VALUES (?, ?)",
            &[integer(slot.0), Value::Text(session)],
        ),
        Change::RemoveMqtt(slot) => {
            let slot = [integer(slot.0)];
            database.run("DELETE FROM mqtt_session WHERE slot = ?", &slot)?;
            database.run("DELETE FROM mqtt_subscription WHERE slot = ?", &slot)?;
            database.run("DELETE FROM mqtt_packet WHERE slot = ?", &slot)
        }
        Change::MqttSubscribe { slot, topic, options } => database.run(
            "INSERT OR REPLACE INTO mqtt_subscription VALUES (?, ?, ?)",
            &[integer(slot.0), topic.as_str().into(), integer(*options)],
        ),
        Change::MqttUnsubscribe { slot, topic } => database.run(
            "DELETE FROM mqtt_subscription WHERE slot = ? AND topic = ?",
            &[integer(slot.0), topic.as_str().into()],
        ),
        Change::AddMqttPacket(slot, packet) => {
            database.run("INSERT OR IGNORE INTO mqtt_packet VALUES (?, ?, ?)", &packet_key(*slot, *packet))
        }
        Change::RemoveMqttPacket(slot, packet) => {
            let statement = match packet {
                MqttPacket::Received(_) => {
                    "DELETE FROM mqtt_packet WHERE slot = ? AND kind = ? AND number = ?"
                }
                MqttPacket::Released(_) => {
                    "DELETE FROM mqtt_packet WHERE slot = ? AND kind = ? AND number <= ?"
                }
            };
            database.run(statement, &packet_key(*slot, *packet))
        }
        Change::Detach { slot, until } => database
            .run("UPDATE connection SET detached_until = ? WHERE slot = ?", &[time(*until), integer(slot.0)]),
        Change::Log { row, message, expires, relayed, recipients } => {
            let (first, rest) = split(message);
            database.run(
                "INSERT INTO log VALUES (?, ?, ?, ?, ?)",
                &[
                    integer(*row),
                    Value::Blob(recipients),
                    time(*expires),
                    integer(*relayed),
                    Value::Text(first),
                ],
            )?;
            write_rest(database, *row, rest)
        }
        Change::Map(map) => {
            database.run("INSERT OR REPLACE INTO shard_map VALUES (0, ?)", &[Value::Text(&map.encode())])
        }
        Change::TakenBy { shard, row } => {
            database.run("INSERT OR REPLACE INTO taken_by VALUES (?, ?)", &[integer(shard.0), integer(*row)])
        }
        Change::Take { from, row } => {
            database.run("INSERT OR REPLACE INTO taken VALUES (?, ?)", &[integer(from.0), integer(*row)])
        }
        Change::Acknowledge { slot, cursor } => database.run(
            "UPDATE connection SET acknowledged_row = ?, acknowledged = ? WHERE slot = ?",
            &[integer(cursor.row), integer(cursor.sequence_id.0), integer(slot.0)],
        ),
        Change::EventContext { slot, events, state, cookies } => database.run(
            "UPDATE connection SET events = ?, state = ?, cookies = ? WHERE slot = ?",
            &[integer(*events), state.as_deref().into(), Value::Text(cookies), integer(slot.0)],
        ),
        Change::AddEvent { row, event } => {
            database.run("INSERT INTO outbox VALUES (?, ?)", &[integer(*row), Value::Text(event)])
        }
        Change::RemoveEvent { row } => database.run("DELETE FROM outbox WHERE row = ?", &[integer(*row)]),
        Change::Settings(None) => database.run("DELETE FROM settings", &[]),
        Change::Settings(Some(settings)) => {
            database.run("INSERT OR REPLACE INTO settings VALUES (0, ?)", &[Value::Text(&settings.encode())])
        }
        Change::DeleteRows { first, last } => {
            let range = [integer(*first), integer(*last)];
            database.run("DELETE FROM log_rest WHERE row BETWEEN ? AND ?", &range)?;
            database.run("DELETE FROM log WHERE row BETWEEN ? AND ?", &range)
        }
    }
}

fn put_connection<D: Database>(database: &D, record: &ConnectionRecord) -> Result<(), D::Error> {
    let (send_to, no_echo) = match &record.mode {
        SimpleMode::SendEvent => (None, false),
        SimpleMode::SendToGroup { group, echo } => (Some(group.as_str()), *echo == Echo::Skip),
    };
    database.run(
        "INSERT OR REPLACE INTO connection VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        &[
            integer(record.slot.0),
            record.id.as_str().into(),
            record.user.as_ref().map(UserId::as_str).into(),
            Value::Text(&Writer::texts(&record.roles)),
            record.subprotocol.name().into(),
            send_to.into(),
            integer(no_echo),
            integer(record.acknowledged.row),
            integer(record.acknowledged.sequence_id.0),
            time(record.detached_until),
            record.context.origin.as_str().into(),
            record.context.custom_subprotocol.as_deref().into(),
            record.context.state.as_deref().into(),
            record.context.cookies.as_str().into(),
            integer(record.context.events),
        ],
    )
}

/// The columns of `mqtt_packet`.
fn packet_key(slot: Slot, packet: MqttPacket) -> [Value<'static>; 3] {
    let (kind, number) = match packet {
        MqttPacket::Received(id) => (0_u8, u64::from(id)),
        MqttPacket::Released(number) => (1, number),
    };
    [integer(slot.0), integer(kind), integer(number)]
}

/// Writes what of a message does not fit into its row of the log, in as many values as it takes.
fn write_rest<D: Database>(database: &D, row: u64, mut rest: &str) -> Result<(), D::Error> {
    while !rest.is_empty() {
        let (next, after) = split(rest);
        database.run("INSERT INTO log_rest VALUES (?, ?)", &[integer(row), Value::Text(next)])?;
        rest = after;
    }
    Ok(())
}

/// Splits a message into the front that fits into one value, and what is left.
fn split(message: &str) -> (&str, &str) {
    message.split_at_checked(message.floor_char_boundary(MAX_VALUE_BYTES)).unwrap_or((message, ""))
}

/// Returns whether there may be more of a message than what its row of the log has, which is split before a
/// character of up to four bytes.
pub(crate) const fn may_have_rest(first: &str) -> bool {
    first.len() + 4 > MAX_VALUE_BYTES
}

/// A moment in milliseconds since the Unix epoch, or `NULL`.
fn time(moment: Option<Timestamp>) -> Value<'static> {
    moment.map_or(Value::Null, |moment| integer(moment.as_millis()))
}
