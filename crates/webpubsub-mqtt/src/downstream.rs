//! Packets from the service to a client.

use crate::error::DecodeError;
use crate::packet::{Ack, Connack, Disconnect, Results};
use crate::property::{Properties, place};
use crate::publish::{EncodedPublish, Publish};
use crate::read::Reader;
use crate::reason::ReasonCode;
use crate::upstream::{head, reason};
use crate::version::Version;
use crate::write::Writer;

/// A packet from the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DownstreamPacket {
    /// The answer to CONNECT.
    Connack(Connack),
    /// A message.
    Publish(Publish),
    /// The end of a publish at QoS 1.
    Puback(Ack),
    /// The first answer to a publish at QoS 2.
    Pubrec(Ack),
    /// The second step of a delivery at QoS 2.
    Pubrel(Ack),
    /// The end of a publish at QoS 2.
    Pubcomp(Ack),
    /// The answer to SUBSCRIBE.
    Suback(Results),
    /// The answer to UNSUBSCRIBE.
    Unsuback(Results),
    /// The answer to PINGREQ.
    Pingresp,
    /// The service closes the connection; only 5.0 has it.
    Disconnect(Disconnect),
}

impl DownstreamPacket {
    /// The packet as a client of this version is sent it; nothing where the version has no such packet.
    #[must_use]
    pub fn encode(&self, version: Version) -> Vec<u8> {
        let mut body = Writer::default();
        let first = match self {
            Self::Connack(connack) => {
                let is_refused = connack.reason.is_failure();
                body.u8(u8::from(connack.session_present && !is_refused));
                match version {
                    Version::V3_1_1 => body.u8(connack.reason.return_code()),
                    Version::V5 => {
                        body.u8(connack.reason.0);
                        connack.properties.write(place::CONNACK, &mut body);
                    }
                }
                2 << 4
            }
            Self::Publish(publish) => return EncodedPublish::new(publish.as_ref(), version).into_bytes(),
            Self::Puback(ack) => ack.write(4 << 4, version, &mut body),
            Self::Pubrec(ack) => ack.write(5 << 4, version, &mut body),
            Self::Pubrel(ack) => ack.write(6 << 4 | 0b0010, version, &mut body),
            Self::Pubcomp(ack) => ack.write(7 << 4, version, &mut body),
            Self::Suback(results) => {
                results.write_head(version, &mut body);
                // 3.1.1 has one code for all failures ([MQTT-3.9.3-2] there).
                let code = |reason: &ReasonCode| match version {
                    Version::V3_1_1 if reason.is_failure() => ReasonCode::UNSPECIFIED_ERROR.0,
                    Version::V3_1_1 | Version::V5 => reason.0,
                };
                body.0.extend(results.reasons.iter().map(code));
                9 << 4
            }
            Self::Unsuback(results) => {
                results.write_head(version, &mut body);
                if version == Version::V5 {
                    body.0.extend(results.reasons.iter().map(|reason| reason.0));
                }
                11 << 4
            }
            Self::Pingresp => 13 << 4,
            Self::Disconnect(_) if version == Version::V3_1_1 => return Vec::new(),
            Self::Disconnect(disconnect) => {
                // Its properties may be left out with their length; rumqttc 0.25.1 does not read such a packet.
                body.u8(disconnect.reason.0);
                disconnect.properties.write(place::CLOSING, &mut body);
                14 << 4
            }
        };
        body.finish(first, &[])
    }

    /// Reads a packet that is complete, as a client does.
    pub(crate) fn read(
        first: u8,
        is_minimal: bool,
        body: &[u8],
        version: Version,
    ) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(body);
        let (kind, flags) = (first >> 4, first & 0xf);
        let expected = match kind {
            3 => flags,
            6 => 0b0010,
            _ => 0,
        };
        if flags != expected {
            return Err(DecodeError::Flags);
        }
        let is_any = |_: ReasonCode| true;
        let packet = match kind {
            2 => Self::Connack(Connack::read(&mut reader, version)?),
            3 => Self::Publish(Publish::read(flags, &mut reader, version, place::DELIVERY)?),
            4 => Self::Puback(Ack::read(&mut reader, version, ReasonCode::is_of_publish)?),
            5 => Self::Pubrec(Ack::read(&mut reader, version, ReasonCode::is_of_publish)?),
            6 => Self::Pubrel(Ack::read(&mut reader, version, ReasonCode::is_of_release)?),
            7 => Self::Pubcomp(Ack::read(&mut reader, version, ReasonCode::is_of_release)?),
            9 => Self::Suback(Results::read(&mut reader, version, &[0, 1, 2, 0x80])?),
            11 => Self::Unsuback(Results::read(&mut reader, version, &[])?),
            13 => Self::Pingresp,
            14 if version == Version::V5 => {
                let (reason, properties) = reason(&mut reader, version, place::CLOSING, is_any)?;
                Self::Disconnect(Disconnect { reason, properties })
            }
            _ => return Err(DecodeError::PacketType),
        };
        if !reader.is_empty() {
            return Err(DecodeError::Length);
        }
        if !is_minimal && version == Version::V5 {
            return Err(DecodeError::VariableInteger);
        }
        Ok(packet)
    }
}

impl Connack {
    fn read(reader: &mut Reader<'_>, version: Version) -> Result<Self, DecodeError> {
        let flags = reader.u8()?;
        if flags > 1 {
            return Err(DecodeError::Flags);
        }
        let code = reader.u8()?;
        let (reason, properties) = match version {
            Version::V3_1_1 => {
                (ReasonCode::from_return_code(code).ok_or(DecodeError::ReasonCode)?, Properties::default())
            }
            Version::V5 => (ReasonCode(code), Properties::read(reader, place::CONNACK)?),
        };
        let session_present = flags == 1;
        if session_present && reason.is_failure() {
            return Err(DecodeError::Flags);
        }
        Ok(Self { session_present, reason, properties })
    }
}

impl Results {
    fn write_head(&self, version: Version, to: &mut Writer) {
        to.u16(self.packet_id.get());
        if version == Version::V5 {
            self.properties.write(place::ACK, to);
        }
    }

    /// `known` are the codes of 3.1.1 ([MQTT-3.9.3-2] there).
    fn read(reader: &mut Reader<'_>, version: Version, known: &[u8]) -> Result<Self, DecodeError> {
        let (packet_id, properties) = head(reader, version, place::ACK)?;
        let codes = reader.rest();
        if version == Version::V3_1_1 && !codes.iter().all(|code| known.contains(code)) {
            return Err(DecodeError::ReasonCode);
        }
        let reasons = codes.iter().map(|code| ReasonCode(*code)).collect();
        Ok(Self { packet_id, reasons, properties })
    }
}
