//! A hub, its clients and its servers in one process, with everything that can go wrong between them.
//!
//! One seed is one run: [`simulate`] draws from it a hub of one to four shards, up to eight clients
//! and what happens to them, step by step. The shards, the directory and the clients' sessions are the
//! real ones; the network, the disks, the clock, the applications, the servers and the Workers are
//! values. A model follows every input of every shard and knows what has to come of it.
//!
//! # What goes wrong
//!
//! - A shard's process dies: sockets and memory are lost, the disk stays, and of the frames on their
//!   way the first arrive. It may die within a step, of which then nothing has happened: the platform
//!   lets nothing out before everything is written.
//! - A shard loses its memory and keeps its sockets; the frames put on them last may be lost.
//! - A socket is cut, with what was on its way last. Its client detects it at once, or when nothing
//!   has come for long; its shard at once, or late, or when it sends a frame on it, or never, so that a
//!   recovery takes over from a socket that looks alive. Clients also send noise.
//! - Clients do not get through, give up, come back within their time or after it, and try again what
//!   failed, with the same ack id. Some use an ack id twice.
//! - A batch between shards is lost, or its answer is; it comes late, or twice, or long after its
//!   sender gave it up.
//! - The number of shards changes, again before it has changed, while Workers hold what they knew and
//!   shards do not learn of it.
//! - An event handler fails, refuses, answers late or never, and says now and then what its client is to
//!   receive.
//! - The service says that it is about to stop, and closes every socket.
//! - The clock jumps, and shards are given the time late. Servers publish more at once than any buffer holds.
//!
//! # What holds true
//!
//! After every step of a shard:
//!
//! - Every open socket was sent what its connection is owed, in order, and nothing else: each
//!   message to it once, each ack.
//! - What a client has not acknowledged is sent to it again when it recovers its connection and when
//!   its shard wakes, in the same bytes, but for copies whose time is over.
//! - Nothing is put on a socket after its close frame.
//! - An operation is done at most once for its ack id, however often it is tried on a connection, and
//!   only if the connection may do it. Its ack says what became of it.
//! - Who is connected, who is a member of what and who may do what is what clients and servers have
//!   asked for.
//! - A connection ends for a reason: its client or a server ends it, its time to come back is over, its
//!   client has 1,000 messages or 16 MB outstanding and there is one message more, or, where it is not
//!   reliable, its shard is to go or the service is about to stop. A reliable one stays on a shard that
//!   is to go, unless the operator has set how long. A socket that a connection still has is closed in
//!   the same step, with 1008 unless a server or a stop wanted it; who comes back later is closed with
//!   1008.
//! - What a client publishes comes to every other shard once, in the order in which its own shard took
//!   it. What is published goes to every shard that has a connection, whatever map a Worker holds.
//! - The log has no more rows than were needed at once since it was last tidied, and 1,025.
//!
//! For every client:
//!
//! - The application of a reliable connection receives each message once, in order, with sequence ids
//!   that skip nothing but what has expired. Without reliability the same holds of what arrives.
//! - What is acknowledged to a client has been done, and is on disk.
//! - A client that is closed with 1008 has lost its connection.
//!
//! For every event handler:
//!
//! - It receives what happens to a connection in order: `connected` first, the groups that are joined and
//!   left, `disconnected` last. One at a time, each under one number and in the same words however often,
//!   until it takes it or refuses it for good.
//! - It receives a client's events between the two, one at a time, in the order in which they were sent,
//!   and none whose ack id is used up; once its client is gone, none a second time. The client receives
//!   how each of them went, if it asked, and it alone what the handler says to it.
//! - A shard has at most six calls under way.
//!
//! When nothing has gone wrong for long enough:
//!
//! - Every client that is started has an open connection and received everything that was published to
//!   it, but for what has expired.
//! - Every shard has taken what the clients of the others published, woken for it if need be. Its disk
//!   has the connections and memberships that there are, and no others.
//! - Every event handler has taken what it is owed, or refused it for good.
//! - When everybody has left, no shard holds a connection or waits for time to pass, and the hub has
//!   as many shards as it was to have.

use std::cell::RefCell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;

mod arrivals;
mod client;
mod directory;
mod edge;
mod faults;
mod handler;
mod host;
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

pub use crate::disk::DiskKind;

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
    /// A mistake that the shards' host makes.
    pub bug: Option<Bug>,
    /// What the shards' disks are.
    pub disk: DiskKind,
}

/// A mistake that the simulated host of the shards can make, to see that it would be noticed.
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
    /// A new connection is not distinguished from the one that had its slot before.
    WrongSlotReuse,
    /// Frames are put on a socket after its close frame.
    SendAfterClose,
    /// What other shards are to have is not marked in the log.
    ForgottenOutbox,
    /// What event handlers are owed is not written.
    ForgottenEvent,
    /// What event handlers are owed is struck off when it is sent, not when they have taken it.
    SettledBeforeTaken,
    /// How many events a connection has had is not written.
    ForgottenNumbers,
}

impl Bug {
    /// Every one.
    pub const ALL: [Self; 11] = [
        Self::SkippedWrite,
        Self::AckBeforeWrite,
        Self::NoDedupe,
        Self::NoDedupeOfBatches,
        Self::NoReplayOnWaking,
        Self::WrongSlotReuse,
        Self::SendAfterClose,
        Self::ForgottenOutbox,
        Self::ForgottenEvent,
        Self::SettledBeforeTaken,
        Self::ForgottenNumbers,
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
    /// A message is raised for an application.
    Delivery,
    /// A publish is acknowledged to an application.
    Acknowledgement,
    /// An operation was done before.
    Duplicate,
    /// A socket is cut.
    Cut,
    /// A socket turns out lost when a frame is sent on it.
    Lost,
    /// A shard's process dies between steps.
    Crash,
    /// A shard's process dies within a step.
    Doom,
    /// A shard loses its memory and nothing else.
    Hibernation,
    /// A connection is recovered.
    Recovery,
    /// A connection cannot be recovered.
    Refusal,
    /// The service is about to stop, and closes sockets.
    GoAway,
    /// A recovery takes over from a socket that looks alive.
    TakeOver,
    /// A message is read to be sent again.
    Replay,
    /// A message is not sent again, because its time is over.
    Expiry,
    /// A connection with a socket has too much outstanding.
    Overflow,
    /// A server closes a connection with a socket.
    Close,
    /// Rows of the log are deleted.
    Trim,
    /// A turn carries out more than one message.
    SharedTurn,
    /// A batch arrives for the first time.
    Batch,
    /// A batch arrives that was taken before, or a part of it.
    BatchAgain,
    /// An event handler is called for an event.
    Call,
    /// An event handler is called once more, after its shard lost its memory.
    CallAgain,
    /// Its answer has something for the client.
    Answer,
    /// It does not answer in time.
    Timeout,
    /// It is not called for an event any more.
    GivenUp,
    /// The clock jumps.
    Jump,
    /// A server publishes much at once.
    Burst,
    /// A client loses a connection for good.
    Loss,
    /// The hub is to have another number of shards.
    Resize,
    /// The hub sends clients away from shards that are to go.
    Drain,
    /// The hub has its new number of shards.
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

fn attempt(run: Run, trace: Option<Trace>) -> Result<Summary, String> {
    let simulated = || {
        let mut world = World::new(run, trace);
        world.run(run.steps);
        world.summary
    };
    catch_unwind(AssertUnwindSafe(simulated)).map_err(|panic| {
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
        let Run { seed, steps, bug, disk } = self.run;
        let bug = bug.map_or(String::new(), |bug| format!(" --bug {bug:?}"));
        let disk = if disk == DiskKind::Sqlite { " --disk sqlite" } else { "" };
        writeln!(f, "seed {seed}: {}", self.problem)?;
        write!(f, "  again: npm run simulate -- --seed {seed} --seeds 1 --steps {steps}{bug}{disk}")
    }
}
