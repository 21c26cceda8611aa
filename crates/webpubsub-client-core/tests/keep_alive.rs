//! Pings, and the silence that means a dead link.

#[path = "support/driver.rs"]
mod driver;

use std::time::Duration;

use driver::Driver;
use expect_test::expect;
use webpubsub_client_core::Options;
use webpubsub_protocol::client::Subprotocol;

fn seconds(interval: u64, timeout: u64) -> Options {
    Options {
        keep_alive_interval: Duration::from_secs(interval),
        keep_alive_timeout: Duration::from_secs(timeout),
        ..Options::default()
    }
}

#[test]
fn the_first_ping_goes_out_as_soon_as_the_socket_is_open() {
    let mut driver = Driver::new(Options::default());
    driver.start();
    driver.url();
    driver.skip();
    driver.open();
    driver.check(expect![[r#"
        0.000 call 1 started
        0.000 → {"type":"ping"}
    "#]]);
    driver.pass(19_999);
    driver.check_nothing();

    let mut driver = Driver::new(seconds(0, 0));
    driver.start();
    driver.url();
    driver.skip();
    driver.open();
    driver.check(expect![[r#"
        0.000 call 1 started
    "#]]);
}

#[test]
fn a_ping_goes_out_every_twenty_seconds() {
    let mut driver = Driver::connected(Options::default());
    for _ in 0..3 {
        driver.pass(20_000);
        driver.say(r#"{"type":"pong"}"#);
    }
    driver.check(expect![[r#"
        20.000 → {"type":"ping"}
        40.000 → {"type":"ping"}
        60.000 → {"type":"ping"}
    "#]]);
}

#[test]
fn no_ping_goes_out_without_a_socket_or_an_interval() {
    let mut driver = Driver::connected(Options::default());
    driver.close(1006);
    driver.skip();
    driver.pass(29_000);
    assert!(!driver.take().contains("ping"));

    let mut driver = Driver::connected(seconds(0, 0));
    driver.pass(3_600_000);
    driver.check_nothing();
    assert_eq!(driver.next_timeout(), None);
}

#[test]
fn a_link_silent_past_the_time_out_is_recovered() {
    let mut driver = Driver::connected(seconds(0, 120));
    driver.pass(159_999);
    driver.check_nothing();
    driver.pass(1);
    driver.check(expect![[r#"
        160.000 close #1
        160.000 event recovering c1
        160.000 connect #2 wss://h/client/hubs/chat?access_token=t&awps_connection_id=c1&awps_reconnection_token=r
    "#]]);
}

#[test]
fn without_recovery_a_silent_link_leads_to_a_new_connection() {
    let mut driver = Driver::connected(Options { subprotocol: Subprotocol::Json, ..seconds(0, 120) });
    driver.pass(160_000);
    driver.check(expect![[r#"
        160.000 close #1
        160.000 event disconnected c1 1006 "The service went silent." then Reconnect
        160.000 fetch url #2
    "#]]);
}

#[test]
fn the_late_close_of_a_link_that_was_given_up_changes_nothing() {
    let mut driver = Driver::connected(seconds(0, 120));
    let silent = driver.attempt();
    driver.pass(160_000);
    driver.open();
    driver.skip();
    driver.close_of(silent, 1006);
    driver.check_nothing();
}

#[test]
fn any_frame_is_a_sign_of_life() {
    for frame in [
        r#"{"type":"pong"}"#,
        r#"{"type":"ack","ackId":9,"success":true}"#,
        r#"{"type":"message","from":"server","dataType":"text","data":"hi"}"#,
        r#"{"type":"something else"}"#,
    ] {
        let mut driver = Driver::connected(seconds(0, 120));
        for _ in 0..10 {
            driver.pass(119_000);
            driver.say(frame);
        }
        driver.skip();
        driver.pass(119_000);
        driver.check_nothing();
    }
}

#[test]
fn a_recovered_link_has_the_whole_time_out_again() {
    let mut driver = Driver::connected(seconds(0, 120));
    driver.pass(110_000);
    driver.close(1006);
    driver.open();
    driver.skip();
    driver.pass(150_000);
    driver.check_nothing();
}

#[test]
fn a_machine_that_slept_does_not_trust_its_old_link() {
    let mut driver = Driver::connected(seconds(20, 120));
    driver.sleep(3_600_000);
    driver.pass(0);
    driver.check(expect![[r#"
        3600.000 close #1
        3600.000 event recovering c1
        3600.000 connect #2 wss://h/client/hubs/chat?access_token=t&awps_connection_id=c1&awps_reconnection_token=r
    "#]]);
}

#[test]
fn a_doubted_link_is_pinged_and_kept_if_anything_arrives() {
    let mut driver = Driver::connected(Options::default());
    driver.pass(3000);
    driver.wake();
    driver.check(expect![[r#"
        3.000 → {"type":"ping"}
    "#]]);
    driver.say(r#"{"type":"pong"}"#);
    driver.pass(19_999);
    driver.check_nothing();
}

#[test]
fn a_doubted_silent_link_is_given_up_after_five_seconds() {
    let mut driver = Driver::connected(Options::default());
    driver.wake();
    driver.pass(1000);
    driver.wake();
    driver.skip();
    driver.pass(4000);
    driver.check(expect![[r#"
        5.000 close #1
        5.000 event recovering c1
        5.000 connect #2 wss://h/client/hubs/chat?access_token=t&awps_connection_id=c1&awps_reconnection_token=r
    "#]]);
}
