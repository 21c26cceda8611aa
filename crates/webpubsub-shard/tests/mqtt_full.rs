//! MQTT sessions that are owed more than there is room for, by messages of their own.
//!
//! Source: docs/spec/mqtt.md#delivery, docs/spec/mqtt.md#wills.

use std::time::Duration;

use webpubsub_mqtt::{
    Connect, DownstreamPacket, Properties, Property, Qos, ReasonCode, UpstreamPacket, Version, Will,
};
use webpubsub_protocol::data::{Metadata, TimeToLive};
use webpubsub_protocol::limits::MAX_BUFFERED_MESSAGES;
use webpubsub_shard::{Command, METRICS, Selection, Slot, Target};
use webpubsub_testkit::{MqttClient, TestShard, mqtt, text};

use Qos::{AtLeastOnce, AtMostOnce, ExactlyOnce};
use Version::V5;

/// A CONNECT that goes on with a session, with a will at QoS 1 on this topic after so many seconds.
fn hello(id: &str, topic: &str, delay: u32) -> Connect {
    let mut connect = Connect { clean_start: false, ..MqttClient::hello(V5, id) };
    connect.properties.push_number(Property::SessionExpiryInterval, 30);
    let mut properties = Properties::default();
    properties.push_number(Property::WillDelayInterval, delay);
    connect.will = Some(Will {
        topic: topic.into(),
        payload: b"gone".to_vec(),
        qos: AtLeastOnce,
        retain: false,
        properties,
    });
    connect
}

/// Connects a client that subscribes to `g`.
fn member(shard: &mut TestShard, hello: Connect) -> MqttClient {
    let (client, _) = MqttClient::connected(shard, mqtt("member"), hello);
    client.subscribe(shard, 1, "g", AtLeastOnce);
    client.take(shard);
    client
}

/// A client that publishes, and receives at QoS 0 only.
fn witness(shard: &mut TestShard) -> MqttClient {
    let (client, _) = MqttClient::connected(shard, mqtt("witness"), MqttClient::hello(V5, "witness"));
    client.subscribe(shard, 1, "g", AtMostOnce);
    client
}

/// Publishes as much as a buffer holds.
fn fill(shard: &mut TestShard, from: &MqttClient) {
    for _ in 0..MAX_BUFFERED_MESSAGES {
        from.publish(shard, "g", AtLeastOnce, 1, "x");
    }
    from.take(shard);
}

fn drops(shard: &TestShard) -> u64 {
    let values = METRICS.iter().zip(shard.core().metrics());
    values.filter(|(metric, _)| metric.name == "webpubsub_drops_total").map(|(_, value)| value).sum()
}

#[test]
fn full_sessions_with_wills_on_their_topic_end_once() {
    let received = ["g q0 y", "g q0 gone", "g q0 gone", "puback 1"];
    // What becomes of an event comes to its client.
    for (topic, received) in [("g", &received[..]), ("$webpubsub/server/events/e", &["g q0 y", "puback 1"])] {
        let mut shard = TestShard::new();
        member(&mut shard, hello("a", topic, 5));
        member(&mut shard, hello("b", topic, 5));
        let witness = witness(&mut shard);
        fill(&mut shard, &witness);
        assert_eq!((shard.core().connections(), drops(&shard)), (3, 0));
        witness.publish(&mut shard, "g", AtLeastOnce, 1, "y");
        assert_eq!(witness.read(&mut shard), received);
        assert_eq!((shard.core().connections(), drops(&shard)), (1, 2), "{topic}");
        let publish = Command::Send {
            to: Selection::from(Target::All),
            data: text("x"),
            metadata: Metadata::default(),
            ttl: TimeToLive::FOREVER,
        };
        assert!(shard.core().shares_commit(&publish), "there is still a session, which may need a row");
    }
}

#[test]
fn a_client_takes_over_a_session_that_its_own_will_ends() {
    for is_lost in [false, true] {
        let mut shard = TestShard::new();
        let client = member(&mut shard, hello("a", "g", u32::from(is_lost)));
        let witness = witness(&mut shard);
        fill(&mut shard, &witness);
        if is_lost {
            shard.cut(client.slot);
            // The client is what wakes the shard, before any timer.
            shard.now = shard.now.after(Duration::from_secs(2));
        }
        let (client, connack) = MqttClient::connected(&mut shard, mqtt("member"), hello("a", "g", 0));
        assert!(!connack.session_present, "the client learns of it");
        assert_eq!(client.slot, Slot(2), "the slot of its new socket");
        assert_eq!(shard.core().connections(), 2);
        assert_eq!(witness.read(&mut shard), ["g q0 gone"]);
        client.subscribe(&mut shard, 1, "g", AtLeastOnce);
        witness.publish(&mut shard, "g", AtMostOnce, 0, "y");
        assert_eq!(client.read(&mut shard), ["suback 1 [1]", "g q0 y"]);
    }
}

#[test]
fn a_session_that_its_own_publish_ends_leaves_no_packets() {
    let mut shard = TestShard::new();
    let client = member(&mut shard, hello("a", "g", 0));
    let witness = witness(&mut shard);
    fill(&mut shard, &witness);
    client.publish(&mut shard, "g", ExactlyOnce, 7, "y");
    assert!(!shard.is_open(client.slot));
    let (packets, _) = MqttClient::last_words(&shard, V5);
    assert!(
        matches!(packets.last(), Some(DownstreamPacket::Disconnect(end)) if end.reason == ReasonCode::QUOTA_EXCEEDED),
        "{:?}",
        packets.last()
    );
    // The next session in its slot has published nothing when the memory is lost.
    member(&mut shard, hello("b", "g", 0));
    shard.hibernate();
    witness.take(&mut shard);
    let Some(slot) = shard.slot_of("b") else { panic!("its socket is there") };
    let next = MqttClient { slot, version: V5 };
    next.publish(&mut shard, "g", ExactlyOnce, 7, "z");
    next.send(&mut shard, &UpstreamPacket::Pubrel(MqttClient::ack(7)));
    assert_eq!(next.read(&mut shard), ["g q1 #1 z", "pubrec 7", "pubcomp 7"]);
    assert_eq!(witness.read(&mut shard), ["g q0 z"]);
}
