//! A client's task: it owns the session, the socket and the timer.
//!
//! The session decides; this carries out. Inputs are handled one at a time, and the outputs of one
//! are carried out before the next.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_channel::oneshot;
use webpubsub_client_core::{
    AttemptId, CommandId, ConnectError, Input, Options, Output, Session, StartError as CoreStartError,
};
use webpubsub_protocol::client::{DownstreamMessage, Encoding};
use webpubsub_protocol::data::MessageData;

use crate::credential::Credential;
use crate::error::{BoxError, StartError};
use crate::event::Event;
use crate::inbox::{Control, Inbox, Mail};
use crate::link::LinkEvent;
use crate::pending::{Call, Pending, invoked};
use crate::platform::{Alarm, BoxFuture, Clock, Connector, Link};
use crate::subscribers::Subscribers;

/// A client's task.
pub(crate) struct Driver {
    session: Session<MessageData>,
    encoding: Encoding,
    credential: Credential,
    connector: Connector,
    inbox: Arc<Inbox>,
    subscribers: Arc<Subscribers>,
    pending: Pending,
    /// Who waits for the end of a stop.
    stops: Vec<oneshot::Sender<()>>,
    /// The URL that is on its way.
    fetch: Option<(AttemptId, BoxFuture<Result<String, BoxError>>)>,
    /// The newest socket.
    link: Option<(AttemptId, Link)>,
    /// What the platform said of the newest attempt's failure.
    cause: Option<BoxError>,
    alarm: Alarm,
    /// Whether mail has its turn before the socket.
    is_mail_first: bool,
    /// Whether there is no handle, so that the task ends with its session.
    is_left: bool,
}

/// What a task wakes up for.
enum Turn {
    Mail(Mail),
    Fetched(AttemptId, Result<String, BoxError>),
    Link(AttemptId, LinkEvent),
    Timeout,
}

impl Driver {
    pub(crate) fn new(
        options: Options,
        encoding: Encoding,
        credential: Credential,
        connector: Connector,
        inbox: Arc<Inbox>,
        subscribers: Arc<Subscribers>,
    ) -> Self {
        Self {
            session: Session::new(options),
            encoding,
            credential,
            connector,
            inbox,
            subscribers,
            pending: Pending::default(),
            stops: Vec::new(),
            fetch: None,
            link: None,
            cause: None,
            alarm: Alarm::default(),
            is_mail_first: false,
            is_left: false,
        }
    }

    /// Runs until there is no handle and the session has stopped.
    pub(crate) async fn run(mut self) {
        let clock = Clock::new();
        while !(self.is_left && self.session.is_stopped()) {
            let turn = poll_fn(|context| self.poll(context, &clock)).await;
            self.take(turn, &clock);
            if self.session.is_stopped() {
                self.rest();
            }
        }
    }

    /// The next thing to do. Whatever is not ready wakes the task when it is.
    fn poll(&mut self, context: &mut Context<'_>, clock: &Clock) -> Poll<Turn> {
        if self.alarm.poll(context, clock, self.session.next_timeout()).is_ready() {
            return Poll::Ready(Turn::Timeout);
        }
        if let Some((attempt, fetch)) = &mut self.fetch
            && let Poll::Ready(result) = fetch.as_mut().poll(context)
        {
            let attempt = *attempt;
            self.fetch = None;
            return Poll::Ready(Turn::Fetched(attempt, result));
        }
        // Neither a flood of messages nor one of calls keeps the other waiting.
        self.is_mail_first = !self.is_mail_first;
        if self.is_mail_first
            && let Poll::Ready(mail) = self.poll_mail(context)
        {
            return Poll::Ready(mail);
        }
        if let Some((attempt, link)) = &mut self.link
            && let Poll::Ready(event) = link.poll(context)
        {
            return Poll::Ready(Turn::Link(*attempt, event));
        }
        // The link may have made room only now.
        self.poll_mail(context)
    }

    fn poll_mail(&self, context: &mut Context<'_>) -> Poll<Turn> {
        let has_room = self.link.as_ref().is_none_or(|(_, link)| link.has_room());
        self.inbox.poll(context, has_room).map(Turn::Mail)
    }

    fn take(&mut self, turn: Turn, clock: &Clock) {
        let input = match turn {
            Turn::Timeout => Input::Timeout,
            Turn::Fetched(attempt, Ok(url)) => Input::UrlFetched { attempt, url },
            Turn::Fetched(attempt, Err(cause)) => {
                self.cause = Some(cause);
                Input::ConnectFailed { attempt, error: ConnectError::Credential }
            }
            Turn::Link(attempt, LinkEvent::Opened) => Input::Opened { attempt },
            Turn::Link(attempt, LinkEvent::Frame(frame)) => {
                // What cannot be read is a sign of life, and nothing more.
                let message = self.encoding.decode_downstream(&frame).unwrap_or_default().into();
                Input::Message { attempt, message }
            }
            Turn::Link(attempt, LinkEvent::Failed(error, cause)) => {
                self.link = None;
                self.cause = cause;
                Input::ConnectFailed { attempt, error }
            }
            Turn::Link(attempt, LinkEvent::Closed(close)) => {
                self.link = None;
                Input::Closed { attempt, close }
            }
            Turn::Mail(Mail::Control(Control::Abort(id))) => Input::Abort { id },
            Turn::Mail(Mail::Control(Control::Wake)) => Input::Wake,
            Turn::Mail(Mail::Control(Control::Stop(done))) => {
                self.stops.push(done);
                Input::Stop
            }
            Turn::Mail(Mail::Left) => {
                self.is_left = true;
                Input::Stop
            }
            Turn::Mail(Mail::Call(id, call)) => self.begin(id, call),
        };
        for output in self.session.handle(clock.now(), input) {
            self.perform(output);
        }
    }

    /// Notes where a call's answer goes.
    fn begin(&mut self, id: CommandId, call: Call) -> Input<MessageData> {
        match call {
            Call::Start(reply) => {
                self.cause = None;
                self.pending.starts.add(id, reply);
                Input::Start { id }
            }
            Call::Operate(operation, reply) => {
                self.pending.operations.add(id, reply);
                Input::Operate { id, operation }
            }
            Call::Invoke { id: invocation_id, event, data, reply } => {
                self.pending.invocations.add(id, reply);
                Input::Invoke { id, invocation_id, event, data }
            }
        }
    }

    fn perform(&mut self, output: Output<MessageData, DownstreamMessage>) {
        match output {
            Output::FetchUrl { attempt } => self.fetch = Some((attempt, self.credential.fetch())),
            Output::Connect { attempt, url, subprotocol } => {
                let name = subprotocol.name().unwrap_or_default();
                self.link = Some((attempt, self.connector.connect(url, name)));
            }
            Output::Send(message) => {
                if let Some((_, link)) = &mut self.link {
                    link.send(self.encoding.encode_upstream(&message));
                }
            }
            // Asked for by operations that this client does not have.
            Output::SendOther { .. } => {}
            Output::Close { attempt } => {
                self.fetch.take_if(|(newest, _)| *newest == attempt);
                if let Some((newest, link)) = &mut self.link
                    && *newest == attempt
                {
                    link.close();
                }
            }
            Output::Started { id, result } => {
                let result = result.map_err(|error| self.start_error(error));
                self.pending.starts.answer(id, result);
            }
            Output::Settle { id, result } => {
                self.pending.operations.answer(id, result.map_err(Into::into));
            }
            Output::Invoked { id, invocation_id, result } => {
                self.pending.invocations.answer(id, invoked(invocation_id, result));
            }
            Output::Event(event) => {
                if let Some(event) = Event::new(event) {
                    self.subscribers.publish(&event);
                }
            }
        }
    }

    fn start_error(&mut self, error: CoreStartError) -> StartError {
        let cause = match &error {
            CoreStartError::Connect(_) => self.cause.take(),
            CoreStartError::Stopping
            | CoreStartError::NotStopped
            | CoreStartError::Stopped
            | CoreStartError::Aborted => None,
        };
        StartError::new(error, cause)
    }

    /// A session that has stopped keeps nothing open.
    fn rest(&mut self) {
        self.link = None;
        self.fetch = None;
        for done in self.stops.drain(..) {
            let _ = done.send(());
        }
    }
}

/// Whatever ends a task, its runtime's end included: whoever waits for something learns it.
impl Drop for Driver {
    fn drop(&mut self) {
        self.inbox.close();
        self.subscribers.close();
    }
}
