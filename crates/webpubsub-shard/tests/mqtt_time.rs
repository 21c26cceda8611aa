//! What an MQTT client has time for: its CONNECT, the rest of a packet, its keep-alive.
//!
//! Source: docs/spec/mqtt.md#framing, docs/spec/mqtt.md#keep-alive.

use std::time::Duration;

use webpubsub_mqtt::{Connect, DownstreamPacket, UpstreamPacket, Version};
use webpubsub_testkit::{MqttClient, TestShard, mqtt};

use Version::{V3_1_1, V5};

const SECOND: Duration = Duration::from_secs(1);

fn client(shard: &mut TestShard, id: &str) -> MqttClient {
    MqttClient::connected(shard, mqtt(id), MqttClient::hello(V5, id)).0
}

#[test]
fn connect_has_thirty_seconds() {
    let mut shard = TestShard::new();
    let late = MqttClient::open(&mut shard, mqtt("alice"), V5);
    shard.pass(29 * SECOND);
    assert!(shard.is_open(late.slot));
    shard.pass(2 * SECOND);
    assert!(!shard.is_open(late.slot));
    assert_eq!(shard.due(), None, "nothing waits any more");
}

#[test]
fn a_packet_that_has_begun_ends_within_thirty_seconds() {
    let mut shard = TestShard::new();
    let client = client(&mut shard, "a");
    client.send_bytes(&mut shard, vec![0xc0]);
    shard.pass(29 * SECOND);
    client.send_bytes(&mut shard, vec![0]);
    assert_eq!(client.read(&mut shard), ["pingresp"]);
    client.send_bytes(&mut shard, vec![0xc0]);
    shard.pass(31 * SECOND);
    let (packets, _) = MqttClient::last_words(&shard, V5);
    assert!(
        matches!(&packets[..], [DownstreamPacket::Disconnect(end)] if end.reason.0 == 0x8d),
        "{packets:?}"
    );
}

#[test]
fn a_client_is_given_up_after_one_and_a_half_keep_alives() {
    for version in [V3_1_1, V5] {
        let mut shard = TestShard::new();
        let connect = Connect { keep_alive: 10, ..MqttClient::hello(version, "a") };
        let (client, _) = MqttClient::connected(&mut shard, mqtt("a"), connect);
        for _ in 0..5 {
            shard.pass(14 * SECOND);
            client.send(&mut shard, &UpstreamPacket::Pingreq);
            assert_eq!(client.read(&mut shard), ["pingresp"]);
        }
        shard.pass(Duration::from_millis(14_999));
        assert!(shard.is_open(client.slot));
        shard.pass(Duration::from_millis(2));
        let (packets, code) = MqttClient::last_words(&shard, version);
        assert_eq!(code, 1008);
        assert_eq!(packets.len(), usize::from(version == V5), "3.1.1 has no DISCONNECT from a server");
        assert_eq!(shard.core().connections(), 0);
        assert_eq!(shard.due(), None);
    }
}

#[test]
fn silent_clients_share_an_alarm() {
    let mut shard = TestShard::new();
    for number in 0..20 {
        client(&mut shard, &format!("c{number}"));
        shard.pass(Duration::from_millis(200));
    }
    let mut alarms = 0;
    while let Some(due) = shard.due() {
        shard.now = due;
        shard.time_out();
        alarms += 1;
    }
    assert_eq!((shard.core().connections(), alarms), (0, 2), "20 clients of 4 seconds");
}

#[test]
fn a_sleeping_shard_wakes_to_give_a_client_up() {
    let mut shard = TestShard::new();
    let client = client(&mut shard, "a");
    shard.hibernate();
    client.send(&mut shard, &UpstreamPacket::Pingreq);
    assert_eq!(client.read(&mut shard), ["pingresp"]);
    shard.pass(91 * SECOND);
    assert!(!shard.is_open(client.slot));
}

#[test]
fn a_shard_that_sleeps_again_and_again_gives_a_client_up() {
    for keep_alive in [1, 8, 12, 60] {
        let mut shard = TestShard::new();
        let connect = Connect { keep_alive, ..MqttClient::hello(V5, "a") };
        let (client, _) = MqttClient::connected(&mut shard, mqtt("a"), connect);
        for _ in 0..20 {
            shard.pass(u32::from(keep_alive) * SECOND);
            shard.hibernate();
            client.send(&mut shard, &UpstreamPacket::Pingreq);
            assert_eq!(client.read(&mut shard), ["pingresp"], "a client that keeps to {keep_alive} s stays");
        }
        let silent_since = shard.now;
        for _ in 0..100 {
            if shard.is_open(client.slot) {
                shard.hibernate();
                shard.now = shard.due().unwrap();
                shard.time_out();
            }
        }
        assert!(!shard.is_open(client.slot), "{keep_alive} s");
        let silence = shard.now.since(silent_since);
        let least = u32::from(keep_alive) * SECOND * 3 / 2;
        assert!(least <= silence, "{keep_alive} s: after {silence:?}");
        assert!(silence <= least + u32::from(keep_alive) * SECOND / 10 + 5 * SECOND, "after {silence:?}");
    }
}
