//! Wills of MQTT clients.
//!
//! Source: docs/spec/mqtt.md#wills.

use std::time::Duration;

use webpubsub_mqtt::{
    Connect, Disconnect, Properties, Property, Qos, ReasonCode, UpstreamPacket, Version, Will,
};
use webpubsub_shard::ConnectRequest;
use webpubsub_testkit::{MqttClient, TestShard, mqtt};

use Qos::{AtLeastOnce, AtMostOnce};
use Version::V5;

const SECOND: Duration = Duration::from_secs(1);

fn again(shard: &mut TestShard) -> MqttClient {
    let (client, connack) = MqttClient::connected(shard, mqtt("sub"), MqttClient::resumable("sub"));
    assert!(connack.session_present);
    client
}

fn with_will(mut hello: Connect, delay: u32) -> Connect {
    let mut properties = Properties::default();
    if delay > 0 {
        properties.push_number(Property::WillDelayInterval, delay);
    }
    hello.will = Some(Will {
        topic: "wills".into(),
        payload: b"gone".to_vec(),
        qos: AtLeastOnce,
        retain: false,
        properties,
    });
    hello
}

/// A shard with a subscriber of wills.
fn with_witness() -> (TestShard, MqttClient) {
    let mut shard = TestShard::new();
    let witness = MqttClient::joined(&mut shard, MqttClient::resumable("witness"));
    witness.subscribe(&mut shard, 1, "wills", AtMostOnce);
    witness.take(&mut shard);
    (shard, witness)
}

#[test]
fn a_will_is_published_unless_the_client_says_goodbye() {
    type End = fn(&mut TestShard, &MqttClient);
    let ends: [(End, bool); 6] = [
        (|shard, client| shard.cut(client.slot), true),
        (|shard, client| client.send_bytes(shard, vec![0xf1, 0]), true),
        (
            |shard, _| {
                shard.pass(80 * SECOND);
                MqttClient::joined(shard, MqttClient::resumable("witness"));
                shard.pass(11 * SECOND);
            },
            true,
        ),
        (
            |shard, client| {
                let reason = ReasonCode::DISCONNECT_WITH_WILL;
                client
                    .send(shard, &UpstreamPacket::Disconnect(Disconnect { reason, ..Disconnect::default() }));
            },
            true,
        ),
        (
            |shard, _| {
                MqttClient::joined(shard, MqttClient::hello(V5, "a"));
            },
            true,
        ),
        (|shard, client| client.disconnect(shard), false),
    ];
    for (at, (end, is_published)) in ends.into_iter().enumerate() {
        let (mut shard, witness) = with_witness();
        let client = MqttClient::joined(&mut shard, with_will(MqttClient::hello(V5, "a"), 0));
        end(&mut shard, &client);
        let received = witness.read(&mut shard);
        let is_received = received.iter().any(|line| line == "wills q0 gone");
        assert_eq!(is_received, is_published, "end {at}: {received:?}");
    }
}

#[test]
fn a_will_may_wait_for_the_client_to_come_back() {
    let (mut shard, witness) = with_witness();
    let client = MqttClient::joined(&mut shard, with_will(MqttClient::resumable("a"), 5));
    shard.cut(client.slot);
    shard.pass(4 * SECOND);
    let client = MqttClient::joined(&mut shard, with_will(MqttClient::resumable("a"), 5));
    shard.pass(10 * SECOND);
    assert_eq!(witness.read(&mut shard), [""; 0], "it came back in time");
    shard.cut(client.slot);
    shard.pass(6 * SECOND);
    assert_eq!(witness.read(&mut shard), ["wills q0 gone"]);
    let client = MqttClient::joined(&mut shard, with_will(MqttClient::resumable("a"), 60));
    shard.cut(client.slot);
    shard.pass(29 * SECOND);
    assert_eq!(witness.read(&mut shard), [""; 0]);
    shard.pass(2 * SECOND);
    assert_eq!(witness.read(&mut shard), ["wills q0 gone"], "the session has ended");
}

#[test]
fn a_will_survives_a_crash_and_is_published_once() {
    let (mut shard, _) = with_witness();
    MqttClient::joined(&mut shard, with_will(MqttClient::hello(V5, "a"), 0));
    let waiting = MqttClient::joined(&mut shard, with_will(MqttClient::resumable("b"), 10));
    shard.cut(waiting.slot);
    shard.crash();
    shard.pass(SECOND);
    let witness = MqttClient::joined(&mut shard, MqttClient::resumable("witness"));
    assert_eq!(shard.core().connections(), 2, "the session without time has ended");
    shard.pass(10 * SECOND);
    assert_eq!(witness.read(&mut shard), ["wills q0 gone"]);
    shard.crash();
    shard.pass(SECOND);
    let witness = MqttClient::joined(&mut shard, MqttClient::resumable("witness"));
    shard.pass(29 * SECOND);
    assert_eq!(witness.read(&mut shard), [""; 0]);
}

#[test]
fn a_will_is_published_though_its_client_is_back_first() {
    let (mut shard, _) = with_witness();
    MqttClient::joined(&mut shard, with_will(MqttClient::resumable("a"), 0));
    let slow = MqttClient::joined(&mut shard, with_will(MqttClient::resumable("b"), 5));
    shard.cut(slow.slot);
    shard.crash();
    let witness = MqttClient::joined(&mut shard, MqttClient::resumable("witness"));
    // The clients are what wakes the shard, before any timer.
    shard.now = shard.now.after(4 * SECOND);
    MqttClient::joined(&mut shard, with_will(MqttClient::resumable("a"), 0));
    assert_eq!(witness.read(&mut shard), ["wills q0 gone"], "its socket was lost with the memory");
    shard.now = shard.now.after(2 * SECOND);
    MqttClient::joined(&mut shard, with_will(MqttClient::resumable("b"), 0));
    assert_eq!(witness.read(&mut shard), ["wills q0 gone"], "its delay was over");
}

#[test]
fn a_will_needs_the_permission_of_a_message() {
    let (mut shard, witness) = with_witness();
    let request = ConnectRequest { roles: vec![], ..mqtt("a") };
    let hello = with_will(MqttClient::hello(V5, "a"), 0);
    let (client, _) = MqttClient::connected(&mut shard, request, hello);
    shard.cut(client.slot);
    assert_eq!(witness.read(&mut shard), [""; 0]);
}

#[test]
fn a_will_waits_on_a_subscriber_that_is_its_own_client() {
    let mut shard = TestShard::new();
    let client = MqttClient::joined(&mut shard, with_will(MqttClient::resumable("sub"), 0));
    client.subscribe(&mut shard, 1, "wills", AtLeastOnce);
    shard.cut(client.slot);
    let client = again(&mut shard);
    assert_eq!(client.read(&mut shard), ["wills q1 #1 gone"]);
    client.send_bytes(&mut shard, vec![0xf1, 0]);
}
