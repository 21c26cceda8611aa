//! Operations, their acks, and what happens when these do not come.

#[path = "support/driver.rs"]
mod driver;

use driver::Driver;
use expect_test::expect;
use webpubsub_client_core::{Delivery, Operation, Options, Retry, RetryMode};
use webpubsub_protocol::client::{Echo, Subprotocol};
use webpubsub_protocol::data::MessageData;
use webpubsub_protocol::id::AckId;
use webpubsub_protocol::name::GroupName;

const ACKNOWLEDGED: Delivery = Delivery::Acknowledged { ack_id: None };

fn once() -> Options {
    let retry = Retry { max_retries: 0, ..Options::default().message_retry };
    Options { message_retry: retry, ..Options::default() }
}

#[test]
fn every_operation_is_done_when_its_ack_comes() {
    let mut driver = Driver::connected(Options::default());
    driver.join("g");
    driver.send(ACKNOWLEDGED);
    driver.send_event(ACKNOWLEDGED);
    driver.leave("g");
    driver.check(expect![[r#"
        0.000 → {"type":"joinGroup","group":"g","ackId":1}
        0.000 → {"type":"sendToGroup","group":"g","ackId":2,"noEcho":false,"dataType":"text","data":"hi"}
        0.000 → {"type":"event","event":"hello","ackId":3,"dataType":"text","data":"hi"}
        0.000 → {"type":"leaveGroup","group":"g","ackId":4}
    "#]]);
    driver.say_done(2);
    driver.say_done(1);
    driver.say_done(4);
    driver.say_done(3);
    driver.check(expect![[r#"
        0.000 call 3 done under 2
        0.000 call 2 done under 1
        0.000 call 5 done under 4
        0.000 call 4 done under 3
    "#]]);
}

#[test]
fn echo_is_left_out_where_the_sender_does_not_want_it() {
    let mut driver = Driver::connected(Options::default());
    driver.operate(Operation::SendToGroup {
        group: GroupName::parse("g").unwrap(),
        data: MessageData::Binary(vec![1, 2]),
        echo: Echo::Skip,
        delivery: ACKNOWLEDGED,
    });
    driver.check(expect![[r#"
        0.000 → {"type":"sendToGroup","group":"g","ackId":1,"noEcho":true,"dataType":"binary","data":"AQI="}
    "#]]);
}

#[test]
fn fire_and_forget_carries_no_ack_id_and_is_done_once_sent() {
    let mut driver = Driver::connected(Options::default());
    driver.send(Delivery::FireAndForget);
    driver.send_event(Delivery::FireAndForget);
    driver.check(expect![[r#"
        0.000 → {"type":"sendToGroup","group":"g","noEcho":false,"dataType":"text","data":"hi"}
        0.000 call 2 done
        0.000 → {"type":"event","event":"hello","dataType":"text","data":"hi"}
        0.000 call 3 done
    "#]]);
}

#[test]
fn a_duplicate_is_a_success() {
    let mut driver = Driver::connected(Options::default());
    driver.send(ACKNOWLEDGED);
    driver.skip();
    driver.say_refused(1, "Duplicate");
    driver.check(expect![[r#"
        0.000 call 2 was done before under 1
    "#]]);
}

#[test]
fn a_refusal_is_tried_three_more_times_under_new_ids() {
    let mut driver = Driver::connected(Options::default());
    driver.send(ACKNOWLEDGED);
    for ack_id in 1..=4 {
        driver.say_refused(ack_id, "Forbidden");
        driver.pass(1000);
    }
    driver.check(expect![[r#"
        0.000 → {"type":"sendToGroup","group":"g","ackId":1,"noEcho":false,"dataType":"text","data":"hi"}
        1.000 → {"type":"sendToGroup","group":"g","ackId":2,"noEcho":false,"dataType":"text","data":"hi"}
        2.000 → {"type":"sendToGroup","group":"g","ackId":3,"noEcho":false,"dataType":"text","data":"hi"}
        3.000 → {"type":"sendToGroup","group":"g","ackId":4,"noEcho":false,"dataType":"text","data":"hi"}
        3.000 call 2 failed under 4: the service refused it: No. (Forbidden)
    "#]]);
    driver.pass(10_000);
    driver.check_nothing();
}

#[test]
fn an_ack_id_of_the_applications_choice_is_used_for_every_try() {
    let mut driver = Driver::connected(Options::default());
    driver.send(Delivery::Acknowledged { ack_id: Some(AckId(77)) });
    driver.say_refused(77, "InternalServerError");
    driver.pass(1000);
    driver.say_refused(77, "Duplicate");
    driver.join("g");
    driver.check(expect![[r#"
        0.000 → {"type":"sendToGroup","group":"g","ackId":77,"noEcho":false,"dataType":"text","data":"hi"}
        1.000 → {"type":"sendToGroup","group":"g","ackId":77,"noEcho":false,"dataType":"text","data":"hi"}
        1.000 call 2 was done before under 77
        1.000 → {"type":"joinGroup","group":"g","ackId":1}
    "#]]);
}

#[test]
fn two_operations_under_one_id_are_settled_by_one_ack_each() {
    let mut driver = Driver::connected(Options::default());
    driver.send(Delivery::Acknowledged { ack_id: Some(AckId(7)) });
    driver.send(Delivery::Acknowledged { ack_id: Some(AckId(7)) });
    driver.skip();
    driver.say_done(7);
    driver.check(expect![[r#"
        0.000 call 2 done under 7
    "#]]);
    driver.say_refused(7, "Duplicate");
    driver.check(expect![[r#"
        0.000 call 3 was done before under 7
    "#]]);
}

#[test]
fn pauses_between_tries_grow_where_the_application_wants_it() {
    let retry = Retry { mode: RetryMode::Exponential, max_retries: 2, ..Options::default().message_retry };
    let mut driver = Driver::connected(Options { message_retry: retry, ..Options::default() });
    driver.send(ACKNOWLEDGED);
    driver.say_refused(1, "Forbidden");
    driver.pass(1000);
    driver.say_refused(2, "Forbidden");
    driver.pass(2000);
    driver.say_refused(3, "Forbidden");
    driver.check(expect![[r#"
        0.000 → {"type":"sendToGroup","group":"g","ackId":1,"noEcho":false,"dataType":"text","data":"hi"}
        1.000 → {"type":"sendToGroup","group":"g","ackId":2,"noEcho":false,"dataType":"text","data":"hi"}
        3.000 → {"type":"sendToGroup","group":"g","ackId":3,"noEcho":false,"dataType":"text","data":"hi"}
        3.000 call 2 failed under 3: the service refused it: No. (Forbidden)
    "#]]);
}

#[test]
fn without_retries_the_first_failure_is_the_answer() {
    let mut driver = Driver::connected(once());
    driver.send(ACKNOWLEDGED);
    driver.skip();
    driver.say_refused(1, "Forbidden");
    driver.check(expect![[r#"
        0.000 call 2 failed under 1: the service refused it: No. (Forbidden)
    "#]]);
}

#[test]
fn an_ack_without_an_operation_is_ignored() {
    let mut driver = Driver::connected(Options::default());
    driver.say_done(9);
    driver.check_nothing();
}

#[test]
fn an_ack_may_take_as_long_as_it_likes() {
    let mut driver = Driver::connected(Options { keep_alive_timeout: std::time::Duration::ZERO, ..once() });
    driver.send_event(ACKNOWLEDGED);
    driver.pass(3_600_000);
    driver.skip();
    driver.say_done(1);
    driver.check(expect![[r#"
        3600.000 call 2 done under 1
    "#]]);
}

#[test]
fn a_loss_fails_pending_operations_which_are_tried_again() {
    let mut driver = Driver::connected(Options::default());
    driver.send(ACKNOWLEDGED);
    driver.close(1006);
    driver.open();
    driver.skip();
    driver.pass(1000);
    driver.say_done(2);
    driver.check(expect![[r#"
        1.000 → {"type":"sendToGroup","group":"g","ackId":2,"noEcho":false,"dataType":"text","data":"hi"}
        1.000 event recovered c1
        1.000 call 2 done under 2
    "#]]);
}

#[test]
fn a_loss_is_reported_where_nothing_is_tried_again() {
    let mut driver = Driver::connected(once());
    driver.send(ACKNOWLEDGED);
    driver.skip();
    driver.close(1006);
    driver.check(expect![[r#"
        0.000 call 2 failed under 1: the connection was lost before the ack came
        0.000 event recovering c1
        0.000 connect #2 wss://h/client/hubs/chat?access_token=t&awps_connection_id=c1&awps_reconnection_token=r
    "#]]);
}

#[test]
fn operations_without_a_socket_fail_after_their_retries() {
    let mut driver = Driver::new(Options::default());
    driver.join("g");
    driver.send(Delivery::FireAndForget);
    driver.pass(2999);
    driver.check_nothing();
    driver.pass(1);
    driver.check(expect![[r#"
        3.000 call 1 failed under 4: the session is not connected
        3.000 call 2 failed: the session is not connected
    "#]]);
}

#[test]
fn an_operation_called_too_early_is_done_once_there_is_a_socket() {
    let mut driver = Driver::new(Options::default());
    driver.start();
    driver.join("g");
    driver.url();
    driver.open();
    driver.skip();
    driver.pass(1000);
    driver.check(expect![[r#"
        1.000 → {"type":"joinGroup","group":"g","ackId":2}
    "#]]);
}

#[test]
fn ack_ids_are_never_used_again_not_even_on_a_new_connection() {
    let mut driver = Driver::connected(Options { subprotocol: Subprotocol::Json, ..Options::default() });
    driver.send(ACKNOWLEDGED);
    driver.say_done(1);
    driver.close(1006);
    driver.url();
    driver.open();
    driver.say_connected("c2");
    driver.skip();
    driver.send(ACKNOWLEDGED);
    driver.check(expect![[r#"
        0.000 → {"type":"sendToGroup","group":"g","ackId":2,"noEcho":false,"dataType":"text","data":"hi"}
    "#]]);
}

#[test]
fn an_aborted_operation_is_answered_at_once_and_not_tried_again() {
    let mut driver = Driver::connected(Options::default());
    let waiting = driver.send(ACKNOWLEDGED);
    driver.skip();
    driver.abort(waiting);
    driver.check(expect![[r#"
        0.000 call 2 failed under 1: the operation was aborted
    "#]]);
    driver.say_done(1);
    driver.abort(waiting);
    driver.check_nothing();

    let resting = driver.send(ACKNOWLEDGED);
    driver.say_refused(2, "Forbidden");
    driver.skip();
    driver.abort(resting);
    driver.check(expect![[r#"
        0.000 call 3 failed under 2: the operation was aborted
    "#]]);
    driver.pass(10_000);
    driver.check_nothing();
}

#[test]
fn whatever_still_waits_is_answered_when_the_session_stops() {
    let mut driver = Driver::connected(Options::default());
    driver.send(ACKNOWLEDGED);
    driver.send_event(ACKNOWLEDGED);
    driver.say_refused(2, "Forbidden");
    driver.skip();
    driver.stop();
    driver.check(expect![[r#"
        0.000 close #1
    "#]]);
    driver.close(1005);
    driver.check(expect![[r#"
        0.000 event disconnected c1 1005 "" then Stop
        0.000 call 2 failed under 1: the connection was lost before the ack came
        0.000 call 3 failed under 2: the service refused it: No. (Forbidden)
        0.000 event stopped 1005 ""
    "#]]);
}

#[test]
fn an_ack_that_arrives_while_stopping_still_counts() {
    let mut driver = Driver::connected(Options::default());
    driver.send(ACKNOWLEDGED);
    driver.stop();
    driver.skip();
    driver.say_done(1);
    driver.check(expect![[r#"
        0.000 call 2 done under 1
    "#]]);
}

#[test]
fn other_operations_are_acknowledged_and_tried_again_alike() {
    let mut driver = Driver::connected(Options::default());
    let delivery = Delivery::Acknowledged { ack_id: None };
    let other = |message: &str| Operation::Other { message: MessageData::Text(message.to_owned()), delivery };
    driver.operate(other("a"));
    driver.operate(other("b"));
    driver.say_done(1);
    driver.say_refused(2, "Forbidden");
    driver.pass(1_000);
    driver.say_done(3);
    driver.check(expect![[r#"
        0.000 → Text("a") under 1
        0.000 → Text("b") under 2
        0.000 call 2 done under 1
        1.000 → Text("b") under 3
        1.000 call 3 done under 3
    "#]]);
}
