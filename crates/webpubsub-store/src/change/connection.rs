//! Connections, what they are members of, and what they may do.

use webpubsub_protocol::client::Echo;
use webpubsub_protocol::client::endpoint::SimpleMode;
use webpubsub_protocol::json::Writer;
use webpubsub_protocol::name::{GroupName, UserId};
use webpubsub_protocol::role::PermissionType;
use webpubsub_protocol::time::Timestamp;
use webpubsub_shard::{ConnectionRecord, Cursor, Slot, Verdict};

use super::time;
use crate::database::{Database, Value, integer};

pub(super) fn put<D: Database>(database: &D, record: &ConnectionRecord) -> Result<(), D::Error> {
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

/// Removes a connection with what stands in other tables of it.
pub(super) fn remove<D: Database>(database: &D, slot: Slot) -> Result<(), D::Error> {
    let slot = [integer(slot.0)];
    database.run("DELETE FROM connection WHERE slot = ?", &slot)?;
    database.run("DELETE FROM membership WHERE slot = ?", &slot)?;
    database.run("DELETE FROM permission WHERE slot = ?", &slot)?;
    database.run("DELETE FROM ack_part WHERE slot = ?", &slot)
}

pub(super) fn join<D: Database>(database: &D, slot: Slot, group: &GroupName) -> Result<(), D::Error> {
    let values = [integer(slot.0), group.as_str().into()];
    database.run("INSERT OR IGNORE INTO membership VALUES (?, ?)", &values)
}

pub(super) fn leave<D: Database>(database: &D, slot: Slot, group: &GroupName) -> Result<(), D::Error> {
    let values = [integer(slot.0), group.as_str().into()];
    database.run("DELETE FROM membership WHERE slot = ? AND group_name = ?", &values)
}

pub(super) fn permit<D: Database>(
    database: &D,
    slot: Slot,
    kind: PermissionType,
    group: &GroupName,
    literal: Option<Verdict>,
) -> Result<(), D::Error> {
    database.run(
        "INSERT OR REPLACE INTO permission VALUES (?, ?, ?, ?)",
        &[
            integer(slot.0),
            kind.as_str().into(),
            group.as_str().into(),
            literal.map(|verdict| verdict.as_str()).into(),
        ],
    )
}

/// Writes a part of the ack ids in use. The first takes the place of all.
pub(super) fn use_acks<D: Database>(
    database: &D,
    slot: Slot,
    part: u32,
    acks: &[u8],
) -> Result<(), D::Error> {
    if part == 0 {
        database.run("DELETE FROM ack_part WHERE slot = ?", &[integer(slot.0)])?;
    }
    let values = [integer(slot.0), integer(part), Value::Blob(acks)];
    database.run("INSERT INTO ack_part VALUES (?, ?, ?)", &values)
}

pub(super) fn acknowledge<D: Database>(database: &D, slot: Slot, cursor: Cursor) -> Result<(), D::Error> {
    database.run(
        "UPDATE connection SET acknowledged_row = ?, acknowledged = ? WHERE slot = ?",
        &[integer(cursor.row), integer(cursor.sequence_id.0), integer(slot.0)],
    )
}

pub(super) fn detach<D: Database>(
    database: &D,
    slot: Slot,
    until: Option<Timestamp>,
) -> Result<(), D::Error> {
    let values = [time(until), integer(slot.0)];
    database.run("UPDATE connection SET detached_until = ? WHERE slot = ?", &values)
}

/// Writes what later events of a connection are sent with.
pub(super) fn put_context<D: Database>(
    database: &D,
    slot: Slot,
    events: u64,
    state: Option<&str>,
    cookies: &str,
) -> Result<(), D::Error> {
    database.run(
        "UPDATE connection SET events = ?, state = ?, cookies = ? WHERE slot = ?",
        &[integer(events), state.into(), Value::Text(cookies), integer(slot.0)],
    )
}
