//! Statements of the MQTT standards about servers, by their numbers, as far as no behaviour's own test shows them.
//!
//! Source: docs/spec/mqtt.md#connect, docs/spec/mqtt.md#delivery, docs/spec/mqtt.md#malformed-packets.
#![expect(clippy::expect_used, reason = "a broken expectation is a failed test")]

use std::time::Duration;

use webpubsub_mqtt::{
    Ack, Connect, Disconnect, DownstreamPacket, PacketId, Properties, Property, Publish, Qos, ReasonCode,
    Subscribe, Subscription, Unsubscribe, UpstreamPacket, Version, Will,
};
use webpubsub_protocol::data::MessageData;
use webpubsub_shard::{ConnectRequest, Target};
use webpubsub_testkit::{MqttClient, TestShard, group, json, mqtt, text};

use Qos::{AtLeastOnce, AtMostOnce, ExactlyOnce};
use Version::{V3_1_1, V5};

const VERSIONS: [Version; 2] = [V3_1_1, V5];

fn hello(version: Version, id: &str) -> Connect {
    MqttClient::hello(version, id)
}

fn last_packets(shard: &TestShard, version: Version) -> Vec<DownstreamPacket> {
    MqttClient::packets(version, &shard.closed.last().expect("a closed socket").frames)
}

/// [MQTT-3.1.2-6] of 3.1.1; in 5.0 3.1.2.11.2 and 3.1.4.
#[test]
fn a_session_without_time_does_not_outlive_its_takeover() {
    for (first, second) in [(V3_1_1, V3_1_1), (V5, V5), (V3_1_1, V5), (V5, V3_1_1)] {
        let mut shard = TestShard::new();
        let member = MqttClient::joined(&mut shard, hello(first, "a"));
        member.subscribe(&mut shard, 1, "g", AtLeastOnce);
        let goes_on = Connect { clean_start: false, ..hello(second, "a") };
        let (client, connack) = MqttClient::connected(&mut shard, mqtt("a"), goes_on);
        assert!(!connack.session_present, "{first:?} {second:?}");
        shard.publish(Target::Group(group("g")), text("x"));
        assert_eq!(client.read(&mut shard), [""; 0]);
        assert_eq!(shard.core().connections(), 1);
    }
}

/// [MQTT-3.1.4-6], [MQTT-3.1.4-5] of 3.1.1.
#[test]
fn nothing_behind_a_refused_connect_is_carried_out() {
    for version in VERSIONS {
        let mut shard = TestShard::new();
        let member = shard.connected(ConnectRequest { groups: vec![group("g")], ..json("j") });
        let client = MqttClient::open(&mut shard, mqtt("a"), version);
        let refused = UpstreamPacket::Connect(Box::new(hello(version, "a-b"))).encode(version);
        let publish = UpstreamPacket::Publish(MqttClient::message("g", AtMostOnce, 0, "x")).encode(version);
        client.send_bytes(&mut shard, [refused, publish].concat());
        let packets = last_packets(&shard, version);
        assert!(matches!(&packets[..], [DownstreamPacket::Connack(_)]), "{packets:?}");
        assert!(shard.take(member).is_empty());
    }
}

/// [MQTT-3.1.4-1] of both versions, MQTT 5.0, 4.13.1.
#[test]
fn a_malformed_connect_has_a_code_in_5_0_and_none_in_3_1_1() {
    for (version, spoilt, code) in [
        (V5, 0x01, Some(0x81)),
        (V5, 0x18, Some(0x81)),
        (V5, 0x08, Some(0x81)),
        (V3_1_1, 0x01, None),
        (V3_1_1, 0x08, None),
        (V3_1_1, 0x40, None),
    ] {
        let mut shard = TestShard::new();
        let client = MqttClient::open(&mut shard, mqtt("a"), version);
        let mut bytes = UpstreamPacket::Connect(Box::new(hello(version, "a"))).encode(version);
        bytes[9] |= spoilt;
        client.send_bytes(&mut shard, bytes);
        let codes: Vec<_> = last_packets(&shard, version)
            .iter()
            .map(|packet| {
                let DownstreamPacket::Connack(connack) = packet else { panic!("{packet:?}") };
                connack.reason.0
            })
            .collect();
        assert_eq!(codes, Vec::from_iter(code), "{version:?} {spoilt:#x}");
        assert_eq!(shard.closed[0].reason, "The client message is not a valid MQTT packet.");
    }
}

/// CONNACK of 3.1.1 has no place for a reason.
#[test]
fn a_refused_connect_is_closed_with_the_reason() {
    for version in VERSIONS {
        let mut shard = TestShard::new();
        let client = MqttClient::open(&mut shard, mqtt("a"), version);
        client.send(&mut shard, &UpstreamPacket::Connect(Box::new(hello(version, "a-b"))));
        let rule = "The client id has to be 1 to 128 characters of 0-9, A-Z and a-z.";
        assert_eq!((shard.closed[0].code, shard.closed[0].reason.as_str()), (1000, rule));
    }
}

/// [MQTT-4.3.2-5], [MQTT-4.3.3-9], [MQTT-4.3.3-12].
#[test]
fn a_packet_id_that_is_free_is_that_of_another_message() {
    for version in VERSIONS {
        let mut shard = TestShard::new();
        let member = shard.connected(ConnectRequest { groups: vec![group("g")], ..json("j") });
        let request = ConnectRequest { roles: vec!["webpubsub.sendToGroup.g".into()], ..mqtt("a") };
        let (client, _) = MqttClient::connected(&mut shard, request, hello(version, "a"));
        let publish = |shard: &mut TestShard, topic: &str, qos, dup| {
            let publish = Publish { dup, ..MqttClient::message(topic, qos, 7, "x") };
            client.send(shard, &UpstreamPacket::Publish(publish));
        };
        publish(&mut shard, "g", AtLeastOnce, false);
        publish(&mut shard, "g", AtLeastOnce, true);
        assert_eq!(shard.take(member).len(), 2, "at QoS 1 after PUBACK, whatever DUP says");
        publish(&mut shard, "g", ExactlyOnce, false);
        client.send(&mut shard, &UpstreamPacket::Pubrel(MqttClient::ack(7)));
        publish(&mut shard, "g", ExactlyOnce, true);
        client.send(&mut shard, &UpstreamPacket::Pubrel(MqttClient::ack(7)));
        assert_eq!(shard.take(member).len(), 2, "at QoS 2 after PUBCOMP");
        publish(&mut shard, "other", ExactlyOnce, false);
        publish(&mut shard, "g", ExactlyOnce, false);
        assert_eq!(shard.take(member).len(), 1, "after a PUBREC for what is not sent");
    }
}

/// [MQTT-3.10.4-2], [MQTT-3.10.4-3].
#[test]
fn unsubscribing_completes_what_was_sent_and_adds_nothing() {
    let mut shard = TestShard::new();
    let client = MqttClient::joined(&mut shard, MqttClient::resumable("a"));
    client.subscribe(&mut shard, 1, "g", ExactlyOnce);
    client.publish(&mut shard, "g", ExactlyOnce, 1, "x");
    client.take(&mut shard);
    let packet = Unsubscribe {
        packet_id: PacketId::MIN,
        filters: vec!["g".into()],
        properties: Properties::default(),
    };
    client.send(&mut shard, &UpstreamPacket::Unsubscribe(packet));
    shard.publish(Target::Group(group("g")), text("y"));
    assert_eq!(client.read(&mut shard), ["unsuback 1 [0]"]);
    shard.cut(client.slot);
    let (client, _) = MqttClient::connected(&mut shard, mqtt("a"), MqttClient::resumable("a"));
    assert_eq!(client.read(&mut shard), ["g q2 #1 dup x"]);
    client.send(&mut shard, &UpstreamPacket::Pubrec(MqttClient::ack(1)));
    assert_eq!(client.read(&mut shard), ["pubrel 1"]);
}

/// [MQTT-4.3.3-7], [MQTT-4.3.3-13].
#[test]
fn a_message_of_qos_2_that_was_sent_does_not_expire() {
    let mut shard = TestShard::new();
    let client = MqttClient::joined(&mut shard, MqttClient::resumable("a"));
    client.subscribe(&mut shard, 1, "g", ExactlyOnce);
    let mut message = MqttClient::message("g", ExactlyOnce, 1, "x");
    message.properties.push_number(Property::MessageExpiryInterval, 5);
    client.send(&mut shard, &UpstreamPacket::Publish(message));
    assert_eq!(client.read(&mut shard), ["suback 1 [2]", "g q2 #1 x", "pubrec 1"]);
    shard.cut(client.slot);
    shard.pass(Duration::from_secs(10));
    let (client, _) = MqttClient::connected(&mut shard, mqtt("a"), MqttClient::resumable("a"));
    assert_eq!(client.read(&mut shard), ["g q2 #1 dup x"]);
    client.send(&mut shard, &UpstreamPacket::Pubrel(MqttClient::ack(1)));
    client.send(&mut shard, &UpstreamPacket::Pubrec(MqttClient::ack(1)));
    assert_eq!(client.read(&mut shard), ["pubcomp 1", "pubrel 1"]);
}

/// [MQTT-1.5.4-3], [MQTT-3.10.4-1], [MQTT-4.7.3-4].
#[test]
fn topics_are_compared_character_by_character() {
    let mut shard = TestShard::new();
    let client = MqttClient::joined(&mut shard, hello(V5, "a"));
    let topics = ["\u{e9}", "e\u{301}", "\u{feff}g", "g", "G", "g/", "/g", "a//b", "a/b"];
    for topic in topics {
        client.subscribe(&mut shard, 1, topic, AtMostOnce);
        client.take(&mut shard);
        for other in topics {
            client.publish(&mut shard, other, AtMostOnce, 0, "x");
        }
        assert_eq!(client.read(&mut shard), [format!("{topic} q0 x")]);
        let filters = vec![topic.to_owned()];
        let (packet_id, properties) = (PacketId::MIN, Properties::default());
        let packet = Unsubscribe { packet_id, filters, properties };
        client.send(&mut shard, &UpstreamPacket::Unsubscribe(packet));
        assert_eq!(client.read(&mut shard), ["unsuback 1 [0]"]);
    }
}

/// [MQTT-3.1.2-9], [MQTT-3.1.2-14], [MQTT-3.1.3-10], [MQTT-3.3.2-4].
#[test]
fn a_will_is_published_as_its_client_wrote_it() {
    for is_lost in [false, true] {
        let mut shard = TestShard::new();
        let witness = MqttClient::joined(&mut shard, MqttClient::resumable("w"));
        witness.subscribe(&mut shard, 1, "wills", ExactlyOnce);
        witness.take(&mut shard);
        let mut properties = Properties::default();
        properties.push_number(Property::PayloadFormatIndicator, 0);
        properties.push_text(Property::ContentType, "text/x");
        properties.push_text(Property::ResponseTopic, "r");
        properties.push_binary(Property::CorrelationData, [1, 0]);
        for (name, value) in [("b", "1"), ("a", "2"), ("b", "1")] {
            properties.push_user(name, value);
        }
        let will = Will {
            topic: "wills".into(),
            payload: vec![0, 0xff],
            qos: ExactlyOnce,
            retain: false,
            properties: properties.clone(),
        };
        let client = MqttClient::joined(&mut shard, Connect { will: Some(will), ..hello(V5, "a") });
        let witness = if is_lost {
            shard.crash();
            shard.pass(Duration::from_secs(1));
            MqttClient::joined(&mut shard, MqttClient::resumable("w"))
        } else {
            shard.cut(client.slot);
            witness
        };
        let packets = witness.take(&mut shard);
        let [DownstreamPacket::Publish(publish)] = &packets[..] else { panic!("{packets:?}") };
        assert_eq!(
            (publish.qos, publish.retain, publish.payload.as_slice()),
            (ExactlyOnce, false, &[0, 0xff][..])
        );
        assert_eq!(publish.properties, properties);
    }
}

/// [MQTT-3.1.2-24], [MQTT-3.1.2-25], [MQTT-3.2.2-19], [MQTT-3.2.2-20], [MQTT-3.14.2-3].
#[test]
fn no_packet_is_larger_than_its_client_takes() {
    let small = |id: &str| {
        let mut connect = hello(V5, id);
        connect.properties.push_number(Property::MaximumPacketSize, 64);
        connect
    };
    let mut shard = TestShard::new();
    // The reason of a refusal is longer than that.
    let refused = MqttClient::open(&mut shard, mqtt("a"), V5);
    refused.send(&mut shard, &UpstreamPacket::Connect(Box::new(small("a-b"))));
    let packets = last_packets(&shard, V5);
    let [DownstreamPacket::Connack(connack)] = &packets[..] else { panic!("{packets:?}") };
    assert_eq!((connack.reason.0, connack.properties.is_empty()), (0x85, true));

    let mut asking = small("");
    asking.keep_alive = 0;
    asking.properties.push_number(Property::SessionExpiryInterval, 3600);
    let (client, connack) = MqttClient::connected(&mut shard, mqtt("a"), asking);
    assert!(DownstreamPacket::Connack(connack).encode(V5).len() <= 64, "with all that CONNACK may have");
    for number in 0..80 {
        client.subscribe(&mut shard, 1, &format!("g{number}"), AtMostOnce);
    }
    assert_eq!(client.read(&mut shard).len(), 80);
    let filters = (0..80).map(|number| format!("g{number}")).collect();
    let (packet_id, properties) = (PacketId::MIN, Properties::default());
    let packet = Unsubscribe { packet_id, filters, properties };
    client.send(&mut shard, &UpstreamPacket::Unsubscribe(packet));
    client.send(&mut shard, &UpstreamPacket::Pingreq);
    assert_eq!(client.read(&mut shard), ["pingresp"], "UNSUBACK of 80 is left out");
    client.send_bytes(&mut shard, vec![0xc1, 0]);
    let packets = last_packets(&shard, V5);
    let [DownstreamPacket::Disconnect(end)] = &packets[..] else { panic!("{packets:?}") };
    assert!(DownstreamPacket::Disconnect(end.clone()).encode(V5).len() <= 64);
    assert_eq!(end.reason, ReasonCode::MALFORMED_PACKET);

    let mut tiny = hello(V5, "tiny");
    tiny.properties.push_number(Property::MaximumPacketSize, 63);
    let refused = MqttClient::open(&mut shard, mqtt("a"), V5);
    refused.send(&mut shard, &UpstreamPacket::Connect(Box::new(tiny)));
    let packets = last_packets(&shard, V5);
    assert!(
        matches!(&packets[..], [DownstreamPacket::Connack(connack)] if connack.reason.0 == 0x83),
        "{packets:?}"
    );
}

/// [MQTT-3.1.2-26] to [MQTT-3.1.2-29], [MQTT-3.4.2-2], [MQTT-3.5.2-2], [MQTT-3.7.2-2], [MQTT-3.9.2-1],
/// [MQTT-3.11.2-1], [MQTT-4.12.0-6].
#[test]
fn only_messages_connack_and_disconnect_have_properties() {
    let mut shard = TestShard::new();
    let mut asking = hello(V5, "a");
    asking.properties.push_number(Property::RequestProblemInformation, 0);
    asking.properties.push_number(Property::RequestResponseInformation, 1);
    asking.properties.push_number(Property::TopicAliasMaximum, 10);
    let request = ConnectRequest { roles: vec!["webpubsub.joinLeaveGroup".into()], ..mqtt("a") };
    let (client, connack) = MqttClient::connected(&mut shard, request, asking);
    assert_eq!(connack.properties.text(Property::ResponseInformation), None);
    assert_eq!(connack.properties.text(Property::AuthenticationMethod), None);
    client.subscribe(&mut shard, 1, "g", AtLeastOnce);
    client.subscribe(&mut shard, 2, "a/#", AtLeastOnce);
    client.publish(&mut shard, "g", AtLeastOnce, 3, "not allowed");
    client.publish(&mut shard, "g", ExactlyOnce, 4, "not allowed");
    client.send(&mut shard, &UpstreamPacket::Pubrel(MqttClient::ack(4)));
    shard.publish(Target::Group(group("g")), MessageData::Binary(b"x".to_vec()));
    let packets = client.take(&mut shard);
    assert_eq!(packets.len(), 6, "{packets:?}");
    for packet in packets {
        let is_bare = match &packet {
            DownstreamPacket::Suback(results) => results.properties.is_empty(),
            DownstreamPacket::Puback(ack)
            | DownstreamPacket::Pubrec(ack)
            | DownstreamPacket::Pubcomp(ack) => ack.properties.is_empty(),
            DownstreamPacket::Publish(publish) => publish.properties.is_empty(),
            DownstreamPacket::Connack(_)
            | DownstreamPacket::Pubrel(_)
            | DownstreamPacket::Unsuback(_)
            | DownstreamPacket::Pingresp
            | DownstreamPacket::Disconnect(_) => false,
        };
        assert!(is_bare, "{packet:?}");
    }
}

/// [MQTT-3.1.2-8], [MQTT-3.1.3-9], MQTT 5.0, 3.1.4: a new session ends the old one, whose will does not wait.
#[test]
fn a_takeover_publishes_a_delayed_will_only_with_its_session() {
    for (clean_start, expected) in [(false, 0), (true, 1)] {
        let mut shard = TestShard::new();
        let witness = MqttClient::joined(&mut shard, hello(V5, "w"));
        witness.subscribe(&mut shard, 1, "wills", AtMostOnce);
        witness.take(&mut shard);
        let mut properties = Properties::default();
        properties.push_number(Property::WillDelayInterval, 20);
        let (topic, payload) = ("wills".into(), vec![]);
        let will = Will { topic, payload, qos: AtMostOnce, retain: false, properties };
        MqttClient::joined(&mut shard, Connect { will: Some(will), ..MqttClient::resumable("a") });
        MqttClient::joined(&mut shard, Connect { clean_start, ..MqttClient::resumable("a") });
        assert_eq!(witness.read(&mut shard).len(), expected, "{clean_start}");
        shard.pass(Duration::from_secs(40));
        assert_eq!(witness.read(&mut shard), [""; 0]);
    }
}

/// [MQTT-3.1.0-1], [MQTT-3.1.0-2], [MQTT-2.1.3-1], [MQTT-3.14.1-1], [MQTT-4.13.1-1].
#[test]
fn every_first_byte_is_answered_or_ends_the_connection() {
    for version in VERSIONS {
        for first in 0..=u8::MAX {
            for body in [&[][..], &[0, 7], &[0, 1, b'a', 0], &[0; 40]] {
                let length = u8::try_from(body.len()).expect("a short packet");
                let bytes = [&[first, length], body].concat();
                let mut shard = TestShard::new();
                let early = MqttClient::open(&mut shard, mqtt("a"), version);
                early.send_bytes(&mut shard, bytes.clone());
                assert!(!shard.is_open(early.slot), "{bytes:x?} is no CONNECT");
                let client = MqttClient::joined(&mut shard, hello(version, "a"));
                client.send_bytes(&mut shard, bytes.clone());
                if shard.is_open(client.slot) {
                    client.take(&mut shard);
                    client.send(&mut shard, &UpstreamPacket::Pingreq);
                    assert_eq!(client.read(&mut shard), ["pingresp"], "{bytes:x?}");
                } else {
                    let code = shard.closed.last().expect("a closed socket").code;
                    assert!([1000, 1007].contains(&code), "{bytes:x?}: {code}");
                }
            }
        }
    }
}

/// [MQTT-2.2.1-4], [MQTT-4.3.2-1]: the last packet id is followed by the first.
#[test]
fn packet_ids_go_round_and_are_never_0() {
    let mut shard = TestShard::new();
    let mut hello = MqttClient::resumable("a");
    hello.properties.push_number(Property::ReceiveMaximum, 1);
    let client = MqttClient::joined(&mut shard, hello);
    client.subscribe(&mut shard, 1, "g", AtLeastOnce);
    client.take(&mut shard);
    for number in 0..65_537_u32 {
        if number % 1000 == 0 {
            shard.pass(Duration::from_secs(1));
        }
        client.publish(&mut shard, "g", AtMostOnce, 0, "");
        client.publish(&mut shard, "g", AtLeastOnce, 1, "x");
        let id = u16::try_from(number % 65_535 + 1).expect("an id");
        let packets = client.read(&mut shard);
        assert_eq!(packets, ["g q0 ".to_owned(), format!("g q1 #{id} x"), "puback 1".to_owned()]);
        client.send(&mut shard, &UpstreamPacket::Puback(MqttClient::ack(id)));
    }
}

/// [MQTT-3.8.3-3], [MQTT-3.8.4-3], [MQTT-3.8.4-5]: filters are taken one after the other.
#[test]
fn the_last_of_equal_filters_counts() {
    let mut shard = TestShard::new();
    let client = MqttClient::joined(&mut shard, hello(V5, "a"));
    let subscription = |qos, no_local| Subscription {
        filter: "g".into(),
        qos,
        no_local,
        retain_as_published: false,
        retain_handling: 0,
    };
    let subscriptions = vec![subscription(AtMostOnce, true), subscription(ExactlyOnce, false)];
    let packet_id = PacketId::MIN;
    let packet = Subscribe { packet_id, subscriptions, properties: Properties::default() };
    client.send(&mut shard, &UpstreamPacket::Subscribe(packet));
    client.publish(&mut shard, "g", ExactlyOnce, 1, "x");
    assert_eq!(client.read(&mut shard), ["suback 1 [0, 2]", "g q2 #1 x", "pubrec 1"]);
}

/// [MQTT-3.14.4-3] of 5.0: any other code than 0x00 leaves the will; [MQTT-3.14.4-1]: nothing follows.
#[test]
fn a_disconnect_with_another_code_publishes_the_will() {
    for code in [0x04, 0x80, 0x98] {
        let mut shard = TestShard::new();
        let witness = MqttClient::joined(&mut shard, hello(V5, "w"));
        witness.subscribe(&mut shard, 1, "wills", AtMostOnce);
        witness.take(&mut shard);
        let (topic, payload, properties) = ("wills".into(), vec![], Properties::default());
        let will = Will { topic, payload, qos: AtMostOnce, retain: false, properties };
        let client = MqttClient::joined(&mut shard, Connect { will: Some(will), ..hello(V5, "a") });
        let end = Disconnect { reason: ReasonCode(code), ..Disconnect::default() };
        client.send(&mut shard, &UpstreamPacket::Disconnect(end));
        assert_eq!(witness.read(&mut shard), ["wills q0 "], "{code:#x}");
        assert!(last_packets(&shard, V5).is_empty());
    }
}

/// [MQTT-4.4.0-2], [MQTT-4.8.2-6]: a code of 0x80 and above is an acknowledgement.
#[test]
fn a_client_may_refuse_what_it_is_sent() {
    let mut shard = TestShard::new();
    let client = MqttClient::joined(&mut shard, MqttClient::resumable("a"));
    for (topic, qos) in [("one", AtLeastOnce), ("two", ExactlyOnce)] {
        client.subscribe(&mut shard, 1, topic, qos);
        client.publish(&mut shard, topic, qos, 1, "x");
    }
    client.take(&mut shard);
    let refused = |id| Ack { reason: ReasonCode::QUOTA_EXCEEDED, ..MqttClient::ack(id) };
    client.send(&mut shard, &UpstreamPacket::Puback(refused(1)));
    client.send(&mut shard, &UpstreamPacket::Pubrec(refused(2)));
    assert_eq!(client.read(&mut shard), [""; 0], "no PUBREL follows");
    shard.cut(client.slot);
    let (client, connack) = MqttClient::connected(&mut shard, mqtt("a"), MqttClient::resumable("a"));
    assert!(connack.session_present);
    assert_eq!(client.read(&mut shard), [""; 0], "neither comes again");
}
