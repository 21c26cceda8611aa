//! A session whose clock is moved by hand, and a transcript of what it asks for.
#![allow(dead_code, reason = "each test file uses its own part of it")]
#![allow(clippy::unwrap_used, reason = "tests may")]

use std::fmt::Write as _;
use std::time::Duration;

use expect_test::Expect;
use webpubsub_client_core::{
    Arrival, AttemptId, Close, CommandId, ConnectError, Delivery, Event, Input, Operation, Options, Output,
    Receipt, SendError, Session,
};
use webpubsub_protocol::client::{DownstreamMessage, Echo, Subprotocol, json};
use webpubsub_protocol::close::CloseCode;
use webpubsub_protocol::data::MessageData;
use webpubsub_protocol::id::{AckId, SequenceId};
use webpubsub_protocol::name::{EventName, GroupName};
use webpubsub_protocol::time::Timestamp;

/// What the credential gives.
pub(crate) const URL: &str = "wss://h/client/hubs/chat?access_token=t";

/// Without recovery, so that every loss is for good.
pub(crate) fn unreliable() -> Options {
    Options { subprotocol: Subprotocol::Json, ..Options::default() }
}

/// A session, its clock, and what has gone by since the last check.
pub(crate) struct Driver {
    session: Session<MessageData>,
    now: u64,
    last_command: u32,
    /// The newest attempt that the session asked something for.
    attempt: AttemptId,
    transcript: String,
}

impl Driver {
    pub(crate) fn new(options: Options) -> Self {
        Self {
            session: Session::new(options),
            now: 0,
            last_command: 0,
            attempt: AttemptId(0),
            transcript: String::new(),
        }
    }

    /// A started session with an open socket on which the service has said `connected`, and nothing
    /// in the transcript.
    pub(crate) fn connected(options: Options) -> Self {
        let mut driver = Self::new(options);
        driver.start();
        driver.url();
        driver.open();
        driver.say_connected("c1");
        driver.transcript.clear();
        driver
    }

    /// Lets time pass, waking the session whenever it asked for it.
    pub(crate) fn pass(&mut self, milliseconds: u64) {
        let end = self.now + milliseconds;
        while let Some(due) = self.session.next_timeout().filter(|due| due.as_millis() <= end) {
            self.now = self.now.max(due.as_millis());
            self.input(Input::Timeout);
        }
        self.now = end;
    }

    /// Lets time pass while the session is not woken, as when a machine sleeps.
    pub(crate) fn sleep(&mut self, milliseconds: u64) {
        self.now += milliseconds;
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.session.is_stopped()
    }

    pub(crate) fn next_timeout(&self) -> Option<u64> {
        self.session.next_timeout().map(Timestamp::as_millis)
    }

    /// The application starts the client.
    pub(crate) fn start(&mut self) -> CommandId {
        let id = self.next_command();
        self.input(Input::Start { id });
        id
    }

    pub(crate) fn stop(&mut self) {
        self.input(Input::Stop);
    }

    pub(crate) fn abort(&mut self, id: CommandId) {
        self.input(Input::Abort { id });
    }

    pub(crate) fn wake(&mut self) {
        self.input(Input::Wake);
    }

    pub(crate) fn join(&mut self, group: &str) -> CommandId {
        self.operate(Operation::JoinGroup { group: GroupName::parse(group).unwrap(), ack_id: None })
    }

    pub(crate) fn leave(&mut self, group: &str) -> CommandId {
        self.operate(Operation::LeaveGroup { group: GroupName::parse(group).unwrap(), ack_id: None })
    }

    /// Sends `hi` to the group `g`.
    pub(crate) fn send(&mut self, delivery: Delivery) -> CommandId {
        self.operate(Operation::SendToGroup {
            group: GroupName::parse("g").unwrap(),
            data: MessageData::Text("hi".to_owned()),
            echo: Echo::Send,
            delivery,
        })
    }

    /// Sends the event `hello`.
    pub(crate) fn send_event(&mut self, delivery: Delivery) -> CommandId {
        self.operate(Operation::SendEvent {
            event: EventName::parse("hello").unwrap(),
            data: MessageData::Text("hi".to_owned()),
            delivery,
        })
    }

    pub(crate) fn operate(&mut self, operation: Operation<MessageData>) -> CommandId {
        let id = self.next_command();
        self.input(Input::Operate { id, operation });
        id
    }

    /// Invokes the event `hello`.
    pub(crate) fn invoke(&mut self, invocation_id: Option<&str>) -> CommandId {
        let id = self.next_command();
        self.input(Input::Invoke {
            id,
            invocation_id: invocation_id.map(str::to_owned),
            event: EventName::parse("hello").unwrap(),
            data: MessageData::Text("hi".to_owned()),
        });
        id
    }

    /// The credential answers the newest attempt.
    pub(crate) fn url(&mut self) {
        self.input(Input::UrlFetched { attempt: self.attempt, url: URL.to_owned() });
    }

    /// The newest attempt fails.
    pub(crate) fn fail(&mut self, error: ConnectError) {
        self.input(Input::ConnectFailed { attempt: self.attempt, error });
    }

    /// The newest attempt's socket opens.
    pub(crate) fn open(&mut self) {
        self.input(Input::Opened { attempt: self.attempt });
    }

    /// The newest attempt's socket closes.
    pub(crate) fn close(&mut self, code: u16) {
        self.close_of(self.attempt, code);
    }

    pub(crate) fn close_of(&mut self, attempt: AttemptId, code: u16) {
        let close = Close { code: CloseCode(code), reason: String::new() };
        self.input(Input::Closed { attempt, close });
    }

    pub(crate) fn attempt(&self) -> AttemptId {
        self.attempt
    }

    /// The service says something on the newest attempt's socket.
    pub(crate) fn say(&mut self, frame: &str) {
        self.say_on(self.attempt, frame);
    }

    pub(crate) fn say_on(&mut self, attempt: AttemptId, frame: &str) {
        let message = json::decode_downstream(frame).unwrap().into();
        self.input(Input::Message { attempt, message });
    }

    pub(crate) fn say_connected(&mut self, connection_id: &str) {
        self.say(&format!(
            r#"{{"type":"system","event":"connected","userId":"alice","connectionId":"{connection_id}","reconnectionToken":"r"}}"#
        ));
    }

    pub(crate) fn say_done(&mut self, ack_id: u64) {
        self.say(&format!(r#"{{"type":"ack","ackId":{ack_id},"success":true}}"#));
    }

    pub(crate) fn say_refused(&mut self, ack_id: u64, name: &str) {
        self.say(&format!(
            r#"{{"type":"ack","ackId":{ack_id},"success":false,"error":{{"name":"{name}","message":"No."}}}}"#
        ));
    }

    pub(crate) fn say_data(&mut self, sequence_id: u64) {
        self.say(&format!(
            r#"{{"type":"message","from":"server","dataType":"text","data":"m{sequence_id}","sequenceId":{sequence_id}}}"#
        ));
    }

    /// A data message that the session is shown without its content: whether it is raised.
    pub(crate) fn show_data(&mut self, sequence_id: u64) -> Option<bool> {
        self.arrives(Some(sequence_id)).map(|arrival| arrival.is_new)
    }

    /// A data message that the session is shown without its content.
    pub(crate) fn arrives(&mut self, sequence_id: Option<u64>) -> Option<Arrival> {
        let now = Timestamp::from_millis(self.now);
        self.session.data(now, self.attempt, sequence_id.map(SequenceId))
    }

    /// Compares what has gone by since the last check.
    #[expect(clippy::needless_pass_by_value, reason = "tests pass what `expect!` makes")]
    pub(crate) fn check(&mut self, expected: Expect) {
        expected.assert_eq(&std::mem::take(&mut self.transcript));
    }

    /// What has gone by since the last check.
    pub(crate) fn take(&mut self) -> String {
        std::mem::take(&mut self.transcript)
    }

    /// Nothing has gone by since the last check.
    pub(crate) fn check_nothing(&mut self) {
        assert_eq!(std::mem::take(&mut self.transcript), "");
    }

    /// Forgets what has gone by since the last check.
    pub(crate) fn skip(&mut self) {
        self.transcript.clear();
    }

    fn next_command(&mut self) -> CommandId {
        self.last_command += 1;
        CommandId(self.last_command)
    }

    fn input(&mut self, input: Input<MessageData>) {
        for output in self.session.handle(Timestamp::from_millis(self.now), input) {
            if let Output::FetchUrl { attempt } | Output::Connect { attempt, .. } = &output {
                self.attempt = *attempt;
            }
            let seconds = Duration::from_millis(self.now).as_secs_f64();
            writeln!(self.transcript, "{seconds:.3} {}", describe(output)).unwrap();
        }
    }
}

fn describe(output: Output<MessageData>) -> String {
    match output {
        Output::FetchUrl { attempt } => format!("fetch url #{}", attempt.0),
        Output::Connect { attempt, url, subprotocol } => match subprotocol {
            Subprotocol::JsonReliable => format!("connect #{} {url}", attempt.0),
            Subprotocol::Json
            | Subprotocol::Protobuf
            | Subprotocol::ProtobufReliable
            | Subprotocol::Mqtt
            | Subprotocol::Simple => format!("connect #{} {url} {subprotocol}", attempt.0),
        },
        Output::Send(message) => format!("→ {}", json::encode_upstream(&message)),
        Output::SendOther { message, ack_id } => format!("→ {message:?}{}", under(ack_id)),
        Output::Close { attempt } => format!("close #{}", attempt.0),
        Output::Started { id, result: Ok(()) } => format!("call {} started", id.0),
        Output::Started { id, result: Err(error) } => format!("call {} failed: {error}", id.0),
        Output::Settle { id, result: Ok(Receipt { ack_id, is_duplicated }) } => {
            let how = if is_duplicated { "was done before" } else { "done" };
            format!("call {} {how}{}", id.0, under(ack_id))
        }
        Output::Settle { id, result: Err(error) } => {
            let name = match &error {
                SendError::Refused { error, .. } => format!(" ({})", error.name),
                SendError::Disconnected { .. }
                | SendError::NotConnected { .. }
                | SendError::Aborted { .. } => String::new(),
            };
            format!("call {} failed{}: {error}{name}", id.0, under(error.ack_id()))
        }
        Output::Invoked { id, invocation_id, result: Ok(answer) } => {
            format!("call {} answered as {invocation_id}: {}", id.0, json::encode_downstream(answer))
        }
        Output::Invoked { id, invocation_id, result: Err(error) } => {
            format!("call {} failed as {invocation_id}: {error}", id.0)
        }
        Output::Event(event) => format!("event {}", describe_event(event)),
    }
}

fn under(ack_id: Option<AckId>) -> String {
    ack_id.map(|ack_id| format!(" under {ack_id}")).unwrap_or_default()
}

fn describe_event(event: Event<DownstreamMessage>) -> String {
    let describe_close = |close: Close| format!("{} {:?}", close.code.0, close.reason);
    match event {
        Event::Connected { connection_id, user_id } => {
            format!(
                "connected {connection_id} as {}",
                user_id.map_or("anonymous".to_owned(), |id| id.to_string())
            )
        }
        Event::Disconnected { connection_id, message, close, next } => format!(
            "disconnected {} {} {}then {next:?}",
            connection_id.map_or("unnamed".to_owned(), |id| id.to_string()),
            describe_close(close),
            message.map(|message| format!("{message:?} ")).unwrap_or_default(),
        ),
        Event::Stopped { close } => {
            format!("stopped {}", close.map(describe_close).unwrap_or_default()).trim_end().to_owned()
        }
        Event::Recovering { connection_id } => format!("recovering {connection_id}"),
        Event::Recovered { connection_id } => format!("recovered {connection_id}"),
        Event::Data(message) => format!("message {}", json::encode_downstream(message)),
        Event::RejoinGroupFailed { group, error } => format!("rejoin-group-failed {group}: {error}"),
    }
}
