//! Streams that a client sends, whose clock is moved by hand, and a transcript of what they ask for.
#![allow(dead_code, reason = "each test file uses its own part of it")]
#![allow(clippy::unwrap_used, reason = "tests may")]

use std::fmt::Write as _;

use expect_test::Expect;
use webpubsub_client_core::{CommandId, OutboundInput, OutboundOutput, OutboundStreams};
use webpubsub_protocol::client::{
    AckError, Echo, StreamAction, StreamAnswer, StreamError, StreamId, UpstreamMessage,
};
use webpubsub_protocol::name::GroupName;
use webpubsub_protocol::time::Timestamp;

/// Streams whose clock is moved by hand, and a transcript of what they ask for.
pub(crate) struct Driver {
    pub(crate) streams: OutboundStreams<&'static str>,
    pub(crate) now: u64,
    last_command: u32,
    pub(crate) transcript: String,
}

impl Driver {
    pub(crate) fn new() -> Self {
        Self { streams: OutboundStreams::default(), now: 0, last_command: 0, transcript: String::new() }
    }

    /// One with an open socket and the open stream `s`, and nothing in the transcript.
    pub(crate) fn open() -> Self {
        let mut driver = Self::new();
        driver.input(OutboundInput::LinkOpened);
        driver.open_stream("s");
        driver.ack("s", 1);
        driver.transcript.clear();
        driver
    }

    pub(crate) fn open_stream(&mut self, stream_id: &str) {
        let id = self.next_command();
        let (stream_id, group) = (of(stream_id), GroupName::parse("g").unwrap());
        self.input(OutboundInput::Open { id, stream_id, group, echo: Echo::Send, idle_millis: Some(1000) });
    }

    pub(crate) fn write(&mut self, data: &'static str) -> CommandId {
        self.write_large(data, data.len())
    }

    pub(crate) fn write_large(&mut self, data: &'static str, len: usize) -> CommandId {
        let id = self.next_command();
        self.input(OutboundInput::Write { id, stream_id: of("s"), data, len });
        id
    }

    pub(crate) fn end(&mut self) -> CommandId {
        let id = self.next_command();
        self.input(OutboundInput::End { id, stream_id: of("s"), error: None });
        id
    }

    pub(crate) fn answer(&mut self, stream_id: &str, answer: StreamAnswer) {
        self.input(OutboundInput::Answered { stream_id: of(stream_id), answer });
    }

    pub(crate) fn ack(&mut self, stream_id: &str, expected: u64) {
        self.answer(stream_id, StreamAnswer::Ack { expected });
    }

    pub(crate) fn nack(&mut self, stream_id: &str, expected: u64) {
        let name = StreamAnswer::TRANSIENT_ERROR.into();
        self.answer(stream_id, StreamAnswer::Nack { name, message: String::new(), expected });
    }

    pub(crate) fn closed(&mut self, error: Option<(&'static str, &str)>) {
        let error = error.map(|(name, message)| AckError { name: name.into(), message: message.to_owned() });
        self.answer("s", StreamAnswer::Closed { error });
    }

    /// Lets time pass, waking the streams whenever they asked for it.
    pub(crate) fn pass(&mut self, milliseconds: u64) {
        let end = self.now + milliseconds;
        while let Some(due) = self.streams.next_timeout().filter(|due| due.as_millis() <= end) {
            self.now = self.now.max(due.as_millis());
            self.input(OutboundInput::Timeout);
        }
        self.now = end;
    }

    pub(crate) fn input(&mut self, input: OutboundInput<&'static str>) {
        for output in self.streams.handle(Timestamp::from_millis(self.now), input) {
            let line = match output {
                OutboundOutput::Send(UpstreamMessage::Stream { stream_id, action }) => {
                    format!("→ {} {}", stream_id.as_str(), describe(action))
                }
                OutboundOutput::Send(other) => format!("→ {other:?}"),
                OutboundOutput::Settle { id, result: Ok(()) } => format!("call {} done", id.0),
                OutboundOutput::Settle { id, result: Err(error) } => format!("call {} failed: {error}", id.0),
                OutboundOutput::Completed { stream_id } => format!("{} completed", stream_id.as_str()),
                OutboundOutput::Failed { stream_id, error } => {
                    format!("{} failed: {error}", stream_id.as_str())
                }
            };
            writeln!(self.transcript, "{} {line}", self.now).unwrap();
        }
    }

    pub(crate) fn next_command(&mut self) -> CommandId {
        self.last_command += 1;
        CommandId(self.last_command)
    }

    #[expect(clippy::needless_pass_by_value, reason = "tests pass what `expect!` makes")]
    pub(crate) fn check(&mut self, expected: Expect) {
        expected.assert_eq(&std::mem::take(&mut self.transcript));
    }

    pub(crate) fn skip(&mut self) {
        self.transcript.clear();
    }
}

pub(crate) fn of(stream_id: &str) -> StreamId {
    StreamId::parse(stream_id).unwrap()
}

fn describe(action: StreamAction<&'static str>) -> String {
    match action {
        StreamAction::Start { group, idle_millis, .. } => format!("starts in {group}, {idle_millis:?} ms"),
        StreamAction::Data { sequence_id, data } => format!("{sequence_id} {data}"),
        StreamAction::KeepAlive => "is alive".to_owned(),
        StreamAction::End { error: None } => "ends".to_owned(),
        StreamAction::End { error: Some(StreamError { name, message, user_error_code }) } => format!(
            "ends with {name} {}: {}",
            user_error_code.unwrap_or_default(),
            message.unwrap_or_default()
        ),
    }
}
