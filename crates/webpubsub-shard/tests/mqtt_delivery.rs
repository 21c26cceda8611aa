//! Messages at QoS 1 and 2, and sessions that outlive their sockets.
//!
//! Source: docs/spec/mqtt.md#delivery, docs/spec/mqtt.md#sessions.

use std::time::Duration;

use webpubsub_mqtt::{
    Connect, Disconnect, DownstreamPacket, Property, Publish, Qos, ReasonCode, UpstreamPacket, Version,
};
use webpubsub_protocol::name::ConnectionId;
use webpubsub_shard::{ConnectRequest, Target};
use webpubsub_testkit::{MqttClient, TestShard, group, json, mqtt, text};

use Qos::{AtLeastOnce, AtMostOnce, ExactlyOnce};
use Version::{V3_1_1, V5};

const SECOND: Duration = Duration::from_secs(1);

/// A shard with a subscriber of `g` at this QoS, and a publisher.
fn shard(qos: Qos) -> (TestShard, MqttClient, MqttClient) {
    let mut shard = TestShard::new();
    let subscriber = MqttClient::joined(&mut shard, MqttClient::resumable("sub"));
    subscriber.subscribe(&mut shard, 1, "g", qos);
    subscriber.take(&mut shard);
    let publisher = MqttClient::joined(&mut shard, MqttClient::hello(V5, "pub"));
    (shard, subscriber, publisher)
}

fn puback(shard: &mut TestShard, client: &MqttClient, id: u16) {
    client.send(shard, &UpstreamPacket::Puback(MqttClient::ack(id)));
}

/// How memory, or a socket, is lost, and what the client does about it.
type Loss = fn(&mut TestShard, &MqttClient) -> MqttClient;

fn cut(shard: &mut TestShard, client: &MqttClient) -> MqttClient {
    shard.cut(client.slot);
    again(shard)
}

fn crash(shard: &mut TestShard, _: &MqttClient) -> MqttClient {
    shard.crash();
    again(shard)
}

fn take_over(shard: &mut TestShard, _: &MqttClient) -> MqttClient {
    again(shard)
}

fn again(shard: &mut TestShard) -> MqttClient {
    let (client, connack) = MqttClient::connected(shard, mqtt("sub"), MqttClient::resumable("sub"));
    assert!(connack.session_present);
    client
}

const LOSSES: [(&str, Loss); 3] = [("socket", cut), ("process", crash), ("takeover", take_over)];

#[test]
fn the_lower_qos_counts() {
    for (published, subscribed, expected) in [
        (AtMostOnce, ExactlyOnce, "q0"),
        (AtLeastOnce, AtMostOnce, "q0"),
        (AtLeastOnce, ExactlyOnce, "q1 #1"),
        (ExactlyOnce, AtLeastOnce, "q1 #1"),
        (ExactlyOnce, ExactlyOnce, "q2 #1"),
    ] {
        let (mut shard, subscriber, publisher) = shard(subscribed);
        publisher.publish(&mut shard, "g", published, 9, "x");
        assert_eq!(subscriber.read(&mut shard), [format!("g {expected} x")]);
        let answer: &[&str] = match published {
            AtMostOnce => &[],
            AtLeastOnce => &["puback 9"],
            ExactlyOnce => &["pubrec 9"],
        };
        assert_eq!(publisher.read(&mut shard), answer);
    }
    let (mut shard, subscriber, _) = shard(ExactlyOnce);
    let plain = shard.connected(json("j"));
    shard.send(plain, r#"{"type":"sendToGroup","group":"g","dataType":"text","data":"x"}"#);
    shard.publish(Target::Group(group("g")), text("y"));
    assert_eq!(subscriber.read(&mut shard), ["g q1 #1 x", "g q1 #2 y"], "others publish at QoS 1");
}

#[test]
fn unacknowledged_messages_come_again_with_their_ids() {
    for (lost, lose) in LOSSES {
        let (mut shard, subscriber, publisher) = shard(AtLeastOnce);
        for payload in ["a", "b", "c"] {
            publisher.publish(&mut shard, "g", AtLeastOnce, 1, payload);
        }
        assert_eq!(subscriber.read(&mut shard), ["g q1 #1 a", "g q1 #2 b", "g q1 #3 c"]);
        puback(&mut shard, &subscriber, 1);
        let subscriber = lose(&mut shard, &subscriber);
        let received = subscriber.read(&mut shard);
        // A crash loses what was acknowledged last, which is sent again.
        let expected = ["g q1 #1 dup a", "g q1 #2 dup b", "g q1 #3 dup c"];
        assert_eq!(received, expected[usize::from(lost != "process")..], "{lost}");
        for id in 1..=3 {
            puback(&mut shard, &subscriber, id);
        }
        let subscriber = cut(&mut shard, &subscriber);
        assert_eq!(subscriber.read(&mut shard), [""; 0], "{lost}");
    }
}

#[test]
fn a_message_of_qos_2_is_never_doubled() {
    for (lost, lose) in LOSSES {
        let (mut shard, subscriber, publisher) = shard(ExactlyOnce);
        publisher.publish(&mut shard, "g", ExactlyOnce, 1, "a");
        assert_eq!(subscriber.read(&mut shard), ["g q2 #1 a"]);
        let subscriber = lose(&mut shard, &subscriber);
        assert_eq!(subscriber.read(&mut shard), ["g q2 #1 dup a"], "{lost}: under its id");
        subscriber.send(&mut shard, &UpstreamPacket::Pubrec(MqttClient::ack(1)));
        assert_eq!(subscriber.read(&mut shard), ["pubrel 1"]);
        let subscriber = lose(&mut shard, &subscriber);
        assert_eq!(subscriber.read(&mut shard), ["pubrel 1"], "{lost}: the message does not come again");
        subscriber.send(&mut shard, &UpstreamPacket::Pubcomp(MqttClient::ack(1)));
        let subscriber = lose(&mut shard, &subscriber);
        let rest = subscriber.read(&mut shard);
        let expected: &[&str] = if lost == "process" { &["pubrel 1"] } else { &[] };
        assert_eq!(rest, expected, "{lost}: of a crash only PUBREL is left");
        subscriber.send(&mut shard, &UpstreamPacket::Pubcomp(MqttClient::ack(1)));
        publisher_again(&mut shard).publish(&mut shard, "g", ExactlyOnce, 1, "b");
        assert_eq!(subscriber.read(&mut shard), ["g q2 #2 b"], "{lost}");
    }
}

fn publisher_again(shard: &mut TestShard) -> MqttClient {
    MqttClient::joined(shard, MqttClient::hello(V5, "pub"))
}

#[test]
fn a_repeated_publish_of_qos_2_is_sent_once() {
    for (lost, lose) in LOSSES {
        let mut shard = TestShard::new();
        let member = shard.connected(ConnectRequest { groups: vec![group("g")], ..json("j") });
        let publisher = MqttClient::joined(&mut shard, MqttClient::resumable("sub"));
        publisher.publish(&mut shard, "g", ExactlyOnce, 7, "a");
        assert_eq!(publisher.read(&mut shard), ["pubrec 7"]);
        let publisher = lose(&mut shard, &publisher);
        // MQTT.js sends it again without DUP.
        publisher.publish(&mut shard, "g", ExactlyOnce, 7, "a");
        assert_eq!(publisher.read(&mut shard), ["pubrec 7"]);
        if shard.is_open(member) {
            assert_eq!(shard.take(member).len(), 1, "{lost}");
        }
        publisher.send(&mut shard, &UpstreamPacket::Pubrel(MqttClient::ack(7)));
        let publisher = lose(&mut shard, &publisher);
        publisher.send(&mut shard, &UpstreamPacket::Pubrel(MqttClient::ack(7)));
        assert_eq!(publisher.read(&mut shard), ["pubcomp 7 0x92"], "{lost}");
        publisher.publish(&mut shard, "g", ExactlyOnce, 7, "b");
        if shard.is_open(member) {
            assert_eq!(shard.take(member).len(), 1, "{lost}: the id is that of another message");
        }
    }
}

#[test]
fn no_more_are_in_flight_than_the_client_wants() {
    let mut shard = TestShard::new();
    let mut hello = MqttClient::resumable("sub");
    hello.properties.push_number(Property::ReceiveMaximum, 2);
    let subscriber = MqttClient::joined(&mut shard, hello);
    subscriber.subscribe(&mut shard, 1, "g", AtLeastOnce);
    subscriber.take(&mut shard);
    let publisher = publisher_again(&mut shard);
    for payload in ["a", "b", "c", "d"] {
        publisher.publish(&mut shard, "g", AtLeastOnce, 1, payload);
    }
    publisher.publish(&mut shard, "g", AtMostOnce, 0, "now");
    assert_eq!(subscriber.read(&mut shard), ["g q1 #1 a", "g q1 #2 b", "g q0 now"]);
    shard.hibernate();
    assert_eq!(subscriber.read(&mut shard), [""; 0], "an open socket is sent nothing again");
    puback(&mut shard, &subscriber, 2);
    assert_eq!(subscriber.read(&mut shard), ["g q1 #3 c"]);
    shard.hibernate();
    puback(&mut shard, &subscriber, 2);
    puback(&mut shard, &subscriber, 4);
    assert_eq!(subscriber.read(&mut shard), [""; 0], "neither is under way");
    puback(&mut shard, &subscriber, 1);
    puback(&mut shard, &subscriber, 3);
    assert_eq!(subscriber.read(&mut shard), ["g q1 #4 d"]);
}

#[test]
fn after_a_crash_what_was_never_sent_has_dup_too() {
    let mut shard = TestShard::new();
    let mut hello = MqttClient::resumable("sub");
    hello.properties.push_number(Property::ReceiveMaximum, 1);
    let subscriber = MqttClient::joined(&mut shard, hello.clone());
    subscriber.subscribe(&mut shard, 1, "g", ExactlyOnce);
    subscriber.take(&mut shard);
    let publisher = publisher_again(&mut shard);
    publisher.publish(&mut shard, "g", AtLeastOnce, 1, "a");
    publisher.publish(&mut shard, "g", ExactlyOnce, 2, "b");
    assert_eq!(subscriber.read(&mut shard), ["g q1 #1 a"], "the other waits");
    shard.crash();
    let subscriber = MqttClient::joined(&mut shard, hello.clone());
    assert_eq!(subscriber.read(&mut shard), ["g q1 #1 dup a"]);
    puback(&mut shard, &subscriber, 1);
    assert_eq!(subscriber.read(&mut shard), ["g q2 #2 dup b"], "nothing on disk says that it was not sent");
    // Its socket alone is lost: what was sent is known.
    let publisher = publisher_again(&mut shard);
    publisher.publish(&mut shard, "g", AtLeastOnce, 1, "c");
    shard.cut(subscriber.slot);
    let subscriber = MqttClient::joined(&mut shard, hello);
    subscriber.send(&mut shard, &UpstreamPacket::Pubrec(MqttClient::ack(2)));
    subscriber.send(&mut shard, &UpstreamPacket::Pubcomp(MqttClient::ack(2)));
    assert_eq!(subscriber.read(&mut shard), ["g q2 #2 dup b", "pubrel 2", "g q1 #3 c"]);
}

#[test]
fn what_another_socket_was_sent_has_dup_after_a_sleep() {
    let (mut shard, subscriber, publisher) = shard(AtLeastOnce);
    publisher.publish(&mut shard, "g", AtLeastOnce, 1, "a");
    publisher.publish(&mut shard, "g", AtLeastOnce, 2, "b");
    assert_eq!(subscriber.read(&mut shard), ["g q1 #1 a", "g q1 #2 b"]);
    shard.cut(subscriber.slot);
    let mut hello = MqttClient::resumable("sub");
    hello.properties.push_number(Property::ReceiveMaximum, 1);
    let subscriber = MqttClient::joined(&mut shard, hello);
    assert_eq!(subscriber.read(&mut shard), ["g q1 #1 dup a"]);
    shard.hibernate();
    puback(&mut shard, &subscriber, 1);
    assert_eq!(subscriber.read(&mut shard), ["g q1 #2 dup b"]);
}

#[test]
fn a_message_waits_for_a_client_that_is_absent() {
    let (mut shard, subscriber, publisher) = shard(ExactlyOnce);
    shard.cut(subscriber.slot);
    assert!(shard.exists(Target::Connection(ConnectionId::parse("sub").expect("an id"))));
    publisher.publish(&mut shard, "g", AtMostOnce, 0, "lost");
    publisher.publish(&mut shard, "g", AtLeastOnce, 1, "kept");
    publisher.publish(&mut shard, "g", ExactlyOnce, 1, "kept, too");
    let subscriber = again(&mut shard);
    assert_eq!(subscriber.read(&mut shard), ["g q1 #1 kept", "g q2 #2 kept, too"]);
}

#[test]
fn a_session_ends_with_its_time() {
    for (mut hello, seconds) in [
        (MqttClient::resumable("sub"), 30),
        (MqttClient::hello(V5, "sub"), 0),
        (MqttClient::hello(V3_1_1, "sub"), 0),
        (Connect { clean_start: false, ..MqttClient::hello(V3_1_1, "sub") }, 30),
    ] {
        let mut shard = TestShard::new();
        let client = MqttClient::joined(&mut shard, hello.clone());
        client.subscribe(&mut shard, 1, "g", AtLeastOnce);
        shard.cut(client.slot);
        assert_eq!(shard.core().connections(), usize::from(seconds > 0), "{hello:?}");
        if seconds > 0 {
            shard.pass(Duration::from_millis(seconds * 1000 - 1));
            assert_eq!(shard.core().connections(), 1);
            shard.pass(2 * Duration::from_millis(1));
        }
        assert_eq!(shard.core().connections(), 0);
        assert!(shard.disk.mqtt_subscriptions.is_empty() && shard.disk.mqtt_sessions.is_empty());
        hello.clean_start = false;
        let request = mqtt("sub");
        assert!(!MqttClient::connected(&mut shard, request, hello).1.session_present);
    }
}

#[test]
fn disconnect_may_change_how_long_the_session_lasts() {
    let (mut shard, subscriber, _) = shard(AtLeastOnce);
    let mut end = Disconnect::default();
    end.properties.push_number(Property::SessionExpiryInterval, 0);
    subscriber.send(&mut shard, &UpstreamPacket::Disconnect(end));
    assert!(!shard.exists(Target::Connection(ConnectionId::parse("sub").expect("an id"))));
    let client = MqttClient::joined(&mut shard, MqttClient::hello(V5, "other"));
    let mut longer = Disconnect::default();
    longer.properties.push_number(Property::SessionExpiryInterval, 10);
    client.send(&mut shard, &UpstreamPacket::Disconnect(longer));
    let closed = shard.closed.last().expect("a closed socket");
    let packets = MqttClient::packets(V5, &closed.frames);
    assert!(
        matches!(&packets[..], [DownstreamPacket::Disconnect(end)] if end.reason == ReasonCode::PROTOCOL_ERROR),
        "{packets:?}"
    );
}

#[test]
fn a_message_says_how_long_it_lives_on() {
    let (mut shard, subscriber, publisher) = shard(AtLeastOnce);
    let mut message = MqttClient::message("g", AtLeastOnce, 1, "x");
    message.properties.push_number(Property::MessageExpiryInterval, 10);
    publisher.send(&mut shard, &UpstreamPacket::Publish(message.clone()));
    let expiry = |packets: &[DownstreamPacket]| match packets {
        [DownstreamPacket::Publish(publish)] => publish.properties.number(Property::MessageExpiryInterval),
        packets => panic!("{packets:?}"),
    };
    assert_eq!(expiry(&subscriber.take(&mut shard)), Some(10));
    puback(&mut shard, &subscriber, 1);
    shard.cut(subscriber.slot);
    publisher.send(&mut shard, &UpstreamPacket::Publish(message.clone()));
    shard.pass(4 * SECOND);
    let subscriber = again(&mut shard);
    assert_eq!(expiry(&subscriber.take(&mut shard)), Some(6));
    puback(&mut shard, &subscriber, 2);
    shard.cut(subscriber.slot);
    for _ in 0..3 {
        publisher.send(&mut shard, &UpstreamPacket::Publish(message.clone()));
    }
    publisher.publish(&mut shard, "g", AtLeastOnce, 1, "lives on");
    shard.pass(11 * SECOND);
    let subscriber = again(&mut shard);
    assert_eq!(subscriber.read(&mut shard), ["g q1 #6 lives on"]);
}

#[test]
fn a_packet_that_is_too_large_for_a_client_is_left_out() {
    let mut shard = TestShard::new();
    let mut hello = MqttClient::resumable("sub");
    hello.properties.push_number(Property::MaximumPacketSize, 64);
    let subscriber = MqttClient::joined(&mut shard, hello);
    subscriber.subscribe(&mut shard, 1, "g", AtLeastOnce);
    subscriber.take(&mut shard);
    for payload in ["x".repeat(70), "y".to_owned()] {
        shard.publish(Target::Group(group("g")), text(&payload));
    }
    assert_eq!(subscriber.read(&mut shard), ["g q1 #1 y"]);
}

#[test]
fn properties_survive_the_disk() {
    let (mut shard, subscriber, publisher) = shard(ExactlyOnce);
    let mut sent = MqttClient::message("g", ExactlyOnce, 1, "ü");
    sent.properties.push_number(Property::PayloadFormatIndicator, 1);
    sent.properties.push_text(Property::ContentType, "text/x");
    sent.properties.push_text(Property::ResponseTopic, "answers");
    sent.properties.push_binary(Property::CorrelationData, [0, 255]);
    sent.properties.push_user("a", "ü");
    sent.properties.push_user("a", "2");
    publisher.send(&mut shard, &UpstreamPacket::Publish(sent.clone()));
    assert_eq!(subscriber.take(&mut shard), [DownstreamPacket::Publish(sent.clone())]);
    let subscriber = crash(&mut shard, &subscriber);
    assert_eq!(subscriber.take(&mut shard), [DownstreamPacket::Publish(Publish { dup: true, ..sent })]);
}

#[test]
fn a_session_with_too_much_owed_ends() {
    let (mut shard, subscriber, publisher) = shard(AtLeastOnce);
    shard.cut(subscriber.slot);
    for _ in 0..1000 {
        publisher.publish(&mut shard, "g", AtLeastOnce, 1, "x");
    }
    assert_eq!(shard.core().connections(), 2);
    publisher.publish(&mut shard, "g", AtLeastOnce, 1, "x");
    assert_eq!(shard.core().connections(), 1);
    let (_, connack) = MqttClient::connected(&mut shard, mqtt("sub"), MqttClient::resumable("sub"));
    assert!(!connack.session_present, "the client learns of it");
}
