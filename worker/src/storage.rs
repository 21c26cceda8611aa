//! A shard's tables: [`Change`]s in, a [`Snapshot`] out.

use serde::Deserialize;
use webpubsub_hub::{Change, ConnectionRecord, Slot, Snapshot};
use webpubsub_protocol::client::endpoint::SimpleMode;
use webpubsub_protocol::client::{Echo, Subprotocol};
use webpubsub_protocol::name::{ConnectionId, GroupName, UserId};
use worker::{Result, SqlStorage, SqlStorageValue};

use crate::log;

/// The layout of the tables below. A higher number in the database means that a later version
/// wrote it.
const SCHEMA_VERSION: i32 = 1;

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS connection (
  slot INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  user_id TEXT,
  roles TEXT NOT NULL,
  subprotocol TEXT,
  send_to TEXT,
  no_echo INTEGER NOT NULL,
  log_row INTEGER NOT NULL,
  received INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS membership (
  slot INTEGER NOT NULL,
  group_name TEXT NOT NULL,
  PRIMARY KEY (slot, group_name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS log (row INTEGER PRIMARY KEY, recipients BLOB NOT NULL);
";

/// The tables of one shard.
pub(crate) struct Storage {
    sql: SqlStorage,
}

#[derive(Deserialize)]
struct ConnectionRow {
    slot: u32,
    id: String,
    user_id: Option<String>,
    roles: String,
    subprotocol: Option<String>,
    send_to: Option<String>,
    no_echo: u8,
    log_row: u64,
    received: u64,
}

#[derive(Deserialize)]
struct MembershipRow {
    slot: u32,
    group_name: String,
}

impl Storage {
    /// Opens the tables, making them where there are none.
    pub(crate) fn open(sql: SqlStorage) -> Result<Self> {
        #[derive(Deserialize)]
        struct VersionRow {
            version: i32,
        }
        sql.exec(SCHEMA, None)?;
        let versions = sql.exec("SELECT version FROM schema_version", None)?.to_array::<VersionRow>()?;
        match versions.first() {
            None => {
                let version = vec![SqlStorageValue::from(SCHEMA_VERSION)];
                sql.exec("INSERT INTO schema_version VALUES (?)", version)?;
            }
            Some(VersionRow { version }) if *version > SCHEMA_VERSION => {
                return Err(worker::Error::RustError(format!(
                    "the shard's tables are of version {version}, this service knows {SCHEMA_VERSION}"
                )));
            }
            Some(_) => {}
        }
        Ok(Self { sql })
    }

    /// Everything that is stored. Rows that make no sense are left out, and said so in the log.
    pub(crate) fn load(&self) -> Result<Snapshot> {
        let rows =
            self.sql.exec("SELECT * FROM connection ORDER BY slot", None)?.to_array::<ConnectionRow>()?;
        let connections = rows.into_iter().filter_map(|row| sensible("connection", row.record())).collect();
        let rows =
            self.sql.exec("SELECT slot, group_name FROM membership", None)?.to_array::<MembershipRow>()?;
        let memberships = rows
            .into_iter()
            .filter_map(|row| {
                Some((Slot(row.slot), sensible("membership", GroupName::parse(row.group_name).ok())?))
            })
            .collect();
        let mut log = Vec::new();
        for row in self.sql.exec("SELECT row, recipients FROM log ORDER BY row", None)?.raw() {
            if let [SqlStorageValue::Integer(row), SqlStorageValue::Blob(recipients)] = &row?[..] {
                log.extend(u64::try_from(*row).ok().map(|row| (row, recipients.clone())));
            }
        }
        Ok(Snapshot { connections, memberships, log })
    }

    /// Writes one change.
    pub(crate) fn store(&self, change: Change) -> Result<()> {
        match change {
            Change::PutConnection(record) => self.put_connection(&record),
            Change::RemoveConnection(slot) => {
                self.run("DELETE FROM connection WHERE slot = ?", vec![integer(slot.0)])?;
                self.run("DELETE FROM membership WHERE slot = ?", vec![integer(slot.0)])
            }
            Change::Join(slot, group) => self.run(
                "INSERT OR IGNORE INTO membership VALUES (?, ?)",
                vec![integer(slot.0), group.as_str().into()],
            ),
            Change::Leave(slot, group) => self.run(
                "DELETE FROM membership WHERE slot = ? AND group_name = ?",
                vec![integer(slot.0), group.as_str().into()],
            ),
            Change::Log { row, recipients } => {
                self.run("INSERT INTO log VALUES (?, ?)", vec![integer(row), recipients.into()])
            }
            Change::Rebase { slot, row, received } => self.run(
                "UPDATE connection SET log_row = ?, received = ? WHERE slot = ?",
                vec![integer(row), integer(received), integer(slot.0)],
            ),
            Change::TrimLog(row) => self.run("DELETE FROM log WHERE row <= ?", vec![integer(row)]),
        }
    }

    fn put_connection(&self, record: &ConnectionRecord) -> Result<()> {
        let (send_to, no_echo) = match &record.mode {
            SimpleMode::SendEvent => (None, false),
            SimpleMode::SendToGroup { group, echo } => (Some(group.as_str()), *echo == Echo::Skip),
        };
        self.run(
            "INSERT OR REPLACE INTO connection VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            vec![
                integer(record.slot.0),
                record.id.as_str().into(),
                record.user.as_ref().map(UserId::as_str).into(),
                serde_json::to_string(&record.roles)?.into(),
                record.subprotocol.name().into(),
                send_to.into(),
                integer(u32::from(no_echo)),
                integer(record.row),
                integer(record.received),
            ],
        )
    }

    fn run(&self, statement: &str, values: Vec<SqlStorageValue>) -> Result<()> {
        self.sql.exec(statement, values).map(drop)
    }
}

impl ConnectionRow {
    fn record(self) -> Option<ConnectionRecord> {
        let mode = match self.send_to {
            None => SimpleMode::SendEvent,
            Some(group) => SimpleMode::SendToGroup {
                group: GroupName::parse(group).ok()?,
                echo: if self.no_echo == 0 { Echo::Send } else { Echo::Skip },
            },
        };
        Some(ConnectionRecord {
            slot: Slot(self.slot),
            id: ConnectionId::parse(self.id).ok()?,
            user: self.user_id.map(UserId::parse).transpose().ok()?,
            roles: serde_json::from_str(&self.roles).ok()?,
            subprotocol: Subprotocol::negotiate(self.subprotocol.as_deref()).subprotocol,
            mode,
            row: self.log_row,
            received: self.received,
        })
    }
}

/// SQL's integers travel as JavaScript numbers: exact below 2^53, which a count of messages never
/// reaches.
fn integer(value: impl Into<u64>) -> SqlStorageValue {
    SqlStorageValue::Integer(i64::try_from(value.into()).unwrap_or(i64::MAX))
}

fn sensible<T>(table: &str, row: Option<T>) -> Option<T> {
    if row.is_none() {
        log::failure("reading the shard's tables", &format!("a row of {table} makes no sense"));
    }
    row
}
