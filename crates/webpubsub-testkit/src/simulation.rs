//! A hub, its clients and its servers in one process, with everything that can go wrong between them.
//!
//! One seed is one run: [`simulate`] draws from it a hub of one to four shards, up to eight clients of our own
//! and up to four others, devices that speak MQTT and bare WebSockets, and what happens to them, step by step. The
//! shards, the directory, the way of a server's request and the clients' sessions are the real ones; the network, the
//! disks, the clock, the applications, the servers and the Workers are values. A model follows every input of every
//! shard and knows what has to come of it.
//!
//! Streams and group states are not in these hubs: [`simulate_streams`] has hubs of its own for them.
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
//! - Devices take over their own sessions, begin others in their place, fall silent, send many packets in one message,
//!   and again what was not acknowledged, with and without DUP.
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
//!   client has 1,000 messages or 16 MiB outstanding and there is one message more, or, where it is not
//!   reliable, its shard is to go or the service is about to stop. A reliable one stays on a shard that
//!   is to go, unless the operator has set how long. A socket that a connection still has is closed in
//!   the same step, with 1008 unless a server or a stop wanted it; who comes back later is closed with
//!   1008.
//! - What a client publishes comes to every other shard once, in the order in which its own shard took
//!   it. What is published goes to every shard that has a connection, whatever map a Worker holds.
//! - The log has no more rows than were needed at once since it was last tidied, and 1,025.
//! - A server's request is answered with what comes of the replies of all the shards that were asked.
//!
//! For every MQTT session, over whatever sockets, at the lower QoS of a message and the subscription:
//!
//! - At QoS 0 a message is sent once, if there is a socket. At QoS 1 and 2 it is sent in its order, as many at once as
//!   the client takes, and again over the next socket, with DUP; unless it has expired and the client cannot know it.
//!   Of QoS 2 a message that the client has said to have is only released again.
//! - A publish at QoS 2 is carried out once until its packet identifier is released, whatever is lost in between, and
//!   one at QoS 1 as often as it comes. What is refused is said so, where the version has a way.
//! - Its subscriptions, what it has not acknowledged and its will outlive its socket for as long as it has asked for,
//!   at most 30 s. Who connects goes on with it, unless it wants another, and learns which. A takeover closes the
//!   socket before it, and a sixth in a row is refused.
//! - Its will is published once if it is lost without DISCONNECT, or with one that asks for it, after its delay or with
//!   the end of the session; at once where another socket takes over a will without a delay; and never otherwise.
//! - A client that is silent for one and a half times its keep-alive is given up, and no other is.
//! - Its application receives a message once at QoS 0 or not at all, once at QoS 2, and at QoS 1 again only with DUP.
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
//! - A shard has at most six calls under way, or a hundred where its sockets end with its memory.
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

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

mod check;
mod client;
mod directory;
mod faults;
mod flight;
mod library;
mod machine;
mod message;
mod model;
mod packet;
mod peer;
mod random;
mod request;
mod rest;
mod ringing;
mod run;
mod socket;
mod streaming;
mod summary;
mod words;
mod world;

use run::Trace;
use world::World;

pub use crate::disk::DiskKind;
pub use run::{Bug, Run};
pub use streaming::{StreamSummary, simulate_streams};
pub use summary::{Happening, Summary};

/// How many lines a failure shows.
const SHOWN: usize = 60;

/// A run in which something did not hold.
///
/// Printed, it shows the last things that happened (all of them with `{:#}`), and says what did not
/// hold and how to have it again.
#[derive(Debug)]
pub struct Failure {
    run: Run,
    /// Which of the worlds that a run has.
    world: &'static str,
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
        Failure { run, world: "", problem, trace: trace.take() }
    })
}

fn attempt(run: Run, trace: Option<Trace>) -> Result<Summary, String> {
    let simulated = || {
        let mut world = World::new(run, trace);
        world.run(run.steps);
        world.summary
    };
    catch_unwind(AssertUnwindSafe(simulated)).map_err(|panic| problem_of(&*panic))
}

/// What did not hold.
fn problem_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
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
        writeln!(f, "seed {seed}{}: {}", self.world, self.problem)?;
        write!(f, "  again: npm run simulate -- --seed {seed} --seeds 1 --steps {steps}{bug}{disk}")
    }
}
