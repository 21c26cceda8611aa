//! What outlives a process: the tables of a shard and of a hub's directory, their migrations, and what is in
//! them as records.
//!
//! A host has an SQLite database for each object and executes statements on it ([`Database`]); which ones,
//! with which values, and what the rows that they find mean is decided here. [`ShardStore`] takes the
//! [`webpubsub_shard::Change`]s of a shard and gives back their sum, the [`webpubsub_shard::Snapshot`] that
//! the shard is restored from. [`DirectoryStore`] holds the facts that a hub's directory keeps, its
//! handshakes with event handlers, and the register of hubs.
//!
//! Tables of an older version are migrated when they are opened, those of a newer version are left alone.
//! Every step of a migration may be done again, so a host needs no transaction around it.
//!
//! It knows no platform and no rule of a shard, and it never waits. The clock is its callers'.
//!
//! ```
//! use webpubsub_shard::{Change, Slot};
//! use webpubsub_protocol::name::GroupName;
//! use webpubsub_store::ShardStore;
//! use webpubsub_testkit::Sqlite;
//!
//! let database = Sqlite::in_memory();
//! let store = ShardStore::open(database.clone(), Some("chat".to_owned())).unwrap();
//! store.store(&Change::Join(Slot(0), GroupName::parse("room").unwrap())).unwrap();
//! drop(store);
//!
//! // Its host may forget the name: the tables have it.
//! let store = ShardStore::open(database, None).unwrap();
//! assert_eq!(store.object().name(), "chat");
//! assert_eq!(store.load().unwrap().memberships.len(), 1);
//! ```

mod change;
mod database;
mod directory;
mod object;
mod rows;
mod schema;
mod shard;

pub use database::{Cell, Database, OpenError, Row, Unreadable, Value};
pub use directory::DirectoryStore;
pub use object::ObjectStore;
pub use shard::ShardStore;
