//! Streams that a client sends: how they open, go on, fail and end.

#[path = "support/outbound.rs"]
mod outbound;

use expect_test::expect;
use outbound::{Driver, of};
use webpubsub_client_core::{CommandId, OutboundInput};
use webpubsub_protocol::client::{StreamAnswer, StreamError};

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
