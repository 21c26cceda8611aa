//! MQTT clients that send or leave unread more than the service takes.
//!
//! Source: docs/spec/mqtt.md#framing, docs/spec/mqtt.md#refusals, docs/spec/client.md#limits.

use webpubsub_mqtt::{DownstreamPacket, Qos, ReasonCode, UpstreamPacket, Version};
use webpubsub_protocol::client::Frame;
use webpubsub_protocol::close::CloseCode;
use webpubsub_shard::{ConnectRequest, Input, Limits, NextTurn, ShardConfig, Target};
use webpubsub_testkit::{MqttClient, TestShard, group, json, mqtt, text};

use Qos::{AtLeastOnce, AtMostOnce, ExactlyOnce};
use Version::V5;

fn connected(shard: &mut TestShard) -> MqttClient {
    MqttClient::connected(shard, mqtt("a"), MqttClient::hello(V5, "a")).0
}

fn many(count: u16, packet: impl Fn(u16) -> UpstreamPacket) -> Vec<u8> {
    (1..=count).flat_map(|number| packet(number).encode(V5)).collect()
}

#[test]
fn thousands_of_packets_may_come_in_one_message() {
    for qos in [AtMostOnce, AtLeastOnce, ExactlyOnce] {
        let mut shard = TestShard::new();
        let member = shard.connected(ConnectRequest { groups: vec![group("g")], ..json("j") });
        let client = connected(&mut shard);
        let bytes = many(5000, |id| UpstreamPacket::Publish(MqttClient::message("g", qos, id, "x")));
        client.send_bytes(&mut shard, bytes);
        assert_eq!(shard.take(member).len(), 5000, "{qos:?}");
        let expected = if qos == AtMostOnce { 0 } else { 5000 };
        assert_eq!(client.take(&mut shard).len(), expected);
        assert!(shard.is_open(client.slot));
    }
}

#[test]
fn a_client_that_is_behind_delays_no_other() {
    let mut shard = TestShard::new();
    let client = connected(&mut shard);
    let bytes = many(5000, |id| UpstreamPacket::Publish(MqttClient::message("g", AtLeastOnce, id, "x")));
    shard.feed(Input::Frame { from: client.slot, frame: Frame::Binary(bytes) });
    assert_eq!(shard.core().next_turn(), Some(NextTurn::BeforeMore));
    assert!(shard.core().queued(client.slot) <= 256, "the rest waits as bytes");
    shard.turn();
    assert!((1..=256).contains(&client.take(&mut shard).len()), "a turn takes as much as any");
}

#[test]
fn what_waits_to_be_read_is_bounded() {
    let limits = Limits { messages_per_second: 1, message_burst: 1, ..Limits::DEFAULT };
    let mut shard = TestShard::at(ShardConfig { limits, ..ShardConfig::only() });
    let client = connected(&mut shard);
    for _ in 0..20 {
        if shard.is_open(client.slot) {
            client.send_bytes(&mut shard, [0xc0, 0].repeat(200_000));
        }
    }
    let closed = shard.closed.last().expect("a closed socket");
    let packets = MqttClient::packets(V5, &closed.frames);
    assert!(
        matches!(packets.last(), Some(DownstreamPacket::Disconnect(end)) if end.reason == ReasonCode::MESSAGE_RATE_TOO_HIGH),
        "{:?}",
        packets.last()
    );
}

#[test]
fn what_waits_counts_with_its_properties() {
    let limits = Limits { messages_per_second: 1, message_burst: 1, ..Limits::DEFAULT };
    let mut shard = TestShard::at(ShardConfig { limits, ..ShardConfig::only() });
    let client = connected(&mut shard);
    let mut large = MqttClient::message("g", AtMostOnce, 0, "");
    for _ in 0..8 {
        large.properties.push_user("n", "x".repeat(60_000));
    }
    for _ in 0..40 {
        if shard.is_open(client.slot) {
            client.send(&mut shard, &UpstreamPacket::Publish(large.clone()));
        }
    }
    assert!(!shard.is_open(client.slot), "{} packets of half a MiB wait", shard.core().queued(client.slot));
}

#[test]
fn what_came_before_the_end_is_carried_out() {
    let limits = Limits { messages_per_second: 1, message_burst: 1, ..Limits::DEFAULT };
    for is_broken in [false, true] {
        let mut shard = TestShard::at(ShardConfig { limits, ..ShardConfig::only() });
        let member = shard.connected(ConnectRequest { groups: vec![group("g")], ..json("j") });
        let client = connected(&mut shard);
        let bytes = many(600, |id| UpstreamPacket::Publish(MqttClient::message("g", AtLeastOnce, id, "x")));
        client.send_bytes(&mut shard, bytes);
        if is_broken {
            shard.cut(client.slot);
        } else {
            shard.close(client.slot, CloseCode::NORMAL);
        }
        assert_eq!(shard.take(member).len(), 600);
        assert_eq!(shard.core().connections(), 1);
    }
}

#[test]
fn packet_ids_that_are_not_released_are_bounded() {
    let mut shard = TestShard::new();
    let client = connected(&mut shard);
    let bytes = many(10_001, |id| UpstreamPacket::Publish(MqttClient::message("g", ExactlyOnce, id, "x")));
    client.send_bytes(&mut shard, bytes);
    let answers = client.read(&mut shard);
    assert_eq!(answers.last().map(String::as_str), Some("pubrec 10001 0x97"));
    client.send(&mut shard, &UpstreamPacket::Pubrel(MqttClient::ack(1)));
    client.publish(&mut shard, "g", ExactlyOnce, 10_001, "x");
    assert_eq!(client.read(&mut shard), ["pubcomp 1", "pubrec 10001"]);
}

#[test]
fn a_client_that_reads_too_little_is_closed() {
    let mut shard = TestShard::new();
    let client = connected(&mut shard);
    client.subscribe(&mut shard, 1, "g", AtMostOnce);
    for _ in 0..20 {
        shard.publish(Target::Group(group("g")), text(&"x".repeat(1 << 20)));
    }
    let closed = shard.closed.last().expect("a closed socket");
    let last = MqttClient::packets(V5, &closed.frames).pop();
    assert!(
        matches!(&last, Some(DownstreamPacket::Disconnect(end)) if end.reason == ReasonCode::QUOTA_EXCEEDED),
        "{last:?}"
    );
}

#[test]
fn a_packet_above_a_mebibyte_is_refused_at_its_header() {
    let mut shard = TestShard::new();
    let client = connected(&mut shard);
    client.send_bytes(&mut shard, vec![0x30, 0xff, 0xff, 0xff, 0x7f]);
    let closed = shard.closed.last().expect("a closed socket");
    let packets = MqttClient::packets(V5, &closed.frames);
    assert!(
        matches!(&packets[..], [DownstreamPacket::Disconnect(end)] if end.reason == ReasonCode::PACKET_TOO_LARGE),
        "{packets:?}"
    );
}

#[test]
fn a_flood_of_acknowledgements_frees_nothing_twice() {
    let mut shard = TestShard::new();
    let client = connected(&mut shard);
    client.subscribe(&mut shard, 1, "g", AtLeastOnce);
    client.take(&mut shard);
    client.publish(&mut shard, "g", AtLeastOnce, 1, "x");
    assert_eq!(client.read(&mut shard), ["g q1 #1 x", "puback 1"]);
    let acks = many(60_000, |id| UpstreamPacket::Puback(MqttClient::ack(id)));
    client.send_bytes(&mut shard, acks.clone());
    client.send_bytes(&mut shard, acks);
    client.publish(&mut shard, "g", AtLeastOnce, 1, "y");
    assert_eq!(client.read(&mut shard), ["g q1 #2 y", "puback 1"]);
}
