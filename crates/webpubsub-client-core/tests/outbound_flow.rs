//! What of a stream is on its way and kept, and when it is sent again.
#![allow(clippy::unwrap_used, reason = "tests may")]

#[path = "support/outbound.rs"]
mod outbound;

use expect_test::expect;
use outbound::Driver;
use webpubsub_client_core::OutboundInput;
use webpubsub_protocol::client::StreamError;

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
