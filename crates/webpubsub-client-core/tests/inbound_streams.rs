//! Streams that a client receives.
#![allow(clippy::unwrap_used, reason = "tests may")]

use std::fmt::Write as _;
use std::time::Duration;

use expect_test::{Expect, expect};
use webpubsub_client_core::{
    InboundInput, InboundOptions, InboundOutput, InboundStreamId, InboundStreams, StreamEnding,
    SubscriptionId,
};
use webpubsub_protocol::time::Timestamp;

type Input = InboundInput<&'static str, &'static str>;

/// Streams whose clock is moved by hand, and a transcript of what they ask for.
#[derive(Default)]
struct Driver {
    streams: InboundStreams<&'static str, &'static str>,
    now: u64,
    transcript: String,
}

impl Driver {
    fn subscribed(options: InboundOptions) -> Self {
        let mut driver = Self::default();
        driver.subscribe(1, options);
        driver
    }

    fn subscribe(&mut self, id: u32, options: InboundOptions) {
        self.input(InboundInput::Subscribe { id: SubscriptionId(id), options });
    }

    fn fragment(&mut self, group: &str, stream_id: &str, sequence_id: u64, message: &'static str) {
        self.input(InboundInput::Fragment {
            group: group.to_owned(),
            stream_id: stream_id.to_owned(),
            sequence_id,
            end: None,
            message: Some(message),
        });
    }

    fn end(&mut self, sequence_id: u64, error: Option<&'static str>, message: Option<&'static str>) {
        self.input(InboundInput::Fragment {
            group: "g".to_owned(),
            stream_id: "s".to_owned(),
            sequence_id,
            end: Some(error),
            message,
        });
    }

    fn pass(&mut self, milliseconds: u64) {
        let end = self.now + milliseconds;
        while let Some(due) = self.streams.next_timeout().filter(|due| due.as_millis() <= end) {
            self.now = self.now.max(due.as_millis());
            self.input(InboundInput::Timeout);
        }
        self.now = end;
    }

    fn input(&mut self, input: Input) {
        for output in self.streams.handle(Timestamp::from_millis(self.now), input) {
            let line = match output {
                InboundOutput::Began { subscription, stream, group, stream_id } => {
                    format!("listener {}: stream {} is {stream_id} in {group}", subscription.0, stream.0)
                }
                InboundOutput::Received { stream, message } => format!("stream {}: {message}", stream.0),
                InboundOutput::Ended { stream, ending: StreamEnding::Failed(error) } => {
                    format!("stream {} failed: {error}", stream.0)
                }
                InboundOutput::Ended { stream, ending } => format!("stream {} ended: {ending:?}", stream.0),
            };
            writeln!(self.transcript, "{} {line}", self.now).unwrap();
        }
    }

    #[expect(clippy::needless_pass_by_value, reason = "tests pass what `expect!` makes")]
    fn check(&mut self, expected: Expect) {
        expected.assert_eq(&std::mem::take(&mut self.transcript));
    }
}

#[test]
fn a_listener_gets_each_stream_once_and_its_fragments_in_order() {
    let mut driver = Driver::subscribed(InboundOptions::default());
    driver.fragment("g", "s", 1, "a");
    driver.fragment("g", "t", 1, "x");
    driver.fragment("h", "s", 1, "y");
    driver.fragment("g", "s", 2, "b");
    driver.end(3, None, None);
    driver.check(expect![[r#"
        0 listener 1: stream 1 is s in g
        0 stream 1: a
        0 listener 1: stream 2 is t in g
        0 stream 2: x
        0 listener 1: stream 3 is s in h
        0 stream 3: y
        0 stream 1: b
        0 stream 1 ended: Completed
    "#]]);
}

#[test]
fn an_end_with_a_payload_is_a_fragment_too() {
    let mut driver = Driver::subscribed(InboundOptions::default());
    driver.end(1, None, Some("all"));
    driver.check(expect![[r#"
        0 listener 1: stream 1 is s in g
        0 stream 1: all
        0 stream 1 ended: Completed
    "#]]);
}

#[test]
fn a_stream_id_may_be_used_again_after_its_end() {
    let mut driver = Driver::subscribed(InboundOptions::default());
    driver.end(1, None, None);
    driver.fragment("g", "s", 1, "a");
    driver.check(expect![[r#"
        0 listener 1: stream 1 is s in g
        0 stream 1 ended: Completed
        0 listener 1: stream 2 is s in g
        0 stream 2: a
    "#]]);
}

#[test]
fn an_error_of_the_sender_ends_the_stream() {
    let mut driver = Driver::subscribed(InboundOptions::default());
    driver.fragment("g", "s", 1, "a");
    driver.end(2, Some("UserError"), None);
    driver.check(expect![[r#"
        0 listener 1: stream 1 is s in g
        0 stream 1: a
        0 stream 1 failed: UserError
    "#]]);
}

#[test]
fn silence_ends_each_stream_for_itself() {
    let mut driver = Driver::subscribed(InboundOptions::default());
    driver.fragment("g", "s", 1, "a");
    driver.pass(200_000);
    driver.fragment("g", "t", 1, "x");
    driver.pass(99_999);
    driver.check(expect![[r#"
        0 listener 1: stream 1 is s in g
        0 stream 1: a
        200000 listener 1: stream 2 is t in g
        200000 stream 2: x
    "#]]);
    driver.pass(1);
    driver.check(expect![[r#"
        300000 stream 1 ended: IdleTimeout
    "#]]);
    driver.fragment("g", "s", 2, "b");
    driver.check(expect![[r#"
        300000 listener 1: stream 3 is s in g
        300000 stream 3: b
    "#]]);
}

#[test]
fn streams_without_their_beginning_may_be_left_out() {
    let options = InboundOptions { from_start: true, ..InboundOptions::default() };
    let mut driver = Driver::subscribed(options);
    driver.fragment("g", "s", 2, "b");
    driver.fragment("g", "s", 1, "a");
    driver.end(3, None, Some("c"));
    driver.check(expect![""]);
    driver.fragment("g", "s", 1, "a");
    driver.check(expect![[r#"
        0 listener 1: stream 1 is s in g
        0 stream 1: a
    "#]]);
}

#[test]
fn a_stream_that_is_left_out_is_forgotten_when_silent() {
    let options = InboundOptions { from_start: true, idle_timeout: Duration::from_millis(100), groups: None };
    let mut driver = Driver::subscribed(options);
    driver.fragment("g", "s", 2, "b");
    driver.pass(100);
    assert_eq!(driver.streams.next_timeout(), None);
    driver.check(expect![""]);
    driver.fragment("g", "s", 1, "a");
    driver.check(expect![[r#"
        100 listener 1: stream 1 is s in g
        100 stream 1: a
    "#]]);
}

#[test]
fn a_listener_may_name_its_groups() {
    let options = InboundOptions { groups: Some(vec!["g".to_owned()]), ..InboundOptions::default() };
    let mut driver = Driver::subscribed(options);
    driver.fragment("h", "s", 1, "a");
    driver.fragment("g", "s", 1, "a");
    driver.check(expect![[r#"
        0 listener 1: stream 1 is s in g
        0 stream 1: a
    "#]]);
}

#[test]
fn every_listener_gets_a_stream_of_its_own() {
    let mut driver = Driver::subscribed(InboundOptions::default());
    driver.subscribe(2, InboundOptions { from_start: true, ..InboundOptions::default() });
    driver.fragment("g", "s", 1, "a");
    driver.input(InboundInput::Unsubscribe { id: SubscriptionId(1) });
    driver.fragment("g", "s", 2, "b");
    driver.check(expect![[r#"
        0 listener 1: stream 1 is s in g
        0 stream 1: a
        0 listener 2: stream 2 is s in g
        0 stream 2: a
        0 stream 1 ended: Completed
        0 stream 2: b
    "#]]);
}

#[test]
fn a_stream_that_its_listener_refuses_is_left_out() {
    let mut driver = Driver::subscribed(InboundOptions::default());
    driver.fragment("g", "s", 1, "a");
    driver.input(InboundInput::Refused { stream: InboundStreamId(1) });
    driver.transcript.clear();
    driver.fragment("g", "s", 2, "b");
    driver.end(3, None, None);
    driver.check(expect![""]);
    driver.fragment("g", "s", 1, "a");
    driver.check(expect![[r#"
        0 listener 1: stream 2 is s in g
        0 stream 2: a
    "#]]);
}

#[test]
fn a_stopped_client_ends_what_it_receives() {
    let mut driver = Driver::subscribed(InboundOptions::default());
    driver.fragment("g", "s", 1, "a");
    driver.input(InboundInput::Stopped);
    driver.check(expect![[r#"
        0 listener 1: stream 1 is s in g
        0 stream 1: a
        0 stream 1 ended: Completed
    "#]]);
    assert_eq!(driver.streams.next_timeout(), None);
    driver.fragment("g", "s", 2, "b");
    driver.check(expect![[r#"
        0 listener 1: stream 2 is s in g
        0 stream 2: b
    "#]]);
}
