//! What is written is read again, in any cut and in both directions, and limits hold.
#![expect(clippy::unwrap_used, reason = "the packets here are good ones")]

use proptest::prelude::*;
use webpubsub_mqtt::{
    Ack, Connack, Connect, DecodeError, Decoder, Disconnect, DownstreamDecoder, DownstreamPacket,
    EncodedPublish, MAX_TOPICS, PacketId, Properties, Property, Publish, Qos, ReasonCode, Results, Subscribe,
    Subscription, Unsubscribe, UpstreamPacket, Version, Will,
};

const VERSIONS: [Version; 2] = [Version::V3_1_1, Version::V5];

fn packet_id() -> impl Strategy<Value = PacketId> {
    (1..=u16::MAX).prop_map(|id| PacketId::new(id).unwrap())
}

/// User properties, of which 3.1.1 has none.
fn user(version: Version) -> BoxedStrategy<Properties> {
    let pairs = prop::collection::vec(("[^\0]{0,9}", "[^\0]{0,9}"), 0..4);
    pairs
        .prop_map(move |pairs| {
            let mut properties = Properties::default();
            if version == Version::V5 {
                pairs.into_iter().for_each(|(name, value)| properties.push_user(name, value));
            }
            properties
        })
        .boxed()
}

fn publish(version: Version) -> impl Strategy<Value = Publish> {
    let bytes = prop::collection::vec(any::<u8>(), 0..300);
    (0..3_u8, any::<[bool; 2]>(), "[^\0]{1,9}", packet_id(), user(version), bytes).prop_map(
        |(qos, [dup, retain], topic, id, properties, payload)| {
            let qos = Qos::from_number(qos).unwrap();
            let packet_id = (qos != Qos::AtMostOnce).then_some(id);
            Publish { dup: dup && packet_id.is_some(), qos, retain, topic, packet_id, properties, payload }
        },
    )
}

fn connect(version: Version) -> impl Strategy<Value = Connect> {
    let text = || "[^\0]{0,9}";
    let will = prop::option::of((publish(version), user(version)));
    let credentials = (prop::option::of(text()), prop::option::of(prop::collection::vec(any::<u8>(), 0..9)));
    (any::<bool>(), any::<u16>(), text(), will, credentials, user(version)).prop_map(
        move |(clean_start, keep_alive, client_id, will, (user_name, password), properties)| Connect {
            version,
            clean_start,
            keep_alive,
            client_id,
            will: will.map(|(Publish { topic, payload, qos, retain, .. }, properties)| Will {
                topic,
                payload,
                qos,
                retain,
                properties,
            }),
            password: password.filter(|_| version == Version::V5 || user_name.is_some()),
            user_name,
            properties,
        },
    )
}

fn ack(version: Version, reason: ReasonCode) -> impl Strategy<Value = Ack> {
    let reason = if version == Version::V5 { reason } else { ReasonCode::SUCCESS };
    (packet_id(), user(version)).prop_map(move |(packet_id, properties)| Ack {
        packet_id,
        reason,
        properties,
    })
}

/// Packets of one version in an order that a client may send: CONNECT first.
fn upstream() -> impl Strategy<Value = (Version, Vec<UpstreamPacket>)> {
    prop::sample::select(VERSIONS.to_vec()).prop_flat_map(|version| {
        let subscription = ("[^\0]{1,9}", 0..3_u8, any::<[bool; 2]>(), 0..3_u8).prop_map(
            move |(filter, qos, [no_local, retain_as_published], retain_handling)| {
                let is_5 = version == Version::V5;
                Subscription {
                    filter,
                    qos: Qos::from_number(qos).unwrap(),
                    no_local: no_local && is_5,
                    retain_as_published: retain_as_published && is_5,
                    retain_handling: if is_5 { retain_handling } else { 0 },
                }
            },
        );
        let subscribe = (packet_id(), prop::collection::vec(subscription, 1..4), user(version)).prop_map(
            |(packet_id, subscriptions, properties)| Subscribe { packet_id, subscriptions, properties },
        );
        let unsubscribe = (packet_id(), prop::collection::vec("[^\0]{1,9}", 1..4), user(version))
            .prop_map(|(packet_id, filters, properties)| Unsubscribe { packet_id, filters, properties });
        let later = prop_oneof![
            publish(version).prop_map(UpstreamPacket::Publish),
            ack(version, ReasonCode::NOT_AUTHORIZED).prop_map(UpstreamPacket::Puback),
            ack(version, ReasonCode::SUCCESS).prop_map(UpstreamPacket::Pubrec),
            ack(version, ReasonCode::PACKET_IDENTIFIER_NOT_FOUND).prop_map(UpstreamPacket::Pubrel),
            ack(version, ReasonCode::SUCCESS).prop_map(UpstreamPacket::Pubcomp),
            subscribe.prop_map(UpstreamPacket::Subscribe),
            unsubscribe.prop_map(UpstreamPacket::Unsubscribe),
            Just(UpstreamPacket::Pingreq),
            user(version).prop_map(|properties| UpstreamPacket::Disconnect(Disconnect {
                reason: ReasonCode::SUCCESS,
                properties
            })),
        ];
        (connect(version), prop::collection::vec(later, 0..5)).prop_map(move |(connect, later)| {
            let first = UpstreamPacket::Connect(Box::new(connect));
            (version, [first].into_iter().chain(later).collect())
        })
    })
}

proptest! {
    #[test]
    fn what_a_client_sends_is_read_in_any_cut((version, packets) in upstream(), cuts in prop::collection::vec(0..40_usize, 1..9)) {
        let mut bytes: Vec<u8> = packets.iter().flat_map(|packet| packet.encode(version)).collect();
        let mut decoder = Decoder::new(bytes.len());
        let mut read = Vec::new();
        for cut in cuts.iter().cycle() {
            let rest = bytes.split_off((*cut).min(bytes.len()));
            decoder.feed(std::mem::replace(&mut bytes, rest));
            while let Some(packet) = decoder.next_packet().unwrap() {
                read.push(packet);
            }
            if bytes.is_empty() || cuts.iter().all(|cut| *cut == 0) {
                break;
            }
        }
        decoder.feed(bytes);
        while let Some(packet) = decoder.next_packet().unwrap() {
            read.push(packet);
        }
        prop_assert_eq!(read, packets);
        prop_assert_eq!(decoder.version(), Some(version));
        prop_assert!(!decoder.is_mid_packet());
    }

    #[test]
    fn what_the_service_sends_is_read_by_its_client(version in prop::sample::select(VERSIONS.to_vec()), publish in publish(Version::V5), id in packet_id(), failure in 0x80..=0xa2_u8) {
        let is_5 = version == Version::V5;
        let properties = if is_5 { publish.properties.clone() } else { Properties::default() };
        let reason = if is_5 { ReasonCode(0x87) } else { ReasonCode::SUCCESS };
        let ack = Ack { packet_id: id, reason, properties: properties.clone() };
        let results = |reasons| Results { packet_id: id, reasons, properties: properties.clone() };
        let refused = if is_5 { ReasonCode(failure) } else { ReasonCode::NOT_AUTHORIZED };
        let mut packets = vec![
            DownstreamPacket::Connack(Connack { session_present: true, reason: ReasonCode::SUCCESS, properties: properties.clone() }),
            DownstreamPacket::Connack(Connack { session_present: false, reason: refused, properties: properties.clone() }),
            DownstreamPacket::Publish(Publish { properties: properties.clone(), ..publish }),
            DownstreamPacket::Puback(ack.clone()),
            DownstreamPacket::Pubrec(ack.clone()),
            DownstreamPacket::Pubcomp(Ack { reason: ReasonCode::SUCCESS, ..ack.clone() }),
            DownstreamPacket::Pubrel(Ack { reason: ReasonCode::SUCCESS, ..ack }),
            DownstreamPacket::Suback(results(vec![ReasonCode::GRANTED_QOS_2, ReasonCode::UNSPECIFIED_ERROR])),
            DownstreamPacket::Unsuback(results(if is_5 { vec![ReasonCode(0x11)] } else { vec![] })),
            DownstreamPacket::Pingresp,
        ];
        if is_5 {
            packets.push(DownstreamPacket::Disconnect(Disconnect { reason: ReasonCode(failure), properties }));
        }
        let mut decoder = DownstreamDecoder::new(version, usize::MAX);
        decoder.feed(packets.iter().flat_map(|packet| packet.encode(version)).collect());
        for packet in packets {
            prop_assert_eq!(decoder.next_packet().unwrap(), Some(packet));
        }
        prop_assert_eq!(decoder.next_packet(), Ok(None));
    }

    #[test]
    fn a_fan_out_differs_by_packet_id_and_dup_only(version in prop::sample::select(VERSIONS.to_vec()), publish in publish(Version::V5), id in packet_id(), dup in any::<bool>()) {
        let encoded = EncodedPublish::new(publish.as_ref(), version).with(id, dup);
        let has_id = publish.qos != Qos::AtMostOnce;
        let properties = if version == Version::V5 { publish.properties.clone() } else { Properties::default() };
        let expected = Publish { packet_id: has_id.then_some(id), dup: dup && has_id, properties, ..publish };
        prop_assert_eq!(encoded, DownstreamPacket::Publish(expected).encode(version));
    }
}

#[test]
fn a_packet_above_the_limit_is_refused_at_its_header() {
    let limit = 1000;
    let exactly = |size: usize| {
        let payload = vec![0; size - 2 - 1 - 2 - 1];
        let publish = Publish { topic: "g".into(), payload, ..Publish::default() };
        UpstreamPacket::Publish(publish).encode(Version::V3_1_1)
    };
    let mut decoder = Decoder::resume(Version::V3_1_1, limit);
    decoder.feed(exactly(limit));
    assert!(decoder.next_packet().unwrap().is_some());
    let mut large = exactly(limit + 1);
    large.truncate(3);
    decoder.feed(large);
    assert_eq!(decoder.next_packet(), Err(DecodeError::TooLarge));
    assert_eq!(DecodeError::TooLarge.reason_code(), ReasonCode::PACKET_TOO_LARGE);
}

#[test]
fn after_an_error_nothing_is_read() {
    let mut decoder = Decoder::resume(Version::V5, 1000);
    decoder.feed(vec![0xc0, 0, 0, 0, 0xc0, 0]);
    assert_eq!(decoder.next_packet(), Ok(Some(UpstreamPacket::Pingreq)));
    assert_eq!(decoder.next_packet(), Err(DecodeError::PacketType));
    decoder.feed(vec![0xc0, 0]);
    assert_eq!(decoder.next_packet(), Err(DecodeError::PacketType));
    assert!(!decoder.is_mid_packet());
}

#[test]
fn a_packet_that_has_begun_is_known() {
    let mut decoder = Decoder::resume(Version::V5, 1000);
    decoder.feed(vec![]);
    assert!(!decoder.is_mid_packet());
    decoder.feed(vec![0xc0]);
    assert_eq!((decoder.next_packet(), decoder.is_mid_packet()), (Ok(None), true));
    decoder.feed(vec![]);
    assert_eq!((decoder.next_packet(), decoder.is_mid_packet()), (Ok(None), true));
    decoder.feed(vec![0]);
    assert_eq!(decoder.next_packet(), Ok(Some(UpstreamPacket::Pingreq)));
    assert!(!decoder.is_mid_packet());
}

#[test]
fn topics_of_one_packet_are_counted() {
    let many = |count: usize| {
        let filters = vec!["f".to_owned(); count];
        let packet_id = PacketId::MIN;
        let packet = UpstreamPacket::Unsubscribe(Unsubscribe {
            packet_id,
            filters,
            properties: Properties::default(),
        });
        let mut decoder = Decoder::resume(Version::V3_1_1, usize::MAX);
        decoder.feed(packet.encode(Version::V3_1_1));
        decoder.next_packet().map(|_| ())
    };
    assert_eq!((many(MAX_TOPICS), many(MAX_TOPICS + 1)), (Ok(()), Err(DecodeError::TooMany)));
}

#[test]
fn mqtt_3_2_2_6_a_refused_client_has_no_session() {
    let connack = Connack { session_present: true, reason: ReasonCode::BANNED, ..Connack::default() };
    let packet = DownstreamPacket::Connack(connack);
    assert_eq!(packet.encode(Version::V3_1_1), [0x20, 2, 0, 5]);
    assert_eq!(packet.encode(Version::V5), [0x20, 3, 0, 0x8a, 0]);
}

#[test]
fn clients_of_3_1_1_are_sent_what_they_know() {
    let id = PacketId::MIN;
    let encode = |packet: DownstreamPacket| packet.encode(Version::V3_1_1);
    let mut properties = Properties::default();
    properties.push_text(Property::ReasonString, "why");
    let ack = Ack { packet_id: id, reason: ReasonCode::QUOTA_EXCEEDED, properties: properties.clone() };
    assert_eq!(encode(DownstreamPacket::Puback(ack)), [0x40, 2, 0, 1]);
    let reasons = vec![ReasonCode::GRANTED_QOS_1, ReasonCode::WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED];
    let results = Results { packet_id: id, reasons, properties: properties.clone() };
    assert_eq!(encode(DownstreamPacket::Suback(results.clone())), [0x90, 4, 0, 1, 1, 0x80]);
    assert_eq!(encode(DownstreamPacket::Unsuback(results)), [0xb0, 2, 0, 1]);
    let disconnect = Disconnect { reason: ReasonCode::SESSION_TAKEN_OVER, properties };
    assert!(encode(DownstreamPacket::Disconnect(disconnect)).is_empty());
    for (reason, code) in
        [(0x84, 1), (0x85, 2), (0x88, 3), (0x80, 3), (0x9f, 3), (0x86, 4), (0x87, 5), (0x8a, 5)]
    {
        assert_eq!(ReasonCode(reason).return_code(), code, "{reason:x}");
    }
    for code in 0..=5 {
        assert_eq!(ReasonCode::from_return_code(code).unwrap().return_code(), code);
    }
}

#[test]
fn text_above_65535_bytes_is_cut_between_characters() {
    let mut properties = Properties::default();
    properties.push_text(Property::ReasonString, "ü".repeat(40_000));
    let disconnect = Disconnect { reason: ReasonCode::BANNED, properties };
    let mut decoder = DownstreamDecoder::new(Version::V5, usize::MAX);
    decoder.feed(DownstreamPacket::Disconnect(disconnect).encode(Version::V5));
    let Ok(Some(DownstreamPacket::Disconnect(read))) = decoder.next_packet() else { panic!("no DISCONNECT") };
    assert_eq!(read.properties.text(Property::ReasonString), Some("ü".repeat(32_767).as_str()));
}
