//! Clients publish streams to groups.
#![expect(clippy::panic, reason = "a broken expectation is a failed test")]

use std::time::Duration;

use expect_test::{Expect, expect};
use webpubsub_protocol::client::{
    DownstreamMessage, Echo, Encoding, Frame, StreamAction, StreamId, Subprotocol, UpstreamMessage,
};
use webpubsub_protocol::role::PermissionType;
use webpubsub_shard::{Command, ConnectRequest, Input, Limits, Permission, ShardConfig, Slot};
use webpubsub_testkit::{TestShard, group, json, reliable, text};

const START: &str = r#"{"type":"sendToGroup","group":"g","stream":{"streamId":"s"}}"#;
const KEEP_ALIVE: &str = r#"{"type":"streamData","streamId":"s"}"#;
const END: &str = r#"{"type":"streamEnd","streamId":"s"}"#;

fn data(number: u64) -> String {
    format!(
        r#"{{"type":"streamData","streamId":"s","streamSequenceId":{number},"dataType":"text","data":"d{number}"}}"#
    )
}

fn member(request: ConnectRequest) -> ConnectRequest {
    ConnectRequest { groups: vec![group("g")], ..request }
}

/// A shard with a publisher, and a member of its group that has read everything so far.
fn started(publisher: ConnectRequest) -> (TestShard, Slot, Slot) {
    let mut shard = TestShard::new();
    let alice = shard.connected(publisher);
    let bob = shard.connected(member(json("bob")));
    shard.send(alice, START);
    assert_eq!(shard.take(alice), [r#"{"type":"streamAck","streamId":"s","expectedSequenceId":1}"#]);
    (shard, alice, bob)
}

fn check(shard: &mut TestShard, slot: Slot, expected: &Expect) {
    expected.assert_eq(&shard.take(slot).iter().map(|frame| format!("{frame}\n")).collect::<String>());
}

#[test]
fn fragments_in_order_are_published_and_acknowledged() {
    let (mut shard, alice, bob) = started(json("alice"));
    assert_eq!(shard.take(bob), [""; 0], "a start is not published");
    shard.send(alice, &data(1));
    shard.send(
        alice,
        r#"{"type":"streamData","streamId":"s","streamSequenceId":2,"dataType":"json","data":[2]}"#,
    );
    check(
        &mut shard,
        alice,
        &expect![[r#"
            {"type":"streamAck","streamId":"s","expectedSequenceId":2}
            {"type":"streamAck","streamId":"s","expectedSequenceId":3}
        "#]],
    );
    check(
        &mut shard,
        bob,
        &expect![[r#"
            {"type":"message","from":"group","fromUserId":"alice","group":"g","dataType":"text","data":"d1","stream":{"streamId":"s","streamSequenceId":1}}
            {"type":"message","from":"group","fromUserId":"alice","group":"g","dataType":"json","data":[2],"stream":{"streamId":"s","streamSequenceId":2}}
        "#]],
    );
}

#[test]
fn one_ack_answers_what_one_turn_carries_out() {
    let (mut shard, alice, bob) = started(reliable("alice"));
    for number in 1..=5 {
        shard.feed(Input::Frame { from: alice, frame: Frame::Text(data(number)) });
    }
    shard.turn();
    assert_eq!(shard.take(alice), [r#"{"type":"streamAck","streamId":"s","expectedSequenceId":6}"#]);
    assert_eq!(shard.take(bob).len(), 5);
}

#[test]
fn an_earlier_fragment_is_a_duplicate_and_acknowledged_again() {
    let (mut shard, alice, bob) = started(json("alice"));
    for number in [1, 2, 1] {
        shard.send(alice, &data(number));
    }
    assert_eq!(shard.take(alice)[2], r#"{"type":"streamAck","streamId":"s","expectedSequenceId":3}"#);
    assert_eq!(shard.take(bob).len(), 2);
}

#[test]
fn a_later_fragment_is_refused_and_the_stream_goes_on() {
    let (mut shard, alice, bob) = started(json("alice"));
    shard.send(alice, &data(2));
    shard.send(alice, &data(1));
    check(
        &mut shard,
        alice,
        &expect![[r#"
            {"type":"streamNack","streamId":"s","name":"InvalidSequenceId","message":"This is not the next fragment.","expectedSequenceId":1}
            {"type":"streamAck","streamId":"s","expectedSequenceId":2}
        "#]],
    );
    assert_eq!(shard.take(bob).len(), 1);
}

#[test]
fn an_end_is_for_subscribers_and_publisher() {
    let (mut shard, alice, bob) = started(json("alice"));
    shard.send(alice, &data(1));
    shard.take(alice);
    shard.take(bob);
    shard.send(alice, END);
    assert_eq!(shard.take(alice), [r#"{"type":"streamClosed","streamId":"s"}"#]);
    check(
        &mut shard,
        bob,
        &expect![[r#"
            {"type":"message","from":"group","fromUserId":"alice","group":"g","dataType":"text","data":"","stream":{"streamId":"s","streamSequenceId":2,"endOfStream":true}}
        "#]],
    );
    shard.send(alice, START);
    assert!(shard.take(alice)[0].contains("streamAck"), "its id may be used again");
}

#[test]
fn a_publisher_may_end_a_stream_with_an_error() {
    let (mut shard, alice, bob) = started(json("alice"));
    shard.send(alice, r#"{"type":"streamEnd","streamId":"s","error":{"message":"no","userErrorCode":"E1"}}"#);
    assert_eq!(shard.take(alice), [r#"{"type":"streamClosed","streamId":"s"}"#]);
    let end = r#""error":{"name":"UserError","message":"no","userErrorCode":"E1"}"#;
    assert!(shard.take(bob)[0].contains(end));
}

#[test]
fn a_stream_that_is_not_open_is_not_found() {
    let mut shard = TestShard::new();
    let alice = shard.connected(json("alice"));
    for message in [&data(1), KEEP_ALIVE, END] {
        shard.send(alice, message);
        let error = r#"{"name":"StreamNotFound","message":"There is no stream with this id."}"#;
        let closed = format!(r#"{{"type":"streamClosed","streamId":"s","error":{error}}}"#);
        assert_eq!(shard.take(alice), [closed]);
    }
}

#[test]
fn the_streams_of_one_connection_are_not_those_of_another() {
    let (mut shard, _, bob) = started(json("alice"));
    shard.send(bob, &data(1));
    assert!(shard.take(bob)[0].contains("StreamNotFound"));
}

#[test]
fn a_start_without_permission_is_forbidden() {
    let mut shard = TestShard::new();
    let alice = shard.connected(ConnectRequest { roles: Vec::new(), ..json("alice") });
    shard.send(alice, START);
    check(
        &mut shard,
        alice,
        &expect![[r#"
            {"type":"streamClosed","streamId":"s","error":{"name":"Forbidden","message":"The client does not have permission to send to group 'g'."}}
        "#]],
    );
}

#[test]
fn a_revoked_permission_ends_the_stream() {
    let (mut shard, alice, bob) = started(json("alice"));
    shard.command(Command::Revoke(Permission {
        connection: shard.id(alice),
        kind: PermissionType::SendToGroup,
        group: group("g"),
    }));
    assert_eq!(shard.take(alice), [""; 0]);
    shard.send(alice, &data(1));
    assert!(shard.take(alice)[0].contains(r#""error":{"name":"Forbidden""#));
    let received = shard.take(bob);
    assert!(received[0].contains(r#""streamSequenceId":1,"endOfStream":true,"error":{"name":"Forbidden"}"#));
    assert_eq!(received.len(), 1);
}

#[test]
fn an_open_id_and_an_idle_time_of_0_are_bad_requests() {
    let (mut shard, alice, _) = started(json("alice"));
    shard.send(alice, START);
    let idle = r#"{"type":"sendToGroup","group":"g","stream":{"streamId":"t","idleTimeoutMs":0}}"#;
    shard.send(alice, idle);
    check(
        &mut shard,
        alice,
        &expect![[r#"
            {"type":"streamClosed","streamId":"s","error":{"name":"BadRequest","message":"A stream with this id is open."}}
            {"type":"streamClosed","streamId":"t","error":{"name":"BadRequest","message":"The idle time of a stream is greater than 0."}}
        "#]],
    );
    shard.send(alice, &data(1));
    assert!(shard.take(alice)[0].contains("streamAck"), "the open one stays open");
}

#[test]
fn a_connection_has_at_most_256_streams() {
    let mut shard = TestShard::new();
    let alice = shard.connected(json("alice"));
    let start = |id: u32| START.replace("\"s\"", &format!("\"{id}\""));
    for id in 0..256 {
        shard.send(alice, &start(id));
        assert!(shard.take(alice)[0].contains("streamAck"));
    }
    shard.send(alice, &start(256));
    assert!(shard.take(alice)[0].contains("The client has 256 streams, which is the limit."));
    shard.send(alice, &END.replace("\"s\"", "\"7\""));
    shard.take(alice);
    shard.send(alice, &start(256));
    assert!(shard.take(alice)[0].contains("streamAck"));
    assert_eq!(shard.disk.streams.len(), 256);
    shard.hibernate();
    shard.send(alice, &KEEP_ALIVE.replace("\"s\"", "\"256\""));
    assert_eq!(shard.take(alice), [""; 0]);
}

#[test]
fn a_start_with_an_ack_id_is_done_once() {
    let mut shard = TestShard::new();
    let alice = shard.connected(json("alice"));
    let start = START.replace("\"group\"", "\"ackId\":1,\"group\"");
    shard.send(alice, &start);
    shard.send(alice, &start);
    check(
        &mut shard,
        alice,
        &expect![[r#"
            {"type":"streamAck","streamId":"s","expectedSequenceId":1}
            {"type":"ack","ackId":1,"success":true}
            {"type":"ack","ackId":1,"success":false,"error":{"name":"Duplicate","message":"Message with ack-id: 1 has been processed"}}
        "#]],
    );
}

#[test]
fn a_publisher_that_is_a_member_receives_its_stream() {
    for (echo, count) in [("false", 2), ("true", 0)] {
        let mut shard = TestShard::new();
        let alice = shard.connected(member(json("alice")));
        shard.send(alice, &START.replace("\"group\"", &format!("\"noEcho\":{echo},\"group\"")));
        shard.send(alice, &data(1));
        shard.send(alice, END);
        let received = shard.take(alice);
        assert_eq!(received.iter().filter(|frame| frame.contains("\"message\"")).count(), count, "{echo}");
    }
}

#[test]
fn every_subprotocol_receives_a_stream_in_its_way() {
    let (mut shard, alice, bob) = started(json("alice"));
    let simple = shard.connected(member(ConnectRequest::default()));
    let numbered = shard.connected(member(reliable("carol")));
    let binary =
        shard.connected(member(ConnectRequest { subprotocol: Subprotocol::Protobuf, ..json("dan") }));
    shard.send(alice, &data(1));
    shard.send(alice, END);
    assert_eq!(shard.take(simple), ["d1"], "a simple client learns nothing of the end");
    assert_eq!(shard.take(bob).len(), 2);
    let received = shard.take(numbered);
    assert!(received[0].ends_with(r#""stream":{"streamId":"s","streamSequenceId":1},"sequenceId":1}"#));
    assert!(received[1].ends_with(r#""endOfStream":true},"sequenceId":2}"#));
    let parts: Vec<_> = shard.take_frames(binary).iter().map(part).collect();
    assert_eq!(parts, [(1, false), (2, true)]);
}

/// The number of a fragment, and whether it is the end.
fn part(frame: &Frame) -> (u64, bool) {
    let Ok(Some(DownstreamMessage::Data { stream: Some(part), .. })) =
        Encoding::Protobuf.decode_downstream(frame)
    else {
        panic!("{frame:?} is no part of a stream")
    };
    (part.sequence_id, part.end.is_some())
}

#[test]
fn protobuf_clients_publish_streams() {
    let mut shard = TestShard::new();
    let alice = shard.connected(ConnectRequest { subprotocol: Subprotocol::Protobuf, ..json("alice") });
    let bob = shard.connected(member(json("bob")));
    let stream_id = StreamId::parse("s").unwrap();
    let start =
        StreamAction::Start { group: group("g"), ack_id: None, echo: Echo::Skip, idle_millis: Some(1000) };
    for action in [
        start,
        StreamAction::Data { sequence_id: 1, data: text("hi") },
        StreamAction::KeepAlive,
        StreamAction::End { error: None },
    ] {
        let message = UpstreamMessage::Stream { stream_id: stream_id.clone(), action };
        let frame = Encoding::Protobuf.encode_upstream(&message);
        shard.input(Input::Frame { from: alice, frame });
    }
    assert_eq!(shard.take(bob).len(), 2);
    assert_eq!(shard.take(alice).len(), 3);
}

#[test]
fn fragments_count_for_the_rate_limit() {
    let limits = Limits { messages_per_second: 1, message_burst: 2, ..Limits::DEFAULT };
    let mut shard = TestShard::at(ShardConfig { limits, ..ShardConfig::only() });
    let alice = shard.connected(json("alice"));
    for message in [START, &data(1), &data(2)] {
        shard.send(alice, message);
    }
    assert_eq!(shard.take(alice).len(), 2);
    shard.pass(Duration::from_secs(1));
    while shard.core().next_turn().is_some() {
        shard.turn();
    }
    assert_eq!(shard.take(alice), [r#"{"type":"streamAck","streamId":"s","expectedSequenceId":3}"#]);
}
