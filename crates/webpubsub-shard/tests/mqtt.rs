//! MQTT clients subscribe and publish.
//!
//! Source: docs/spec/mqtt.md#subscriptions, docs/spec/mqtt.md#publishing.

use webpubsub_mqtt::{
    Connect, DownstreamPacket, PacketId, Properties, Property, Publish, Qos, ReasonCode, Subscribe,
    Subscription, Unsubscribe, UpstreamPacket, Version,
};
use webpubsub_protocol::data::{JsonText, MessageData};
use webpubsub_protocol::name::ConnectionId;
use webpubsub_shard::{Command, ConnectRequest, Reply, Selection, Target};
use webpubsub_testkit::{MqttClient, TestShard, group, json, mqtt, reliable, text, user};

use Qos::{AtLeastOnce, AtMostOnce, ExactlyOnce};
use Version::{V3_1_1, V5};

fn hello(version: Version, id: &str) -> Connect {
    MqttClient::hello(version, id)
}

fn client(shard: &mut TestShard, version: Version, id: &str) -> MqttClient {
    MqttClient::connected(shard, mqtt(id), hello(version, id)).0
}

#[test]
fn packets_may_come_a_byte_at_a_time_or_all_at_once() {
    let mut shard = TestShard::new();
    let bytes = |packet: UpstreamPacket| packet.encode(V5);
    let subscribe = Subscribe {
        packet_id: PacketId::new(1).expect("an id"),
        subscriptions: vec![Subscription {
            filter: "g".into(),
            qos: AtMostOnce,
            no_local: false,
            retain_as_published: false,
            retain_handling: 0,
        }],
        properties: Properties::default(),
    };
    let all = [
        bytes(UpstreamPacket::Connect(Box::new(hello(V5, "a")))),
        bytes(UpstreamPacket::Subscribe(subscribe)),
        bytes(UpstreamPacket::Publish(MqttClient::message("g", AtMostOnce, 0, "hi"))),
        bytes(UpstreamPacket::Pingreq),
    ]
    .concat();
    let expected = ["connack 0x00 false", "suback 1 [0]", "g q0 hi", "pingresp"];
    let at_once = MqttClient::open(&mut shard, mqtt("a"), V5);
    at_once.send_bytes(&mut shard, all.clone());
    assert_eq!(at_once.read(&mut shard), expected);
    at_once.disconnect(&mut shard);
    let slowly = MqttClient::open(&mut shard, mqtt("a"), V5);
    for byte in all {
        slowly.send_bytes(&mut shard, vec![byte]);
        slowly.send_bytes(&mut shard, vec![]);
    }
    assert_eq!(slowly.read(&mut shard), expected);
}

#[test]
fn a_subscription_is_judged_filter_by_filter() {
    let mut shard = TestShard::new();
    let request = ConnectRequest { roles: vec!["webpubsub.joinLeaveGroup.mine".into()], ..mqtt("a") };
    let (client, _) = MqttClient::connected(&mut shard, request, hello(V5, "a"));
    let long = "t".repeat(1025);
    let filters = [
        ("mine", 1),
        ("other", 0x87),
        ("a/+", 0xa2),
        ("#", 0xa2),
        ("$share/g/mine", 0x9e),
        (" ", 0x8f),
        (long.as_str(), 0x8f),
        ("$webpubsub/server/messages", 1),
        ("$webpubsub/server/events/order/succeeded", 1),
        ("$webpubsub/server/events/order/failed", 1),
        ("$webpubsub/server/events/order", 0x8f),
        ("$webpubsub/other", 0x8f),
    ];
    let subscription = |(filter, _): &(&str, u8)| Subscription {
        filter: (*filter).to_owned(),
        qos: AtLeastOnce,
        no_local: false,
        retain_as_published: false,
        retain_handling: 0,
    };
    let packet_id = PacketId::new(7).expect("an id");
    let subscriptions = filters.iter().map(subscription).collect();
    let properties = Properties::default();
    client.send(&mut shard, &UpstreamPacket::Subscribe(Subscribe { packet_id, subscriptions, properties }));
    let [DownstreamPacket::Suback(suback)] = &client.take(&mut shard)[..] else { panic!("no SUBACK") };
    let codes: Vec<u8> = suback.reasons.iter().map(|reason| reason.0).collect();
    assert_eq!(codes, filters.map(|(_, code)| code));
    let members: Vec<_> = shard.disk.memberships.iter().map(|(_, group)| group.as_str()).collect();
    assert_eq!(members, ["mine"], "the other topics are no groups");
    let filters = ["mine", "mine", "other", "$webpubsub/server/messages"].map(String::from).to_vec();
    let packet = Unsubscribe { packet_id, filters, properties: Properties::default() };
    client.send(&mut shard, &UpstreamPacket::Unsubscribe(packet));
    assert_eq!(client.read(&mut shard), ["unsuback 7 [0, 17, 17, 0]"]);
    assert!(shard.disk.memberships.is_empty());
    assert_eq!(shard.disk.mqtt_subscriptions.len(), 2, "the topics of answers");
}

#[test]
fn clients_of_every_protocol_share_a_group() {
    let mut shard = TestShard::new();
    let plain = shard.connected(ConnectRequest { groups: vec![group("g")], ..json("j") });
    let five = client(&mut shard, V5, "five");
    let three = client(&mut shard, V3_1_1, "three");
    for client in [&five, &three] {
        client.subscribe(&mut shard, 1, "g", AtMostOnce);
        client.take(&mut shard);
    }
    shard.send(plain, r#"{"type":"sendToGroup","group":"g","dataType":"json","data":{"a":1},"noEcho":true}"#);
    assert_eq!(three.read(&mut shard), [r#"g q0 {"a":1}"#]);
    let packets = five.take(&mut shard);
    let [DownstreamPacket::Publish(publish)] = &packets[..] else { panic!("{packets:?}") };
    assert_eq!(publish.properties.text(Property::ContentType), Some("application/json"));
    assert_eq!(publish.properties.flag(Property::PayloadFormatIndicator), Some(true));
    let mut properties = Properties::default();
    properties.push_number(Property::PayloadFormatIndicator, 1);
    properties.push_text(Property::ResponseTopic, "r");
    properties.push_user("a", "1");
    properties.push_user("a", "2");
    let sent = Publish { properties: properties.clone(), ..MqttClient::message("g", AtMostOnce, 0, "ü") };
    five.send(&mut shard, &UpstreamPacket::Publish(sent.clone()));
    assert_eq!(five.take(&mut shard), [DownstreamPacket::Publish(sent)]);
    assert_eq!(three.read(&mut shard), ["g q0 ü"]);
    let received = shard.take(plain);
    assert!(received[0].contains(r#""dataType":"text","data":"ü""#), "{received:?}");
    assert!(
        received[0].contains(r#""a":"2""#) && received[0].contains(r#""fromUserId":"five""#),
        "{received:?}"
    );
    three.publish(&mut shard, "g", AtMostOnce, 0, "x");
    assert!(shard.take(plain)[0].contains(r#""dataType":"binary","data":"eA==""#));
}

#[test]
fn payloads_are_what_they_say() {
    let mut shard = TestShard::new();
    let client = client(&mut shard, V5, "a");
    let publish = |shard: &mut TestShard, set: &dyn Fn(&mut Properties), payload: &[u8]| {
        let mut publish = MqttClient::message("g", AtLeastOnce, 1, "");
        publish.payload = payload.to_vec();
        set(&mut publish.properties);
        client.send(shard, &UpstreamPacket::Publish(publish));
        client.read(shard).remove(0)
    };
    let json = |properties: &mut Properties| {
        properties.push_text(Property::ContentType, "application/json; charset=utf-8");
    };
    let utf8 = |properties: &mut Properties| properties.push_number(Property::PayloadFormatIndicator, 1);
    assert_eq!(publish(&mut shard, &json, b"{\"a\": 1.00}"), "puback 1");
    assert_eq!(publish(&mut shard, &json, b"{"), "puback 1 0x99");
    assert_eq!(publish(&mut shard, &utf8, "ü".as_bytes()), "puback 1");
    assert_eq!(publish(&mut shard, &utf8, b"\xff"), "puback 1 0x99");
    assert_eq!(publish(&mut shard, &|_| {}, b"\xff"), "puback 1");
}

#[test]
fn a_publish_that_is_refused_leaves_the_connection_open() {
    let mut shard = TestShard::new();
    let request = ConnectRequest { roles: vec!["webpubsub.sendToGroup.mine".into()], ..mqtt("a") };
    let (client, _) = MqttClient::connected(&mut shard, request.clone(), hello(V5, "a"));
    let retained = Publish { retain: true, ..MqttClient::message("mine", AtLeastOnce, 3, "") };
    client.publish(&mut shard, "other", AtLeastOnce, 1, "");
    client.publish(&mut shard, "other", ExactlyOnce, 2, "");
    client.publish(&mut shard, "other", AtMostOnce, 0, "");
    client.send(&mut shard, &UpstreamPacket::Publish(retained));
    client.publish(&mut shard, "$webpubsub/other", AtLeastOnce, 4, "");
    client.publish(&mut shard, "mine", AtLeastOnce, 5, "");
    client.send(&mut shard, &UpstreamPacket::Pubrel(MqttClient::ack(2)));
    let answers = client.read(&mut shard);
    let expected =
        ["puback 1 0x87", "pubrec 2 0x87", "puback 3 0x83", "puback 4 0x90", "puback 5", "pubcomp 2 0x92"];
    assert_eq!(answers, expected);
    let (old, _) = MqttClient::connected(&mut shard, request, hello(V3_1_1, "b"));
    old.publish(&mut shard, "other", AtLeastOnce, 1, "");
    assert_eq!(old.read(&mut shard), ["puback 1"], "3.1.1 has no codes");
}

#[test]
fn what_no_acknowledgement_can_refuse_disconnects() {
    type Spoil = fn(&mut Publish);
    let cases: [(Spoil, u8); 4] = [
        (|publish| publish.retain = true, 0x9a),
        (|publish| publish.properties.push_number(Property::TopicAlias, 1), 0x94),
        (|publish| publish.topic = "a/+".into(), 0x90),
        (|publish| publish.topic = "#".into(), 0x90),
    ];
    for (spoil, code) in cases {
        let mut shard = TestShard::new();
        let client = client(&mut shard, V5, "a");
        let mut publish = MqttClient::message("g", AtMostOnce, 0, "");
        spoil(&mut publish);
        client.send(&mut shard, &UpstreamPacket::Publish(publish));
        let (packets, _) = MqttClient::last_words(&shard, V5);
        assert!(
            matches!(&packets[..], [DownstreamPacket::Disconnect(end)] if end.reason.0 == code),
            "{packets:?}"
        );
    }
}

#[test]
fn servers_reach_mqtt_clients_on_a_topic_of_their_own() {
    let mut shard = TestShard::new();
    let subscribed = client(&mut shard, V5, "a");
    let other = client(&mut shard, V3_1_1, "b");
    subscribed.subscribe(&mut shard, 1, "$webpubsub/server/messages", AtMostOnce);
    subscribed.take(&mut shard);
    let topic = "$webpubsub/server/messages";
    shard.publish(Target::All, text("all"));
    shard.publish(Target::User(user("a")), text("user"));
    shard.publish(Target::Connection(ConnectionId::parse("b").expect("an id")), text("one"));
    assert_eq!(subscribed.read(&mut shard), [format!("{topic} q0 all"), format!("{topic} q0 user")]);
    assert_eq!(other.read(&mut shard), [format!("{topic} q1 #1 all"), format!("{topic} q1 #2 one")]);
}

#[test]
fn servers_see_sessions_as_connections() {
    let mut shard = TestShard::new();
    let client = client(&mut shard, V5, "a");
    let id = shard.id(client.slot);
    assert_ne!(id.as_str(), "a", "the socket was accepted before");
    let id = ConnectionId::parse("a").expect("an id");
    assert!(shard.exists(Target::Connection(id.clone())) && shard.exists(Target::User(user("a"))));
    let to = Selection::from(Target::Connection(id.clone()));
    let join = Command::Join { to: to.clone(), groups: vec![group("g")] };
    assert_eq!(shard.command(join), Reply::Done);
    shard.publish(Target::Group(group("g")), MessageData::Json(JsonText::parse("1").expect("json")));
    assert_eq!(client.read(&mut shard), ["g q0 1"], "its options are the default ones");
    shard.command(Command::Close { to, reason: Some("maintenance".into()) });
    let (packets, code) = MqttClient::last_words(&shard, V5);
    let [DownstreamPacket::Disconnect(end)] = &packets[..] else { panic!("{packets:?}") };
    assert_eq!((end.reason, code), (ReasonCode::ADMINISTRATIVE_ACTION, 1000));
    assert!(end.properties.text(Property::ReasonString).expect("a reason").contains("maintenance"));
    assert!(!shard.exists(Target::Connection(id)));
}

#[test]
fn no_local_leaves_out_the_publisher() {
    let mut shard = TestShard::new();
    let client = client(&mut shard, V5, "a");
    let subscription = Subscription {
        filter: "g".into(),
        qos: AtMostOnce,
        no_local: true,
        retain_as_published: false,
        retain_handling: 0,
    };
    client.subscribe_with(&mut shard, 1, subscription, Properties::default());
    client.take(&mut shard);
    client.publish(&mut shard, "g", AtMostOnce, 0, "own");
    shard.publish(Target::Group(group("g")), text("other"));
    assert_eq!(client.read(&mut shard), ["g q0 other"]);
}

#[test]
fn a_message_carries_the_identifier_of_its_subscription() {
    let mut shard = TestShard::new();
    let client = client(&mut shard, V5, "a");
    for identifier in [5, 268_435_455] {
        let subscription = Subscription {
            filter: "g".into(),
            qos: AtMostOnce,
            no_local: false,
            retain_as_published: false,
            retain_handling: 0,
        };
        let mut properties = Properties::default();
        properties.push_number(Property::SubscriptionIdentifier, identifier);
        client.subscribe_with(&mut shard, 1, subscription, properties);
        client.take(&mut shard);
        client.publish(&mut shard, "g", AtMostOnce, 0, "x");
        let packets = client.take(&mut shard);
        let [DownstreamPacket::Publish(publish)] = &packets[..] else { panic!("one message: {packets:?}") };
        assert_eq!(publish.properties.number(Property::SubscriptionIdentifier), Some(identifier));
    }
}

#[test]
fn a_client_that_leaves_takes_its_session_along() {
    for version in [V3_1_1, V5] {
        let mut shard = TestShard::new();
        let client = client(&mut shard, version, "a");
        client.disconnect(&mut shard);
        assert_eq!((shard.closed[0].code, shard.closed[0].frames.len()), (1000, 0));
        assert_eq!(shard.core().connections(), 0);
        assert!(shard.disk.connections.is_empty() && shard.disk.mqtt_sessions.is_empty());
    }
}

#[test]
fn malformed_packets_are_answered_and_close() {
    let cases: [(Vec<u8>, u8); 5] = [
        (vec![0xc1, 0], 0x81),
        (vec![0x00, 0], 0x81),
        (vec![0x20, 2, 0, 0], 0x82),
        (vec![0x30, 0xff, 0xff, 0xff, 0xff, 1], 0x81),
        (UpstreamPacket::Connect(Box::new(hello(V5, "a"))).encode(V5), 0x82),
    ];
    for (bytes, code) in cases {
        let mut shard = TestShard::new();
        let client = client(&mut shard, V5, "a");
        client.send_bytes(&mut shard, bytes.clone());
        let (packets, _) = MqttClient::last_words(&shard, V5);
        assert!(
            matches!(&packets[..], [DownstreamPacket::Disconnect(end)] if end.reason.0 == code),
            "{bytes:?}: {packets:?}"
        );
    }
}

#[test]
fn reliable_clients_get_mqtt_messages_again() {
    let mut shard = TestShard::new();
    let bob = shard.connected(ConnectRequest { groups: vec![group("g")], ..reliable("bob") });
    let client = client(&mut shard, V5, "a");
    client.publish(&mut shard, "g", AtLeastOnce, 1, "x");
    let received = shard.take(bob);
    shard.hibernate();
    assert_eq!(shard.take(bob), received);
}
