//! Clients of the protobuf subprotocols, among themselves and beside all others.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a frame that is not what it should be fails the test"
)]

use expect_test::expect;
use webpubsub_protocol::client::endpoint::SimpleMode;
use webpubsub_protocol::client::{
    DownstreamMessage, Echo, Encoding, Frame, Subprotocol, UpstreamMessage, json as json_codec,
};
use webpubsub_protocol::data::{JsonText, MessageData, Metadata, TimeToLive};
use webpubsub_protocol::id::{AckId, SequenceId};
use webpubsub_protocol::limits::MAX_CLIENT_MESSAGE_BYTES;
use webpubsub_shard::{ConnectRequest, Input, Slot, Target};
use webpubsub_testkit::{TestShard, group, json, reliable, text};

/// The type `a/b` with one byte.
const ANY: &[u8] = &[10, 3, b'a', b'/', b'b', 18, 1, 255];

fn protobuf(user: &str) -> ConnectRequest {
    ConnectRequest { subprotocol: Subprotocol::Protobuf, ..json(user) }
}

fn protobuf_reliable(user: &str) -> ConnectRequest {
    ConnectRequest { subprotocol: Subprotocol::ProtobufReliable, ..json(user) }
}

fn in_group(request: ConnectRequest) -> ConnectRequest {
    ConnectRequest { groups: vec![group("g")], ..request }
}

fn say(shard: &mut TestShard, from: Slot, message: &UpstreamMessage) {
    shard.input(Input::Frame { from, frame: Encoding::Protobuf.encode_upstream(message) });
}

fn send(data: MessageData) -> UpstreamMessage {
    UpstreamMessage::SendToGroup {
        group: group("g"),
        ack_id: None,
        echo: Echo::Skip,
        ttl: TimeToLive::FOREVER,
        data,
        metadata: Metadata::default(),
    }
}

/// One payload of each type, how messages in JSON put it, and the frame that simple clients receive.
fn payloads() -> [(MessageData, &'static str, Frame); 4] {
    let json = r#"{"n": 1.00}"#;
    [
        (text("hé"), r#""dataType":"text","data":"hé""#, Frame::Text("hé".into())),
        (
            MessageData::Json(JsonText::parse(json).unwrap()),
            r#""dataType":"json","data":{"n": 1.00}"#,
            Frame::Text(json.into()),
        ),
        (
            MessageData::Binary(vec![0, 255]),
            r#""dataType":"binary","data":"AP8=""#,
            Frame::Binary(vec![0, 255]),
        ),
        (
            MessageData::Protobuf(ANY.to_vec()),
            r#""dataType":"protobuf","data":"CgNhL2ISAf8=""#,
            Frame::Binary(ANY.to_vec()),
        ),
    ]
}

/// What a protobuf client received, as the JSON that says the same.
fn received(shard: &mut TestShard, slot: Slot) -> Vec<String> {
    shard.take_frames(slot).iter().map(spelled_as_json).collect()
}

fn spelled_as_json(frame: &Frame) -> String {
    let message = Encoding::Protobuf.decode_downstream(frame).unwrap();
    json_codec::encode_downstream(message.expect("a message, in a binary frame"))
}

fn numbers(shard: &mut TestShard, slot: Slot) -> Vec<u64> {
    let number = |frame: &Frame| match Encoding::Protobuf.decode_downstream(frame) {
        Ok(Some(DownstreamMessage::Data { sequence_id: Some(SequenceId(id)), .. })) => id,
        other => panic!("not numbered: {other:?}"),
    };
    shard.take_frames(slot).iter().map(number).collect()
}

#[test]
fn the_first_message_says_who_is_connected() {
    let mut shard = TestShard::new();
    let anonymous = shard.connect(ConnectRequest { user: None, ..protobuf("x") }).unwrap();
    let recoverable = shard.connect(protobuf_reliable("bob")).unwrap();
    expect![[
        r#"{"type":"system","event":"connected","userId":null,"connectionId":"AQAAAQEBAQEBAQEBAQEBAQEBAQ"}"#
    ]]
    .assert_eq(&received(&mut shard, anonymous).join("\n"));
    expect![[r#"{"type":"system","event":"connected","userId":"bob","connectionId":"AQAAAgICAgICAgICAgICAgICAg","reconnectionToken":"token"}"#]]
        .assert_eq(&received(&mut shard, recoverable).join("\n"));
}

#[test]
fn operations_are_acknowledged_as_for_json_clients() {
    let mut shard = TestShard::new();
    let alice = shard
        .connected(ConnectRequest { roles: vec!["webpubsub.joinLeaveGroup".into()], ..protobuf("alice") });
    let join = UpstreamMessage::JoinGroup { group: group("g"), ack_id: Some(AckId(0)) };
    say(&mut shard, alice, &join);
    say(&mut shard, alice, &join);
    let UpstreamMessage::SendToGroup { group, echo, ttl, data, metadata, .. } = send(text("hi")) else {
        panic!("another message");
    };
    let ack_id = Some(AckId(u64::MAX));
    say(&mut shard, alice, &UpstreamMessage::SendToGroup { group, ack_id, echo, ttl, data, metadata });
    say(&mut shard, alice, &UpstreamMessage::SequenceAck { sequence_id: SequenceId(7) });
    say(&mut shard, alice, &UpstreamMessage::Ping);
    expect![[r#"
        {"type":"ack","ackId":0,"success":true}
        {"type":"ack","ackId":0,"success":false,"error":{"name":"Duplicate","message":"Message with ack-id: 0 has been processed"}}
        {"type":"ack","ackId":18446744073709551615,"success":false,"error":{"name":"Forbidden","message":"The client does not have permission to send to group 'g'."}}
        {"type":"pong"}"#]]
    .assert_eq(&received(&mut shard, alice).join("\n"));
}

#[test]
fn every_publish_reaches_every_kind_of_client() {
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Publisher {
        Json,
        Protobuf,
        Simple,
        Server,
    }
    for publisher in [Publisher::Json, Publisher::Protobuf, Publisher::Simple, Publisher::Server] {
        let mut shard = TestShard::new();
        let simple = shard.connected(in_group(ConnectRequest::default()));
        let plain = shard.connected(in_group(json("a")));
        let numbered = shard.connected(in_group(reliable("b")));
        let binary = shard.connected(in_group(protobuf("c")));
        let binary_numbered = shard.connected(in_group(protobuf_reliable("d")));
        let (subprotocol, user) = match publisher {
            Publisher::Json => (Subprotocol::Json, r#""fromUserId":"publisher","#),
            Publisher::Protobuf => (Subprotocol::Protobuf, r#""fromUserId":"publisher","#),
            Publisher::Simple => (Subprotocol::Simple, r#""fromUserId":"publisher","#),
            Publisher::Server => (Subprotocol::Json, ""),
        };
        let mode = SimpleMode::SendToGroup { group: group("g"), echo: Echo::Send };
        let from = shard.connected(ConnectRequest { subprotocol, mode, ..json("publisher") });
        let mut sequence_id = 0;
        for (data, as_json, as_frame) in payloads() {
            let frame = match (publisher, data) {
                // There is no way to say it.
                (Publisher::Simple, MessageData::Json(_) | MessageData::Protobuf(_))
                | (Publisher::Server, MessageData::Protobuf(_)) => continue,
                (Publisher::Json, data) => Some(Encoding::Json.encode_upstream(&send(data))),
                (Publisher::Protobuf, data) => Some(Encoding::Protobuf.encode_upstream(&send(data))),
                (Publisher::Simple, MessageData::Text(_) | MessageData::Binary(_)) => Some(as_frame.clone()),
                (Publisher::Server, data) => {
                    shard.publish(Target::Group(group("g")), data);
                    None
                }
            };
            if let Some(frame) = frame {
                shard.input(Input::Frame { from, frame });
            }
            sequence_id += 1;
            let number = format!(r#","sequenceId":{sequence_id}"#);
            let message = |user: &str, number: &str| {
                [format!(r#"{{"type":"message","from":"group",{user}"group":"g",{as_json}{number}}}"#)]
            };
            assert_eq!(shard.take_frames(simple), [as_frame], "{publisher:?}");
            assert_eq!(shard.take(plain), message(user, ""), "{publisher:?}");
            assert_eq!(shard.take(numbered), message(user, &number), "{publisher:?}");
            assert_eq!(received(&mut shard, binary), message("", ""), "{publisher:?}");
            assert_eq!(received(&mut shard, binary_numbered), message("", &number), "{publisher:?}");
        }
    }
}

#[test]
fn an_any_arrives_byte_for_byte_in_every_framing() {
    // The value before the type, and an unknown field.
    let unusual = vec![0x12, 0x00, 0x0a, 0x01, b't', 0x48, 0x96, 0x01];
    let mut shard = TestShard::new();
    let publisher = shard.connected(protobuf("publisher"));
    let members = [0, 1].map(|_| shard.connected(in_group(protobuf("member"))));
    let simple = shard.connected(in_group(ConnectRequest::default()));
    say(&mut shard, publisher, &send(MessageData::Protobuf(unusual.clone())));
    let [first, second] = members.map(|member| shard.take_frames(member));
    assert_eq!(first, second);
    let [Frame::Binary(frame)] = &first[..] else { panic!("one binary frame: {first:?}") };
    assert!(frame.ends_with(&unusual));
    assert_eq!(shard.take_frames(simple), [Frame::Binary(unusual)]);
}

#[test]
fn metadata_travels_between_encodings() {
    let mut shard = TestShard::new();
    let [plain, binary] = [json("a"), protobuf("b")].map(|request| shard.connected(in_group(request)));
    shard.send(plain, r#"{"type":"sendToGroup","group":"g","noEcho":true,"metadata":{"K":"v"}}"#);
    let metadata = Metadata::parse(vec![("k".into(), "V".into())]).unwrap();
    let UpstreamMessage::SendToGroup { group, ack_id, echo, ttl, data, .. } = send(text("hi")) else {
        panic!("another message");
    };
    say(&mut shard, binary, &UpstreamMessage::SendToGroup { group, ack_id, echo, ttl, data, metadata });
    expect![[r#"{"type":"message","from":"group","fromUserId":"b","group":"g","dataType":"text","data":"hi","metadata":{"k":"V"}}"#]]
        .assert_eq(&shard.take(plain).join("\n"));
    expect![[
        r#"{"type":"message","from":"group","group":"g","dataType":"text","data":"","metadata":{"K":"v"}}"#
    ]]
    .assert_eq(&received(&mut shard, binary).join("\n"));
}

#[test]
fn reliable_clients_count_data_messages_and_nothing_else() {
    let mut shard = TestShard::new();
    let client = shard.connected(in_group(protobuf_reliable("alice")));
    let other = shard.connected(in_group(reliable("bob")));
    let publisher = shard.connected(protobuf("publisher"));
    let [text_payload, json_payload, _, any_payload] = payloads();
    for (data, _, _) in [text_payload, json_payload, any_payload] {
        say(&mut shard, publisher, &send(data));
    }
    assert_eq!(numbers(&mut shard, client), [1, 2, 3]);
    say(&mut shard, client, &UpstreamMessage::SequenceAck { sequence_id: SequenceId(2) });
    say(&mut shard, client, &UpstreamMessage::Ping);
    expect![[r#"{"type":"pong"}"#]].assert_eq(&received(&mut shard, client).join("\n"));
    shard.hibernate();
    shard.publish(Target::All, text("to all"));
    shard.publish(Target::Connection(shard.id(other)), text("to another"));
    shard.publish(Target::Connection(shard.id(client)), text("to this one"));
    assert_eq!(numbers(&mut shard, client), [3, 4, 5], "the third had not been acknowledged");
    assert_eq!(shard.disk.log.len(), 6, "one row a publish, whatever the encodings of its receivers");
}

#[test]
fn violations_close_with_the_code_and_text_of_the_spec() {
    const INVALID: &str = "The client message is not a valid protobuf protocol message.";
    const LARGE: &str = "The client message is too large.";
    let long = "x".repeat(MAX_CLIENT_MESSAGE_BYTES + 1);
    let cases = [
        (
            Frame::Text(r#"{"type":"joinGroup","group":"g"}"#.into()),
            1003,
            "The protobuf subprotocol requires binary messages.",
        ),
        (Frame::Text(String::new()), 1003, "The protobuf subprotocol requires binary messages."),
        (Frame::Binary(vec![]), 1007, INVALID),
        (Frame::Binary(b"hello".to_vec()), 1007, INVALID),
        (Frame::Binary(vec![0x52, 0x00]), 1007, INVALID),
        (Frame::Text(long.clone()), 1009, LARGE),
        (Frame::Binary(long.into_bytes()), 1009, LARGE),
    ];
    for request in [protobuf("alice"), protobuf_reliable("alice")] {
        for (frame, code, reason) in cases.clone() {
            let mut shard = TestShard::new();
            let client = shard.connected(request.clone());
            shard.input(Input::Frame { from: client, frame });
            let closed = shard.closed.pop().expect("a closed connection");
            assert_eq!((closed.code, closed.reason.as_str()), (code, reason));
            let said: Vec<_> = closed.frames.iter().map(spelled_as_json).collect();
            let disconnected = format!(r#"{{"type":"system","event":"disconnected","message":"{reason}"}}"#);
            assert_eq!(said, [disconnected]);
            assert!(shard.kept().connections.is_empty());
        }
    }
}

#[test]
fn no_json_client_makes_an_unreadable_protobuf_frame() {
    let mut shard = TestShard::new();
    let mallory = shard.connected(json("mallory"));
    let member = shard.connected(in_group(protobuf("member")));
    shard.send(mallory, r#"{"type":"sendToGroup","group":"g","dataType":"protobuf","data":"////"}"#);
    assert_eq!(shard.closed.pop().map(|closed| closed.code), Some(1007));
    assert_eq!(shard.take_frames(member), []);
}
