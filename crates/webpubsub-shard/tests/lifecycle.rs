//! Connections come, speak, and go.

use expect_test::expect;
use webpubsub_protocol::client::Frame;
use webpubsub_protocol::close::CloseCode;
use webpubsub_protocol::limits::MAX_CLIENT_MESSAGE_BYTES;
use webpubsub_shard::{ConnectRequest, Input, ShardConfig, Slot, Target};
use webpubsub_testkit::{Closed, TestShard, json, reliable, text};

#[test]
fn the_first_message_says_who_is_connected() {
    let mut shard = TestShard::new();
    let plain = shard.connect(json("alice")).unwrap();
    expect![[r#"{"type":"system","event":"connected","userId":"alice","connectionId":"AQAAAQEBAQEBAQEBAQEBAQEBAQ"}"#]]
        .assert_eq(&shard.take(plain).join("\n"));
    let recoverable = shard.connect(reliable("bob")).unwrap();
    expect![[r#"{"type":"system","event":"connected","userId":"bob","connectionId":"AQAAAgICAgICAgICAgICAgICAg","reconnectionToken":"token"}"#]]
        .assert_eq(&shard.take(recoverable).join("\n"));
    let anonymous = shard.connect(ConnectRequest { user: None, ..json("x") }).unwrap();
    assert!(shard.take(anonymous).join("\n").contains(r#""userId":null"#));
}

#[test]
fn simple_clients_receive_payloads_and_nothing_else() {
    let mut shard = TestShard::new();
    let simple = shard.connect(ConnectRequest::default()).unwrap();
    assert_eq!(shard.take(simple), [""; 0]);
    shard.publish(Target::All, text("Hello World"));
    assert_eq!(shard.take(simple), ["Hello World"]);
}

#[test]
fn a_ping_is_answered_with_a_pong() {
    let mut shard = TestShard::new();
    let client = shard.connected(json("alice"));
    shard.send(client, r#"{ "type": "PING" }"#);
    assert_eq!(shard.take(client), [r#"{"type":"pong"}"#]);
}

#[test]
fn violations_close_with_the_code_and_text_of_the_spec() {
    let long = "x".repeat(MAX_CLIENT_MESSAGE_BYTES + 1);
    let cases = [
        (Frame::Text("{".into()), 1007, "The client message is not a valid JSON protocol message."),
        (
            Frame::Text(r#"{"type":"nothing"}"#.into()),
            1007,
            "The client message is not a valid JSON protocol message.",
        ),
        (Frame::Binary(vec![1]), 1003, "The JSON subprotocol requires text messages."),
        (Frame::Text(long.clone()), 1009, "The client message is too large."),
        (Frame::Binary(long.into_bytes()), 1009, "The client message is too large."),
    ];
    for request in [json("alice"), reliable("alice")] {
        for (frame, code, reason) in cases.clone() {
            let mut shard = TestShard::new();
            let client = shard.connected(request.clone());
            shard.input(Input::Frame { from: client, frame });
            let closed = shard.closed.pop().expect("a closed connection");
            assert_eq!((closed.code, closed.reason.as_str()), (code, reason));
            assert_eq!(
                closed.received,
                [format!(r#"{{"type":"system","event":"disconnected","message":"{reason}"}}"#)]
            );
            assert_eq!(shard.core().connections(), 0);
            assert!(shard.kept().connections.is_empty());
        }
    }
}

#[test]
fn a_message_of_exactly_one_mebibyte_is_taken() {
    let mut shard = TestShard::new();
    let client = shard.connected(json("alice"));
    let frame = r#"{"type":"ping","padding":"…"}"#;
    let padding = "x".repeat(MAX_CLIENT_MESSAGE_BYTES - frame.len() + "…".len());
    shard.send(client, &frame.replace('…', &padding));
    assert_eq!(shard.take(client), [r#"{"type":"pong"}"#]);
}

#[test]
fn a_simple_clients_event_without_a_handler_closes_it() {
    let mut shard = TestShard::new();
    let simple = shard.connected(ConnectRequest::default());
    shard.send(simple, "hi");
    let Closed { code, reason, received, .. } = shard.closed.pop().expect("a closed connection");
    assert_eq!((code, reason.as_str()), (1011, "Internal server error"));
    assert_eq!(received, [""; 0]);
}

#[test]
fn a_connection_that_is_gone_receives_nothing_and_is_not_found() {
    let mut shard = TestShard::new();
    let client = shard.connected(json("alice"));
    let id = shard.id(client);
    assert!(shard.exists(Target::Connection(id.clone())));
    shard.close(client, CloseCode::NORMAL);
    assert!(!shard.exists(Target::Connection(id.clone())));
    shard.publish(Target::Connection(id), text("late"));
    shard.publish(Target::All, text("late"));
    assert!(
        shard
            .input(Input::Closed { slot: client, code: CloseCode::NORMAL, reason: String::new() })
            .is_empty()
    );
    assert!(shard.input(Input::Frame { from: client, frame: Frame::Text("{".into()) }).is_empty());
}

#[test]
fn a_slot_is_used_again_once_its_connection_is_gone() {
    let mut shard = TestShard::new();
    let slots: Vec<_> = (0..3).map(|_| shard.connected(json("alice"))).collect();
    assert_eq!(slots, [Slot(0), Slot(1), Slot(2)]);
    shard.close(Slot(1), CloseCode::NORMAL);
    assert_eq!(shard.connect(json("bob")), Some(Slot(1)));
    assert_eq!(shard.connect(json("bob")), Some(Slot(3)));
}

#[test]
fn a_full_shard_has_room_again_when_a_client_leaves() {
    let mut shard = TestShard::at(ShardConfig { capacity: 2, ..ShardConfig::only() });
    let first = shard.connected(json("alice"));
    shard.connected(json("bob"));
    assert_eq!(shard.connect(json("carol")), None);
    assert_eq!(shard.kept().connections.len(), 2);
    shard.close(first, CloseCode::NORMAL);
    assert!(shard.connect(json("carol")).is_some());
}
