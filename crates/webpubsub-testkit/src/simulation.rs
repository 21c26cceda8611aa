//! A whole hub in one process, with everything that can go wrong; see [`simulate`].

use std::cell::RefCell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;

mod client;
mod edge;
mod machine;
mod model;
mod quiet;
mod random;
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
    resume_unwind(Box::new(problem.into()))
}

type Trace = Rc<RefCell<Vec<String>>>;

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
    /// Frames are let out before what was written for them is on disk.
    SendBeforeWrite,
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
        Self::SendBeforeWrite,
        Self::NoDedupe,
        Self::NoDedupeOfBatches,
        Self::NoReplayOnWaking,
        Self::WrongSlotReuse,
        Self::SendAfterClose,
        Self::ForgottenOutbox,
    ];
}

/// What is counted, to know that it happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happening {
    /// A message is told to an application.
    Delivery,
    /// An operation that publishes is acknowledged.
    Acknowledged,
    /// An operation was done before.
    Duplicate,
    /// A socket is cut.
    Cut,
    /// A shard's process dies,
    Crash,
    /// in the middle of a step.
    Doom,
    /// A shard loses its memory and nothing else.
    Hibernation,
    /// A connection is recovered,
    Recovery,
    /// or cannot be.
    Refusal,
    /// A recovery takes over from a socket that looks alive.
    TakeOver,
    /// A message is read to be sent again.
    Replay,
    /// A connection has too much outstanding.
    Overflow,
    /// A connection is closed for another reason.
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
    Disconnected,
    /// A client may not join a group again.
    RejoinFailed,
    /// It becomes quiet.
    Quiet,
}

const HAPPENINGS: usize = Happening::Quiet as usize + 1;

/// What happened in one run, or in many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// How many things.
    pub steps: u64,
    happened: [u64; HAPPENINGS],
}

/// A run in which something did not hold.
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
        let trace = Trace::default();
        let again = attempt(run, Some(Rc::clone(&trace)));
        let problem = match again {
            Err(same) if same == problem => problem,
            Err(other) => format!("{problem}\n(and the second time: {other})"),
            Ok(_) => format!("{problem}\n(and not the second time)"),
        };
        let trace = trace.take();
        Failure { run, problem, trace }
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

impl Failure {
    /// Everything that happened, a line each.
    #[must_use]
    pub fn trace(&self) -> &[String] {
        &self.trace
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.trace[self.trace.len().saturating_sub(60)..] {
            writeln!(f, "{line}")?;
        }
        let Run { seed, steps, bug } = self.run;
        writeln!(f, "seed {seed}: {}", self.problem)?;
        let bug = bug.map_or(String::new(), |bug| format!(" --bug {bug:?}"));
        write!(f, "  again: npm run simulate -- --seed {seed} --seeds 1 --steps {steps}{bug}")
    }
}
