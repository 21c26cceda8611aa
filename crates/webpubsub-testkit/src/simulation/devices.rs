//! MQTT sessions under the same faults: devices that publish and subscribe at every QoS, beside clients of the other
//! protocols, in a hub of real shards with its real directory.
//!
//! [`simulate_devices`] draws from one seed a hub of one to three shards, some devices and other clients in one group,
//! and what happens to them. What has to hold is said of what applications see.
//!
//! # What goes wrong
//!
//! - Sockets are cut with what was on its way, or taken over while they look alive. Devices and clients stay away for
//!   longer than their sessions last, or leave.
//! - A shard loses its memory, or its sockets as well, between two steps or in the midst of one. The service says that
//!   it is about to stop. Packets are late in either direction, and shards take their turns late.
//! - Devices take few messages at once, and send again what was not acknowledged, with and without DUP. Some send many
//!   messages in one.
//! - Batches between shards are lost, or their answers are; they come twice, or late. The number of shards changes.
//!
//! # What holds true
//!
//! - A message at QoS 1 or 2 that was acknowledged to its publisher comes to every device that was subscribed
//!   before, at QoS 1 or 2, and whose session has lasted; and so does one of a server, and of a client of another
//!   protocol that has its ack. All of these come to every reliable client that was connected before, on any shard.
//! - A message at QoS 2 comes to a device that is subscribed at QoS 2, and to a client of another protocol, at most
//!   once, unless the session of its publisher was lost in the middle. One at QoS 0 comes at most once.
//! - Messages of one publisher come in the order in which they were published, at each QoS. Those over another
//!   connection, which may be another shard's, may come before.
//! - What is sent to a device again has the DUP flag, and nothing has it at QoS 0.
//! - A will comes once if the socket ended without DISCONNECT, and nothing took its place before the will's delay was
//!   over. It does not come otherwise.
//! - A session that the service says is present is: it has its subscriptions and its messages.
//! - When everybody has left, no shard has a session or waits for anything.

use std::panic::{AssertUnwindSafe, catch_unwind};

mod device;
mod hub;
mod ledger;
mod member;
mod summary;
mod world;

use world::World;

pub use summary::DeviceSummary;

/// Runs one simulation of MQTT sessions: so many things happen, and then nothing goes wrong any more.
///
/// # Errors
/// What does not hold, after the last things that happened.
pub fn simulate_devices(seed: u64, steps: u32) -> Result<DeviceSummary, String> {
    let mut world = World::new(seed);
    let outcome = catch_unwind(AssertUnwindSafe(|| world.run(steps)));
    outcome.map(|()| world.summary()).map_err(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let problem = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
        format!("{}\nseed {seed} of devices, {steps} steps: {problem}", world.trace())
    })
}
