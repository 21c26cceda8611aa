//! Durable events, and the hub's settings of its event handlers.

use webpubsub_shard::HubSettings;

use crate::database::{Database, Value, integer};

pub(super) fn add<D: Database>(database: &D, row: u64, event: &str) -> Result<(), D::Error> {
    database.run("INSERT INTO outbox VALUES (?, ?)", &[integer(row), Value::Text(event)])
}

pub(super) fn remove<D: Database>(database: &D, row: u64) -> Result<(), D::Error> {
    database.run("DELETE FROM outbox WHERE row = ?", &[integer(row)])
}

/// Writes the settings, or that the hub has none of its own.
pub(super) fn put_settings<D: Database>(
    database: &D,
    settings: Option<&HubSettings>,
) -> Result<(), D::Error> {
    match settings {
        None => database.run("DELETE FROM settings", &[]),
        Some(settings) => {
            database.run("INSERT OR REPLACE INTO settings VALUES (0, ?)", &[Value::Text(&settings.encode())])
        }
    }
}
