//! Tables on disk; of a shard, [`Change`]s in and a [`Snapshot`] out.

use js_sys::Uint8Array;
use wasm_bindgen::JsValue;
use webpubsub_protocol::client::endpoint::SimpleMode;
use webpubsub_protocol::client::{Echo, Subprotocol};
use webpubsub_protocol::id::SequenceId;
use webpubsub_protocol::json::{Json, Writer};
use webpubsub_protocol::name::{ConnectionId, GroupName, UserId};
use webpubsub_protocol::role::PermissionType;
use webpubsub_protocol::time::Timestamp;
use webpubsub_shard::{
    Change, ConnectionRecord, Cursor, EventContext, HubSettings, LogRow, ShardId, ShardMap, Slot, Snapshot,
    StoredMessage, Verdict,
};
use worker::SqlStorageValue;

use crate::log;
use crate::platform::{Error, Result, State, object_name, run_sql};

/// The layout of the tables below. A higher number in the database means that a later version
/// wrote it.
const SCHEMA_VERSION: u64 = 4;

const SCHEMA: &str = "
CREATE TABLE connection (
  slot INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  user_id TEXT,
  roles TEXT NOT NULL,
  subprotocol TEXT,
  send_to TEXT,
  no_echo INTEGER NOT NULL,
  acknowledged_row INTEGER NOT NULL,
  acknowledged INTEGER NOT NULL,
  detached_until INTEGER,
  origin TEXT NOT NULL,
  custom_subprotocol TEXT,
  state TEXT,
  cookies TEXT NOT NULL,
  events INTEGER NOT NULL
);
CREATE TABLE membership (
  slot INTEGER NOT NULL,
  group_name TEXT NOT NULL,
  PRIMARY KEY (slot, group_name)
) WITHOUT ROWID;
CREATE TABLE permission (
  slot INTEGER NOT NULL,
  kind TEXT NOT NULL,
  group_name TEXT NOT NULL,
  verdict TEXT,
  PRIMARY KEY (slot, kind, group_name)
) WITHOUT ROWID;
CREATE TABLE log (
  row INTEGER PRIMARY KEY,
  recipients BLOB NOT NULL,
  expires INTEGER,
  relayed INTEGER NOT NULL,
  message TEXT NOT NULL
);
CREATE TABLE shard_map (id INTEGER PRIMARY KEY, map TEXT NOT NULL);
CREATE TABLE taken_by (shard INTEGER PRIMARY KEY, row INTEGER NOT NULL);
CREATE TABLE taken (shard INTEGER PRIMARY KEY, row INTEGER NOT NULL);
";

/// What is beside these since version 3.
const EVENTS_SCHEMA: &str = "
CREATE TABLE outbox (row INTEGER PRIMARY KEY, notice TEXT NOT NULL);
CREATE TABLE settings (id INTEGER PRIMARY KEY, settings TEXT NOT NULL);
";

/// What is beside these since version 4: what is left of messages that are too long for one value, in
/// order, and ack ids in parts,
const PARTS_SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS log_rest (row INTEGER NOT NULL, message TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS ack_part (
  slot INTEGER NOT NULL,
  part INTEGER NOT NULL,
  ids BLOB NOT NULL,
  PRIMARY KEY (slot, part)
) WITHOUT ROWID;
";

/// and what is made of the table in whose place the latter is.
const FROM_VERSION_3: &str = "
INSERT INTO ack_part SELECT slot, 0, ids FROM ack;
DROP TABLE ack;
";

/// How much of a message is kept in one value. The platform takes 2 MB.
const MAX_VALUE_BYTES: usize = 1 << 20;

/// Makes version 3 of version 2. The hub's directory is to be asked for the settings.
const FROM_VERSION_2: &str = "
ALTER TABLE connection ADD COLUMN origin TEXT NOT NULL DEFAULT '';
ALTER TABLE connection ADD COLUMN custom_subprotocol TEXT;
ALTER TABLE connection ADD COLUMN state TEXT;
ALTER TABLE connection ADD COLUMN cookies TEXT NOT NULL DEFAULT '';
ALTER TABLE connection ADD COLUMN events INTEGER NOT NULL DEFAULT 1;
UPDATE object SET registered = 0;
";

/// What every object has, whatever its version.
const ANY_SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS object (name TEXT NOT NULL, registered INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS delivery (number INTEGER PRIMARY KEY, delivery TEXT NOT NULL);
";

/// The tables of a Durable Object.
pub(crate) struct Tables {
    state: State,
    /// The object's name. The platform does not tell it to an object that an alarm woke.
    pub(crate) name: String,
}

impl Tables {
    /// Whether anything was ever stored.
    pub(crate) fn exist(state: &State) -> Result<bool> {
        let query = "SELECT 1 FROM sqlite_master WHERE name = 'schema_version'";
        Ok(!run_sql(state, query, vec![])?.is_empty())
    }

    /// Opens the tables. Returns the version of their layout as well, `None` where there are none.
    pub(crate) fn open(state: &State, version: u64) -> Result<(Self, Option<u64>)> {
        let mut tables = Self { state: state.clone(), name: String::new() };
        tables.run(ANY_SCHEMA, &[])?;
        match (object_name(state), tables.texts("SELECT name FROM object", &[])?.pop()) {
            (_, Some(name)) => tables.name = name,
            (Some(name), None) => {
                tables.run("INSERT INTO object VALUES (?, 0)", &[name.as_str().into()])?;
                tables.name = name;
            }
            (None, None) => return Err(Error::new("the object has no name")),
        }
        let known = tables.find("SELECT version FROM schema_version", &[])?;
        let known = known.and_then(|row| number(row.first()?));
        match known {
            Some(known) if known > version => {
                return Err(Error::new(format_args!(
                    "the tables are of version {known}, this service knows {version}"
                )));
            }
            // An object that wakes and finds all as it was writes nothing.
            Some(known) if known == version => {}
            Some(_) => tables.run("UPDATE schema_version SET version = ?", &[integer(version)])?,
            None => tables.run("INSERT INTO schema_version VALUES (?)", &[integer(version)])?,
        }
        Ok((tables, known))
    }

    /// Whether the register knows the object's hub.
    pub(crate) fn is_registered(&self) -> Result<bool> {
        Ok(self.find("SELECT 1 FROM object WHERE registered", &[])?.is_some())
    }

    /// The register knows the object's hub.
    pub(crate) fn set_registered(&self) -> Result<()> {
        self.run("UPDATE object SET registered = 1", &[])
    }

    /// Keeps what became of an attempt to tell an event handler something, and the 199 before.
    pub(crate) fn keep_delivery(&self, delivery: &str) -> Result<()> {
        let statements = "
            DELETE FROM delivery WHERE number < (SELECT MAX(number) FROM delivery) - 198;
            INSERT INTO delivery (delivery) VALUES (?)";
        self.run(statements, &[delivery.into()])
    }

    /// A JSON list of what [`Tables::keep_delivery`] kept, the newest first.
    pub(crate) fn deliveries(&self) -> Result<String> {
        let query = "SELECT group_concat(delivery) FROM (SELECT delivery FROM delivery ORDER BY number DESC)";
        Ok(["[", &self.texts(query, &[])?.concat(), "]"].concat())
    }

    /// What a query finds. Rows that make no sense are left out, and said so in the log.
    pub(crate) fn rows<T>(
        &self,
        statement: &str,
        read: impl Fn(&[SqlStorageValue]) -> Option<T>,
    ) -> Result<Vec<T>> {
        let mut rows = Vec::new();
        for row in self.values(statement, &[])? {
            match read(&row) {
                Some(row) => rows.push(row),
                None => makes_no_sense(statement),
            }
        }
        Ok(rows)
    }

    /// The first values of the rows that a query finds.
    pub(crate) fn texts(&self, query: &str, values: &[Value<'_>]) -> Result<Vec<String>> {
        let rows = self.values(query, values)?;
        Ok(rows.iter().filter_map(|row| text(row.first()?)).map(str::to_owned).collect())
    }

    /// The first row that a query finds.
    pub(crate) fn find(&self, query: &str, values: &[Value<'_>]) -> Result<Option<Vec<SqlStorageValue>>> {
        Ok(self.values(query, values)?.into_iter().next())
    }

    /// Runs statements; values are those of the last.
    pub(crate) fn run(&self, statement: &str, values: &[Value<'_>]) -> Result<()> {
        self.values(statement, values).map(drop)
    }

    /// The rows that statements find, as they are.
    fn values(&self, statement: &str, values: &[Value<'_>]) -> Result<Vec<Vec<SqlStorageValue>>> {
        let values = values.iter().copied().map(Value::into_js).collect();
        let rows = run_sql(&self.state, statement, values)?;
        Ok(rows.iter().map(|row| row.iter().map(|value| from_js(&value)).collect()).collect())
    }
}

fn makes_no_sense(statement: &str) {
    log::failure("reading the tables", &format!("a row makes no sense: {statement}"));
}

/// The tables of one shard.
pub(crate) struct Storage {
    pub(crate) tables: Tables,
}

impl Storage {
    /// Opens the tables, making them where there are none.
    pub(crate) fn open(state: &State) -> Result<Self> {
        let (tables, version) = Tables::open(state, SCHEMA_VERSION)?;
        let storage = Self { tables };
        match version {
            Some(SCHEMA_VERSION) => return Ok(storage),
            Some(3) => {}
            Some(2) => storage.run(&[FROM_VERSION_2, EVENTS_SCHEMA].concat(), &[])?,
            Some(_) => {
                // Version 1, which could not recover a connection: none of those that it knew is left.
                for table in ["connection", "membership", "permission", "log"] {
                    storage.run(&["DROP TABLE ", table].concat(), &[])?;
                }
                storage.run(&[SCHEMA, EVENTS_SCHEMA].concat(), &[])?;
            }
            None => storage.run(&[SCHEMA, EVENTS_SCHEMA].concat(), &[])?,
        }
        storage.run(PARTS_SCHEMA, &[])?;
        if matches!(version, Some(2 | 3)) {
            storage.run(FROM_VERSION_3, &[])?;
        }
        Ok(storage)
    }

    /// Everything that is stored. Rows that make no sense are left out, and said so in the log.
    pub(crate) fn load(&self) -> Result<Snapshot> {
        Ok(Snapshot {
            connections: self.tables.rows("SELECT * FROM connection ORDER BY slot", connection)?,
            memberships: self.tables.rows("SELECT slot, group_name FROM membership", membership)?,
            permissions: self
                .tables
                .rows("SELECT slot, kind, group_name, verdict FROM permission", permission)?,
            acks: self.tables.rows("SELECT slot, part, ids FROM ack_part ORDER BY slot, part", acks)?,
            log: self.tables.rows(
                "SELECT row, recipients, relayed, LENGTH(CAST(message AS BLOB)) + (
                   SELECT TOTAL(LENGTH(CAST(message AS BLOB))) FROM log_rest WHERE log_rest.row = log.row
                 ) FROM log ORDER BY row",
                log_row,
            )?,
            map: self.only("SELECT map FROM shard_map")?.as_deref().and_then(ShardMap::decode),
            taken_by: self.tables.rows("SELECT shard, row FROM taken_by", shard_row)?,
            taken: self.tables.rows("SELECT shard, row FROM taken", shard_row)?,
            durable_events: self.tables.rows("SELECT row, notice FROM outbox ORDER BY row", notice)?,
            settings: self
                .only("SELECT settings FROM settings")?
                .and_then(|settings| stored_settings(&settings)),
        })
    }

    fn only(&self, query: &str) -> Result<Option<String>> {
        Ok(self.tables.texts(query, &[])?.pop())
    }

    /// The message in a row of the log, if the row is there.
    pub(crate) fn message(&self, row: u64) -> Result<Option<StoredMessage>> {
        let found = self.tables.find("SELECT message, expires FROM log WHERE row = ?", &[integer(row)])?;
        let mut found = found.as_deref().and_then(stored_message);
        if let Some(StoredMessage { message, .. }) = &mut found
            // A character may have up to four bytes.
            && message.len() + 4 > MAX_VALUE_BYTES
        {
            let query = "SELECT message FROM log_rest WHERE row = ? ORDER BY rowid";
            message.extend(self.tables.texts(query, &[integer(row)])?);
        }
        Ok(found)
    }

    /// Adds a message to the log, in as many values as it takes.
    fn log(
        &self,
        row: u64,
        recipients: &[u8],
        expires: Option<Timestamp>,
        relayed: bool,
        message: &str,
    ) -> Result<()> {
        let (first, mut rest) = split(message);
        self.run(
            "INSERT INTO log VALUES (?, ?, ?, ?, ?)",
            &[integer(row), Value::Bytes(recipients), time(expires), integer(relayed), Value::Text(first)],
        )?;
        while !rest.is_empty() {
            let (next, after) = split(rest);
            self.run("INSERT INTO log_rest VALUES (?, ?)", &[integer(row), Value::Text(next)])?;
            rest = after;
        }
        Ok(())
    }

    /// Writes one change.
    pub(crate) fn store(&self, change: Change) -> Result<()> {
        match change {
            Change::PutConnection(record) => self.put_connection(&record),
            Change::RemoveConnection(slot) => {
                self.run("DELETE FROM connection WHERE slot = ?", &[integer(slot.0)])?;
                self.run("DELETE FROM membership WHERE slot = ?", &[integer(slot.0)])?;
                self.run("DELETE FROM permission WHERE slot = ?", &[integer(slot.0)])?;
                self.run("DELETE FROM ack_part WHERE slot = ?", &[integer(slot.0)])
            }
            Change::Join(slot, group) => self.run(
                "INSERT OR IGNORE INTO membership VALUES (?, ?)",
                &[integer(slot.0), group.as_str().into()],
            ),
            Change::Leave(slot, group) => self.run(
                "DELETE FROM membership WHERE slot = ? AND group_name = ?",
                &[integer(slot.0), group.as_str().into()],
            ),
            Change::Permit { slot, kind, group, literal } => self.run(
                "INSERT OR REPLACE INTO permission VALUES (?, ?, ?, ?)",
                &[
                    integer(slot.0),
                    kind.as_str().into(),
                    group.as_str().into(),
                    literal.map(|verdict| verdict.as_str()).into(),
                ],
            ),
            Change::UseAcks { slot, part, acks } => {
                if part == 0 {
                    self.run("DELETE FROM ack_part WHERE slot = ?", &[integer(slot.0)])?;
                }
                let values = [integer(slot.0), integer(part), Value::Bytes(&acks)];
                self.run("INSERT INTO ack_part VALUES (?, ?, ?)", &values)
            }
            Change::Detach { slot, until } => self.run(
                "UPDATE connection SET detached_until = ? WHERE slot = ?",
                &[time(until), integer(slot.0)],
            ),
            Change::Log { row, message, expires, relayed, recipients } => {
                self.log(row, &recipients, expires, relayed, &message)
            }
            Change::Map(map) => {
                self.run("INSERT OR REPLACE INTO shard_map VALUES (0, ?)", &[Value::Text(&map.encode())])
            }
            Change::TakenBy { shard, row } => {
                self.run("INSERT OR REPLACE INTO taken_by VALUES (?, ?)", &[integer(shard.0), integer(row)])
            }
            Change::Take { from, row } => {
                self.run("INSERT OR REPLACE INTO taken VALUES (?, ?)", &[integer(from.0), integer(row)])
            }
            Change::Acknowledge { slot, cursor } => self.run(
                "UPDATE connection SET acknowledged_row = ?, acknowledged = ? WHERE slot = ?",
                &[integer(cursor.row), integer(cursor.sequence_id.0), integer(slot.0)],
            ),
            Change::EventContext { slot, events, state, cookies } => self.run(
                "UPDATE connection SET events = ?, state = ?, cookies = ? WHERE slot = ?",
                &[integer(events), state.as_deref().into(), Value::Text(&cookies), integer(slot.0)],
            ),
            Change::AddEvent { row, event } => {
                self.run("INSERT INTO outbox VALUES (?, ?)", &[integer(row), Value::Text(&event)])
            }
            Change::RemoveEvent { row } => self.run("DELETE FROM outbox WHERE row = ?", &[integer(row)]),
            Change::Settings(None) => self.run("DELETE FROM settings", &[]),
            Change::Settings(Some(settings)) => {
                self.run("INSERT OR REPLACE INTO settings VALUES (0, ?)", &[Value::Text(&settings.encode())])
            }
            Change::DeleteRows { first, last } => {
                let range = [integer(first), integer(last)];
                self.run("DELETE FROM log_rest WHERE row BETWEEN ? AND ?", &range)?;
                self.run("DELETE FROM log WHERE row BETWEEN ? AND ?", &range)
            }
        }
    }

    fn put_connection(&self, record: &ConnectionRecord) -> Result<()> {
        let (send_to, no_echo) = match &record.mode {
            SimpleMode::SendEvent => (None, false),
            SimpleMode::SendToGroup { group, echo } => (Some(group.as_str()), *echo == Echo::Skip),
        };
        self.run(
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

    fn run(&self, statement: &str, values: &[Value<'_>]) -> Result<()> {
        self.tables.run(statement, values)
    }
}

/// The front of a message that fits into one value, and what is left.
fn split(message: &str) -> (&str, &str) {
    message.split_at_checked(message.floor_char_boundary(MAX_VALUE_BYTES)).unwrap_or((message, ""))
}

/// Reads a hub's settings. Without those that cannot be read, which is said in the log, it has what the
/// variables say.
pub(crate) fn stored_settings(text: &str) -> Option<HubSettings> {
    HubSettings::decode(text).inspect_err(|error| log::failure("reading stored settings", error)).ok()
}

fn connection(row: &[SqlStorageValue]) -> Option<ConnectionRecord> {
    let [
        slot,
        id,
        user,
        roles,
        subprotocol,
        send_to,
        no_echo,
        log_row,
        acknowledged,
        detached_until,
        context @ ..,
    ] = row
    else {
        return None;
    };
    let [origin, custom_subprotocol, state, cookies, events] = context else { return None };
    let owned = |value| text(value).map(str::to_owned);
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
        acknowledged: Cursor { row: number(log_row)?, sequence_id: SequenceId(number(acknowledged)?) },
        detached_until: number(detached_until).map(Timestamp::from_millis),
        context: EventContext {
            origin: owned(origin)?,
            custom_subprotocol: owned(custom_subprotocol),
            state: owned(state),
            cookies: owned(cookies)?,
            events: number(events)?,
        },
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

fn acks(row: &[SqlStorageValue]) -> Option<(Slot, u32, Vec<u8>)> {
    let [slot, part, SqlStorageValue::Blob(ids)] = row else { return None };
    Some((slot_of(slot)?, u32::try_from(number(part)?).ok()?, ids.clone()))
}

fn log_row(row: &[SqlStorageValue]) -> Option<LogRow> {
    let [row, SqlStorageValue::Blob(recipients), relayed, bytes] = row else { return None };
    let (relayed, bytes) = (number(relayed)? != 0, usize::try_from(number(bytes)?).ok()?);
    Some(LogRow { row: number(row)?, recipients: recipients.clone(), relayed, bytes })
}

fn notice(row: &[SqlStorageValue]) -> Option<(u64, String)> {
    let [row, notice] = row else { return None };
    Some((number(row)?, text(notice)?.to_owned()))
}

fn shard_row(row: &[SqlStorageValue]) -> Option<(ShardId, u64)> {
    let [shard, row] = row else { return None };
    Some((ShardId(u16::try_from(number(shard)?).ok()?), number(row)?))
}

fn stored_message(row: &[SqlStorageValue]) -> Option<StoredMessage> {
    let [message, expires] = row else { return None };
    let expires = number(expires).map(Timestamp::from_millis);
    Some(StoredMessage { message: text(message)?.to_owned(), expires })
}

fn slot_of(value: &SqlStorageValue) -> Option<Slot> {
    number(value).and_then(|slot| u32::try_from(slot).ok()).map(Slot)
}

fn from_js(value: &JsValue) -> SqlStorageValue {
    if let Some(text) = value.as_string() {
        SqlStorageValue::String(text)
    } else if let Some(number) = value.as_f64() {
        SqlStorageValue::Float(number)
    } else if value.is_null() {
        SqlStorageValue::Null
    } else {
        SqlStorageValue::Blob(Uint8Array::new(value).to_vec())
    }
}

pub(crate) fn text(value: &SqlStorageValue) -> Option<&str> {
    if let SqlStorageValue::String(text) = value { Some(text) } else { None }
}

/// SQL's integers travel as JavaScript numbers: exact below 2^53, which a count of messages never
/// reaches.
pub(crate) fn number(value: &SqlStorageValue) -> Option<u64> {
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

/// A value in a statement.
#[derive(Clone, Copy)]
pub(crate) enum Value<'a> {
    Null,
    Integer(u64),
    Text(&'a str),
    Bytes(&'a [u8]),
}

impl Value<'_> {
    fn into_js(self) -> JsValue {
        match self {
            Self::Null => JsValue::NULL,
            Self::Integer(number) => (number as f64).into(),
            Self::Text(text) => text.into(),
            Self::Bytes(bytes) => Uint8Array::from(bytes).into(),
        }
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<Option<&'a str>> for Value<'a> {
    fn from(text: Option<&'a str>) -> Self {
        text.map_or(Self::Null, Self::Text)
    }
}

/// The way back of [`number`].
pub(crate) fn integer(value: impl Into<u64>) -> Value<'static> {
    Value::Integer(value.into())
}

/// A moment, or none.
fn time(moment: Option<Timestamp>) -> Value<'static> {
    moment.map_or(Value::Null, |moment| integer(moment.as_millis()))
}
