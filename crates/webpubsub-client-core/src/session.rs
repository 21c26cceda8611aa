//! The session: one input in, everything that follows from it out.
//!
//! What an input leads to stands in the files below, one for each thing that can be going on.

mod connecting;
mod invoking;
mod losing;
mod operating;
mod receiving;
mod waiting;

pub use receiving::Arrival;

use std::mem;

use webpubsub_protocol::client::DownstreamMessage;
use webpubsub_protocol::time::Timestamp;

use crate::ack::{Pending, PendingOperations};
use crate::close::Close;
use crate::input::{AttemptId, Input};
use crate::invocation::PendingInvocations;
use crate::keep_alive::earliest;
use crate::options::Options;
use crate::output::{Event, Output};
use crate::rejoin::JoinedGroups;
use crate::state::State;

/// A client's session with the service, over as many connections and sockets as it takes.
///
/// See the [crate's page](crate) for how to drive one.
#[derive(Debug)]
pub struct Session<P, D = DownstreamMessage<P>, O = P> {
    options: Options,
    state: State,
    last_attempt: AttemptId,
    /// How the last socket ended, for the application to see when the session stops.
    last_close: Option<Close>,
    groups: JoinedGroups,
    operations: PendingOperations<P, O>,
    invocations: PendingInvocations,
    /// What has followed so far from the input at hand.
    outputs: Outputs<P, D, O>,
}

impl<P: Clone, D, O: Clone> Session<P, D, O> {
    /// A session that has not started.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self {
            options,
            state: State::Stopped,
            last_attempt: AttemptId(0),
            last_close: None,
            groups: JoinedGroups::default(),
            operations: PendingOperations::default(),
            invocations: PendingInvocations::default(),
            outputs: Outputs(Vec::new()),
        }
    }

    /// Takes one input and returns everything that follows from it, in order.
    #[must_use = "outputs are the only way a session acts"]
    pub fn handle(&mut self, now: Timestamp, input: Input<P, D, O>) -> Vec<Output<P, D, O>> {
        match input {
            Input::Start { id } => self.start(now, id),
            Input::Operate { id, operation } => self.operate(now, Pending { id, operation, failures: 0 }),
            Input::Invoke { id, invocation_id, event, data } => self.invoke(id, invocation_id, event, data),
            Input::Abort { id } => self.abort(id),
            Input::Stop => self.stop(now),
            Input::UrlFetched { attempt, url } => self.url_fetched(now, attempt, url),
            Input::Opened { attempt } => self.opened(now, attempt),
            Input::ConnectFailed { attempt, error } => self.connect_failed(now, attempt, error),
            Input::Message { attempt, message } => self.message(now, attempt, message),
            Input::Closed { attempt, close } => self.closed(now, attempt, close),
            Input::Wake => self.wake(now),
            Input::Timeout => self.timeout(now),
        }
        mem::take(&mut self.outputs.0)
    }

    /// When [`Input::Timeout`] is next due.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Timestamp> {
        earliest(self.state.next_timeout(), self.operations.next_timeout())
    }

    /// Whether nothing happens until the application starts the session (again).
    #[must_use]
    pub const fn is_stopped(&self) -> bool {
        matches!(self.state, State::Stopped)
    }

    fn event(&mut self, event: Event<D>) {
        self.outputs.push(Output::Event(event));
    }
}

/// Outputs, in order.
#[derive(Debug)]
struct Outputs<P, D, O>(Vec<Output<P, D, O>>);

impl<P, D, O> Outputs<P, D, O> {
    /// Adds one. There is one copy of this for all places that do, since pages download it.
    #[inline(never)]
    fn push(&mut self, output: Output<P, D, O>) {
        self.0.push(output);
    }
}
