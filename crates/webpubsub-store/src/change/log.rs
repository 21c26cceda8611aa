//! The log of messages, and how far other shards have come with it.

use webpubsub_protocol::time::Timestamp;
use webpubsub_shard::{ShardId, ShardMap};

use super::{split, time};
use crate::database::{Database, Value, integer};

pub(super) fn add<D: Database>(
    database: &D,
    row: u64,
    message: &str,
    expires: Option<Timestamp>,
    relayed: bool,
    recipients: &[u8],
) -> Result<(), D::Error> {
    let (first, rest) = split(message);
    database.run(
        "INSERT INTO log VALUES (?, ?, ?, ?, ?)",
        &[integer(row), Value::Blob(recipients), time(expires), integer(relayed), Value::Text(first)],
    )?;
    add_rest(database, row, rest)
}

/// Writes what of a message does not fit into its row of the log, in as many values as it takes.
fn add_rest<D: Database>(database: &D, row: u64, mut rest: &str) -> Result<(), D::Error> {
    while !rest.is_empty() {
        let (next, after) = split(rest);
        database.run("INSERT INTO log_rest VALUES (?, ?)", &[integer(row), Value::Text(next)])?;
        rest = after;
    }
    Ok(())
}

/// Deletes the rows from the first to the last.
pub(super) fn delete<D: Database>(database: &D, first: u64, last: u64) -> Result<(), D::Error> {
    let range = [integer(first), integer(last)];
    database.run("DELETE FROM log_rest WHERE row BETWEEN ? AND ?", &range)?;
    database.run("DELETE FROM log WHERE row BETWEEN ? AND ?", &range)
}

pub(super) fn put_map<D: Database>(database: &D, map: &ShardMap) -> Result<(), D::Error> {
    database.run("INSERT OR REPLACE INTO shard_map VALUES (0, ?)", &[Value::Text(&map.encode())])
}

/// Writes which row another shard has taken last.
pub(super) fn note_taken_by<D: Database>(database: &D, shard: ShardId, row: u64) -> Result<(), D::Error> {
    database.run("INSERT OR REPLACE INTO taken_by VALUES (?, ?)", &[integer(shard.0), integer(row)])
}

/// Writes which row of another shard was taken last.
pub(super) fn note_taken<D: Database>(database: &D, from: ShardId, row: u64) -> Result<(), D::Error> {
    database.run("INSERT OR REPLACE INTO taken VALUES (?, ?)", &[integer(from.0), integer(row)])
}
