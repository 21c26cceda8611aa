//! The class that JavaScript sees: calls → inputs, outputs → the host.

use std::borrow::Cow;
use std::cell::Cell;

use wasm_bindgen::prelude::*;
use webpubsub_client_core::{
    AttemptId, Close, CommandId, ConnectError, Delivery, Event, HostTimer, Incoming, Input, InvocationError,
    Next, Operation, Options, Output, Session,
};
use webpubsub_protocol::client::{AckError, Echo, Subprotocol};
use webpubsub_protocol::close::CloseCode;
use webpubsub_protocol::id::{AckId, SequenceId};
use webpubsub_protocol::name::{ConnectionId, EventName, GroupName, NameError, UserId};
use webpubsub_protocol::time::Timestamp;

use crate::clock::Clock;
use crate::host::Host;
use crate::outgoing::{self, ack_id, number};
use crate::text::{given, text};
use crate::{problem, settings};

/// A session, and what carries out what it asks for.
///
/// Every call has a number of the caller's, under which the host receives the answer.
#[wasm_bindgen]
pub struct Client {
    host: Host,
    /// Away while it is driven.
    session: Cell<Option<Box<Session<JsValue, JsValue>>>>,
    /// What has happened while the session was driven.
    waiting: Cell<Vec<Input<JsValue, JsValue>>>,
    clock: Clock,
    timer: HostTimer,
}

#[wasm_bindgen]
impl Client {
    /// A client that has not started. Numbers that are missing are negative.
    #[wasm_bindgen(constructor)]
    #[must_use]
    #[expect(clippy::too_many_arguments, reason = "one crossing of the boundary, and no object")]
    pub fn new(
        host: Host,
        is_reliable: bool,
        auto_reconnect: bool,
        auto_rejoin_groups: bool,
        message_retries: f64,
        message_delay: f64,
        message_max_delay: f64,
        message_delays_double: bool,
        reconnect_retries: f64,
        reconnect_delay: f64,
        reconnect_max_delay: f64,
        reconnect_delays_double: bool,
        keep_alive_timeout: f64,
        keep_alive_interval: f64,
    ) -> Self {
        let default = Options::default();
        let message = [message_retries, message_delay, message_max_delay];
        let reconnect = [reconnect_retries, reconnect_delay, reconnect_max_delay];
        let session = Session::new(Options {
            // The protocol object has the name: what counts here is whether messages are numbered.
            subprotocol: if is_reliable { Subprotocol::JsonReliable } else { Subprotocol::Json },
            auto_reconnect,
            auto_rejoin_groups,
            message_retry: settings::retry(default.message_retry, message, message_delays_double),
            reconnect_retry: settings::retry(default.reconnect_retry, reconnect, reconnect_delays_double),
            keep_alive_timeout: settings::milliseconds(default.keep_alive_timeout, keep_alive_timeout),
            keep_alive_interval: settings::milliseconds(default.keep_alive_interval, keep_alive_interval),
        });
        Self {
            host,
            session: Cell::new(Some(Box::new(session))),
            waiting: Cell::default(),
            clock: Clock::default(),
            timer: HostTimer::default(),
        }
    }

    /// Says that something happened, or is to happen, which takes no more than numbers to say: what, by its
    /// number in `npm/src/signal.ts`, and the call or the attempt that it is about.
    pub fn signal(&self, what: u32, id: u32, number: f64) {
        let (call, attempt) = (CommandId(id), AttemptId(id));
        self.input(match what {
            0 => Input::Start { id: call },
            1 => Input::Abort { id: call },
            2 => Input::Stop,
            3 => Input::Wake,
            4 => {
                self.timer.rang();
                Input::Timeout
            }
            5 => Input::ConnectFailed { attempt, error: ConnectError::Credential },
            6 => Input::Opened { attempt },
            7 => Input::ConnectFailed { attempt, error: connect_error(number) },
            8 => {
                let message = Incoming::Ack { ack_id: AckId(number as u64), result: Ok(()) };
                Input::Message { attempt, message }
            }
            _ => Input::Message { attempt, message: Incoming::Other },
        });
    }

    /// The credential's answer.
    #[wasm_bindgen(js_name = urlFetched)]
    pub fn url_fetched(&self, attempt: u32, url: JsValue) {
        self.input(Input::UrlFetched { attempt: AttemptId(attempt), url: text(url) });
    }

    /// A socket brought a data message, which stays where it is; its sequence id is negative where it has
    /// none. `wall_clock` is the time in milliseconds since 1970.
    ///
    /// What follows is a sum: 1, the message is raised; 2, [`Client::signal`] says after that that the timer
    /// has rung; 4, more follows, and it comes again as `message`.
    pub fn data(&self, attempt: u32, sequence_id: f64, wall_clock: f64) -> u32 {
        let Some(mut session) = self.session.take() else {
            return 4;
        };
        let now = self.clock.at(wall_clock);
        let what = match session.data(now, AttemptId(attempt), sequence(sequence_id)) {
            None => 4,
            Some(is_raised) => {
                let next = session.next_timeout();
                let is_due = next.is_some_and(|next| next <= now);
                if !is_due {
                    self.set_timer(next);
                }
                u32::from(is_raised) | if is_due { 2 } else { 0 }
            }
        };
        self.session.set(Some(session));
        what
    }

    /// The message that `data` said more follows from.
    pub fn message(&self, attempt: u32, sequence_id: f64, message: JsValue) {
        self.incoming(attempt, Incoming::Data { sequence_id: sequence(sequence_id), message });
    }

    /// A socket brought an ack that is not.
    pub fn refused(&self, attempt: u32, ack_id: f64, name: JsValue, message: JsValue) {
        let result = Err(ack_error(name, message));
        self.incoming(attempt, Incoming::Ack { ack_id: AckId(ack_id as u64), result });
    }

    /// A socket brought a connection's first message, or a fresh token. One that is empty is none.
    pub fn connected(
        &self,
        attempt: u32,
        connection_id: JsValue,
        user_id: JsValue,
        reconnection_token: JsValue,
    ) {
        let message = match ConnectionId::parse(text(connection_id)) {
            Ok(connection_id) => {
                let user_id = UserId::parse(text(user_id)).ok();
                let reconnection_token = given(reconnection_token);
                Incoming::Connected { connection_id, user_id, reconnection_token }
            }
            Err(_) => Incoming::Other,
        };
        self.incoming(attempt, message);
    }

    /// A socket brought the service's farewell.
    pub fn disconnecting(&self, attempt: u32, message: JsValue) {
        self.incoming(attempt, Incoming::Disconnected { message: text(message) });
    }

    /// A socket brought the good answer to an invocation.
    pub fn answered(&self, attempt: u32, invocation_id: JsValue, answer: JsValue) {
        let invocation_id = text(invocation_id);
        self.incoming(attempt, Incoming::InvokeResponse { invocation_id, result: Ok(answer) });
    }

    /// A socket brought another answer: one that cannot be read, or a refusal, which may say why.
    #[wasm_bindgen(js_name = answerFailed)]
    pub fn answer_failed(
        &self,
        attempt: u32,
        invocation_id: JsValue,
        is_readable: bool,
        says_why: bool,
        name: JsValue,
        message: JsValue,
    ) {
        let error = if is_readable {
            InvocationError::Refused(says_why.then(|| ack_error(name, message)))
        } else {
            InvocationError::Unreadable
        };
        let invocation_id = text(invocation_id);
        self.incoming(attempt, Incoming::InvokeResponse { invocation_id, result: Err(error) });
    }

    /// A socket closed.
    pub fn closed(&self, attempt: u32, code: u16, reason: JsValue) {
        let close = Close { code: CloseCode(code), reason: text(reason) };
        self.input(Input::Closed { attempt: AttemptId(attempt), close });
    }

    /// Joins a group (kind 0) or leaves it (1), publishes to it (2), or sends an event to the
    /// application's server (3); answered by the host's `done` or `failed`. `name` is the group's or the
    /// event's; what a kind has no use for is left aside.
    ///
    /// What is wrong with the name, here and below, or 0: then the operation is under way.
    #[expect(clippy::too_many_arguments, reason = "one crossing of the boundary, and no object")]
    pub fn operate(
        &self,
        call: u32,
        kind: u32,
        name: JsValue,
        data: JsValue,
        no_echo: bool,
        fire_and_forget: bool,
        id: f64,
    ) -> u32 {
        let name = text(name);
        let ack_id = ack_id(id);
        let delivery =
            if fire_and_forget { Delivery::FireAndForget } else { Delivery::Acknowledged { ack_id } };
        self.begin(
            call,
            if kind == 3 {
                EventName::parse(name).map(|event| Operation::SendEvent { event, data, delivery })
            } else {
                GroupName::parse(name).map(|group| match kind {
                    0 => Operation::JoinGroup { group, ack_id },
                    1 => Operation::LeaveGroup { group, ack_id },
                    _ => {
                        let echo = if no_echo { Echo::Skip } else { Echo::Send };
                        Operation::SendToGroup { group, data, echo, delivery }
                    }
                })
            },
        )
    }

    /// Sends an event to the application's server, for its answer; answered by the host's `invoked`
    /// or `invocationFailed`. An `invocation_id` that is empty is none.
    pub fn invoke(&self, call: u32, event: JsValue, data: JsValue, invocation_id: JsValue) -> u32 {
        self.checked(EventName::parse(text(event)).map(|event| Input::Invoke {
            id: CommandId(call),
            invocation_id: given(invocation_id),
            event,
            data,
        }))
    }

    /// Has the service do something else that it acknowledges: `message` asks for it, but for its ack
    /// id.
    pub fn other(&self, call: u32, message: JsValue, id: f64) {
        let delivery = Delivery::Acknowledged { ack_id: ack_id(id) };
        self.begin(call, Ok(Operation::Other { message, delivery }));
    }
}

impl Client {
    fn begin(&self, call: u32, operation: Result<Operation<JsValue>, NameError>) -> u32 {
        self.checked(operation.map(|operation| Input::Operate { id: CommandId(call), operation }))
    }

    /// Handles an input, if its name is one.
    fn checked(&self, input: Result<Input<JsValue, JsValue>, NameError>) -> u32 {
        match input {
            Ok(input) => {
                self.input(input);
                0
            }
            Err(error) => problem::of_name(error),
        }
    }

    fn incoming(&self, attempt: u32, message: Incoming<JsValue>) {
        self.input(Input::Message { attempt: AttemptId(attempt), message });
    }

    /// Handles an input, and whatever arises while its outputs are carried out: a listener may call
    /// back, but never gets in between two outputs.
    fn input(&self, input: Input<JsValue, JsValue>) {
        let Some(mut session) = self.session.take() else {
            let mut waiting = self.waiting.take();
            waiting.push(input);
            return self.waiting.set(waiting);
        };
        self.handle(&mut session, input);
        loop {
            let waiting = self.waiting.take();
            if waiting.is_empty() {
                break;
            }
            for input in waiting {
                self.handle(&mut session, input);
            }
        }
        self.set_timer(session.next_timeout());
        self.session.set(Some(session));
    }

    fn handle(&self, session: &mut Session<JsValue, JsValue>, input: Input<JsValue, JsValue>) {
        for output in session.handle(self.clock.now(), input) {
            self.perform(output);
        }
    }

    fn set_timer(&self, next: Option<Timestamp>) {
        if let Some(milliseconds) = self.timer.set(next, || self.clock.now()) {
            self.host.set_timer(milliseconds);
        }
    }

    fn perform(&self, output: Output<JsValue, JsValue>) {
        let host = &self.host;
        match output {
            Output::FetchUrl { attempt } => host.fetch_url(attempt.0),
            Output::Connect { attempt, url, .. } => {
                if !host.open_socket(attempt.0, &url) {
                    self.input(Input::ConnectFailed { attempt, error: ConnectError::InvalidUrl });
                }
            }
            Output::Send(message) => outgoing::send(host, &message),
            Output::SendOther { message, ack_id } => host.send_other(&message, number(ack_id)),
            Output::Close { attempt } => host.close_socket(attempt.0),
            Output::Started { id, result: Ok(()) } => host.started(id.0),
            Output::Started { id, result: Err(error) } => {
                let (problem, number) = problem::of_start(&error);
                host.start_failed(id.0, problem, number);
            }
            Output::Settle { id, result: Ok(receipt) } => {
                host.done(id.0, number(receipt.ack_id), receipt.is_duplicated);
            }
            Output::Settle { id, result: Err(error) } => {
                let (problem, detail) = problem::of_send(&error);
                let (name, text) = problem::texts(detail);
                host.failed(id.0, problem, number(error.ack_id()), name, text);
            }
            Output::Invoked { id, result: Ok(answer), .. } => host.invoked(id.0, &answer),
            Output::Invoked { id, invocation_id, result: Err(error) } => {
                let (problem, detail) = problem::of_invocation(&error);
                let (name, text) = problem::texts(detail);
                host.invocation_failed(id.0, &invocation_id, problem, name, text);
            }
            Output::Event(event) => self.raise(&event),
        }
    }

    fn raise(&self, event: &Event<JsValue>) {
        let host = &self.host;
        match event {
            Event::Connected { connection_id, user_id } => {
                host.connected(connection_id.as_str(), user_id.as_ref().map(UserId::as_str));
            }
            Event::Disconnected { connection_id, message, close, next } => host.disconnected(
                connection_id.as_ref().map(ConnectionId::as_str),
                message.as_deref(),
                close.code.0,
                &close.reason,
                *next == Next::Reconnect,
            ),
            Event::Stopped { close: Some(close) } => host.stopped(close.code.0, &close.reason),
            Event::Stopped { close: None } => host.stopped(0, ""),
            Event::Recovering { connection_id } => host.recovery(false, connection_id.as_str()),
            Event::Recovered { connection_id } => host.recovery(true, connection_id.as_str()),
            Event::Data(message) => host.message(message),
            Event::RejoinGroupFailed { group, error } => {
                let (problem, detail) = problem::of_send(error);
                let (name, text) = problem::texts(detail);
                host.rejoin_failed(group.as_str(), problem, number(error.ack_id()), name, text);
            }
        }
    }
}

/// The sequence id that JavaScript means.
fn sequence(number: f64) -> Option<SequenceId> {
    (number >= 0.0).then_some(SequenceId(number as u64))
}

/// What the service says is wrong.
fn ack_error(name: JsValue, message: JsValue) -> AckError {
    AckError { name: Cow::Owned(text(name)), message: text(message) }
}

/// Why a socket did not open: the HTTP status of a refusal; 0 where no server answered; negative where the
/// platform does not know.
fn connect_error(status: f64) -> ConnectError {
    if status > 0.0 {
        ConnectError::Refused { status: status as u16 }
    } else if status < 0.0 {
        ConnectError::Closed { code: CloseCode::ABNORMAL }
    } else {
        ConnectError::Unreachable
    }
}
