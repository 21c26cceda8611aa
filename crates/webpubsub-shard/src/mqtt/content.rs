//! Messages as MQTT clients publish and receive them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use webpubsub_mqtt::{
    Decoder, EncodedPublish, PacketId, Properties, Property, PublishRef, Qos, ReasonCode, UpstreamPacket,
    Version,
};
use webpubsub_protocol::client::MqttFrame;
use webpubsub_protocol::data::{JsonText, MessageData, Metadata};
use webpubsub_protocol::json::{Json, Members};
use webpubsub_protocol::time::{Timestamp, whole_millis};

use crate::mqtt::Delivery;
use crate::publish::Publish;

/// The topic of messages that do not come to a group.
///
/// Source: docs/spec/mqtt.md#delivery.
pub(crate) const MESSAGES_TOPIC: &str = "$webpubsub/server/messages";

/// What the topics begin with that are no groups.
pub(crate) const SYSTEM_TOPICS: &str = "$webpubsub/";

/// Whether a group's name can be the topic of a message, which has no wildcards ([MQTT-3.3.2-2]) and no U+0000
/// ([MQTT-1.5.4-2]).
pub(crate) fn is_topic(name: &str) -> bool {
    !name.contains(['+', '#', '\0'])
}

const JSON_TYPE: &str = "application/json";

/// The name of the member in a row of the log that has what only MQTT clients see.
const MEMBER: &str = "mqtt";

/// What an MQTT publish has beside what every message has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Content {
    pub(crate) qos: Qos,
    /// Content type, format, response topic, correlation data and user properties, as they were sent.
    pub(crate) properties: Properties,
}

/// Reads what a publish carries: for other clients, and for those of MQTT.
///
/// # Errors
/// 0x99 for a payload that is not what its format or content type says.
///
/// Source: docs/spec/mqtt.md#payloads.
pub(crate) fn read_message(
    payload: Vec<u8>,
    mut properties: Properties,
    qos: Qos,
) -> Result<(MessageData, Metadata, Content), ReasonCode> {
    let text = |payload| String::from_utf8(payload).map_err(|_| ReasonCode::PAYLOAD_FORMAT_INVALID);
    let content_type = properties.text(Property::ContentType).unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    let data = if media_type.eq_ignore_ascii_case(JSON_TYPE) {
        let text = text(payload)?;
        MessageData::Json(JsonText::parse(text).map_err(|_| ReasonCode::PAYLOAD_FORMAT_INVALID)?)
    } else if properties.flag(Property::PayloadFormatIndicator) == Some(true) {
        MessageData::Text(text(payload)?)
    } else {
        MessageData::Binary(payload)
    };
    // Other clients have one value for each name, and not every value.
    let mut entries: Vec<(String, String)> = Vec::new();
    for (name, value) in properties.user() {
        let entry = (name.to_owned(), value.to_owned());
        if Metadata::parse(vec![entry.clone()]).is_ok() {
            entries.retain(|(known, _)| known != name);
            entries.push(entry);
        }
    }
    let metadata = Metadata::parse(entries).unwrap_or_default();
    for property in [Property::MessageExpiryInterval, Property::TopicAlias, Property::WillDelayInterval] {
        properties.remove(property);
    }
    Ok((data, metadata, Content { qos, properties }))
}

impl Content {
    /// The properties of a message that no MQTT client published.
    pub(crate) fn properties_of(publish: &Publish) -> Properties {
        let mut properties = Properties::default();
        if matches!(publish.data, MessageData::Text(_) | MessageData::Json(_)) {
            properties.push_number(Property::PayloadFormatIndicator, 1);
        }
        if matches!(publish.data, MessageData::Json(_)) {
            properties.push_text(Property::ContentType, JSON_TYPE);
        }
        for (name, value) in publish.metadata.iter() {
            properties.push_user(name, value);
        }
        properties
    }

    /// The content in a text for a row of the log, with the bitmap of those who receive it at QoS 2.
    fn encode(&self, exactly_once: &[u8]) -> String {
        let publish = PublishRef {
            dup: false,
            qos: self.qos,
            retain: false,
            topic: MEMBER,
            packet_id: PacketId::new(1),
            properties: &self.properties,
            payload: exactly_once,
        };
        STANDARD_NO_PAD.encode(EncodedPublish::new(publish, Version::V5).as_bytes())
    }

    /// Reads what [`Content::encode`] wrote; `None` for anything else.
    fn decode(text: &str) -> Option<(Self, Vec<u8>)> {
        let bytes = STANDARD_NO_PAD.decode(text).ok()?;
        let mut decoder = Decoder::resume(Version::V5, bytes.len());
        decoder.feed(bytes);
        match decoder.next_packet() {
            Ok(Some(UpstreamPacket::Publish(publish))) => {
                Some((Self { qos: publish.qos, properties: publish.properties }, publish.payload))
            }
            Ok(_) | Err(_) => None,
        }
    }

    /// Adds it to a message as a row of the log has it, which is a JSON object.
    pub(crate) fn add_to(&self, message: &mut String, exactly_once: &[u8]) {
        message.pop();
        message.push_str(",\"");
        message.push_str(MEMBER);
        message.push_str("\":\"");
        message.push_str(&self.encode(exactly_once));
        message.push_str("\"}");
    }

    /// Reads what [`Content::add_to`] added, if it did.
    pub(crate) fn read(message: &str) -> Option<(Self, Vec<u8>)> {
        Self::decode(&Members::parse(message)?.get(MEMBER).and_then(Json::text)?)
    }
}

/// The payload and the properties of a message for MQTT clients of 5.0; those of 3.1.1 have no properties.
///
/// Source: docs/spec/mqtt.md#payloads.
pub(crate) fn write_publish(publish: &Publish, delivery: Delivery, now: Timestamp) -> MqttFrame {
    let payload = match &publish.data {
        MessageData::Text(text) => text.as_bytes(),
        MessageData::Json(json) => json.as_given().as_bytes(),
        MessageData::Binary(bytes) | MessageData::Protobuf(bytes) => bytes,
    };
    let properties = match delivery.version {
        Version::V3_1_1 => Properties::default(),
        Version::V5 => properties(publish, delivery, now),
    };
    let topic = publish.topic();
    let Delivery { qos, is_again, .. } = delivery;
    let frame = PublishRef {
        dup: is_again,
        qos,
        retain: false,
        topic,
        packet_id: None,
        properties: &properties,
        payload,
    };
    let bytes = EncodedPublish::new(frame, delivery.version).into_bytes();
    // Behind the fixed header, of which the length ends with a byte below 0x80, and the topic with its length.
    let length = bytes.iter().skip(1).take_while(|byte| **byte >= 0x80).count() + 1;
    let identifier_at = (qos != Qos::AtMostOnce).then(|| 1 + length + 2 + topic.len());
    MqttFrame { bytes, identifier_at }
}

fn properties(publish: &Publish, delivery: Delivery, now: Timestamp) -> Properties {
    let mut properties = match &publish.mqtt {
        Some(content) => content.properties.clone(),
        None => Content::properties_of(publish),
    };
    if let Some(expires) = publish.expires {
        // What is left of a second counts as one: a message that is not over has a number above 0.
        let left = whole_millis(expires.since(now)).div_ceil(1000);
        properties.push_number(Property::MessageExpiryInterval, u32::try_from(left).unwrap_or(u32::MAX));
    }
    if delivery.identifier > 0 {
        properties.push_number(Property::SubscriptionIdentifier, delivery.identifier);
    }
    properties
}
