//! A hub, its clients and its servers in one process, with everything that can go wrong between them.
//!
//! One seed is one run: [`simulate`] draws from it a hub of one to four shards, up to eight clients
//! and what happens to them, step by step. The hubs and the clients' sessions are the real ones; the
//! network, the disks, the clock, the applications and the servers are values. A model follows every
//! input of every shard and knows what has to come of it.
//!
//! # What goes wrong
//!
//! - A shard's process dies: sockets and memory are lost, the disk stays, and of the frames on their
//!   way some first ones arrive. It may die within a step, of which then nothing has happened: the
//!   platform lets nothing out before everything is written.
//! - A shard loses its memory and keeps its sockets; the frames put on them last may be lost.
//! - A socket is cut, with what was on its way last. Its client notices at once, or when nobody has
//!   answered for long; its shard at once, or late, or never, so that a recovery takes over from a
//!   socket that looks alive. Clients also send noise.
//! - Clients do not get through, give up, come back within their time or after it, and try again
//!   what failed, with the same ack id. Some use an ack id twice.
//! - A batch between shards is lost, or its answer is; it comes late, or twice, or long after its
//!   sender gave it up.
//! - The clock jumps. Servers publish more at once than is kept for anybody.
//!
//! # What holds true
//!
//! After every step:
//!
//! - An open socket was handed exactly what its connection is owed, in order: every message to it
//!   once, every ack, nothing that is meant for others.
//! - A recovered connection, and one whose shard woke, was handed again what its client has not
//!   acknowledged, in the same bytes, but for copies whose time is over.
//! - Nothing is put on a socket after its close frame.
//! - An operation is done once for its ack id, however often it is tried on a connection, and only if
//!   the connection may do it; an ack says what became of it.
//! - Who is a member of what, who may do what, and who is there, is what clients and servers have
//!   asked for, on every shard.
//! - A connection ends for a reason: its client or a server ended it, its time to come back is over,
//!   or 1,000 messages or 16 MB are published to it beyond what its client has ever acknowledged.
//!   Then it is closed with 1008, or its recovery is.
//! - What a client publishes comes to every other shard once, in the order in which its own shard
//!   took it, whatever dies meanwhile.
//! - The log has no more rows than are owed to somebody, and 1,025.
//!
//! Of every client:
//!
//! - The application of a reliable connection is told each message once, in the order published, with
//!   none left out but those whose time is over. Without reliability the same holds of what arrives.
//! - What an application was told is done, is done and stays done.
//! - A client that is told that it has lost its connection has lost it.
//!
//! When nothing went wrong for long enough:
//!
//! - Every client that is started has an open connection, or was told that it lost the one it had, and
//!   has everything that was published to it.
//! - Every shard has taken what the others' clients published; its disk has the connections and
//!   memberships that there are, and no others.
//! - When everybody has left, no shard holds a connection or waits for time to pass.

use std::cell::RefCell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;

mod arrivals;
mod client;
mod directory;
mod edge;
mod faults;
mod machine;
mod model;
mod network;
mod quiet;
mod random;
mod servers;
mod sockets;
mod words;
mod world;

use world::World;

/// Fails unless something holds.
macro_rules! check {
    ($holds:expr, $($words:tt)*) => {
        if !$holds {
            $crate::simulation::broken(format!($($words)*));
        }
    };
}
use check;

/// Ends the run: something does not hold.
fn broken(problem: impl Into<String>) -> ! {
    // Not a panic that is printed: what is tried with a bug is to end here.
    resume_unwind(Box::new(problem.into()))
}

/// What happened, a line each.
type Trace = Rc<RefCell<Vec<String>>>;

/// How many lines a failure shows.
const SHOWN: usize = 60;

/// One run: everything in it follows from these.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    /// What is drawn is drawn from this.
    pub seed: u64,
    /// How many things happen.
    pub steps: u32,
    /// A mistake that the shards' shell makes.
    pub bug: Option<Bug>,
}

/// A mistake that the simulated shell of the shards can make, to see that it would be noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// Some rows of the log are not written.
    SkippedWrite,
    /// Frames, acks among them, are let out before what was written for them is on disk.
    AckBeforeWrite,
    /// Ack ids that were used are not written.
    NoDedupe,
    /// How far another shard's publishes were taken is not written.
    NoDedupeOfBatches,
    /// Nothing is sent again when a shard wakes.
    NoReplayOnWaking,
    /// A new connection is not told apart from the one that had its slot before.
    WrongSlotReuse,
    /// Frames are put on a socket after its close frame.
    SendAfterClose,
    /// What other shards are to have is not marked in the log.
    ForgottenOutbox,
}

impl Bug {
    /// Every one.
    pub const ALL: [Self; 8] = [
        Self::SkippedWrite,
        Self::AckBeforeWrite,
        Self::NoDedupe,
        Self::NoDedupeOfBatches,
        Self::NoReplayOnWaking,
        Self::WrongSlotReuse,
        Self::SendAfterClose,
        Self::ForgottenOutbox,
    ];
}

macro_rules! happenings {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// What is counted, to know that it happens.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Happening {
            $($(#[$doc])* $name,)*
        }

        impl Happening {
            /// Every one.
            pub const ALL: &[Self] = &[$(Self::$name),*];
        }
    };
}

happenings! {
    /// A message is told to an application.
    Delivery,
    /// A publish is acknowledged to an application.
    Acknowledgement,
    /// An operation was done before.
    Duplicate,
    /// A socket is cut.
    Cut,
    /// A shard's process dies,
    Crash,
    /// within a step.
    Doom,
    /// A shard loses its memory and nothing else.
    Hibernation,
    /// A connection is recovered,
    Recovery,
    /// or cannot be.
    Refusal,
    /// A recovery takes over from a socket that looks alive.
    TakeOver,
    /// A message is read to be sent again,
    Replay,
    /// or is not worth it any more.
    Expiry,
    /// A connection with a socket has too much outstanding.
    Overflow,
    /// A server closes a connection with a socket.
    Close,
    /// Rows of the log are deleted.
    Trim,
    /// A batch arrives,
    Batch,
    /// and was taken before, or a part of it.
    BatchAgain,
    /// The clock jumps.
    Jump,
    /// A server publishes much at once.
    Burst,
    /// A client loses a connection for good.
    Loss,
    /// The hub is to have another number of shards,
    Resize,
    /// sends clients away from those that are to go,
    Drain,
    /// and has it.
    Resized,
    /// It becomes quiet.
    Quiet,
}

/// What happened in one run, or in many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// How many steps there were.
    pub steps: u64,
    happened: [u64; Happening::ALL.len()],
}

/// A run in which something did not hold.
///
/// Printed, it shows the last things that happened (all of them with `{:#}`), and says what did not
/// hold and how to have it again.
#[derive(Debug)]
pub struct Failure {
    run: Run,
    problem: String,
    trace: Vec<String>,
}

/// Runs one simulation.
///
/// # Errors
/// [`Failure`] if something does not hold.
pub fn simulate(run: Run) -> Result<Summary, Failure> {
    attempt(run, None).map_err(|problem| {
        // The same once more, written down.
        let trace = Trace::default();
        let again = attempt(run, Some(Rc::clone(&trace)));
        let problem = match again {
            Err(same) if same == problem => problem,
            Err(other) => format!("{problem}\nand the second time: {other}"),
            Ok(_) => format!("{problem}\nand not the second time"),
        };
        Failure { run, problem, trace: trace.take() }
    })
}

fn attempt(Run { seed, steps, bug }: Run, trace: Option<Trace>) -> Result<Summary, String> {
    let run = || {
        let mut world = World::new(seed, steps, bug, trace);
        world.run(steps);
        world.summary
    };
    catch_unwind(AssertUnwindSafe(run)).map_err(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
    })
}

impl Summary {
    /// How often something happened.
    #[must_use]
    pub const fn count(&self, happening: Happening) -> u64 {
        self.happened[happening as usize]
    }

    /// Adds what happened in another run.
    pub fn add(&mut self, other: &Self) {
        self.steps += other.steps;
        for (sum, more) in self.happened.iter_mut().zip(other.happened) {
            *sum += more;
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} steps", self.steps)?;
        Happening::ALL
            .iter()
            .try_for_each(|happening| write!(f, ", {happening:?} {}", self.count(*happening)))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = if f.alternate() { self.trace.len() } else { self.trace.len().min(SHOWN) };
        for line in &self.trace[self.trace.len() - shown..] {
            writeln!(f, "{line}")?;
        }
        let Run { seed, steps, bug } = self.run;
        let bug = bug.map_or(String::new(), |bug| format!(" --bug {bug:?}"));
        writeln!(f, "seed {seed}: {}", self.problem)?;
        write!(f, "  again: npm run simulate -- --seed {seed} --seeds 1 --steps {steps}{bug}")
    }
}
