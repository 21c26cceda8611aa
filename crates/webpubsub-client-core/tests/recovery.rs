//! Losing a socket of a reliable connection and getting another without losing a message.

#[path = "support/driver.rs"]
mod driver;

use std::time::Duration;

use driver::Driver;
use expect_test::expect;
use webpubsub_client_core::{Arrival, AttemptId, ConnectError, Options};
use webpubsub_protocol::client::Subprotocol;

/// A session whose lost link has an open socket again, on which the service has said nothing.
fn recovering() -> Driver {
    let mut driver = Driver::connected(Options::default());
    driver.close(1006);
    driver.open();
    driver.skip();
    driver
}

#[test]
fn a_lost_link_is_recovered_without_a_second_connected() {
    let mut driver = Driver::connected(Options::default());
    driver.close(1006);
    driver.check(expect![[r#"
        0.000 event recovering c1
        0.000 connect #2 wss://h/client/hubs/chat?access_token=t&awps_connection_id=c1&awps_reconnection_token=r
    "#]]);
    driver.open();
    driver.say_connected("c1");
    driver.check(expect![[r#"
        0.000 → {"type":"ping"}
        0.000 event recovered c1
    "#]]);
}

#[test]
fn recovery_uses_the_same_url_and_the_newest_token() {
    let mut driver = Driver::connected(Options::default());
    driver.say(r#"{"type":"system","event":"connected","connectionId":"c1","reconnectionToken":"new/1"}"#);
    driver.check_nothing();
    driver.close(1006);
    driver.check(expect![[r#"
        0.000 event recovering c1
        0.000 connect #2 wss://h/client/hubs/chat?access_token=t&awps_connection_id=c1&awps_reconnection_token=new%2F1
    "#]]);
}

#[test]
fn recovery_is_tried_every_second_for_thirty_seconds() {
    let mut driver = Driver::connected(Options::default());
    driver.close(1006);
    for attempt in 2..=31 {
        assert_eq!(driver.attempt(), AttemptId(attempt));
        driver.fail(ConnectError::Unreachable);
        driver.skip();
        driver.pass(999);
        driver.check_nothing();
        driver.pass(1);
    }
    driver.check(expect![[r#"
        30.000 event disconnected c1 1006 "" then Reconnect
        30.000 fetch url #32
    "#]]);
}

#[test]
fn an_attempt_that_hangs_leaves_time_for_others_in_the_window() {
    let mut driver = Driver::connected(Options::default());
    driver.close(1006);
    driver.skip();
    driver.pass(30_000);
    driver.check(expect![[r#"
        10.000 close #2
        11.000 connect #3 wss://h/client/hubs/chat?access_token=t&awps_connection_id=c1&awps_reconnection_token=r
        21.000 close #3
        22.000 connect #4 wss://h/client/hubs/chat?access_token=t&awps_connection_id=c1&awps_reconnection_token=r
        30.000 close #4
        30.000 event disconnected c1 1006 "" then Reconnect
        30.000 fetch url #5
    "#]]);
}

#[test]
fn recovered_is_raised_when_the_service_says_connected_again() {
    let mut driver = recovering();
    driver.say_connected("c1");
    driver.check(expect![[r#"
        0.000 event recovered c1
    "#]]);
}

#[test]
fn recovered_is_raised_before_the_first_delivery_and_once() {
    let mut driver = recovering();
    driver.say_data(1);
    driver.say_data(2);
    driver.check(expect![[r#"
        0.000 event recovered c1
        0.000 event message {"type":"message","from":"server","dataType":"text","data":"m1","sequenceId":1}
        0.000 event message {"type":"message","from":"server","dataType":"text","data":"m2","sequenceId":2}
    "#]]);
}

#[test]
fn a_pong_proves_a_quiet_link_recovered() {
    let mut driver = recovering();
    driver.say(r#"{"type":"pong"}"#);
    driver.check(expect![[r#"
        0.000 event recovered c1
    "#]]);
}

#[test]
fn recovered_is_not_raised_by_a_service_that_says_good_bye() {
    let mut driver = recovering();
    driver.say(r#"{"type":"system","event":"disconnected","message":"Gone."}"#);
    driver.close(1000);
    driver.check(expect![[r#"
        0.000 event disconnected c1 1000 "" "Gone." then Reconnect
        0.000 fetch url #3
    "#]]);
}

#[test]
fn recovered_is_not_raised_by_a_socket_that_closes_at_once() {
    let mut driver = recovering();
    driver.close(1008);
    driver.check(expect![[r#"
        0.000 event disconnected c1 1008 "" then Reconnect
        0.000 fetch url #3
    "#]]);
}

#[test]
fn no_recovery_is_tried_after_a_disconnected_message() {
    for code in [1000, 1001, 1006, 1011] {
        let mut driver = Driver::connected(Options::default());
        driver.say(r#"{"type":"system","event":"disconnected","message":"Bye."}"#);
        driver.skip();
        driver.close(code);
        let transcript = driver.take();
        assert_eq!(
            transcript,
            format!("0.000 event disconnected c1 {code} \"\" \"Bye.\" then Reconnect\n0.000 fetch url #2\n")
        );
    }
}

#[test]
fn close_1008_means_no_recovery() {
    let mut driver = Driver::connected(Options::default());
    driver.close(1008);
    driver.check(expect![[r#"
        0.000 event disconnected c1 1008 "" then Reconnect
        0.000 fetch url #2
    "#]]);
}

#[test]
fn close_1008_on_the_recovery_socket_ends_recovery() {
    let mut driver = Driver::connected(Options::default());
    driver.close(1006);
    driver.open();
    driver.skip();
    driver.close(1008);
    driver.check(expect![[r#"
        0.000 event disconnected c1 1008 "" then Reconnect
        0.000 fetch url #3
    "#]]);
}

#[test]
fn any_other_code_means_recovery() {
    for code in [1000, 1001, 1005, 1006, 1011, 1012, 4000] {
        let mut driver = Driver::connected(Options::default());
        driver.skip();
        driver.close(code);
        driver.check(expect![[r#"
            0.000 event recovering c1
            0.000 connect #2 wss://h/client/hubs/chat?access_token=t&awps_connection_id=c1&awps_reconnection_token=r
        "#]]);
    }
}

#[test]
fn an_unreliable_connection_is_not_recovered() {
    let options = Options { subprotocol: Subprotocol::Json, ..Options::default() };
    let mut driver = Driver::connected(options);
    driver.close(1006);
    driver.check(expect![[r#"
        0.000 event disconnected c1 1006 "" then Reconnect
        0.000 fetch url #2
    "#]]);
}

#[test]
fn a_connection_without_id_or_token_is_not_recovered() {
    let mut driver = Driver::new(Options::default());
    driver.start();
    driver.url();
    driver.open();
    driver.skip();
    driver.close(1006);
    driver.check(expect![[r#"
        0.000 event disconnected unnamed 1006 "" then Reconnect
    "#]]);

    let mut driver = Driver::new(Options::default());
    driver.start();
    driver.url();
    driver.open();
    driver.say(r#"{"type":"system","event":"connected","connectionId":"c1"}"#);
    driver.skip();
    driver.close(1006);
    driver.check(expect![[r#"
        0.000 event disconnected c1 1006 "" then Reconnect
        0.000 fetch url #2
    "#]]);
}

#[test]
fn stop_cancels_a_recovery_under_way() {
    let mut driver = Driver::connected(Options::default());
    driver.close(1006);
    driver.skip();
    driver.stop();
    driver.check(expect![[r#"
        0.000 close #2
        0.000 event disconnected c1 1006 "" then Stop
        0.000 event stopped 1006 ""
    "#]]);
    driver.open();
    driver.check_nothing();
}

#[test]
fn stop_cancels_the_pause_between_recovery_attempts() {
    let mut driver = Driver::connected(Options::default());
    driver.close(1006);
    driver.fail(ConnectError::Unreachable);
    driver.skip();
    driver.stop();
    driver.check(expect![[r#"
        0.000 event disconnected c1 1006 "" then Stop
        0.000 event stopped 1006 ""
    "#]]);
    driver.pass(60_000);
    driver.check_nothing();
}

#[test]
fn a_service_that_takes_sockets_and_drops_them_is_not_stormed() {
    let mut driver = Driver::connected(Options::default());
    driver.close(1006);
    driver.open();
    driver.skip();
    driver.close(1006);
    driver.check_nothing();
    driver.pass(1000);
    driver.check(expect![[r#"
        1.000 connect #3 wss://h/client/hubs/chat?access_token=t&awps_connection_id=c1&awps_reconnection_token=r
    "#]]);
    for _ in 1..29 {
        driver.open();
        driver.close(1006);
        driver.pass(1000);
    }
    driver.open();
    driver.close(1006);
    driver.skip();
    driver.pass(1000);
    driver.check(expect![[r#"
        30.000 event disconnected c1 1006 "" then Reconnect
        30.000 fetch url #32
    "#]]);
}

#[test]
fn a_link_that_outlives_its_window_has_a_whole_one_again() {
    let mut driver = Driver::connected(Options { keep_alive_interval: Duration::ZERO, ..Options::default() });
    driver.close(1006);
    driver.open();
    driver.pass(31_000);
    driver.skip();
    driver.close(1006);
    driver.check(expect![[r#"
        31.000 connect #3 wss://h/client/hubs/chat?access_token=t&awps_connection_id=c1&awps_reconnection_token=r
    "#]]);
}

#[test]
fn a_link_on_which_something_arrived_has_a_whole_window_again() {
    let mut driver = Driver::connected(Options::default());
    driver.close(1006);
    driver.pass(20_000);
    driver.open();
    driver.say(r#"{"type":"pong"}"#);
    driver.skip();
    driver.close(1006);
    driver.check(expect![[r#"
        20.000 event recovering c1
        20.000 connect #4 wss://h/client/hubs/chat?access_token=t&awps_connection_id=c1&awps_reconnection_token=r
    "#]]);
    driver.pass(29_999);
    assert!(!driver.take().contains("disconnected"));
}

#[test]
fn waking_up_cuts_the_pause_between_recovery_attempts_short() {
    let mut driver = Driver::connected(Options::default());
    driver.close(1006);
    driver.fail(ConnectError::Unreachable);
    driver.skip();
    driver.wake();
    driver.check(expect![[r#"
        0.000 connect #3 wss://h/client/hubs/chat?access_token=t&awps_connection_id=c1&awps_reconnection_token=r
    "#]]);
}

#[test]
fn messages_are_acknowledged_one_second_after_the_first_of_them() {
    let mut driver = Driver::connected(Options::default());
    driver.say_data(1);
    driver.pass(400);
    driver.say_data(2);
    driver.skip();
    driver.pass(599);
    driver.check_nothing();
    driver.pass(1);
    driver.check(expect![[r#"
        1.000 → {"type":"sequenceAck","sequenceId":2}
    "#]]);
    driver.pass(10_000);
    driver.check_nothing();
}

#[test]
fn a_message_that_arrives_twice_is_delivered_once() {
    let mut driver = Driver::connected(Options::default());
    driver.say_data(1);
    driver.say_data(2);
    driver.say_data(1);
    driver.say_data(2);
    driver.check(expect![[r#"
        0.000 event message {"type":"message","from":"server","dataType":"text","data":"m1","sequenceId":1}
        0.000 event message {"type":"message","from":"server","dataType":"text","data":"m2","sequenceId":2}
    "#]]);
    driver.pass(1000);
    driver.skip();
    driver.say_data(2);
    driver.pass(1000);
    driver.check(expect![[r#"
        2.000 → {"type":"sequenceAck","sequenceId":2}
    "#]]);
}

#[test]
fn a_gap_is_accepted_and_a_large_one_acknowledged_at_once() {
    let mut driver = Driver::connected(Options::default());
    driver.say_data(500);
    driver.check(expect![[r#"
        0.000 event message {"type":"message","from":"server","dataType":"text","data":"m500","sequenceId":500}
    "#]]);
    driver.say_data(1001);
    driver.check(expect![[r#"
        0.000 event message {"type":"message","from":"server","dataType":"text","data":"m1001","sequenceId":1001}
        0.000 → {"type":"sequenceAck","sequenceId":1001}
    "#]]);
    driver.pass(10_000);
    driver.check_nothing();
}

#[test]
fn a_fast_stream_is_acknowledged_before_the_buffer_is_full() {
    let mut driver = Driver::connected(Options::default());
    for id in 1..=500 {
        driver.say_data(id);
    }
    driver.skip();
    driver.say_data(501);
    driver.check(expect![[r#"
        0.000 event message {"type":"message","from":"server","dataType":"text","data":"m501","sequenceId":501}
        0.000 → {"type":"sequenceAck","sequenceId":501}
    "#]]);
}

#[test]
fn a_message_may_be_shown_without_its_content() {
    let mut driver = Driver::connected(Options::default());
    assert_eq!([1, 2, 1, 2].map(|id| driver.show_data(id)), [true, true, false, false].map(Some));
    assert_eq!(driver.next_timeout(), Some(1000));
    assert_eq!(driver.show_data(502), Some(true));
    driver.pass(0);
    driver.check(expect![[r#"
        0.000 → {"type":"sequenceAck","sequenceId":502}
    "#]]);
    // It is a sign of life, too.
    driver.pass(100_000);
    assert_eq!(driver.show_data(503), Some(true));
    driver.skip();
    driver.pass(110_000);
    assert!(!driver.take().contains("recovering"));
}

#[test]
fn a_host_need_not_show_what_an_allowance_covers() {
    let mut driver = Driver::connected(Options::default());
    let arrival = |is_new, allowance| Some(Arrival { is_new, allowance });
    assert_eq!(driver.arrives(Some(1)), arrival(true, 499));
    // Those from 2 are raised, and the last of them is shown.
    assert_eq!(driver.arrives(Some(500)), arrival(true, 0));
    assert_eq!(driver.arrives(Some(250)), arrival(false, 0));
    assert_eq!(driver.next_timeout(), Some(1000));
    assert_eq!(driver.arrives(Some(501)), arrival(true, 0));
    driver.pass(0);
    driver.check(expect![[r#"
        0.000 → {"type":"sequenceAck","sequenceId":501}
    "#]]);
    assert_eq!(driver.arrives(Some(502)), arrival(true, 499));
    assert_eq!(driver.arrives(None), arrival(true, 0));
}

#[test]
fn without_numbers_every_message_is_shown() {
    let mut driver = Driver::connected(Options { subprotocol: Subprotocol::Json, ..Options::default() });
    assert_eq!(driver.arrives(Some(1)), Some(Arrival { is_new: true, allowance: 0 }));
}

#[test]
fn what_more_follows_from_takes_the_whole_message() {
    let mut driver = Driver::connected(Options::default());
    driver.close(1006);
    assert_eq!(driver.show_data(1), None);
    driver.open();
    driver.skip();
    assert_eq!(driver.show_data(1), None);
    driver.say_data(1);
    driver.check(expect![[r#"
        0.000 event recovered c1
        0.000 event message {"type":"message","from":"server","dataType":"text","data":"m1","sequenceId":1}
    "#]]);
    driver.stop();
    assert_eq!(driver.show_data(2), None);
}

#[test]
fn sequence_ids_go_on_over_a_recovery() {
    let mut driver = Driver::connected(Options::default());
    driver.say_data(1);
    driver.say_data(2);
    driver.close(1006);
    driver.skip();
    driver.pass(5000);
    driver.check_nothing();
    driver.open();
    driver.say_data(2);
    driver.say_data(3);
    driver.check(expect![[r#"
        5.000 → {"type":"ping"}
        5.000 → {"type":"sequenceAck","sequenceId":2}
        5.000 event recovered c1
        5.000 event message {"type":"message","from":"server","dataType":"text","data":"m3","sequenceId":3}
    "#]]);
}

#[test]
fn sequence_ids_start_again_on_a_new_connection() {
    let mut driver = Driver::connected(Options::default());
    driver.say_data(7);
    driver.close(1008);
    driver.url();
    driver.open();
    driver.say_connected("c2");
    driver.skip();
    driver.say_data(1);
    driver.pass(1000);
    driver.check(expect![[r#"
        0.000 event message {"type":"message","from":"server","dataType":"text","data":"m1","sequenceId":1}
        1.000 → {"type":"sequenceAck","sequenceId":1}
    "#]]);
}

#[test]
fn an_unreliable_connection_acknowledges_nothing() {
    let mut driver = Driver::connected(Options { subprotocol: Subprotocol::Json, ..Options::default() });
    driver.say(r#"{"type":"message","from":"server","dataType":"text","data":"hi"}"#);
    driver.check(expect![[r#"
        0.000 event message {"type":"message","from":"server","dataType":"text","data":"hi"}
    "#]]);
    driver.pass(10_000);
    driver.check_nothing();
}
