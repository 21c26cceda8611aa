//! What others may say, and MQTT has no words for.
//!
//! Source: docs/spec/mqtt.md#delivery, docs/spec/mqtt.md#payloads.
#![expect(clippy::expect_used, reason = "a broken expectation is a failed test")]

use webpubsub_mqtt::{DownstreamPacket, Property, Qos, UpstreamPacket, Version};
use webpubsub_protocol::data::{Metadata, TimeToLive};
use webpubsub_protocol::name::ConnectionId;
use webpubsub_shard::{Command, ConnectRequest, Reply, Selection, ShardConfig, Target};
use webpubsub_testkit::{MqttClient, TestShard, group, json, mqtt, says, text, with_handlers};

use Qos::{AtLeastOnce, AtMostOnce};
use Version::V5;

const CONNECT: &str = r#"[{"urlTemplate":"https://example.com/{event}","systemEvents":["connect"]}]"#;

/// Names that a group may have, and a topic may not ([MQTT-3.3.2-2], [MQTT-1.5.4-2]).
const NO_TOPICS: [&str; 3] = ["a/+", "a#", "a\0"];

fn connected(shard: &mut TestShard, version: Version) -> MqttClient {
    MqttClient::connected(shard, mqtt("a"), MqttClient::hello(version, "a")).0
}

fn of_a() -> Selection {
    Selection::from(Target::Connection(ConnectionId::parse("a").expect("an id")))
}

/// [MQTT-1.5.4-2].
#[test]
fn metadata_comes_without_the_character_0() {
    for qos in [AtMostOnce, AtLeastOnce] {
        let mut shard = TestShard::new();
        let client = connected(&mut shard, V5);
        client.subscribe(&mut shard, 1, "g", qos);
        client.take(&mut shard);
        let metadata = Metadata::parse(vec![("k".into(), "a\0b".into())]).expect("metadata");
        let to = Selection::from(Target::Group(group("g")));
        let send = Command::Send { to, data: text("x\0"), metadata, ttl: TimeToLive::FOREVER };
        assert_eq!(shard.command(send), Reply::Done);
        let packets = client.take(&mut shard);
        let [DownstreamPacket::Publish(publish)] = &packets[..] else { panic!("{packets:?}") };
        assert_eq!(publish.properties.user().collect::<Vec<_>>(), [("k", "ab")]);
        assert_eq!(publish.payload, b"x\0", "a payload is no text of MQTT");
    }
}

/// [MQTT-1.5.4-2].
#[test]
fn a_reason_comes_without_the_character_0() {
    let mut shard = TestShard::new();
    connected(&mut shard, V5);
    shard.command(Command::Close { to: of_a(), reason: Some("a\0b".into()) });
    let (packets, _) = MqttClient::last_words(&shard, V5);
    let [DownstreamPacket::Disconnect(end)] = &packets[..] else { panic!("{packets:?}") };
    assert!(end.properties.text(Property::ReasonString).expect("a reason").contains("ab"));

    let mut shard = TestShard::with(ShardConfig::only(), with_handlers(CONNECT));
    let client = MqttClient::open(&mut shard, mqtt("a"), V5);
    client.send(&mut shard, &UpstreamPacket::Connect(Box::new(MqttClient::hello(V5, "a"))));
    let words = r#"{"mqtt":{"reason":"a\u0000b","userProperties":[{"name":"\u0000","value":"v"}]}}"#;
    let mut answer = says("application/json", words);
    answer.status = 403;
    shard.end_call(Ok(answer));
    let (packets, _) = MqttClient::last_words(&shard, V5);
    let [DownstreamPacket::Connack(connack)] = &packets[..] else { panic!("{packets:?}") };
    assert_eq!(connack.properties.text(Property::ReasonString), Some("ab"));
    assert_eq!(connack.properties.user().collect::<Vec<_>>(), [("", "v")]);
}

/// A server or a token may make a device a member of any group.
#[test]
fn a_group_that_is_no_topic_reaches_no_mqtt_client() {
    for version in [Version::V3_1_1, V5] {
        let mut shard = TestShard::new();
        let groups = NO_TOPICS.map(group).to_vec();
        let other = shard.connected(ConnectRequest { groups: groups.clone(), ..json("j") });
        let client = connected(&mut shard, version);
        assert_eq!(shard.command(Command::Join { to: of_a(), groups }), Reply::Done);
        for name in NO_TOPICS {
            shard.publish(Target::Group(group(name)), text("x"));
        }
        shard.publish(Target::All, text("y"));
        assert_eq!(client.read(&mut shard), ["$webpubsub/server/messages q1 #1 y"]);
        assert_eq!(shard.take(other).len(), 4);
    }
}
