//! PUBLISH, which both sides send.

use crate::error::DecodeError;
use crate::packet::Qos;
use crate::packet_id::PacketId;
use crate::property::{Properties, Property, place};
use crate::read::Reader;
use crate::version::Version;
use crate::write::Writer;

const PUBLISH: u8 = 3 << 4;
const DUP: u8 = 1 << 3;
const RETAIN: u8 = 1;

/// PUBLISH: a message, in either direction.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Publish {
    /// Whether it was sent before; never at QoS 0.
    pub dup: bool,
    /// How surely it is to arrive.
    pub qos: Qos,
    /// Whether it is to be retained, or was.
    pub retain: bool,
    /// Where to; it may have wildcards, which the session has to refuse. Empty only with a topic alias.
    pub topic: String,
    /// At QoS 1 and 2.
    pub packet_id: Option<PacketId>,
    /// In 5.0.
    pub properties: Properties,
    /// Any bytes.
    pub payload: Vec<u8>,
}

/// A [`Publish`] that is written and owns nothing.
#[derive(Debug, Clone, Copy)]
pub struct PublishRef<'a> {
    /// Whether it was sent before.
    pub dup: bool,
    /// How surely it is to arrive.
    pub qos: Qos,
    /// Whether it was retained.
    pub retain: bool,
    /// Where to.
    pub topic: &'a str,
    /// At QoS 1 and 2; where it is left out, [`EncodedPublish::with`] puts it in.
    pub packet_id: Option<PacketId>,
    /// In 5.0.
    pub properties: &'a Properties,
    /// Any bytes.
    pub payload: &'a [u8],
}

impl Publish {
    /// The same without its own memory.
    #[must_use]
    pub fn as_ref(&self) -> PublishRef<'_> {
        let Self { dup, qos, retain, topic, packet_id, properties, payload } = self;
        let (dup, qos, retain, packet_id) = (*dup, *qos, *retain, *packet_id);
        PublishRef { dup, qos, retain, topic, packet_id, properties, payload }
    }

    pub(crate) fn read(
        flags: u8,
        reader: &mut Reader<'_>,
        version: Version,
        place: u16,
    ) -> Result<Self, DecodeError> {
        let qos = Qos::from_number(flags >> 1 & 3).ok_or(DecodeError::Qos)?;
        let dup = flags & DUP != 0;
        if dup && qos == Qos::AtMostOnce {
            return Err(DecodeError::Qos);
        }
        let topic = reader.text()?;
        let packet_id = if qos == Qos::AtMostOnce { None } else { Some(reader.packet_id()?) };
        let properties = match version {
            Version::V3_1_1 => Properties::default(),
            Version::V5 => Properties::read(reader, place)?,
        };
        if topic.is_empty() && properties.number(Property::TopicAlias).is_none() {
            return Err(DecodeError::EmptyTopic);
        }
        let retain = flags & RETAIN != 0;
        Ok(Self { dup, qos, retain, topic, packet_id, properties, payload: reader.rest().to_vec() })
    }
}

/// A publish as it goes over the wire, which may go to many subscribers of one protocol version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedPublish {
    bytes: Vec<u8>,
    packet_id_at: Option<usize>,
}

impl EncodedPublish {
    /// Writes a publish to a client.
    #[must_use]
    pub fn new(publish: PublishRef<'_>, version: Version) -> Self {
        Self::write(publish, version, place::DELIVERY)
    }

    pub(crate) fn write(publish: PublishRef<'_>, version: Version, place: u16) -> Self {
        let PublishRef { dup, qos, retain, topic, packet_id, properties, payload } = publish;
        let mut head = Writer::default();
        head.text(topic);
        let has_id = qos != Qos::AtMostOnce;
        let from_end = head.0.len();
        if has_id {
            head.u16(packet_id.map_or(0, PacketId::get));
        }
        if version == Version::V5 {
            properties.write(place, &mut head);
        }
        let body = head.0.len() + payload.len();
        let flag = |is_set, flag| if is_set { flag } else { 0 };
        let flags = flag(dup && has_id, DUP) | (qos as u8) << 1 | flag(retain, RETAIN);
        let bytes = head.finish(PUBLISH | flags, payload);
        let packet_id_at = has_id.then(|| bytes.len() - body + from_end);
        Self { bytes, packet_id_at }
    }

    /// The packet as it was written.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The packet as it was written, given away.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// The packet with another packet id and DUP flag; at QoS 0 as it is.
    #[must_use]
    pub fn with(&self, packet_id: PacketId, dup: bool) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        if let Some(at) = self.packet_id_at {
            if let Some(place) = bytes.get_mut(at..at + 2) {
                place.copy_from_slice(&packet_id.get().to_be_bytes());
            }
            if let Some(first) = bytes.first_mut() {
                *first = *first & !DUP | if dup { DUP } else { 0 };
            }
        }
        bytes
    }
}
