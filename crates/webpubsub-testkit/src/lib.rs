//! Shards with their disks and sockets in one process, with time and network moved by hand.
//!
//! Only tests use this crate: it panics where a test should fail.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a broken expectation is a failed test"
)]

mod shard;

pub use shard::{Closed, Shard, group, json, reliable, text, user};
