//! What clients send to the application's event handler, and what comes back to them.
//!
//! Source: docs/spec/cloudevents.md#user-events; docs/spec/client.md#simple-clients, docs/spec/client.md#acks.
#![expect(clippy::expect_used, reason = "a broken expectation is a failed test")]

use std::time::Duration;

use webpubsub_protocol::client::{DownstreamMessage, Encoding, Frame, Subprotocol, UpstreamMessage};
use webpubsub_protocol::close::CloseCode;
use webpubsub_protocol::data::{JsonText, MessageData, Metadata};
use webpubsub_protocol::event_handler::{CallFailure, HandlerAnswer, Taken};
use webpubsub_protocol::id::AckId;
use webpubsub_protocol::name::EventName;
use webpubsub_shard::{Call, Command, ConnectRequest, Input, Selection, ShardConfig, Slot, Target};
use webpubsub_testkit::{
    ALL_EVENTS, TestShard, USER_EVENTS, group, header, json, reliable, says, status, text, with_handlers,
};

const OK: &str = r#"{"type":"ack","ackId":1,"success":true}"#;
const FAILED: &str = r#"{"type":"ack","ackId":1,"success":false,"error":{"name":"InternalServerError","message":"Internal server error"}}"#;
const DUPLICATE: &str = r#"{"type":"ack","ackId":1,"success":false,"error":{"name":"Duplicate","message":"Message with ack-id: 1 has been processed"}}"#;

/// A shard whose event handler subscribes to user events.
fn shard() -> TestShard {
    TestShard::with(ShardConfig::only(), with_handlers(USER_EVENTS))
}

fn event(name: &str, ack_id: Option<u64>) -> String {
    let ack_id = ack_id.map_or(String::new(), |id| format!(r#","ackId":{id}"#));
    format!(r#"{{"type":"event","event":"{name}","dataType":"text","data":"hi"{ack_id}}}"#)
}

/// What a client that speaks like this sends.
fn send(shard: &mut TestShard, from: Slot, subprotocol: Subprotocol, message: &UpstreamMessage) {
    let encoding = subprotocol.encoding().expect("it speaks in messages");
    shard.input(Input::Frame { from, frame: encoding.encode_upstream(message) });
}

fn body(call: &Call) -> &str {
    std::str::from_utf8(&call.request.body).expect("text")
}

// Source: docs/spec/cloudevents.md#user-events.
#[test]
fn every_payload_reaches_the_handler_with_its_content_type() {
    let any = vec![10, 1, b'x'];
    let cases = [
        (text("hå"), "text/plain; charset=utf-8", "hå".as_bytes().to_vec()),
        (MessageData::Json(JsonText::parse("[1.00]").expect("JSON")), "application/json", b"[1.00]".to_vec()),
        (MessageData::Binary(vec![0, 255]), "application/octet-stream", vec![0, 255]),
        (MessageData::Protobuf(any.clone()), "application/x-protobuf", any),
    ];
    for subprotocol in
        [Subprotocol::Json, Subprotocol::JsonReliable, Subprotocol::Protobuf, Subprotocol::ProtobufReliable]
    {
        for (data, content_type, body) in &cases {
            let mut shard = shard();
            let alice = shard.connected(ConnectRequest { subprotocol, ..json("alice") });
            let message = UpstreamMessage::Event {
                event: EventName::parse("order.placed").expect("a name"),
                ack_id: None,
                data: data.clone(),
                metadata: Metadata::parse(vec![("Key".into(), "value".into())]).expect("metadata"),
            };
            send(&mut shard, alice, subprotocol, &message);
            let [call] = &shard.calls[..] else { panic!("{:?}", shard.calls_in_words()) };
            assert_eq!(call.url, "https://example.com/order.placed");
            assert_eq!(call.validate, "https://example.com/validate");
            assert_eq!(call.request.body, *body);
            for (name, value) in [
                ("Content-Type", *content_type),
                ("ce-type", "azure.webpubsub.user.order.placed"),
                ("ce-eventName", "order.placed"),
                ("ce-id", "2"),
                ("ce-userId", "alice"),
                ("ce-hub", "chat"),
                ("ce-connectionId", shard.id(alice).as_str()),
                ("ce-subprotocol", subprotocol.name().expect("it has a name")),
                ("x-webpubsub-metadata-key", "value"),
            ] {
                assert_eq!(header(call, name), Some(value), "{name}");
            }
        }
    }
}

// Source: docs/spec/client.md#simple-clients.
#[test]
fn every_frame_of_a_simple_client_is_the_event_message() {
    let mut shard = shard();
    let simple =
        shard.connected(ConnectRequest { origin: "chat.example.com".into(), ..ConnectRequest::default() });
    shard.send(simple, "hello");
    let call = shard.end_call(Ok(status(204)));
    assert_eq!((call.event.as_str(), body(&call)), ("message", "hello"));
    assert_eq!(header(&call, "Content-Type"), Some("text/plain; charset=utf-8"));
    assert_eq!(header(&call, "WebHook-Request-Origin"), Some("chat.example.com"));
    assert_eq!((call.origin.as_str(), header(&call, "ce-subprotocol")), ("chat.example.com", None));
    shard.input(Input::Frame { from: simple, frame: Frame::Binary(vec![0, 255]) });
    let call = shard.end_call(Ok(status(204)));
    assert_eq!(call.request.body, [0, 255]);
    assert_eq!(header(&call, "Content-Type"), Some("application/octet-stream"));
    assert_eq!(shard.take(simple), [""; 0], "there was nothing in the answers");
}

#[test]
fn an_unknown_subprotocol_is_in_the_event() {
    let mut shard = shard();
    let custom_subprotocol = Some("chess.v2".to_owned());
    let simple = shard.connected(ConnectRequest { custom_subprotocol, ..ConnectRequest::default() });
    shard.hibernate();
    shard.send(simple, "hello");
    assert_eq!(header(&shard.end_call(Ok(status(204))), "ce-subprotocol"), Some("chess.v2"));
}

// Source: docs/spec/cloudevents.md#answers.
#[test]
fn what_the_handler_answers_reaches_the_client_before_its_ack() {
    let data = |data: &str| format!(r#"{{"type":"message","from":"server",{data}}}"#);
    let cases = [
        (status(204), None, None),
        (status(200), None, None),
        (says("application/octet-stream", ""), None, None),
        (says("text/plain; charset=utf-8", "hi"), Some(data(r#""dataType":"text","data":"hi""#)), Some("hi")),
        (
            says("application/json", r#"{"a":1.0}"#),
            Some(data(r#""dataType":"json","data":{"a":1.0}"#)),
            Some(r#"{"a":1.0}"#),
        ),
        (
            says("application/octet-stream", "hi"),
            Some(data(r#""dataType":"binary","data":"aGk=""#)),
            Some("binary [104, 105]"),
        ),
        (
            HandlerAnswer { body: b"hi".to_vec(), ..status(202) },
            Some(data(r#""dataType":"binary","data":"aGk=""#)),
            Some("binary [104, 105]"),
        ),
        (
            HandlerAnswer { metadata: vec![("k".into(), "v".into())], ..status(204) },
            Some(data(r#""dataType":"text","data":"","metadata":{"k":"v"}"#)),
            Some(""),
        ),
    ];
    for (answer, message, frame) in cases {
        let mut shard = shard();
        let (alice, bob) = (shard.connected(json("alice")), shard.connected(json("bob")));
        let simple = shard.connected(ConnectRequest::default());
        shard.send(alice, &event("e", Some(1)));
        shard.end_call(Ok(answer.clone()));
        let expected: Vec<String> = message.clone().into_iter().chain([OK.to_owned()]).collect();
        assert_eq!(shard.take(alice), expected);
        shard.send(alice, &event("e", None));
        shard.end_call(Ok(answer.clone()));
        assert_eq!(shard.take(alice), message.into_iter().collect::<Vec<_>>(), "without an ack id");
        shard.send(simple, "hello");
        shard.end_call(Ok(answer));
        assert_eq!(shard.take(simple), frame.into_iter().collect::<Vec<_>>());
        assert_eq!(shard.take(bob), [""; 0], "no other client receives it");
    }
}

#[test]
fn an_answer_on_protobuf_is_a_data_message_from_the_server() {
    let mut shard = shard();
    let subprotocol = Subprotocol::Protobuf;
    let alice = shard.connected(ConnectRequest { subprotocol, ..json("alice") });
    let message = UpstreamMessage::Event {
        event: EventName::parse("e").expect("a name"),
        ack_id: Some(AckId(1)),
        data: text("hi"),
        metadata: Metadata::default(),
    };
    send(&mut shard, alice, subprotocol, &message);
    shard.end_call(Ok(says("text/plain", "hello")));
    let frames = shard.take_frames(alice);
    let read = |frame| Encoding::Protobuf.decode_downstream(frame).expect("a message").expect("a known one");
    let [data, ack] = &frames.iter().map(read).collect::<Vec<_>>()[..] else { panic!("{frames:?}") };
    assert!(matches!(data, DownstreamMessage::Data { data, .. } if *data == text("hello")), "{data:?}");
    assert_eq!(*ack, DownstreamMessage::Ack { ack_id: AckId(1), result: Ok(()) });
}

#[test]
fn an_answer_to_a_reliable_client_is_numbered_and_sent_again() {
    let mut shard = shard();
    let alice = shard.connected(reliable("alice"));
    let id = shard.id(alice);
    shard.send(alice, &event("e", Some(1)));
    shard.end_call(Ok(says("text/plain", "one")));
    let message = |data: &str, number| {
        format!(
            r#"{{"type":"message","from":"server","dataType":"text","data":"{data}","sequenceId":{number}}}"#
        )
    };
    assert_eq!(shard.take(alice), [message("one", 1), OK.to_owned()]);
    shard.send(alice, &event("e", Some(2)));
    shard.cut(alice);
    // What is answered while the client is away is kept.
    shard.end_call(Ok(says("text/plain", "two")));
    shard.recover(&id);
    assert_eq!(shard.take(alice), [message("one", 1), message("two", 2)]);
    // The client did not receive the ack, and tries again.
    shard.send(alice, &event("e", Some(2)));
    assert!(shard.take(alice).concat().contains("Duplicate"));
    assert!(shard.calls.is_empty(), "it is not delivered twice");
}

// Source: docs/spec/cloudevents.md#failed-events.
#[test]
fn an_event_that_fails_is_refused_and_its_connection_stays() {
    let failures = [
        Err(CallFailure::NotValidated),
        Err(CallFailure::TooLarge),
        Err(CallFailure::NotReadable),
        Err(CallFailure::Unsendable),
        Ok(status(301)),
        Ok(status(400)),
        Ok(status(401)),
        Ok(status(404)),
        Ok(status(429)),
        Ok(says("text/html", "<p>")),
        Ok(says("application/json", "{")),
    ];
    for failure in failures {
        let mut shard = shard();
        let alice = shard.connected(json("alice"));
        shard.send(alice, &event("e", Some(1)));
        shard.end_call(failure.clone());
        assert_eq!(shard.take(alice), [FAILED], "{failure:?}");
        assert_eq!(shard.gave_up.len(), 1);
        // An id is used up by success only.
        shard.send(alice, &event("e", Some(1)));
        shard.end_call(Ok(status(204)));
        assert_eq!(shard.take(alice), [OK]);
        shard.send(alice, &event("e", None));
        shard.end_call(failure.clone());
        assert_eq!(shard.take(alice), [""; 0], "without an ack id nothing is said");
        let simple = shard.connected(ConnectRequest::default());
        shard.send(simple, "hello");
        shard.end_call(failure);
        let closed = shard.closed.pop().expect("it is closed");
        assert_eq!((closed.code, closed.reason.as_str()), (1011, "Internal server error"));
        assert!(shard.is_open(alice));
    }
}

#[test]
fn an_event_without_a_handler_fails_at_once() {
    for handlers in ["[]", r#"[{"urlTemplate":"https://example.com","userEventPattern":"other"}]"#] {
        let mut shard = TestShard::with(ShardConfig::only(), with_handlers(handlers));
        let alice = shard.connected(json("alice"));
        let disk = shard.disk.clone();
        shard.send(alice, &event("e", Some(1)));
        assert_eq!(shard.take(alice), [FAILED]);
        let simple = shard.connected(ConnectRequest::default());
        shard.send(simple, "hello");
        assert_eq!(shard.closed.pop().map(|closed| closed.code), Some(1011));
        assert!(shard.calls.is_empty() && shard.gave_up.is_empty());
        assert_eq!((&shard.disk, shard.due()), (&disk, None));
    }
}

// Source: docs/spec/cloudevents.md#order-of-user-events.
#[test]
fn the_next_event_of_a_connection_waits_and_nothing_else_does() {
    let mut shard = shard();
    let (alice, bob) = (shard.connected(reliable("alice")), shard.connected(json("bob")));
    for (name, ack_id) in [("one", 1), ("two", 2), ("three", 3)] {
        shard.send(alice, &event(name, Some(ack_id)));
    }
    shard.send(bob, &event("e", None));
    assert_eq!(shard.calls_in_words(), ["alice one 2", "bob e 2"]);
    shard.send(alice, r#"{"type":"ping"}"#);
    assert_eq!(shard.take(alice), [r#"{"type":"pong"}"#]);
    shard.send(alice, r#"{"type":"joinGroup","group":"g","ackId":10}"#);
    shard.send(bob, r#"{"type":"sendToGroup","group":"g","dataType":"text","data":"x"}"#);
    assert_eq!(shard.take(alice).len(), 2, "it is a member, and receives what the group does");
    shard.send(alice, r#"{"type":"sequenceAck","sequenceId":1}"#);
    shard.end_call(Ok(says("text/plain", "1")));
    assert!(shard.take(alice).concat().contains(r#""sequenceId":2"#));
    assert_eq!(shard.calls_in_words(), ["bob e 2", "alice two 3"]);
    shard.end_nth_call(1, Ok(status(500)));
    shard.send(alice, r#"{"type":"leaveGroup","group":"g","ackId":11}"#);
    assert_eq!(shard.take(alice), [r#"{"type":"ack","ackId":11,"success":true}"#]);
    assert_eq!(shard.calls_in_words(), ["bob e 2"], "the third waits for every attempt at the second");
    shard.pass(Duration::from_secs(1));
    assert_eq!(shard.calls_in_words(), ["bob e 2", "alice two 3, attempt 2"]);
    shard.end_nth_call(1, Ok(status(400)));
    assert_eq!(shard.calls_in_words(), ["bob e 2", "alice three 4"]);
}

// Source: docs/spec/client.md#acks.
#[test]
fn an_ack_id_that_repeats_while_its_event_waits_is_sent_once() {
    let mut shard = shard();
    let alice = shard.connected(json("alice"));
    for _ in 0..3 {
        shard.send(alice, &event("e", Some(1)));
    }
    assert_eq!(shard.calls_in_words(), ["alice e 2"]);
    shard.end_call(Ok(status(400)));
    assert_eq!(shard.take(alice), [FAILED]);
    assert_eq!(shard.calls_in_words(), ["alice e 3"], "the first has failed, so the second is delivered");
    shard.end_call(Ok(status(204)));
    assert_eq!(shard.take(alice), [OK, DUPLICATE]);
    assert!(shard.calls.is_empty());
}

#[test]
fn an_ack_id_used_by_another_operation_is_a_duplicate() {
    let mut shard = shard();
    let alice = shard.connected(json("alice"));
    shard.send(alice, &event("e", Some(9)));
    shard.send(alice, &event("e", Some(1)));
    shard.send(alice, r#"{"type":"joinGroup","group":"g","ackId":1}"#);
    assert_eq!(shard.take(alice), [OK]);
    shard.end_call(Ok(status(204)));
    assert_eq!(shard.take(alice), [r#"{"type":"ack","ackId":9,"success":true}"#, DUPLICATE]);
    shard.send(alice, &event("e", Some(1)));
    assert_eq!(shard.take(alice), [DUPLICATE]);
    assert!(shard.calls.is_empty());
}

// Source: docs/spec/cloudevents.md#requests.
#[test]
fn the_state_that_a_handler_sets_goes_with_later_events() {
    let mut shard = shard();
    let request = ConnectRequest { state: Some("c3RhdGU=".into()), ..json("alice") };
    let alice = shard.connected(request);
    let next = |shard: &mut TestShard, answer: HandlerAnswer| {
        shard.send(alice, &event("e", None));
        let call = shard.end_call(Ok(answer));
        ["ce-connectionState", "Cookie"].map(|name| header(&call, name).map(str::to_owned))
    };
    let state = |state: &str| HandlerAnswer { state: Some(state.into()), ..status(204) };
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(next(&mut shard, state("two")), [text("c3RhdGU="), None]);
    assert_eq!(shard.kept().connections[0].context.state, text("two"));
    assert_eq!(next(&mut shard, HandlerAnswer { state: text("lost"), ..status(400) }), [text("two"), None]);
    assert_eq!(
        next(&mut shard, HandlerAnswer { cookies: vec!["a=1; Path=/".into()], ..status(204) }),
        [text("two"), None]
    );
    shard.hibernate();
    assert_eq!(next(&mut shard, state("")), [text("two"), text("a=1")], "absent keeps");
    assert_eq!(shard.kept().connections[0].context.state, text(""));
    shard.hibernate();
    assert_eq!(next(&mut shard, status(204)), [text(""), text("a=1")], "empty is kept as empty");
    let other = shard.connected(json("bob"));
    shard.send(other, &event("e", None));
    assert_eq!(header(&shard.calls[0], "Cookie"), None, "it is kept for one connection");
}

#[test]
fn a_state_that_no_header_can_carry_is_a_failure() {
    let mut shard = shard();
    let alice = shard.connected(json("alice"));
    shard.send(alice, &event("e", Some(1)));
    shard.end_call(Ok(HandlerAnswer { state: Some("x".repeat(12 * 1024 + 1)), ..status(204) }));
    assert_eq!(shard.take(alice), [FAILED]);
    assert_eq!(shard.kept().connections[0].context.state, None);
}

#[test]
fn numbers_are_on_disk_before_their_event_leaves() {
    let mut shard = shard();
    let alice = shard.connected(json("alice"));
    assert_eq!(shard.kept().connections[0].context.events, 2, "`connect` and `connected` have theirs");
    for _ in 0..3 {
        shard.send(alice, &event("e", None));
    }
    assert_eq!(shard.kept().connections[0].context.events, 3);
    shard.end_call(Ok(status(204)));
    assert_eq!(shard.kept().connections[0].context.events, 5, "what waits has its numbers");
    let written = shard.disk.clone();
    shard.end_call(Ok(status(204)));
    assert_eq!(shard.disk, written);
    shard.end_call(Ok(status(204)));
    shard.hibernate();
    shard.send(alice, &event("e", None));
    assert_eq!(shard.calls_in_words(), ["alice e 5"]);
}

#[test]
fn an_event_is_delivered_though_its_client_goes() {
    let mut shard = TestShard::with(ShardConfig::only(), with_handlers(ALL_EVENTS));
    let alice = shard.connected(json("alice"));
    shard.end_calls();
    shard.send(alice, &event("one", Some(1)));
    shard.send(alice, &event("two", Some(2)));
    shard.close_with(alice, CloseCode::NORMAL, "bye");
    let bob = shard.connected(json("bob"));
    assert_eq!(bob, alice, "the slot has somebody else");
    assert_eq!(shard.calls_in_words(), ["alice one 2", "bob connected 1"]);
    shard.end_call(Ok(HandlerAnswer { state: Some("s".into()), ..says("text/plain", "for alice") }));
    assert_eq!(shard.take(bob), [""; 0]);
    assert_eq!(shard.calls_in_words(), ["bob connected 1", "alice two 3"]);
    assert_eq!(header(&shard.calls[1], "ce-connectionState"), Some("s"));
    assert_eq!(shard.end_calls(), ["bob connected 1", "alice two 3", "alice disconnected 4"]);
    assert!(shard.disk.durable_events.is_empty());
}

#[test]
fn an_ack_id_that_was_used_is_used_though_its_client_has_gone() {
    let mut shard = shard();
    let alice = shard.connected(json("alice"));
    shard.send(alice, &event("e", Some(1)));
    shard.send(alice, &event("e", Some(1)));
    shard.send(alice, &event("other", Some(2)));
    shard.cut(alice);
    assert_eq!(shard.end_calls(), ["alice e 2", "alice other 4"]);
}

#[test]
fn a_server_finds_the_connection_of_an_event() {
    let mut shard = shard();
    let alice = shard.connected(json("alice"));
    shard.send(alice, &event("e", Some(1)));
    let to = Selection::from(Target::Connection(shard.id(alice)));
    shard.command(Command::Join { to, groups: vec![group("g")] });
    shard.publish(Target::Group(group("g")), text("from the handler"));
    shard.end_call(Ok(says("text/plain", "answer")));
    let received = shard.take(alice);
    assert!(received[0].contains("from the handler") && received[1].contains("answer") && received[2] == OK);
}

#[test]
fn what_ends_that_never_began_is_passed_over() {
    let mut shard = shard();
    let alice = shard.connected(json("alice"));
    shard.send(alice, &event("e", Some(1)));
    let call = shard.calls[0].id;
    shard.end_call(Ok(status(204)));
    shard.take(alice);
    assert!(shard.input(Input::Called { call, result: Ok(Taken::default()) }).is_empty());
    shard.send(alice, &event("e", Some(2)));
    shard.hibernate();
    assert!(shard.input(Input::Called { call, result: Err(CallFailure::Network) }).is_empty());
}
