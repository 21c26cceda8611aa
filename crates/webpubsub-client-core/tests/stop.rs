//! Stopping, at any moment of a session.

#[path = "support/driver.rs"]
mod driver;

use driver::{Driver, unreliable};
use expect_test::expect;
use webpubsub_client_core::{ConnectError, Options};

#[test]
fn a_stopping_session_cannot_be_started_until_it_is_stopped() {
    let mut driver = Driver::connected(Options::default());
    driver.stop();
    driver.skip();
    driver.start();
    driver.check(expect![[r#"
        0.000 call 2 failed: the session is still stopping
    "#]]);
    driver.close(1005);
    driver.skip();
    driver.start();
    driver.check(expect![[r#"
        0.000 fetch url #2
    "#]]);
}

#[test]
fn stop_closes_the_socket_and_neither_recovers_nor_reconnects() {
    let mut driver = Driver::connected(Options::default());
    driver.stop();
    driver.check(expect![[r#"
        0.000 close #1
    "#]]);
    driver.close(1005);
    driver.check(expect![[r#"
        0.000 event disconnected c1 1005 "" then Stop
        0.000 event stopped 1005 ""
    "#]]);
    driver.pass(600_000);
    driver.check_nothing();
}

#[test]
fn stopping_again_does_nothing_more() {
    let mut driver = Driver::new(Options::default());
    driver.stop();
    driver.check_nothing();

    let mut driver = Driver::connected(Options::default());
    driver.stop();
    driver.skip();
    driver.stop();
    driver.check_nothing();
    driver.close(1005);
    driver.skip();
    driver.stop();
    driver.check_nothing();
}

#[test]
fn stop_does_not_wait_for_ever_for_a_silent_service() {
    let mut driver = Driver::connected(Options::default());
    driver.stop();
    driver.skip();
    driver.pass(600_000);
    driver.check(expect![[r#"
        5.000 event disconnected c1 1006 "The service went silent." then Stop
        5.000 event stopped 1006 "The service went silent."
    "#]]);
    driver.close(1006);
    driver.check_nothing();
}

#[test]
fn stop_cancels_a_start_under_way() {
    let mut driver = Driver::new(Options::default());
    driver.start();
    driver.skip();
    driver.stop();
    driver.check(expect![[r#"
        0.000 close #1
        0.000 call 1 failed: the session was stopped before it was connected
        0.000 event stopped
    "#]]);
    driver.url();
    driver.check_nothing();

    let mut driver = Driver::new(Options::default());
    driver.start();
    driver.url();
    driver.skip();
    driver.stop();
    driver.check(expect![[r#"
        0.000 close #1
        0.000 call 1 failed: the session was stopped before it was connected
        0.000 event stopped
    "#]]);
    driver.open();
    driver.check_nothing();
}

#[test]
fn stop_cancels_a_reconnect_under_way() {
    let mut driver = Driver::connected(unreliable());
    driver.close(1006);
    driver.url();
    driver.skip();
    driver.stop();
    driver.check(expect![[r#"
        0.000 close #2
        0.000 event stopped 1006 ""
    "#]]);
    driver.open();
    driver.check_nothing();
}

#[test]
fn stop_cancels_the_pause_before_a_reconnect() {
    let mut driver = Driver::connected(unreliable());
    driver.close(1006);
    driver.fail(ConnectError::Unreachable);
    driver.skip();
    driver.stop();
    driver.check(expect![[r#"
        0.000 event stopped 1006 ""
    "#]]);
    driver.pass(600_000);
    driver.check_nothing();
}

#[test]
fn a_stopped_session_raises_one_event_and_no_more_messages() {
    let mut driver = Driver::connected(Options::default());
    driver.stop();
    driver.skip();
    driver.say_data(1);
    driver.check_nothing();
    driver.close(1005);
    driver.skip();
    driver.close(1005);
    driver.stop();
    driver.pass(600_000);
    driver.check_nothing();
}

#[test]
fn a_session_is_stopped_before_its_start_and_after_its_end() {
    let mut driver = Driver::new(Options::default());
    assert!(driver.is_stopped());
    driver.start();
    assert!(!driver.is_stopped());
    driver.fail(ConnectError::Credential);
    assert!(driver.is_stopped());

    let mut driver = Driver::connected(Options::default());
    driver.stop();
    assert!(!driver.is_stopped());
    driver.close(1005);
    assert!(driver.is_stopped());
}
