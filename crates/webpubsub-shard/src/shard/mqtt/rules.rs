//! What CONNECT has to keep to beside MQTT's own rules.

use webpubsub_mqtt::{Connect, Property, ReasonCode, Version};
use webpubsub_protocol::close::ConnackRefusal;
use webpubsub_protocol::limits::MAX_METADATA_BYTES;
use webpubsub_protocol::name::GroupName;

use crate::mqtt::{MAX_KEEP_ALIVE_SECONDS, is_topic, packet_maximum};

/// The longest client id, in characters.
const MAX_CLIENT_ID: usize = 128;
/// The largest payload of a will, in bytes.
const MAX_WILL_BYTES: usize = 2000;
/// How many bytes the properties of a will may have: as many as a message's metadata.
const MAX_WILL_PROPERTY_BYTES: usize = MAX_METADATA_BYTES;
/// The least Maximum Packet Size of a client: CONNACK fits into it.
const MIN_PACKET_MAXIMUM: u32 = 64;

/// What CONNACK says to a client that is not let in. 3.1.1 has no code for what is not allowed of keep-alives and
/// wills, and gets that of what is not authorized.
pub(super) const fn reason_of(refusal: ConnackRefusal, version: Version) -> ReasonCode {
    use ConnackRefusal as R;
    let is_5 = matches!(version, Version::V5);
    match refusal {
        R::ClientId => ReasonCode::CLIENT_IDENTIFIER_NOT_VALID,
        R::Displaced => ReasonCode::CONNECTION_RATE_EXCEEDED,
        R::Method => ReasonCode::BAD_AUTHENTICATION_METHOD,
        R::PacketSize => ReasonCode::IMPLEMENTATION_SPECIFIC_ERROR,
        R::WillTopic if is_5 => ReasonCode::TOPIC_NAME_INVALID,
        R::WillSize if is_5 => ReasonCode::PACKET_TOO_LARGE,
        R::Retained => ReasonCode::RETAIN_NOT_SUPPORTED,
        R::KeepAlive | R::WillTopic | R::WillSize | R::ByHandler => ReasonCode::NOT_AUTHORIZED,
    }
}

/// Whether a CONNECT keeps to the rules that are not MQTT's own.
///
/// Source: docs/spec/mqtt.md#connect.
pub(super) fn check(connect: &Connect) -> Result<(), ConnackRefusal> {
    let is_5 = connect.version == Version::V5;
    let id = connect.client_id.as_bytes();
    let is_assigned = id.is_empty() && is_5;
    if !is_assigned && !(1..=MAX_CLIENT_ID).contains(&id.len()) || !id.iter().all(u8::is_ascii_alphanumeric) {
        return Err(ConnackRefusal::ClientId);
    }
    if connect.properties.text(Property::AuthenticationMethod).is_some() {
        return Err(ConnackRefusal::Method);
    }
    if packet_maximum(connect) < MIN_PACKET_MAXIMUM {
        return Err(ConnackRefusal::PacketSize);
    }
    if !is_5 && !(1..=MAX_KEEP_ALIVE_SECONDS).contains(&connect.keep_alive) {
        return Err(ConnackRefusal::KeepAlive);
    }
    let Some(will) = &connect.will else { return Ok(()) };
    if GroupName::parse(will.topic.as_str()).is_err() || !is_topic(&will.topic) {
        return Err(ConnackRefusal::WillTopic);
    }
    if will.payload.len() > MAX_WILL_BYTES || will.properties.bytes() > MAX_WILL_PROPERTY_BYTES {
        return Err(ConnackRefusal::WillSize);
    }
    if is_5 && will.retain {
        return Err(ConnackRefusal::Retained);
    }
    Ok(())
}
