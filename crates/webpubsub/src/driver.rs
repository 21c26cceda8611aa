//! A client's task: it owns the session, the streams, the socket and the timer.
//!
//! The core decides; this carries out. Inputs are handled one at a time, and the outputs of one
//! are carried out before the next.

mod states;
mod streams;

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_channel::oneshot;
use webpubsub_client_core::{
    AttemptId, CommandId, ConnectError, Event as CoreEvent, Incoming, Options, OutboundInput, Session,
    StartError as CoreStartError, earliest,
};
use webpubsub_protocol::client::{DownstreamMessage, Encoding, Frame, UpstreamMessage};
use webpubsub_protocol::data::MessageData;
use webpubsub_protocol::time::Timestamp;

use crate::credential::Credential;
use crate::error::{BoxError, StartError};
use crate::event::Event;
use crate::group_state::{KnownStates, StateRequest};
use crate::inbox::{Control, Inbox, Listener, Mail};
use crate::link::LinkEvent;
use crate::message::Message;
use crate::pending::{Call, Pending, invoked};
use crate::platform::{Alarm, BoxFuture, Clock, Connector, Link};
use crate::subscribers::Subscribers;

use states::States;
use streams::Streams;

type Input = webpubsub_client_core::Input<MessageData, DownstreamMessage, StateRequest>;
type Output = webpubsub_client_core::Output<MessageData, DownstreamMessage, StateRequest>;

/// A client's task.
pub(crate) struct Driver {
    session: Session<MessageData, DownstreamMessage, StateRequest>,
    /// What the session is to handle once the outputs at hand are carried out.
    inputs: VecDeque<Input>,
    streams: Streams,
    states: States,
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
        (inbox, subscribers, states): (Arc<Inbox>, Arc<Subscribers>, Arc<KnownStates>),
    ) -> Self {
        Self {
            session: Session::new(options),
            inputs: VecDeque::new(),
            streams: Streams::new(subscribers.limits()),
            states: States::new(states),
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
            self.take(turn, clock.now());
            if self.session.is_stopped() {
                self.rest();
            }
        }
    }

    /// The next thing to do. Whatever is not ready wakes the task when it is.
    fn poll(&mut self, context: &mut Context<'_>, clock: &Clock) -> Poll<Turn> {
        let due = earliest(self.session.next_timeout(), self.streams.next_timeout());
        if self.alarm.poll(context, clock, due).is_ready() {
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

    fn take(&mut self, turn: Turn, now: Timestamp) {
        let input = match turn {
            Turn::Timeout => {
                let messages = self.streams.timeout(now);
                self.send(messages);
                Input::Timeout
            }
            Turn::Fetched(attempt, Ok(url)) => Input::UrlFetched { attempt, url },
            Turn::Fetched(attempt, Err(cause)) => {
                self.cause = Some(cause);
                Input::ConnectFailed { attempt, error: ConnectError::Credential }
            }
            Turn::Link(attempt, LinkEvent::Opened) => {
                self.streams(now, OutboundInput::LinkOpened);
                Input::Opened { attempt }
            }
            Turn::Link(attempt, LinkEvent::Frame(frame)) => return self.frame(now, attempt, &frame),
            Turn::Link(attempt, LinkEvent::Failed(error, cause)) => {
                self.link = None;
                self.cause = cause;
                Input::ConnectFailed { attempt, error }
            }
            Turn::Link(attempt, LinkEvent::Closed(close)) => {
                self.link = None;
                Input::Closed { attempt, close }
            }
            Turn::Mail(Mail::Control(control)) => match self.control(now, control) {
                Some(input) => input,
                None => return,
            },
            Turn::Mail(Mail::Left) => {
                self.is_left = true;
                Input::Stop
            }
            Turn::Mail(Mail::Call(id, call)) => match self.begin(now, id, call) {
                Some(input) => input,
                None => return,
            },
        };
        self.handle(now, input);
    }

    /// Has the session handle an input, and what arises from it.
    fn handle(&mut self, now: Timestamp, input: Input) {
        self.inputs.push_back(input);
        while let Some(input) = self.inputs.pop_front() {
            for output in self.session.handle(now, input) {
                self.perform(now, output);
            }
        }
    }

    fn take_listeners(&mut self, now: Timestamp) {
        for Listener { id, options, feed } in self.inbox.take_listeners() {
            self.streams.listen(now, id, options, feed);
        }
    }

    fn frame(&mut self, now: Timestamp, attempt: AttemptId, frame: &Frame) {
        self.take_listeners(now);
        // What cannot be read is a sign of life, and nothing more.
        match self.encoding.decode_downstream(frame).unwrap_or_default() {
            Some(DownstreamMessage::Stream { stream_id, answer }) => {
                // It may show that a connection is recovered, and then the streams go on first.
                self.handle(now, Input::Message { attempt, message: Incoming::Other });
                self.streams(now, OutboundInput::Answered { stream_id, answer });
            }
            message => self.handle(now, Input::Message { attempt, message: message.into() }),
        }
    }

    /// What goes ahead of calls; what the session is to handle of it.
    fn control(&mut self, now: Timestamp, control: Control) -> Option<Input> {
        match control {
            Control::Abort(id) => {
                let messages = self.streams.abort(now, id);
                self.send(messages);
                return Some(Input::Abort { id });
            }
            Control::Wake => return Some(Input::Wake),
            Control::Stop(done) => {
                self.stops.push(done);
                return Some(Input::Stop);
            }
            Control::Unlisten(id) => {
                self.take_listeners(now);
                self.streams.unlisten(now, id);
            }
            Control::DropStream(stream_id) => {
                let id = CommandId(self.inbox.next_number());
                let messages = self.streams.end_dropped(now, id, stream_id);
                self.send(messages);
            }
        }
        None
    }

    fn streams(&mut self, now: Timestamp, input: OutboundInput<MessageData>) {
        let messages = self.streams.outbound(now, input);
        self.send(messages);
    }

    fn send(&mut self, messages: impl IntoIterator<Item = UpstreamMessage>) {
        if let Some((_, link)) = &mut self.link {
            for message in messages {
                link.send(self.encoding.encode_upstream(&message));
            }
        }
    }

    /// Notes where a call's answer goes; what the session is to handle of it.
    fn begin(&mut self, now: Timestamp, id: CommandId, call: Call) -> Option<Input> {
        Some(match call {
            Call::Start(reply) => {
                self.cause = None;
                self.pending.starts.add(id, reply);
                Input::Start { id }
            }
            Call::Operate(operation, reply) => {
                self.pending.operations.add(id, reply);
                self.states.begin(id, &operation);
                Input::Operate { id, operation }
            }
            Call::Invoke { id: invocation_id, event, data, reply } => {
                self.pending.invocations.add(id, reply);
                Input::Invoke { id, invocation_id, event, data }
            }
            Call::Stream(call, reply) => {
                let messages = self.streams.begin(now, id, call, reply);
                self.send(messages);
                return None;
            }
        })
    }

    fn perform(&mut self, now: Timestamp, output: Output) {
        match output {
            Output::FetchUrl { attempt } => self.fetch = Some((attempt, self.credential.fetch())),
            Output::Connect { attempt, url, subprotocol } => {
                let name = subprotocol.name().unwrap_or_default();
                self.link = Some((attempt, self.connector.connect(url, name)));
            }
            Output::Send(message) => self.send([message]),
            Output::SendOther { message: StateRequest { group, action }, ack_id } => {
                self.send([UpstreamMessage::GroupState { group, ack_id, action }]);
            }
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
                if let Some(event) = self.states.settled(id, &result) {
                    self.subscribers.publish(&event);
                }
                self.pending.operations.answer(id, result.map_err(Into::into));
            }
            Output::Invoked { id, invocation_id, result } => {
                self.pending.invocations.answer(id, invoked(invocation_id, result));
            }
            Output::Event(event) => self.event(now, event),
        }
    }

    fn event(&mut self, now: Timestamp, event: CoreEvent<DownstreamMessage>) {
        let mut changed = Vec::new();
        match &event {
            CoreEvent::Connected { .. } => {
                let renewal = self.states.connected(|| self.inbox.next_number());
                let renew = |(id, operation)| Input::Operate { id, operation };
                self.inputs.extend(renewal.operations.into_iter().map(renew));
                changed = renewal.changed;
            }
            CoreEvent::Recovering { .. } => self.streams(now, OutboundInput::Recovering),
            CoreEvent::Recovered { .. } => self.streams(now, OutboundInput::Recovered),
            CoreEvent::Disconnected { .. } => {
                self.states.lost();
                self.streams(now, OutboundInput::ConnectionLost);
            }
            CoreEvent::Stopped { .. } => self.streams.stopped(now),
            CoreEvent::Data(_) | CoreEvent::RejoinGroupFailed { .. } => {}
        }
        let event = if let CoreEvent::Data(message) = event {
            self.received(now, message)
        } else {
            Event::new(event)
        };
        for event in event.iter().chain(&changed) {
            self.subscribers.publish(event);
        }
    }

    /// What the application gets of a message; pieces of streams go to their readers.
    fn received(&mut self, now: Timestamp, message: DownstreamMessage) -> Option<Event> {
        if let DownstreamMessage::GroupStates { states, .. } = message {
            return self.states.received(now, states);
        }
        let (message, part) = Message::new(message)?;
        match part {
            Some(part) => self.streams.fragment(now, message, *part),
            None => return Some(Event::Message(message)),
        }
        None
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
