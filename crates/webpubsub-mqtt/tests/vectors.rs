//! The golden vectors of clients' packets, which were made without this crate.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a vector file that cannot be read fails the test"
)]

use serde_json::{Map, Value, json};
use webpubsub_mqtt::{Ack, DecodeError, Decoder, Properties, UpstreamPacket, Version};

fn read(file: &str) -> Vec<Value> {
    let path = format!("{}/../../tests/vectors/mqtt/{file}.json", env!("CARGO_MANIFEST_DIR"));
    let mut file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let Value::Array(vectors) = file["vectors"].take() else { panic!("no vectors") };
    vectors
}

fn bytes(hex: &Value) -> Vec<u8> {
    let digits = hex.as_str().unwrap().as_bytes();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn version(vector: &Value) -> Option<Version> {
    vector["version"].as_u64().map(|level| Version::from_level(u8::try_from(level).unwrap()).unwrap())
}

/// A decoder that has taken a CONNECT of this version, or one for a new connection.
fn decoder(version: Option<Version>) -> Decoder {
    version.map_or(Decoder::new(1024), |version| Decoder::resume(version, 1024))
}

fn decode(mut decoder: Decoder, bytes: Vec<u8>) -> Result<UpstreamPacket, DecodeError> {
    decoder.feed(bytes);
    let packet = decoder.next_packet()?.unwrap();
    assert!(!decoder.is_mid_packet());
    Ok(packet)
}

#[test]
fn every_packet_is_read_as_its_vector_says() {
    for vector in read("upstream") {
        let input = bytes(&vector["input"]);
        let version = version(&vector).unwrap();
        let is_connect = vector["expected"]["packet"] == "CONNECT";
        let packet = decode(decoder((!is_connect).then_some(version)), input.clone()).unwrap();
        assert_eq!(describe(&packet), vector["expected"], "{}", vector["name"]);
        assert_eq!(hex(&packet.encode(version)), hex(&input), "{}", vector["name"]);
    }
}

#[test]
fn what_is_no_packet_has_the_reason_of_its_vector() {
    for vector in read("upstream-refused") {
        let error = decode(decoder(version(&vector)), bytes(&vector["input"])).unwrap_err();
        assert_eq!(u64::from(error.reason_code().0), vector["expected"], "{}: {error}", vector["name"]);
    }
}

#[test]
fn a_connect_that_is_refused_says_in_which_version() {
    for (name, expected) in [("MQTT 3.1", Version::V3_1_1), ("level 6", Version::V5)] {
        let vectors = read("upstream-refused");
        let vector = vectors.iter().find(|vector| vector["name"].as_str().unwrap().ends_with(name)).unwrap();
        let mut decoder = Decoder::new(1024);
        decoder.feed(bytes(&vector["input"]));
        assert_eq!(decoder.next_packet(), Err(DecodeError::UnsupportedVersion));
        assert_eq!(decoder.version(), Some(expected), "{name}");
    }
}

/// The fields of a packet; flags that are not set are left out, as in the vectors.
fn describe(packet: &UpstreamPacket) -> Value {
    let mut form = Map::new();
    let mut put = |name: &str, value: Value| drop(form.insert(name.to_owned(), value));
    let flag = |is_set: bool| if is_set { json!(true) } else { Value::Null };
    let pairs = |properties: &Properties| {
        let pairs: Vec<_> = properties.user().collect();
        if pairs.is_empty() { Value::Null } else { json!(pairs) }
    };
    let of_ack =
        |name: &str, ack: &Ack| json!({ "packet": name, "packetId": ack.packet_id, "reason": ack.reason.0 });
    match packet {
        UpstreamPacket::Connect(connect) => {
            put("packet", json!("CONNECT"));
            put("clientId", json!(connect.client_id));
            put("cleanStart", json!(connect.clean_start));
            put("keepAlive", json!(connect.keep_alive));
            put(
                "will",
                connect.will.as_ref().map_or(Value::Null, |will| {
                    json!({ "topic": will.topic, "payload": hex(&will.payload), "qos": will.qos as u8, "retain": will.retain })
                }),
            );
            put("userName", json!(connect.user_name));
            put("password", connect.password.as_ref().map_or(Value::Null, |password| json!(hex(password))));
            put("user", pairs(&connect.properties));
        }
        UpstreamPacket::Publish(publish) => {
            put("packet", json!("PUBLISH"));
            put("topic", json!(publish.topic));
            put("qos", json!(publish.qos as u8));
            put("dup", flag(publish.dup));
            put("retain", flag(publish.retain));
            put("packetId", json!(publish.packet_id));
            put("payload", json!(hex(&publish.payload)));
            put("user", pairs(&publish.properties));
        }
        UpstreamPacket::Puback(ack) => return of_ack("PUBACK", ack),
        UpstreamPacket::Pubrec(ack) => return of_ack("PUBREC", ack),
        UpstreamPacket::Pubrel(ack) => return of_ack("PUBREL", ack),
        UpstreamPacket::Pubcomp(ack) => return of_ack("PUBCOMP", ack),
        UpstreamPacket::Subscribe(subscribe) => {
            put("packet", json!("SUBSCRIBE"));
            put("packetId", json!(subscribe.packet_id));
            let filters = subscribe.subscriptions.iter();
            put("filters", filters.map(|filter| json!([filter.filter, filter.qos as u8])).collect());
        }
        UpstreamPacket::Unsubscribe(unsubscribe) => {
            put("packet", json!("UNSUBSCRIBE"));
            put("packetId", json!(unsubscribe.packet_id));
            put("filters", json!(unsubscribe.filters));
        }
        UpstreamPacket::Pingreq => put("packet", json!("PINGREQ")),
        UpstreamPacket::Disconnect(disconnect) => {
            put("packet", json!("DISCONNECT"));
            put("reason", json!(disconnect.reason.0));
        }
        UpstreamPacket::Auth(auth) => {
            put("packet", json!("AUTH"));
            put("reason", json!(auth.reason.0));
        }
    }
    form.retain(|_, value| !value.is_null());
    Value::Object(form)
}
