//! The tables of every version, and how one version is made of another.

use crate::database::{Cell, Database, OpenError, Value, integer};

/// What every object has, whatever its version.
pub(crate) const OBJECT: &str = "
CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS object (name TEXT NOT NULL, registered INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS delivery (number INTEGER PRIMARY KEY, delivery TEXT NOT NULL);
";

/// The tables of one kind of object.
pub(crate) struct Tables {
    /// The layout's version. A higher number in a database means that a later version of the service wrote it.
    version: u64,
    /// The steps that make this version of another; `None` stands for a new database. Each step may be done
    /// again, also after steps that follow it.
    steps: fn(Option<u64>) -> &'static [Step],
}

/// One step from a version to the next.
enum Step {
    /// Execute these statements.
    Run(&'static str),
    /// Add columns to the table `connection`, each by its name and its statement, but for those that it has.
    AddToConnection(&'static [(&'static str, &'static str)]),
}

impl Tables {
    /// Makes the tables of this version, and then writes which version they are: a migration that failed or
    /// was cut off after any of its statements is done again.
    pub(crate) fn migrate<D: Database>(&self, database: &D) -> Result<(), D::Error> {
        let known = database.query("SELECT version FROM schema_version", &[])?;
        let found = known.first().and_then(|row| row.first()).and_then(Cell::number);
        match found {
            Some(found) if found > self.version => {
                return Err(OpenError::Newer { found, known: self.version }.into());
            }
            Some(found) if found == self.version => return Ok(()),
            Some(_) | None => {}
        }
        for step in (self.steps)(found) {
            step.take(database)?;
        }
        let written = match found {
            Some(_) => "UPDATE schema_version SET version = ?",
            None => "INSERT INTO schema_version VALUES (?)",
        };
        database.run(written, &[integer(self.version)])
    }
}

impl Step {
    fn take<D: Database>(&self, database: &D) -> Result<(), D::Error> {
        match self {
            Self::Run(statements) => database.run(statements, &[]),
            Self::AddToConnection(columns) => {
                let query = "SELECT 1 FROM sqlite_master WHERE name = 'connection' AND instr(sql, ?)";
                for (name, statement) in *columns {
                    if database.query(query, &[Value::Text(name)])?.is_empty() {
                        database.run(statement, &[])?;
                    }
                }
                Ok(())
            }
        }
    }
}

/// The tables of a shard.
pub(crate) const SHARD: Tables = Tables {
    version: 6,
    steps: |found| match found {
        Some(5) => &[Step::Run(MQTT)],
        Some(4) => &[Step::Run(STATES_AND_STREAMS), Step::Run(MQTT)],
        Some(3) => {
            &[Step::Run(PARTS), Step::Run(FROM_VERSION_3), Step::Run(STATES_AND_STREAMS), Step::Run(MQTT)]
        }
        Some(2) => &[
            Step::AddToConnection(FROM_VERSION_2),
            Step::Run(ASK_AGAIN),
            Step::Run(EVENTS),
            Step::Run(PARTS),
            Step::Run(FROM_VERSION_3),
            Step::Run(STATES_AND_STREAMS),
            Step::Run(MQTT),
        ],
        Some(_) => &[
            Step::Run(FROM_VERSION_1),
            Step::Run(CONNECTIONS),
            Step::Run(EVENTS),
            Step::Run(PARTS),
            Step::Run(STATES_AND_STREAMS),
            Step::Run(MQTT),
        ],
        None => &[
            Step::Run(CONNECTIONS),
            Step::Run(EVENTS),
            Step::Run(PARTS),
            Step::Run(STATES_AND_STREAMS),
            Step::Run(MQTT),
        ],
    },
};

const CONNECTIONS: &str = "
CREATE TABLE IF NOT EXISTS connection (
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
CREATE TABLE IF NOT EXISTS log (
  row INTEGER PRIMARY KEY,
  recipients BLOB NOT NULL,
  expires INTEGER,
  relayed INTEGER NOT NULL,
  message TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS shard_map (id INTEGER PRIMARY KEY, map TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS taken_by (shard INTEGER PRIMARY KEY, row INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS taken (shard INTEGER PRIMARY KEY, row INTEGER NOT NULL);
";

/// What is beside the tables of connections since version 3.
const EVENTS: &str = "
CREATE TABLE IF NOT EXISTS outbox (row INTEGER PRIMARY KEY, notice TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS settings (id INTEGER PRIMARY KEY, settings TEXT NOT NULL);
";

/// What is beside these since version 4: what is left of messages that are too long for one value, in order,
/// and ack ids in parts.
const PARTS: &str = "
CREATE TABLE IF NOT EXISTS log_rest (row INTEGER NOT NULL, message TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS ack_part (
  slot INTEGER NOT NULL,
  part INTEGER NOT NULL,
  ids BLOB NOT NULL,
  PRIMARY KEY (slot, part)
) WITHOUT ROWID;
";

/// What is beside these since version 5: what members of groups show, on any shard, who is subscribed to it, and
/// the streams that clients have open.
const STATES_AND_STREAMS: &str = "
CREATE TABLE IF NOT EXISTS group_state (
  connection TEXT NOT NULL,
  group_name TEXT NOT NULL,
  user_id TEXT,
  state TEXT NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (connection, group_name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS uses_states (id INTEGER PRIMARY KEY);
CREATE TABLE IF NOT EXISTS state_subscription (
  slot INTEGER NOT NULL,
  group_name TEXT NOT NULL,
  PRIMARY KEY (slot, group_name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS stream (
  slot INTEGER NOT NULL,
  number INTEGER NOT NULL,
  stream TEXT NOT NULL,
  PRIMARY KEY (slot, number)
) WITHOUT ROWID;
";

/// What is beside these since version 6: MQTT sessions, what they subscribe to, and which packets of QoS 2 are
/// under way. `kind` is 0 for packet identifiers that a client has not released, 1 for sequence ids of messages that
/// a client has received.
const MQTT: &str = "
CREATE TABLE IF NOT EXISTS mqtt_session (slot INTEGER PRIMARY KEY, session TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS mqtt_subscription (
  slot INTEGER NOT NULL,
  topic TEXT NOT NULL,
  options INTEGER NOT NULL,
  PRIMARY KEY (slot, topic)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS mqtt_packet (
  slot INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  number INTEGER NOT NULL,
  PRIMARY KEY (slot, kind, number)
) WITHOUT ROWID;
";

/// Version 1 could not recover a connection: none of those that it knew is left.
const FROM_VERSION_1: &str = "
DROP TABLE IF EXISTS connection;
DROP TABLE IF EXISTS membership;
DROP TABLE IF EXISTS permission;
DROP TABLE IF EXISTS log;
";

/// What event handlers need to know of a connection.
const FROM_VERSION_2: &[(&str, &str)] = &[
    ("origin", "ALTER TABLE connection ADD COLUMN origin TEXT NOT NULL DEFAULT ''"),
    ("custom_subprotocol", "ALTER TABLE connection ADD COLUMN custom_subprotocol TEXT"),
    ("state", "ALTER TABLE connection ADD COLUMN state TEXT"),
    ("cookies", "ALTER TABLE connection ADD COLUMN cookies TEXT NOT NULL DEFAULT ''"),
    ("events", "ALTER TABLE connection ADD COLUMN events INTEGER NOT NULL DEFAULT 1"),
];

/// A shard of version 2 asks its hub's directory for the settings.
const ASK_AGAIN: &str = "UPDATE object SET registered = 0";

/// All ack ids of a connection were in one row; its table is gone where this was done before.
const FROM_VERSION_3: &str = "
CREATE TABLE IF NOT EXISTS ack (slot INTEGER PRIMARY KEY, ids BLOB NOT NULL);
INSERT OR REPLACE INTO ack_part SELECT slot, 0, ids FROM ack;
DROP TABLE ack;
";

/// The tables of a hub's directory.
pub(crate) const DIRECTORY: Tables = Tables {
    version: 2,
    steps: |found| match found {
        Some(_) => &[Step::Run(VALIDATIONS)],
        None => &[Step::Run(FACTS), Step::Run(VALIDATIONS)],
    },
};

const FACTS: &str = "
CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS hub (name TEXT PRIMARY KEY);
";

/// What is beside these since version 2.
const VALIDATIONS: &str = "
CREATE TABLE IF NOT EXISTS validation (
  url TEXT NOT NULL,
  origin TEXT NOT NULL,
  allowed INTEGER NOT NULL,
  failures INTEGER NOT NULL,
  due INTEGER NOT NULL,
  PRIMARY KEY (url, origin)
);
";
