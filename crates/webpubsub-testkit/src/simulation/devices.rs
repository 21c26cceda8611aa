//! MQTT sessions under the same faults: devices that publish and subscribe at every QoS, against a real shard.
//!
//! [`simulate_devices`] draws from one seed some devices and what happens to them. What has to hold is said of what
//! applications see.
//!
//! # What goes wrong
//!
//! - Sockets are cut with what was on its way, or taken over while they look alive. Devices stay away for longer
//!   than their sessions last.
//! - The shard loses its memory, or its sockets as well. Packets are late in either direction.
//! - Devices take few messages at once, and send again what was not acknowledged, with and without DUP.
//!
//! # What holds true
//!
//! - A message at QoS 1 or 2 that was acknowledged to its publisher comes to every device that was subscribed
//!   before, at QoS 1 or 2, and whose session has lasted.
//! - A message at QoS 2 comes to a device that is subscribed at QoS 2 at most once, unless the session of its
//!   publisher was lost in the middle.
//! - A session that the service says is present is: it has its subscriptions and its messages.
//! - When everybody has left, the shard has no session and waits for nothing.

use std::panic::{AssertUnwindSafe, catch_unwind};

mod device;
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
    outcome.map(|()| world.summary).map_err(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let problem = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
        format!("{}\nseed {seed} of devices, {steps} steps: {problem}", world.trace())
    })
}
