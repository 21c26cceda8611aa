//! Streams that a client sends.
#![allow(clippy::unwrap_used, reason = "tests may")]

use std::fmt::Write as _;

use expect_test::{Expect, expect};
use webpubsub_client_core::{CommandId, OutboundInput, OutboundOutput, OutboundStreams};
use webpubsub_protocol::client::{
    AckError, Echo, StreamAction, StreamAnswer, StreamError, StreamId, UpstreamMessage,
};
use webpubsub_protocol::name::GroupName;
use webpubsub_protocol::time::Timestamp;

/// Streams whose clock is moved by hand, and a transcript of what they ask for.
struct Driver {
    streams: OutboundStreams<&'static str>,
    now: u64,
    last_command: u32,
    transcript: String,
}

impl Driver {
    fn new() -> Self {
        Self { streams: OutboundStreams::default(), now: 0, last_command: 0, transcript: String::new() }
    }

    /// One with an open socket and the open stream `s`, and nothing in the transcript.
    fn open() -> Self {
        let mut driver = Self::new();
        driver.input(OutboundInput::LinkOpened);
        driver.open_stream("s");
        driver.ack("s", 1);
        driver.transcript.clear();
        driver
    }

    fn open_stream(&mut self, stream_id: &str) {
        let id = self.next_command();
        let (stream_id, group) = (of(stream_id), GroupName::parse("g").unwrap());
        self.input(OutboundInput::Open { id, stream_id, group, echo: Echo::Send, idle_millis: Some(1000) });
    }

    fn write(&mut self, data: &'static str) -> CommandId {
        self.write_large(data, data.len())
    }

    fn write_large(&mut self, data: &'static str, len: usize) -> CommandId {
        let id = self.next_command();
        self.input(OutboundInput::Write { id, stream_id: of("s"), data, len });
        id
    }

    fn end(&mut self) -> CommandId {
        let id = self.next_command();
        self.input(OutboundInput::End { id, stream_id: of("s"), error: None });
        id
    }

    fn answer(&mut self, stream_id: &str, answer: StreamAnswer) {
        self.input(OutboundInput::Answered { stream_id: of(stream_id), answer });
    }

    fn ack(&mut self, stream_id: &str, expected: u64) {
        self.answer(stream_id, StreamAnswer::Ack { expected });
    }

    fn nack(&mut self, stream_id: &str, expected: u64) {
        let name = StreamAnswer::TRANSIENT_ERROR.into();
        self.answer(stream_id, StreamAnswer::Nack { name, message: String::new(), expected });
    }

    fn closed(&mut self, error: Option<(&'static str, &str)>) {
        let error = error.map(|(name, message)| AckError { name: name.into(), message: message.to_owned() });
        self.answer("s", StreamAnswer::Closed { error });
    }

    /// Lets time pass, waking the streams whenever they asked for it.
    fn pass(&mut self, milliseconds: u64) {
        let end = self.now + milliseconds;
        while let Some(due) = self.streams.next_timeout().filter(|due| due.as_millis() <= end) {
            self.now = self.now.max(due.as_millis());
            self.input(OutboundInput::Timeout);
        }
        self.now = end;
    }

    fn input(&mut self, input: OutboundInput<&'static str>) {
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

    fn next_command(&mut self) -> CommandId {
        self.last_command += 1;
        CommandId(self.last_command)
    }

    #[expect(clippy::needless_pass_by_value, reason = "tests pass what `expect!` makes")]
    fn check(&mut self, expected: Expect) {
        expected.assert_eq(&std::mem::take(&mut self.transcript));
    }

    fn skip(&mut self) {
        self.transcript.clear();
    }
}

fn of(stream_id: &str) -> StreamId {
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

#[test]
fn a_stream_is_open_when_the_service_gives_its_go_ahead() {
    let mut driver = Driver::new();
    driver.open_stream("early");
    driver.input(OutboundInput::LinkOpened);
    driver.open_stream("s");
    driver.check(expect![[r#"
        0 call 1 failed: the session is not connected
        0 → s starts in g, Some(1000) ms
    "#]]);
    driver.ack("s", 1);
    driver.check(expect![[r#"
        0 call 2 done
    "#]]);
}

#[test]
fn fragments_are_numbered_from_1_and_done_when_sent() {
    let mut driver = Driver::open();
    driver.write("a");
    driver.write("b");
    driver.end();
    driver.ack("s", 3);
    driver.check(expect![[r#"
        0 → s 1 a
        0 call 2 done
        0 → s 2 b
        0 call 3 done
        0 → s ends
        0 call 4 done
    "#]]);
}

#[test]
fn two_open_streams_cannot_have_the_same_id() {
    let mut driver = Driver::open();
    driver.open_stream("s");
    driver.open_stream("t");
    driver.check(expect![[r#"
        0 call 2 failed: stream 's' already exists
        0 → t starts in g, Some(1000) ms
    "#]]);
    driver.end();
    driver.closed(None);
    driver.skip();
    driver.open_stream("s");
    driver.check(expect![[r#"
        0 → s starts in g, Some(1000) ms
    "#]]);
}

#[test]
fn nothing_can_be_written_after_the_end() {
    let mut driver = Driver::open();
    driver.end();
    driver.write("a");
    driver.end();
    driver.check(expect![[r#"
        0 → s ends
        0 call 2 done
        0 call 3 failed: stream 's' is completed
        0 call 4 failed: stream 's' is completed
    "#]]);
}

#[test]
fn an_abort_says_why_and_comes_after_the_data() {
    let mut driver = Driver::open();
    driver.input(OutboundInput::Recovering);
    driver.write("a");
    let error = StreamError::of_user(Some("no".to_owned()), Some("X".to_owned()));
    driver.input(OutboundInput::End { id: CommandId(9), stream_id: of("s"), error: Some(error) });
    driver.check(expect![""]);
    driver.input(OutboundInput::Recovered);
    driver.check(expect![[r#"
        0 → s 1 a
        0 call 2 done
        0 → s ends with UserError X: no
        0 call 9 done
    "#]]);
}

#[test]
fn what_is_not_acknowledged_is_sent_again_after_a_recovery() {
    let mut driver = Driver::open();
    for data in ["a", "b", "c"] {
        driver.write(data);
    }
    driver.ack("s", 2);
    driver.skip();
    driver.input(OutboundInput::Recovering);
    driver.write("d");
    driver.input(OutboundInput::LinkOpened);
    driver.check(expect![""]);
    driver.input(OutboundInput::Recovered);
    driver.check(expect![[r#"
        0 → s 2 b
        0 → s 3 c
        0 → s 4 d
        0 call 5 done
    "#]]);
}

#[test]
fn a_stream_with_nothing_to_send_again_is_asked_after() {
    let mut driver = Driver::open();
    driver.write("a");
    driver.ack("s", 2);
    driver.skip();
    driver.input(OutboundInput::Recovering);
    driver.input(OutboundInput::Recovered);
    driver.check(expect![[r#"
        0 → s is alive
    "#]]);
    // The service had ended it, and the word of that was lost with the link.
    driver.closed(Some((StreamError::NOT_FOUND, "There is none.")));
    driver.check(expect![[r#"
        0 s failed: the service ended the stream: There is none.
    "#]]);
}

#[test]
fn an_ack_may_name_what_was_sent_before_a_recovery() {
    let mut driver = Driver::open();
    driver.write("a");
    driver.input(OutboundInput::Recovering);
    driver.skip();
    driver.ack("s", 2);
    driver.input(OutboundInput::Recovered);
    driver.write("b");
    driver.check(expect![[r#"
        0 → s is alive
        0 → s 2 b
        0 call 3 done
    "#]]);
}

#[test]
fn a_stream_without_its_go_ahead_fails_with_the_link() {
    let mut driver = Driver::new();
    driver.input(OutboundInput::LinkOpened);
    driver.open_stream("s");
    driver.skip();
    driver.input(OutboundInput::Recovering);
    driver.check(expect![[r#"
        0 call 1 failed: the connection was lost before stream 's' was accepted
    "#]]);
    driver.open_stream("t");
    driver.check(expect![[r#"
        0 call 2 failed: the session is not connected
    "#]]);
}

#[test]
fn streams_fail_with_their_connection() {
    let mut driver = Driver::open();
    driver.input(OutboundInput::Recovering);
    driver.write("a");
    driver.input(OutboundInput::ConnectionLost);
    driver.write("b");
    driver.check(expect![[r#"
        0 s failed: the connection was lost for good
        0 call 2 failed: the connection was lost for good
        0 call 3 failed: stream 's' is completed
    "#]]);
    driver.input(OutboundInput::LinkOpened);
    driver.open_stream("s");
    driver.check(expect![[r#"
        0 → s starts in g, Some(1000) ms
    "#]]);
}

#[test]
fn acks_out_of_range_end_the_stream_as_a_violation() {
    for expected in [0, 1, 4, u64::MAX] {
        let mut driver = Driver::open();
        driver.write("a");
        driver.write("b");
        driver.ack("s", 2);
        driver.skip();
        driver.ack("s", expected);
        let transcript = std::mem::take(&mut driver.transcript);
        assert_eq!(
            transcript,
            format!(
                "0 s failed: an ack for {expected} is outside of 2 to 3\n\
                 0 → s ends with UserError ProtocolViolation: an ack for {expected} is outside of 2 to 3\n"
            )
        );
        driver.write("c");
        assert_eq!(driver.transcript, "0 call 4 failed: stream 's' is completed\n");
    }
}

#[test]
fn a_violation_before_the_go_ahead_fails_the_opening() {
    let mut driver = Driver::new();
    driver.input(OutboundInput::LinkOpened);
    driver.open_stream("s");
    driver.skip();
    driver.ack("s", 2);
    driver.check(expect![[r#"
        0 call 1 failed: an ack for 2 is outside of 1 to 1
        0 → s ends with UserError ProtocolViolation: an ack for 2 is outside of 1 to 1
    "#]]);
}

#[test]
fn the_service_closes_a_stream_with_a_reason() {
    let mut driver = Driver::open();
    driver.input(OutboundInput::Recovering);
    driver.write("a");
    driver.closed(Some(("IdleTimeout", "Too long.")));
    driver.closed(Some(("IdleTimeout", "Too long.")));
    driver.write("b");
    driver.check(expect![[r#"
        0 s failed: the service ended the stream: Too long.
        0 call 2 failed: the service ended the stream: Too long.
        0 call 3 failed: stream 's' is completed
    "#]]);
}

#[test]
fn a_refused_start_rejects_the_opening() {
    let mut driver = Driver::new();
    driver.input(OutboundInput::LinkOpened);
    driver.open_stream("s");
    driver.skip();
    driver.closed(Some(("Forbidden", "No.")));
    driver.check(expect![[r#"
        0 call 1 failed: the service ended the stream: No.
    "#]]);
}

#[test]
fn what_was_not_taken_is_sent_again_after_growing_pauses() {
    let mut driver = Driver::open();
    for data in ["a", "b", "c"] {
        driver.write(data);
    }
    driver.skip();
    driver.nack("s", 2);
    driver.nack("s", 2);
    driver.pass(9);
    driver.check(expect![""]);
    driver.pass(1);
    driver.check(expect![[r#"
        10 → s 2 b
        10 → s 3 c
    "#]]);
    driver.nack("s", 2);
    driver.pass(20);
    driver.skip();
    driver.ack("s", 3);
    driver.nack("s", 3);
    driver.pass(10);
    driver.check(expect![[r#"
        40 → s 3 c
    "#]]);
}

#[test]
fn pauses_end_at_5_seconds() {
    let mut driver = Driver::open();
    driver.write("a");
    let mut pauses = Vec::new();
    for _ in 0..12 {
        driver.nack("s", 1);
        let before = driver.now;
        driver.pass(driver.streams.next_timeout().unwrap().as_millis() - before);
        pauses.push(driver.now - before);
    }
    assert_eq!(pauses, [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 5000, 5000, 5000]);
}

#[test]
fn at_most_1000_fragments_are_on_their_way() {
    let mut driver = Driver::open();
    for _ in 0..1_001 {
        driver.write("a");
    }
    assert_eq!(driver.transcript.matches('→').count(), 1000);
    driver.skip();
    driver.ack("s", 3);
    driver.check(expect![[r#"
        0 → s 1001 a
        0 call 1002 done
    "#]]);
}

#[test]
fn at_most_4_mib_of_fragments_are_on_their_way() {
    let mut driver = Driver::open();
    driver.write_large("a", 3 << 20);
    driver.write_large("b", 1 << 20);
    driver.write_large("c", 1);
    driver.check(expect![[r#"
        0 → s 1 a
        0 call 2 done
        0 → s 2 b
        0 call 3 done
    "#]]);
    driver.input(OutboundInput::Recovering);
    driver.input(OutboundInput::Recovered);
    driver.check(expect![[r#"
        0 → s 1 a
        0 → s 2 b
    "#]]);
    driver.ack("s", 2);
    driver.check(expect![[r#"
        0 → s 3 c
        0 call 4 done
    "#]]);
    // One fragment alone may be larger.
    driver.write_large("d", 5 << 20);
    driver.ack("s", 4);
    driver.check(expect![[r#"
        0 → s 4 d
        0 call 5 done
    "#]]);
}

#[test]
fn the_end_waits_until_all_data_was_taken() {
    let mut driver = Driver::open();
    driver.write("a");
    driver.write("b");
    driver.end();
    driver.check(expect![[r#"
        0 → s 1 a
        0 call 2 done
        0 → s 2 b
        0 call 3 done
    "#]]);
    driver.nack("s", 2);
    driver.pass(100);
    driver.check(expect![[r#"
        10 → s 2 b
    "#]]);
    driver.ack("s", 3);
    driver.closed(None);
    driver.check(expect![[r#"
        100 → s ends
        100 call 4 done
        100 s completed
    "#]]);
}

#[test]
fn an_aborted_opening_ends_the_stream() {
    let mut driver = Driver::new();
    driver.input(OutboundInput::LinkOpened);
    driver.open_stream("s");
    driver.input(OutboundInput::Abort { id: CommandId(1) });
    driver.ack("s", 1);
    driver.closed(None);
    driver.open_stream("s");
    driver.check(expect![[r#"
        0 → s starts in g, Some(1000) ms
        0 call 1 failed: the call was aborted
        0 → s ends with UserError Aborted: 
        0 → s starts in g, Some(1000) ms
    "#]]);
}

#[test]
fn at_most_16384_fragments_are_kept() {
    let mut driver = Driver::open();
    driver.input(OutboundInput::Recovering);
    for _ in 0..16_384 {
        driver.write("a");
    }
    driver.check(expect![""]);
    driver.write("a");
    driver.end();
    driver.check(expect![[r#"
        0 call 16386 failed: too many fragments of stream 's' wait to be sent
    "#]]);
}

#[test]
fn an_aborted_write_that_was_not_sent_never_is() {
    let mut driver = Driver::open();
    driver.input(OutboundInput::Recovering);
    driver.write("a");
    let aborted = driver.write("b");
    driver.write("c");
    let ending = driver.end();
    driver.input(OutboundInput::Abort { id: aborted });
    driver.input(OutboundInput::Abort { id: aborted });
    driver.input(OutboundInput::Abort { id: ending });
    driver.input(OutboundInput::Recovered);
    driver.ack("s", 3);
    driver.check(expect![[r#"
        0 call 3 failed: the call was aborted
        0 call 5 failed: the call was aborted
        0 → s 1 a
        0 call 2 done
        0 → s 2 c
        0 call 4 done
        0 → s ends
    "#]]);
}

#[test]
fn what_is_said_of_unknown_streams_is_ignored() {
    let mut driver = Driver::open();
    driver.ack("x", 5);
    driver.nack("x", 5);
    driver.answer("x", StreamAnswer::Closed { error: None });
    driver.check(expect![""]);
}
