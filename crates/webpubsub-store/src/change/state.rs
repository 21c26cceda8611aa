//! States in groups, those who subscribe to them, and streams.

use webpubsub_protocol::client::GroupStateItem;
use webpubsub_protocol::name::{GroupName, UserId};
use webpubsub_protocol::time::Timestamp;
use webpubsub_shard::Slot;

use crate::database::{Database, Value, integer};

/// Writes a state in a group, or that it is cleared.
pub(super) fn put<D: Database>(
    database: &D,
    group: &GroupName,
    item: &GroupStateItem,
) -> Result<(), D::Error> {
    let GroupStateItem { connection_id, user_id, state, updated_at } = item;
    let Some(state) = state else {
        let values = [connection_id.as_str().into(), group.as_str().into()];
        return database.run("DELETE FROM group_state WHERE connection = ? AND group_name = ?", &values);
    };
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

/// Writes that the shard has had states, and since when they count.
pub(super) fn note_use<D: Database>(database: &D, cleared: Timestamp) -> Result<(), D::Error> {
    database.run("DELETE FROM uses_states", &[])?;
    database.run("INSERT INTO uses_states VALUES (?)", &[integer(cleared.as_millis())])
}

pub(super) fn subscribe<D: Database>(database: &D, slot: Slot, group: &GroupName) -> Result<(), D::Error> {
    let values = [integer(slot.0), group.as_str().into()];
    database.run("INSERT OR IGNORE INTO state_subscription VALUES (?, ?)", &values)
}

pub(super) fn unsubscribe<D: Database>(database: &D, slot: Slot, group: &GroupName) -> Result<(), D::Error> {
    let values = [integer(slot.0), group.as_str().into()];
    database.run("DELETE FROM state_subscription WHERE slot = ? AND group_name = ?", &values)
}

pub(super) fn put_stream<D: Database>(
    database: &D,
    slot: Slot,
    number: u16,
    stream: &str,
) -> Result<(), D::Error> {
    let values = [integer(slot.0), integer(number), Value::Text(stream)];
    database.run("INSERT OR REPLACE INTO stream VALUES (?, ?, ?)", &values)
}

pub(super) fn remove_stream<D: Database>(database: &D, slot: Slot, number: u16) -> Result<(), D::Error> {
    database.run("DELETE FROM stream WHERE slot = ? AND number = ?", &[integer(slot.0), integer(number)])
}
