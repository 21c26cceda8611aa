//! The class that JavaScript sees: calls → inputs, outputs → the host.

use std::cell::Cell;

use wasm_bindgen::prelude::*;
use webpubsub_client_core::{
    AttemptId, Close, CommandId, ConnectError, Delivery, Event, Input, Next, Operation, Output, Session,
};
use webpubsub_protocol::client::Echo;
use webpubsub_protocol::close::CloseCode;
use webpubsub_protocol::id::AckId;
use webpubsub_protocol::name::{ConnectionId, EventName, GroupName, UserId};
use webpubsub_protocol::time::Timestamp;

use crate::clock::Clock;
use crate::convert::{self, Frame, Payload};
use crate::error;
use crate::host::{Host, Socket};
use crate::settings;

/// A session, and what carries out what it asks for.
///
/// Every call has a number of the caller's, under which the host receives the answer.
#[wasm_bindgen]
pub struct Client {
    host: Host,
    /// Away while it is driven.
    session: Cell<Option<Box<Session<Payload, Frame>>>>,
    /// What has happened and is not handled.
    inputs: Cell<Vec<Input<Payload, Frame>>>,
    /// The newest socket, and the attempt that it was opened for.
    socket: Cell<Option<(AttemptId, Socket)>>,
    clock: Clock,
    /// When the host's timer rings.
    alarm: Cell<Option<Timestamp>>,
}

#[wasm_bindgen]
impl Client {
    /// A client that has not started.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new(host: Host, settings: &JsValue) -> Self {
        let session = Session::new(settings::options(settings));
        Self {
            host,
            session: Cell::new(Some(Box::new(session))),
            inputs: Cell::default(),
            socket: Cell::default(),
            clock: Clock::default(),
            alarm: Cell::default(),
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
        self.alarm.set(None);
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

    /// A socket brought a frame.
    pub fn received(&self, attempt: u32, frame: &JsValue) {
        self.input(Input::Message { attempt: AttemptId(attempt), message: convert::incoming(frame) });
    }

    /// A socket closed.
    pub fn closed(&self, attempt: u32, code: u16, reason: String) {
        let (attempt, close) = (AttemptId(attempt), Close { code: CloseCode(code), reason });
        // Whatever the socket holds can be collected.
        self.socket.set(self.socket.take().filter(|(newest, _)| *newest != attempt));
        self.input(Input::Closed { attempt, close });
    }

    /// A socket failed, which says nothing of one that is open: that one is about to close.
    ///
    /// `is_known` is whether the platform knows why: with the HTTP status of a refusal, or without
    /// one where no server answered.
    #[wasm_bindgen(js_name = connectFailed)]
    pub fn connect_failed(&self, attempt: u32, is_known: bool, status: Option<u16>) {
        let error = match status {
            Some(status) => ConnectError::Refused { status },
            None if is_known => ConnectError::Unreachable,
            None => ConnectError::Closed { code: CloseCode::ABNORMAL },
        };
        self.input(Input::ConnectFailed { attempt: AttemptId(attempt), error });
    }

    /// Joins a group; answered, like every operation, by the host's `done` or `failed`.
    ///
    /// # Errors
    /// An `Error` for a name that is none of a group.
    #[wasm_bindgen(js_name = joinGroup)]
    pub fn join_group(&self, call: u32, group: String, ack_id: Option<f64>) -> Result<(), JsValue> {
        let group = GroupName::parse(group).map_err(error::name_error)?;
        self.operate(call, Operation::JoinGroup { group, ack_id: id(ack_id) });
        Ok(())
    }

    /// Leaves a group.
    ///
    /// # Errors
    /// An `Error` for a name that is none of a group.
    #[wasm_bindgen(js_name = leaveGroup)]
    pub fn leave_group(&self, call: u32, group: String, ack_id: Option<f64>) -> Result<(), JsValue> {
        let group = GroupName::parse(group).map_err(error::name_error)?;
        self.operate(call, Operation::LeaveGroup { group, ack_id: id(ack_id) });
        Ok(())
    }

    /// Publishes to a group.
    ///
    /// # Errors
    /// An `Error` for a name that is none of a group, a `TypeError` for content that does not fit
    /// its data type.
    #[wasm_bindgen(js_name = sendToGroup)]
    #[expect(clippy::too_many_arguments, reason = "one crossing of the boundary, and no object")]
    pub fn send_to_group(
        &self,
        call: u32,
        group: String,
        content: &JsValue,
        data_type: &JsValue,
        no_echo: bool,
        fire_and_forget: bool,
        ack_id: Option<f64>,
    ) -> Result<(), JsValue> {
        let operation = Operation::SendToGroup {
            group: GroupName::parse(group).map_err(error::name_error)?,
            data: convert::payload(content, data_type)?,
            echo: if no_echo { Echo::Skip } else { Echo::Send },
            delivery: delivery(fire_and_forget, ack_id),
        };
        self.operate(call, operation);
        Ok(())
    }

    /// Sends an event to the application's server.
    ///
    /// # Errors
    /// An `Error` for a name that is none of an event, a `TypeError` for content that does not fit
    /// its data type.
    #[wasm_bindgen(js_name = sendEvent)]
    pub fn send_event(
        &self,
        call: u32,
        event: String,
        content: &JsValue,
        data_type: &JsValue,
        fire_and_forget: bool,
        ack_id: Option<f64>,
    ) -> Result<(), JsValue> {
        let operation = Operation::SendEvent {
            event: EventName::parse(event).map_err(error::name_error)?,
            data: convert::payload(content, data_type)?,
            delivery: delivery(fire_and_forget, ack_id),
        };
        self.operate(call, operation);
        Ok(())
    }

    /// Sends an event to the application's server, for its answer; answered by the host's `invoked`
    /// or `failed`.
    ///
    /// # Errors
    /// As [`Client::send_event`].
    #[wasm_bindgen(js_name = invokeEvent)]
    pub fn invoke_event(
        &self,
        call: u32,
        event: String,
        content: &JsValue,
        data_type: &JsValue,
        invocation_id: Option<String>,
    ) -> Result<(), JsValue> {
        let event = EventName::parse(event).map_err(error::name_error)?;
        let data = convert::payload(content, data_type)?;
        self.input(Input::Invoke { id: CommandId(call), invocation_id, event, data });
        Ok(())
    }

    /// Has the service do something else that it acknowledges: `message` is the frame that asks for
    /// it, but for its ack id.
    pub fn other(&self, call: u32, message: Payload, ack_id: Option<f64>) {
        let delivery = Delivery::Acknowledged { ack_id: id(ack_id) };
        self.operate(call, Operation::Other { message, delivery });
    }
}

impl Client {
    fn operate(&self, call: u32, operation: Operation<Payload>) {
        self.input(Input::Operate { id: CommandId(call), operation });
    }

    /// Handles an input, and whatever arises while its outputs are carried out: a listener may call
    /// back, but never gets in between two outputs.
    fn input(&self, input: Input<Payload, Frame>) {
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
        self.set_alarm(session.next_timeout());
        self.session.set(Some(session));
    }

    /// Has the host's timer ring when the session needs it. One that rings earlier stays: ringing
    /// early is harmless, and most frames then set no timer at all.
    fn set_alarm(&self, next: Option<Timestamp>) {
        let alarm = self.alarm.get();
        if alarm == next || alarm.is_some_and(|alarm| next.is_some_and(|next| alarm <= next)) {
            return;
        }
        self.alarm.set(next);
        let pause = next.map(|next| next.since(self.clock.now()).as_millis());
        self.host.set_timer(pause.map(|pause| i32::try_from(pause).unwrap_or(i32::MAX)));
    }

    fn perform(&self, output: Output<Payload, Frame>) {
        let host = &self.host;
        match output {
            Output::FetchUrl { attempt } => host.fetch_url(attempt.0),
            Output::Connect { attempt, url, subprotocol } => {
                self.connect(attempt, &url, subprotocol.name().unwrap_or_default());
            }
            Output::Send(message) => self.with_socket(|_, socket| {
                // A socket that cannot take it is about to report that it closed.
                let _ = socket.send(&convert::frame(&message));
            }),
            Output::SendOther { message, ack_id } => self.with_socket(|_, socket| {
                let _ = socket.send(&convert::other(&message, convert::number(ack_id)));
            }),
            Output::Close { attempt } => self.with_socket(|newest, socket| {
                if newest == attempt {
                    let _ = socket.close();
                }
            }),
            Output::Started { id, result: Ok(()) } => host.started(id.0),
            Output::Started { id, result: Err(error) } => {
                let (problem, number) = error::start_problem(&error);
                host.start_failed(id.0, problem, number);
            }
            Output::Settle { id, result: Ok(receipt) } => {
                host.done(id.0, convert::number(receipt.ack_id), receipt.is_duplicated);
            }
            Output::Settle { id, result: Err(error) } => host.failed(id.0, &error::send_error(host, &error)),
            Output::Invoked { id, result: Ok(answer), .. } => host.invoked(id.0, &answer),
            Output::Invoked { id, invocation_id, result: Err(error) } => {
                host.failed(id.0, &error::invocation_error(host, &invocation_id, &error));
            }
            Output::Event(event) => self.raise(&event),
        }
    }

    fn connect(&self, attempt: AttemptId, url: &str, protocol: &str) {
        match self.host.open_socket(attempt.0, url, protocol) {
            Ok(socket) => self.socket.set(Some((attempt, socket))),
            Err(_) => self.input(Input::ConnectFailed { attempt, error: ConnectError::InvalidUrl }),
        }
    }

    /// Does something with the newest socket, if there is one.
    fn with_socket(&self, act: impl FnOnce(AttemptId, &Socket)) {
        if let Some((attempt, socket)) = self.socket.take() {
            act(attempt, &socket);
            self.socket.set(Some((attempt, socket)));
        }
    }

    fn raise(&self, event: &Event<Frame>) {
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
            Event::Stopped { close } => {
                let (code, reason) = close.as_ref().map(|Close { code, reason }| (code.0, &**reason)).unzip();
                host.stopped(code, reason);
            }
            Event::Recovering { connection_id } => host.recovering(connection_id.as_str()),
            Event::Recovered { connection_id } => host.recovered(connection_id.as_str()),
            Event::Data(message) => host.message(message),
            Event::RejoinGroupFailed { group, error } => {
                host.rejoin_failed(group.as_str(), &error::send_error(host, error));
            }
        }
    }
}

fn delivery(fire_and_forget: bool, ack_id: Option<f64>) -> Delivery {
    if fire_and_forget { Delivery::FireAndForget } else { Delivery::Acknowledged { ack_id: id(ack_id) } }
}

fn id(number: Option<f64>) -> Option<AckId> {
    number.map(|number| AckId(number as u64))
}
