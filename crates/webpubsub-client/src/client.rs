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

use crate::clock::Clock;
use crate::host::Host;
use crate::outgoing::{self, ack_id, number};
use crate::{problem, settings};

/// A session, and what carries out what it asks for.
///
/// Every call has a number of the caller's, under which the host receives the answer.
#[wasm_bindgen]
pub struct Client {
    host: Host,
    /// Away while it is driven.
    session: Cell<Option<Box<Session<JsValue, JsValue>>>>,
    /// What has happened and is not handled.
    inputs: Cell<Vec<Input<JsValue, JsValue>>>,
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
            inputs: Cell::default(),
            clock: Clock::default(),
            timer: HostTimer::default(),
        }
    }

    /// Starts the client; answered by the host's `started` or `startFailed`.
    pub fn start(&self, call: u32) {
        self.input(Input::Start { id: CommandId(call) });
    }

    /// Stops the client.
    pub fn stop(&self) {
        self.input(Input::Stop);
    }

    /// Gives a call up; it is answered at once if it is not answered yet.
    pub fn abort(&self, call: u32) {
        self.input(Input::Abort { id: CommandId(call) });
    }

    /// Says that this is a good moment to look at the link.
    pub fn wake(&self) {
        self.input(Input::Wake);
    }

    /// The timer that the host was asked for has rung.
    pub fn timeout(&self) {
        self.timer.rang();
        self.input(Input::Timeout);
    }

    /// The credential's answer.
    #[wasm_bindgen(js_name = urlFetched)]
    pub fn url_fetched(&self, attempt: u32, url: String) {
        self.input(Input::UrlFetched { attempt: AttemptId(attempt), url });
    }

    /// The credential's other answer.
    #[wasm_bindgen(js_name = urlFailed)]
    pub fn url_failed(&self, attempt: u32) {
        self.input(Input::ConnectFailed { attempt: AttemptId(attempt), error: ConnectError::Credential });
    }

    /// A socket opened.
    pub fn opened(&self, attempt: u32) {
        self.input(Input::Opened { attempt: AttemptId(attempt) });
    }

    /// A socket brought a frame that says nothing of what follows here: a sign of life.
    pub fn received(&self, attempt: u32) {
        self.incoming(attempt, Incoming::Other);
    }

    /// A socket brought a data message. Its sequence id is negative where it has none.
    pub fn data(&self, attempt: u32, sequence_id: f64, message: JsValue) {
        let sequence_id = (sequence_id >= 0.0).then_some(SequenceId(sequence_id as u64));
        self.incoming(attempt, Incoming::Data { sequence_id, message });
    }

    /// A socket brought a good ack.
    pub fn acknowledged(&self, attempt: u32, ack_id: f64) {
        self.incoming(attempt, Incoming::Ack { ack_id: AckId(ack_id as u64), result: Ok(()) });
    }

    /// A socket brought an ack that is not.
    pub fn refused(&self, attempt: u32, ack_id: f64, name: String, message: String) {
        let error = AckError { name: Cow::Owned(name), message };
        self.incoming(attempt, Incoming::Ack { ack_id: AckId(ack_id as u64), result: Err(error) });
    }

    /// A socket brought a connection's first message, or a fresh token.
    pub fn connected(
        &self,
        attempt: u32,
        connection_id: String,
        user_id: String,
        reconnection_token: Option<String>,
    ) {
        let message = match ConnectionId::parse(connection_id) {
            Ok(connection_id) => {
                let user_id = UserId::parse(user_id).ok();
                Incoming::Connected { connection_id, user_id, reconnection_token }
            }
            Err(_) => Incoming::Other,
        };
        self.incoming(attempt, message);
    }

    /// A socket brought the service's farewell.
    pub fn disconnecting(&self, attempt: u32, message: String) {
        self.incoming(attempt, Incoming::Disconnected { message });
    }

    /// A socket brought the good answer to an invocation.
    pub fn answered(&self, attempt: u32, invocation_id: String, answer: JsValue) {
        self.incoming(attempt, Incoming::InvokeResponse { invocation_id, result: Ok(answer) });
    }

    /// A socket brought another answer: why there is no good one, or one that cannot be read.
    #[wasm_bindgen(js_name = answerFailed)]
    pub fn answer_failed(
        &self,
        attempt: u32,
        invocation_id: String,
        is_readable: bool,
        name: Option<String>,
        message: String,
    ) {
        let error = name.map(|name| AckError { name: Cow::Owned(name), message });
        let error = if is_readable { InvocationError::Refused(error) } else { InvocationError::Unreadable };
        self.incoming(attempt, Incoming::InvokeResponse { invocation_id, result: Err(error) });
    }

    /// A socket closed.
    pub fn closed(&self, attempt: u32, code: u16, reason: String) {
        let close = Close { code: CloseCode(code), reason };
        self.input(Input::Closed { attempt: AttemptId(attempt), close });
    }

    /// A socket failed, which says nothing of one that is open: that one is about to close.
    ///
    /// `is_known` is whether the platform knows why: with the HTTP status of a refusal, or with 0
    /// where no server answered.
    #[wasm_bindgen(js_name = connectFailed)]
    pub fn connect_failed(&self, attempt: u32, is_known: bool, status: u16) {
        let error = match status {
            0 if is_known => ConnectError::Unreachable,
            0 => ConnectError::Closed { code: CloseCode::ABNORMAL },
            status => ConnectError::Refused { status },
        };
        self.input(Input::ConnectFailed { attempt: AttemptId(attempt), error });
    }

    /// Joins a group; answered, like every operation, by the host's `done` or `failed`.
    ///
    /// What is wrong with the name, here and below, or 0: then the operation is under way.
    #[wasm_bindgen(js_name = joinGroup)]
    pub fn join_group(&self, call: u32, group: String, id: f64) -> u32 {
        let group = GroupName::parse(group);
        self.operate(call, group.map(|group| Operation::JoinGroup { group, ack_id: ack_id(id) }))
    }

    /// Leaves a group.
    #[wasm_bindgen(js_name = leaveGroup)]
    pub fn leave_group(&self, call: u32, group: String, id: f64) -> u32 {
        let group = GroupName::parse(group);
        self.operate(call, group.map(|group| Operation::LeaveGroup { group, ack_id: ack_id(id) }))
    }

    /// Publishes to a group.
    #[wasm_bindgen(js_name = sendToGroup)]
    pub fn send_to_group(
        &self,
        call: u32,
        group: String,
        data: JsValue,
        no_echo: bool,
        fire_and_forget: bool,
        id: f64,
    ) -> u32 {
        let operation = GroupName::parse(group).map(|group| {
            let echo = if no_echo { Echo::Skip } else { Echo::Send };
            Operation::SendToGroup { group, data, echo, delivery: delivery(fire_and_forget, id) }
        });
        self.operate(call, operation)
    }

    /// Sends an event to the application's server.
    #[wasm_bindgen(js_name = sendEvent)]
    pub fn send_event(&self, call: u32, event: String, data: JsValue, fire_and_forget: bool, id: f64) -> u32 {
        let delivery = delivery(fire_and_forget, id);
        let event = EventName::parse(event);
        self.operate(call, event.map(|event| Operation::SendEvent { event, data, delivery }))
    }

    /// Sends an event to the application's server, for its answer; answered by the host's `invoked`
    /// or `invocationFailed`.
    #[wasm_bindgen(js_name = invokeEvent)]
    pub fn invoke_event(
        &self,
        call: u32,
        event: String,
        data: JsValue,
        invocation_id: Option<String>,
    ) -> u32 {
        let input = EventName::parse(event).map(|event| Input::Invoke {
            id: CommandId(call),
            invocation_id,
            event,
            data,
        });
        self.checked(input)
    }

    /// Has the service do something else that it acknowledges: `message` asks for it, but for its ack
    /// id.
    pub fn other(&self, call: u32, message: JsValue, id: f64) {
        let delivery = Delivery::Acknowledged { ack_id: ack_id(id) };
        self.operate(call, Ok(Operation::Other { message, delivery }));
    }
}

impl Client {
    fn operate(&self, call: u32, operation: Result<Operation<JsValue>, NameError>) -> u32 {
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
        let mut inputs = self.inputs.take();
        inputs.push(input);
        self.inputs.set(inputs);
        let Some(mut session) = self.session.take() else {
            return;
        };
        loop {
            let inputs = self.inputs.take();
            if inputs.is_empty() {
                break;
            }
            for input in inputs {
                for output in session.handle(self.clock.now(), input) {
                    self.perform(output);
                }
            }
        }
        if let Some(milliseconds) = self.timer.set(session.next_timeout(), || self.clock.now()) {
            self.host.set_timer(milliseconds);
        }
        self.session.set(Some(session));
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

fn delivery(fire_and_forget: bool, id: f64) -> Delivery {
    if fire_and_forget { Delivery::FireAndForget } else { Delivery::Acknowledged { ack_id: ack_id(id) } }
}
