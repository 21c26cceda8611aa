//! Streams and group states under the same faults: clients that send and receive streams, and set and watch
//! states, against real shards.
//!
//! [`simulate_streams`] draws from one seed a hub of one to three shards, whose number may change, some clients and
//! what happens to them.
//! Nothing is foretold here, as in the simulation of messages: what has to hold is said of what applications
//! see.
//!
//! # What goes wrong
//!
//! - Links are cut with what was on its way last, and recovered within the time for that, or not.
//! - Shards lose their memory, or their sockets as well. Batches between shards are lost, late or come twice.
//! - Clients stop and start; streams fall silent.
//! - The hub gets another number of shards, and what the directory says of it is lost on the way to some.
//!
//! # What holds true
//!
//! - While a receiver has one connection, the pieces of a stream come to it in order, none lost or doubled, from
//!   the first one if it was there before the stream; the end comes last.
//! - A stream that ended well for its sender has ended well, with every piece, for every receiver with one
//!   connection. One that did not has ended with an error, or was never seen.
//! - No stream stays open for long: not with a receiver, and not with a sender that goes on with it.
//! - All who are subscribed to the states of a group come to have the same view: what each connected member set
//!   last, and nothing of a connection that has ended.

use std::panic::{AssertUnwindSafe, catch_unwind};

mod client;
mod seen;
mod summary;
mod world;

use world::World;

use super::{DiskKind, Failure, Run, problem_of};

pub use summary::StreamSummary;

/// Runs one simulation of streams and states: so many things happen, and then nothing goes wrong any more.
///
/// # Errors
/// [`Failure`] if something does not hold.
pub fn simulate_streams(seed: u64, steps: u32) -> Result<StreamSummary, Failure> {
    let mut world = World::new(seed);
    let outcome = catch_unwind(AssertUnwindSafe(|| world.run(steps)));
    outcome.map(|()| world.summary).map_err(|panic| {
        let run = Run { seed, steps, bug: None, disk: DiskKind::Memory };
        Failure { run, world: " of streams", problem: problem_of(&*panic), trace: world.trace }
    })
}
