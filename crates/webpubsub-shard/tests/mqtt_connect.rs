//! MQTT clients connect: what CONNECT is answered, and whose session it goes on with.
//!
//! Source: docs/spec/mqtt.md#connect.
#![expect(clippy::panic, reason = "a broken expectation is a failed test")]

use std::time::Duration;

use webpubsub_mqtt::{
    Connack, Connect, DownstreamPacket, Properties, Property, Qos, UpstreamPacket, Version, Will,
};
use webpubsub_protocol::client::Frame;
use webpubsub_protocol::name::ConnectionId;
use webpubsub_shard::{ConnectRequest, Input, ShardId, Target};
use webpubsub_testkit::{MqttClient, TestShard, group, json, mqtt, text, user};

use Qos::{AtLeastOnce, AtMostOnce};
use Version::{V3_1_1, V5};

const SECOND: Duration = Duration::from_secs(1);

fn hello(version: Version, id: &str) -> Connect {
    MqttClient::hello(version, id)
}

fn client(shard: &mut TestShard, version: Version, id: &str) -> MqttClient {
    MqttClient::connected(shard, mqtt(id), hello(version, id)).0
}

fn refusal(connect: Connect) -> (u8, Option<String>) {
    let mut shard = TestShard::new();
    let version = connect.version;
    let client = MqttClient::open(&mut shard, mqtt("alice"), version);
    client.send(&mut shard, &UpstreamPacket::Connect(Box::new(connect)));
    let (packets, _) = MqttClient::last_words(&shard, version);
    let [DownstreamPacket::Connack(Connack { session_present: false, reason, properties })] = &packets[..]
    else {
        panic!("{packets:?}");
    };
    let code = if version == V5 { reason.0 } else { reason.return_code() };
    (code, properties.text(Property::ReasonString).map(str::to_owned))
}

fn will(topic: &str, payload: Vec<u8>) -> Will {
    Will { topic: topic.into(), payload, qos: AtLeastOnce, retain: false, properties: Properties::default() }
}

#[test]
fn connack_says_what_the_service_lacks() {
    let mut shard = TestShard::new();
    let mut connect = Connect { keep_alive: 0, ..hello(V5, "") };
    connect.properties.push_number(Property::SessionExpiryInterval, 3600);
    let (client, connack) = MqttClient::connected(&mut shard, mqtt("alice"), connect);
    let number = |property| connack.properties.number(property);
    assert_eq!(number(Property::RetainAvailable), Some(0));
    assert_eq!(number(Property::WildcardSubscriptionAvailable), Some(0));
    assert_eq!(number(Property::SharedSubscriptionAvailable), Some(0));
    assert_eq!(number(Property::TopicAliasMaximum), None);
    assert_eq!(number(Property::MaximumPacketSize), Some(1 << 20));
    assert_eq!(number(Property::SessionExpiryInterval), Some(30));
    assert_eq!(number(Property::ServerKeepAlive), Some(180));
    let id = connack.properties.text(Property::AssignedClientIdentifier).expect("an assigned id");
    assert!(id.len() <= 128 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{id}");
    assert_eq!(shard.id(client.slot).as_str().len(), id.len());
    assert!(shard.exists(Target::Connection(ConnectionId::parse(id).expect("an id"))));
    assert!(!connack.session_present);
}

#[test]
fn a_connect_that_breaks_a_rule_is_refused_with_its_code() {
    let long = "a".repeat(129);
    for id in ["a-b", "mqttjs_1", "ü", long.as_str()] {
        let (code, text) = refusal(hello(V5, id));
        assert_eq!(code, 0x85, "{id}");
        assert!(text.expect("a reason").contains("0-9, A-Z and a-z"));
        assert_eq!(refusal(hello(V3_1_1, id)).0, 2, "{id}");
    }
    assert_eq!(refusal(hello(V3_1_1, "")).0, 2);
    for keep_alive in [0, 181, u16::MAX] {
        assert_eq!(refusal(Connect { keep_alive, ..hello(V3_1_1, "a") }).0, 5, "{keep_alive}");
    }
    let mut method = hello(V5, "a");
    method.properties.push_text(Property::AuthenticationMethod, "m");
    assert_eq!(refusal(method).0, 0x8c);
    let long_topic = "t".repeat(1025);
    for topic in [" ", "a/+", "#", long_topic.as_str()] {
        let with = |version| Connect { will: Some(will(topic, vec![])), ..hello(version, "a") };
        assert_eq!((refusal(with(V5)).0, refusal(with(V3_1_1)).0), (0x90, 5), "{topic}");
    }
    let large = |version| Connect { will: Some(will("t", vec![0; 2001])), ..hello(version, "a") };
    assert_eq!((refusal(large(V5)).0, refusal(large(V3_1_1)).0), (0x95, 5));
    let mut laden = will("t", vec![]);
    laden.properties.push_user("n", "v".repeat(8192));
    assert_eq!(refusal(Connect { will: Some(laden), ..hello(V5, "a") }).0, 0x95);
    let retained = Will { retain: true, ..will("t", vec![]) };
    assert_eq!(refusal(Connect { will: Some(retained), ..hello(V5, "a") }).0, 0x9a);
}

#[test]
fn a_client_id_is_not_that_of_another_connection() {
    let of = |shard| ShardId(shard).connection_id([0; 16]);
    assert_eq!(refusal(hello(V5, of(3).as_str())).0, 0x85, "another shard could have made it");
    assert_eq!(refusal(hello(V3_1_1, of(3).as_str())).0, 2);
    let mut shard = TestShard::new();
    client(&mut shard, V5, of(0).as_str());
    let plain = shard.connected(json("bob"));
    let taken = shard.id(plain).as_str().to_owned();
    let late = MqttClient::open(&mut shard, mqtt("a"), V5);
    late.send(&mut shard, &UpstreamPacket::Connect(Box::new(hello(V5, &taken))));
    let (packets, _) = MqttClient::last_words(&shard, V5);
    assert!(
        matches!(&packets[..], [DownstreamPacket::Connack(connack)] if connack.reason.0 == 0x85),
        "{packets:?}"
    );
    assert_eq!(shard.core().connections(), 2);
}

#[test]
fn another_protocol_version_is_refused_in_its_own() {
    let mut shard = TestShard::new();
    let client = MqttClient::open(&mut shard, mqtt("alice"), V3_1_1);
    client.send_bytes(&mut shard, vec![0x10, 13, 0, 4, b'M', b'Q', b'T', b'T', 6, 2, 0, 60, 0, 1, b'a']);
    assert!(!shard.is_open(client.slot));
    let frames = &shard.closed[0].frames;
    assert!(matches!(&frames[..], [Frame::Binary(bytes)] if bytes.first() == Some(&0x20)), "{frames:?}");
}

#[test]
fn what_is_not_connect_closes_without_connack() {
    for first in
        [Frame::Binary(vec![0xc0, 0]), Frame::Binary(b"GET / HTTP/1.1".to_vec()), Frame::Text("a".into())]
    {
        let mut shard = TestShard::new();
        let client = MqttClient::open(&mut shard, mqtt("alice"), V5);
        shard.input(Input::Frame { from: client.slot, frame: first });
        assert_eq!((shard.closed[0].frames.len(), shard.closed[0].code), (0, 1007));
    }
}

#[test]
fn a_socket_that_ends_before_connack_leaves_nothing() {
    let mut shard = TestShard::new();
    let first = MqttClient::open(&mut shard, mqtt("alice"), V5);
    shard.cut(first.slot);
    assert_eq!(shard.core().connections(), 0);
    assert_eq!(shard.connected(json("bob")), first.slot, "its slot is free");
    assert!(shard.disk.mqtt_sessions.is_empty());
}

#[test]
fn a_second_client_with_the_id_takes_the_session_over() {
    let mut shard = TestShard::new();
    let resumable = || {
        let mut connect = Connect { clean_start: false, ..hello(V5, "a") };
        connect.properties.push_number(Property::SessionExpiryInterval, 20);
        connect
    };
    let (first, connack) = MqttClient::connected(&mut shard, mqtt("alice"), resumable());
    assert!(!connack.session_present);
    first.subscribe(&mut shard, 1, "g", AtMostOnce);
    let (second, connack) = MqttClient::connected(&mut shard, mqtt("alice"), resumable());
    assert!(connack.session_present);
    assert_eq!(second.slot, first.slot);
    let (packets, code) = MqttClient::last_words(&shard, V5);
    assert!(
        matches!(packets.last(), Some(DownstreamPacket::Disconnect(end)) if end.reason.0 == 0x8e),
        "{packets:?}"
    );
    assert_eq!(code, 1001);
    second.publish(&mut shard, "g", AtMostOnce, 0, "x");
    assert_eq!(second.read(&mut shard), ["g q0 x"], "the subscription is the session's");
    let (third, connack) = MqttClient::connected(&mut shard, mqtt("alice"), hello(V5, "a"));
    assert!(!connack.session_present, "it wants another session");
    third.publish(&mut shard, "g", AtMostOnce, 0, "x");
    assert_eq!(third.read(&mut shard), [""; 0]);
    assert_eq!(shard.core().connections(), 1);
}

#[test]
fn the_session_of_another_user_ends() {
    let mut shard = TestShard::new();
    let connect = || Connect { clean_start: false, ..hello(V3_1_1, "a") };
    let request = ConnectRequest { groups: vec![group("secret")], ..mqtt("alice") };
    let (_, _) = MqttClient::connected(&mut shard, request, connect());
    let (other, connack) = MqttClient::connected(&mut shard, mqtt("mallory"), connect());
    assert!(!connack.session_present);
    shard.publish(Target::Group(group("secret")), text("x"));
    assert_eq!(other.read(&mut shard), [""; 0]);
    assert!(!shard.exists(Target::User(user("alice"))));
}

#[test]
fn clients_that_displace_each_other_are_slowed_down() {
    let mut shard = TestShard::new();
    client(&mut shard, V5, "a");
    for _ in 0..5 {
        client(&mut shard, V5, "a");
    }
    let refused = MqttClient::open(&mut shard, mqtt("a"), V5);
    refused.send(&mut shard, &UpstreamPacket::Connect(Box::new(hello(V5, "a"))));
    let (packets, _) = MqttClient::last_words(&shard, V5);
    assert!(
        matches!(&packets[..], [DownstreamPacket::Connack(connack)] if connack.reason.0 == 0x9f),
        "{packets:?}"
    );
    shard.pass(10 * SECOND);
    client(&mut shard, V5, "a");
}
