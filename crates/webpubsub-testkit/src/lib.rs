//! Hubs and their clients in one process, with time and network moved by hand.
//!
//! [`TestShard`] is one shard with its disk and its sockets as plain values; [`Net`] joins a hub of
//! several shards with sessions of the client core, in the encoding of each client's subprotocol;
//! [`simulation`] has everything go wrong between them.
//!
//! Only tests use this crate: it panics where a test should fail.
//!
//! ```
//! use webpubsub_shard::Target;
//! use webpubsub_testkit::{TestShard, json, text};
//!
//! let mut shard = TestShard::new();
//! let ann = shard.connected(json("ann"));
//! shard.publish(Target::All, text("hi"));
//! assert_eq!(shard.take(ann), [r#"{"type":"message","from":"server","dataType":"text","data":"hi"}"#]);
//! ```
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a broken expectation is a failed test"
)]

mod disk;
mod handler;
mod mqtt;
mod net;
mod now;
mod placing;
mod shard;
pub mod simulation;
mod sqlite;

pub use disk::{sorted, write};
pub use handler::{ALL_EVENTS, USER_EVENTS, header, policy, says, settings, status, with_handlers};
pub use mqtt::{MqttClient, mqtt};
pub use net::Net;
pub use shard::{Closed, TestShard, group, json, reliable, text, user};
pub use sqlite::{Sqlite, SqliteError};
