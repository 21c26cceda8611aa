//! A shard's tables: [`Change`]s in, a [`Snapshot`] out.

use webpubsub_hub::{Change, ConnectionRecord, Slot, Snapshot, Verdict};
use webpubsub_protocol::client::endpoint::SimpleMode;
use webpubsub_protocol::client::{Echo, Subprotocol};
use webpubsub_protocol::json::{Json, Writer};
use webpubsub_protocol::name::{ConnectionId, GroupName, UserId};
use webpubsub_protocol::role::PermissionType;
use worker::{Result, SqlStorage, SqlStorageValue};

use crate::log;

/// The layout of the tables below. A higher number in the database means that a later version
/// wrote it.
const SCHEMA_VERSION: u64 = 1;

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
CREATE TABLE IF NOT EXISTS permission (
  slot INTEGER NOT NULL,
  kind TEXT NOT NULL,
  group_name TEXT NOT NULL,
  verdict TEXT,
  PRIMARY KEY (slot, kind, group_name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS log (row INTEGER PRIMARY KEY, recipients BLOB NOT NULL);
";

/// The tables of one shard.
pub(crate) struct Storage {
    sql: SqlStorage,
}

impl Storage {
    /// Opens the tables, making them where there are none.
    pub(crate) fn open(sql: SqlStorage) -> Result<Self> {
        sql.exec(SCHEMA, None)?;
        let storage = Self { sql };
        let version = storage.rows("SELECT version FROM schema_version", |row| number(row.first()?))?.pop();
        match version {
            None => {
                let version = vec![integer(SCHEMA_VERSION)];
                storage.run("INSERT INTO schema_version VALUES (?)", version)?;
            }
            Some(version) if version > SCHEMA_VERSION => {
                return Err(worker::Error::RustError(format!(
                    "the shard's tables are of version {version}, this service knows {SCHEMA_VERSION}"
                )));
            }
            Some(_) => {}
        }
        Ok(storage)
    }

    /// Everything that is stored. Rows that make no sense are left out, and said so in the log.
    pub(crate) fn load(&self) -> Result<Snapshot> {
        Ok(Snapshot {
            connections: self.rows("SELECT * FROM connection ORDER BY slot", connection)?,
            memberships: self.rows("SELECT slot, group_name FROM membership", membership)?,
            permissions: self.rows("SELECT slot, kind, group_name, verdict FROM permission", permission)?,
            log: self.rows("SELECT row, recipients FROM log ORDER BY row", log_row)?,
        })
    }

    fn rows<T>(&self, statement: &str, read: impl Fn(&[SqlStorageValue]) -> Option<T>) -> Result<Vec<T>> {
        let mut rows = Vec::new();
        for row in self.sql.exec(statement, None)?.raw() {
            let row = read(&row?);
            if row.is_none() {
                log::failure("reading the shard's tables", &format!("a row makes no sense: {statement}"));
            }
            rows.extend(row);
        }
        Ok(rows)
    }

    /// Writes one change.
    pub(crate) fn store(&self, change: Change) -> Result<()> {
        match change {
            Change::PutConnection(record) => self.put_connection(&record),
            Change::RemoveConnection(slot) => {
                self.run("DELETE FROM connection WHERE slot = ?", vec![integer(slot.0)])?;
                self.run("DELETE FROM membership WHERE slot = ?", vec![integer(slot.0)])?;
                self.run("DELETE FROM permission WHERE slot = ?", vec![integer(slot.0)])
            }
            Change::Join(slot, group) => self.run(
                "INSERT OR IGNORE INTO membership VALUES (?, ?)",
                vec![integer(slot.0), group.as_str().into()],
            ),
            Change::Leave(slot, group) => self.run(
                "DELETE FROM membership WHERE slot = ? AND group_name = ?",
                vec![integer(slot.0), group.as_str().into()],
            ),
            Change::Permit { slot, kind, group, literal } => self.run(
                "INSERT OR REPLACE INTO permission VALUES (?, ?, ?, ?)",
                vec![
                    integer(slot.0),
                    kind.as_str().into(),
                    group.as_str().into(),
                    literal.map(|verdict| verdict.as_str()).into(),
                ],
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
                Writer::texts(&record.roles).into(),
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

fn connection(row: &[SqlStorageValue]) -> Option<ConnectionRecord> {
    let [slot, id, user, roles, subprotocol, send_to, no_echo, log_row, received] = row else { return None };
    let mode = match text(send_to) {
        None => SimpleMode::SendEvent,
        Some(group) => SimpleMode::SendToGroup {
            group: GroupName::parse(group).ok()?,
            echo: if number(no_echo)? == 0 { Echo::Send } else { Echo::Skip },
        },
    };
    Some(ConnectionRecord {
        slot: slot_of(slot)?,
        id: ConnectionId::parse(text(id)?).ok()?,
        user: text(user).map(UserId::parse).transpose().ok()?,
        roles: Json::parse(text(roles)?)?.texts()?,
        subprotocol: Subprotocol::negotiate(text(subprotocol)).subprotocol,
        mode,
        row: number(log_row)?,
        received: number(received)?,
    })
}

fn membership(row: &[SqlStorageValue]) -> Option<(Slot, GroupName)> {
    let [slot, group] = row else { return None };
    Some((slot_of(slot)?, GroupName::parse(text(group)?).ok()?))
}

fn permission(row: &[SqlStorageValue]) -> Option<(Slot, PermissionType, GroupName, Option<Verdict>)> {
    let [slot, kind, group, verdict] = row else { return None };
    let verdict = match text(verdict) {
        None => None,
        Some(name) => Some(Verdict::from_name(name)?),
    };
    let kind = PermissionType::from_name(text(kind)?)?;
    Some((slot_of(slot)?, kind, GroupName::parse(text(group)?).ok()?, verdict))
}

fn log_row(row: &[SqlStorageValue]) -> Option<(u64, Vec<u8>)> {
    let [row, SqlStorageValue::Blob(recipients)] = row else { return None };
    Some((number(row)?, recipients.clone()))
}

fn slot_of(value: &SqlStorageValue) -> Option<Slot> {
    number(value).and_then(|slot| u32::try_from(slot).ok()).map(Slot)
}

fn text(value: &SqlStorageValue) -> Option<&str> {
    if let SqlStorageValue::String(text) = value { Some(text) } else { None }
}

/// SQL's integers travel as JavaScript numbers: exact below 2^53, which a count of messages never
/// reaches.
fn number(value: &SqlStorageValue) -> Option<u64> {
    match value {
        SqlStorageValue::Integer(number) => u64::try_from(*number).ok(),
        SqlStorageValue::Float(number) if *number >= 0.0 => Some(*number as u64),
        SqlStorageValue::Float(_)
        | SqlStorageValue::Null
        | SqlStorageValue::Boolean(_)
        | SqlStorageValue::String(_)
        | SqlStorageValue::Blob(_) => None,
    }
}

/// The way back of [`number`].
fn integer(value: impl Into<u64>) -> SqlStorageValue {
    SqlStorageValue::Integer(i64::try_from(value.into()).unwrap_or(i64::MAX))
}
