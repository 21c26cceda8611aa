//! Starting, losing a connection and getting another.

#[path = "support/driver.rs"]
mod driver;

use driver::{Driver, unreliable};
use expect_test::expect;
use webpubsub_client_core::{ConnectError, Options, Retry, RetryMode};
use webpubsub_protocol::close::CloseCode;

#[test]
fn a_start_is_done_once_the_socket_is_open() {
    let mut driver = Driver::new(Options::default());
    driver.start();
    driver.check(expect![[r#"
        0.000 fetch url #1
    "#]]);
    driver.url();
    driver.check(expect![[r#"
        0.000 connect #1 wss://h/client/hubs/chat?access_token=t
    "#]]);
    driver.open();
    driver.check(expect![[r#"
        0.000 call 1 started
        0.000 → {"type":"ping"}
    "#]]);
    driver.say_connected("c1");
    driver.check(expect![[r#"
        0.000 event connected c1 as alice
    "#]]);
}

#[test]
fn an_anonymous_user_has_no_id() {
    let mut driver = Driver::new(Options::default());
    driver.start();
    driver.url();
    driver.open();
    driver.skip();
    driver.say(r#"{"type":"system","event":"connected","userId":null,"connectionId":"c1"}"#);
    driver.check(expect![[r#"
        0.000 event connected c1 as anonymous
    "#]]);
}

#[test]
fn the_first_start_is_not_retried_and_says_what_went_wrong() {
    for error in [
        ConnectError::Credential,
        ConnectError::InvalidUrl,
        ConnectError::Refused { status: 401 },
        ConnectError::Unreachable,
        ConnectError::TimedOut,
        ConnectError::Closed { code: CloseCode::ABNORMAL },
    ] {
        let mut driver = Driver::new(Options::default());
        driver.start();
        driver.url();
        driver.skip();
        driver.fail(error.clone());
        driver.check(match error {
            ConnectError::Credential => expect![[r#"
                0.000 call 1 failed: the credential gave no URL
            "#]],
            ConnectError::InvalidUrl => expect![[r#"
                0.000 call 1 failed: the URL is not one of a WebSocket
            "#]],
            ConnectError::Refused { .. } => expect![[r#"
                0.000 call 1 failed: the service answered with HTTP 401
            "#]],
            ConnectError::Unreachable => expect![[r#"
                0.000 call 1 failed: the service cannot be reached
            "#]],
            ConnectError::TimedOut => expect![[r#"
                0.000 call 1 failed: the attempt took too long
            "#]],
            ConnectError::Closed { .. } => expect![[r#"
                0.000 call 1 failed: the socket closed with 1006 before it was open
            "#]],
        });
        driver.pass(60_000);
        driver.check_nothing();
    }
}

#[test]
fn a_socket_that_closes_before_it_opens_fails_the_start() {
    let mut driver = Driver::new(Options::default());
    driver.start();
    driver.url();
    driver.skip();
    driver.close(1006);
    driver.check(expect![[r#"
        0.000 call 1 failed: the socket closed with 1006 before it was open
    "#]]);
}

#[test]
fn a_start_whose_attempt_hangs_fails_in_a_time_of_our_own() {
    let mut driver = Driver::new(Options::default());
    driver.start();
    driver.pass(100_000);
    driver.url();
    driver.skip();
    driver.pass(119_999);
    driver.check_nothing();
    driver.pass(1);
    driver.check(expect![[r#"
        220.000 close #1
        220.000 call 1 failed: the attempt took too long
    "#]]);
    driver.open();
    driver.check_nothing();
    assert_eq!(driver.next_timeout(), None);
}

#[test]
fn a_reconnect_that_hangs_is_followed_by_another() {
    let mut driver = Driver::connected(unreliable());
    driver.close(1006);
    driver.url();
    let hanging = driver.attempt();
    driver.skip();
    driver.pass(121_000);
    driver.check(expect![[r#"
        120.000 close #2
        121.000 fetch url #3
    "#]]);
    driver.url();
    driver.open();
    driver.say_connected("c2");
    driver.skip();
    driver.close_of(hanging, 1006);
    driver.check_nothing();
}

#[test]
fn a_credential_that_never_answers_is_asked_again() {
    let mut driver = Driver::connected(unreliable());
    driver.close(1006);
    driver.skip();
    driver.pass(121_000);
    driver.check(expect![[r#"
        120.000 close #2
        121.000 fetch url #3
    "#]]);
}

#[test]
fn an_attempt_that_failed_fails_once() {
    let mut driver = Driver::connected(unreliable());
    driver.close(1006);
    driver.url();
    driver.skip();
    driver.fail(ConnectError::Unreachable);
    driver.close(1006);
    driver.fail(ConnectError::Unreachable);
    driver.check_nothing();
    driver.pass(1000);
    driver.check(expect![[r#"
        1.000 fetch url #3
    "#]]);
}

#[test]
fn the_failure_of_an_open_socket_waits_for_its_close() {
    let mut driver = Driver::connected(unreliable());
    driver.fail(ConnectError::Unreachable);
    driver.check_nothing();
    driver.close(1006);
    driver.check(expect![[r#"
        0.000 event disconnected c1 1006 "" then Reconnect
        0.000 fetch url #2
    "#]]);
}

#[test]
fn after_a_failed_start_the_session_can_be_started_again() {
    let mut driver = Driver::new(Options::default());
    driver.start();
    driver.fail(ConnectError::Credential);
    driver.skip();
    driver.start();
    driver.check(expect![[r#"
        0.000 fetch url #2
    "#]]);
}

#[test]
fn a_running_session_cannot_be_started_again() {
    let mut driver = Driver::new(Options::default());
    driver.start();
    driver.skip();
    driver.start();
    driver.check(expect![[r#"
        0.000 call 2 failed: the session is not stopped
    "#]]);

    let mut driver = Driver::connected(Options::default());
    driver.start();
    driver.check(expect![[r#"
        0.000 call 2 failed: the session is not stopped
    "#]]);
}

#[test]
fn an_aborted_start_gives_up_its_attempt() {
    let mut driver = Driver::new(Options::default());
    let start = driver.start();
    driver.url();
    driver.skip();
    driver.abort(start);
    driver.check(expect![[r#"
        0.000 close #1
        0.000 call 1 failed: the start was aborted
    "#]]);
    driver.open();
    driver.check_nothing();
    driver.start();
    driver.check(expect![[r#"
        0.000 fetch url #2
    "#]]);
}

#[test]
fn aborting_a_start_that_has_succeeded_changes_nothing() {
    let mut driver = Driver::new(Options::default());
    let start = driver.start();
    driver.url();
    driver.open();
    driver.skip();
    driver.abort(start);
    driver.check_nothing();
}

#[test]
fn a_lost_connection_is_replaced_at_once_with_a_fresh_url() {
    let mut driver = Driver::connected(unreliable());
    driver.say(r#"{"type":"system","event":"disconnected","message":"Bye."}"#);
    driver.check_nothing();
    driver.close(1001);
    driver.check(expect![[r#"
        0.000 event disconnected c1 1001 "" "Bye." then Reconnect
        0.000 fetch url #2
    "#]]);
    driver.url();
    driver.open();
    driver.say_connected("c2");
    driver.check(expect![[r#"
        0.000 connect #2 wss://h/client/hubs/chat?access_token=t json.webpubsub.azure.v1
        0.000 → {"type":"ping"}
        0.000 event connected c2 as alice
    "#]]);
}

#[test]
fn reconnecting_goes_on_every_second_until_it_succeeds() {
    let mut driver = Driver::connected(unreliable());
    driver.close(1006);
    driver.skip();
    driver.fail(ConnectError::Credential);
    driver.pass(1000);
    driver.url();
    driver.fail(ConnectError::Refused { status: 503 });
    driver.pass(1000);
    driver.url();
    driver.close(1006);
    driver.pass(1000);
    driver.url();
    driver.open();
    driver.say_connected("c2");
    driver.check(expect![[r#"
        1.000 fetch url #3
        1.000 connect #3 wss://h/client/hubs/chat?access_token=t json.webpubsub.azure.v1
        2.000 fetch url #4
        2.000 connect #4 wss://h/client/hubs/chat?access_token=t json.webpubsub.azure.v1
        3.000 fetch url #5
        3.000 connect #5 wss://h/client/hubs/chat?access_token=t json.webpubsub.azure.v1
        3.000 → {"type":"ping"}
        3.000 event connected c2 as alice
    "#]]);
}

#[test]
fn reconnecting_backs_off_where_the_application_wants_it() {
    let retry = Retry { mode: RetryMode::Exponential, ..unreliable().reconnect_retry };
    let mut driver = Driver::connected(Options { reconnect_retry: retry, ..unreliable() });
    driver.close(1006);
    driver.skip();
    for pause in [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000] {
        driver.fail(ConnectError::Unreachable);
        driver.pass(pause - 1);
        driver.check_nothing();
        driver.pass(1);
        driver.skip();
    }
}

#[test]
fn the_session_stops_when_its_attempts_are_used_up() {
    let retry = Retry { max_retries: 2, ..unreliable().reconnect_retry };
    let mut driver = Driver::connected(Options { reconnect_retry: retry, ..unreliable() });
    driver.close(1006);
    for _ in 0..3 {
        driver.fail(ConnectError::Unreachable);
        driver.pass(1000);
    }
    driver.check(expect![[r#"
        0.000 event disconnected c1 1006 "" then Reconnect
        0.000 fetch url #2
        1.000 fetch url #3
        2.000 fetch url #4
        2.000 event stopped 1006 ""
    "#]]);
    driver.pass(600_000);
    driver.check_nothing();
}

#[test]
fn without_auto_reconnect_a_loss_stops_the_session() {
    let mut driver = Driver::connected(Options { auto_reconnect: false, ..unreliable() });
    driver.close(1006);
    driver.check(expect![[r#"
        0.000 event disconnected c1 1006 "" then Stop
        0.000 event stopped 1006 ""
    "#]]);
}

#[test]
fn a_connection_without_connected_is_a_failed_attempt() {
    let mut driver = Driver::connected(unreliable());
    driver.close(1006);
    driver.url();
    driver.open();
    driver.skip();
    driver.close(1011);
    driver.check(expect![[r#"
        0.000 event disconnected unnamed 1011 "" then Reconnect
    "#]]);
    driver.pass(1000);
    driver.check(expect![[r#"
        1.000 fetch url #3
    "#]]);
}

#[test]
fn what_an_older_attempt_has_to_say_is_ignored() {
    let mut driver = Driver::connected(unreliable());
    let old = driver.attempt();
    driver.close(1006);
    driver.url();
    driver.open();
    driver.say_connected("c2");
    driver.skip();
    driver.close_of(old, 1008);
    driver.say_on(old, r#"{"type":"message","from":"server","dataType":"text","data":"late"}"#);
    driver.check_nothing();
}

#[test]
fn a_second_answer_of_the_credential_is_ignored() {
    let mut driver = Driver::new(Options::default());
    driver.start();
    driver.url();
    driver.skip();
    driver.url();
    driver.check_nothing();
}

#[test]
fn waking_up_cuts_the_pause_before_a_reconnect_short() {
    let mut driver = Driver::connected(unreliable());
    driver.close(1006);
    driver.fail(ConnectError::Unreachable);
    driver.skip();
    driver.wake();
    driver.check(expect![[r#"
        0.000 fetch url #3
    "#]]);
}
