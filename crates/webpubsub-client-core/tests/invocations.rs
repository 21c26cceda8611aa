//! Events whose answer the application waits for.

#[path = "support/driver.rs"]
mod driver;

use driver::Driver;
use expect_test::expect;
use webpubsub_client_core::Options;
use webpubsub_protocol::client::Subprotocol;

const POLICY_VIOLATION: u16 = 1008;

#[test]
fn every_invocation_gets_its_own_answer() {
    let mut driver = Driver::connected(Options::default());
    driver.invoke(None);
    driver.invoke(Some("mine"));
    driver.invoke(None);
    driver.say(r#"{"type":"invokeResponse","invocationId":"2","success":true}"#);
    driver.say(r#"{"type":"invokeResponse","invocationId":"mine","success":false,"error":{"name":"BadRequest","message":"no"}}"#);
    driver.say(
        r#"{"type":"invokeResponse","invocationId":"1","success":true,"dataType":"json","data":{"a":1.0}}"#,
    );
    driver.check(expect![[r#"
        0.000 → {"type":"invoke","invocationId":"1","target":"event","event":"hello","dataType":"text","data":"hi"}
        0.000 → {"type":"invoke","invocationId":"mine","target":"event","event":"hello","dataType":"text","data":"hi"}
        0.000 → {"type":"invoke","invocationId":"2","target":"event","event":"hello","dataType":"text","data":"hi"}
        0.000 call 4 answered as 2: {"type":"invokeResponse","invocationId":"2","success":true}
        0.000 call 3 failed as mine: the service refused it
        0.000 call 2 answered as 1: {"type":"invokeResponse","invocationId":"1","success":true,"dataType":"json","data":{"a":1.0}}
    "#]]);
}

#[test]
fn an_answer_without_an_invocation_is_ignored() {
    let mut driver = Driver::connected(Options::default());
    driver.say(r#"{"type":"invokeResponse","invocationId":"1","success":true}"#);
    driver.invoke(None);
    driver.say(r#"{"type":"invokeResponse","invocationId":"1","success":true}"#);
    driver.skip();
    driver.say(r#"{"type":"invokeResponse","invocationId":"1","success":true}"#);
    driver.check_nothing();
}

#[test]
fn an_id_that_waits_cannot_be_chosen_again_and_is_not_given() {
    let mut driver = Driver::connected(Options::default());
    driver.invoke(Some("1"));
    driver.invoke(Some("1"));
    driver.invoke(None);
    driver.check(expect![[r#"
        0.000 → {"type":"invoke","invocationId":"1","target":"event","event":"hello","dataType":"text","data":"hi"}
        0.000 call 3 failed as 1: the invocation id is in use
        0.000 → {"type":"invoke","invocationId":"2","target":"event","event":"hello","dataType":"text","data":"hi"}
    "#]]);
    driver.say(r#"{"type":"invokeResponse","invocationId":"1","success":true}"#);
    driver.skip();
    driver.invoke(Some("1"));
    driver.check(expect![[r#"
        0.000 → {"type":"invoke","invocationId":"1","target":"event","event":"hello","dataType":"text","data":"hi"}
    "#]]);
}

#[test]
fn an_aborted_invocation_is_cancelled_at_the_service() {
    let mut driver = Driver::connected(Options::default());
    let call = driver.invoke(None);
    driver.skip();
    driver.abort(call);
    driver.abort(call);
    driver.say(r#"{"type":"invokeResponse","invocationId":"1","success":true}"#);
    driver.check(expect![[r#"
        0.000 → {"type":"cancelInvocation","invocationId":"1"}
        0.000 call 2 failed as 1: the invocation was aborted
    "#]]);
}

#[test]
fn an_invocation_fails_with_its_socket_and_is_not_tried_again() {
    let mut driver = Driver::connected(Options::default());
    driver.invoke(None);
    driver.skip();
    driver.close(1006);
    driver.open();
    driver.pass(5_000);
    driver.check(expect![[r#"
        0.000 call 2 failed as 1: the connection was lost before the answer came
        0.000 event recovering c1
        0.000 connect #2 wss://h/client/hubs/chat?access_token=t&awps_connection_id=c1&awps_reconnection_token=r
        0.000 → {"type":"ping"}
    "#]]);
    driver.invoke(None);
    driver.skip();
    driver.close(POLICY_VIOLATION);
    driver.check(expect![[r#"
        5.000 call 3 failed as 2: the connection was lost before the answer came
        5.000 event disconnected c1 1008 "" then Reconnect
        5.000 fetch url #3
    "#]]);
}

#[test]
fn an_invocation_without_an_open_socket_fails_at_once() {
    let mut driver = Driver::new(Options { subprotocol: Subprotocol::Json, ..Options::default() });
    driver.invoke(None);
    driver.check(expect![[r#"
        0.000 call 1 failed as 1: the session is not connected
    "#]]);
}

#[test]
fn an_invocation_is_answered_when_the_application_stops() {
    let mut driver = Driver::connected(Options::default());
    let call = driver.invoke(None);
    driver.skip();
    driver.stop();
    driver.close(1005);
    driver.abort(call);
    driver.check(expect![[r#"
        0.000 close #1
        0.000 event disconnected c1 1005 "" then Stop
        0.000 call 2 failed as 1: the connection was lost before the answer came
        0.000 event stopped 1005 ""
    "#]]);
}
