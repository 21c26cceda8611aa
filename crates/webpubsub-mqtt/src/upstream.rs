//! Packets from a client to the service.

use crate::error::DecodeError;
use crate::packet::{Ack, Auth, Connect, Disconnect, Qos, Subscribe, Subscription, Unsubscribe, Will};
use crate::packet_id::PacketId;
use crate::property::{Properties, place};
use crate::publish::{EncodedPublish, Publish};
use crate::read::Reader;
use crate::reason::ReasonCode;
use crate::version::Version;
use crate::write::Writer;

/// The most topic filters of one SUBSCRIBE or UNSUBSCRIBE.
pub const MAX_TOPICS: usize = 4_096;

/// The flags of PUBREL, SUBSCRIBE and UNSUBSCRIBE ([MQTT-2.1.3-1], [MQTT-3.6.1-1]).
const RESERVED: u8 = 0b0010;

/// The flags of CONNECT.
mod connect {
    pub(super) const CLEAN_START: u8 = 1 << 1;
    pub(super) const WILL: u8 = 1 << 2;
    pub(super) const WILL_QOS_SHIFT: u8 = 3;
    pub(super) const WILL_RETAIN: u8 = 1 << 5;
    pub(super) const PASSWORD: u8 = 1 << 6;
    pub(super) const USER_NAME: u8 = 1 << 7;
}

/// A packet from a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpstreamPacket {
    /// The first packet, and only that ([MQTT-3.1.0-1]).
    Connect(Box<Connect>),
    /// A message.
    Publish(Publish),
    /// The end of a delivery at QoS 1.
    Puback(Ack),
    /// The first answer to a delivery at QoS 2.
    Pubrec(Ack),
    /// The second step of a publish at QoS 2.
    Pubrel(Ack),
    /// The end of a delivery at QoS 2.
    Pubcomp(Ack),
    /// Subscriptions.
    Subscribe(Subscribe),
    /// The end of subscriptions.
    Unsubscribe(Unsubscribe),
    /// A sign of life, answered with PINGRESP.
    Pingreq,
    /// The client leaves.
    Disconnect(Disconnect),
    /// A step of an extended authentication; in 5.0.
    Auth(Auth),
}

impl UpstreamPacket {
    /// Reads a packet that is complete. CONNECT says in which version: it is put into `version` as soon as
    /// it is known, also where the rest of the packet is refused.
    pub(crate) fn read(
        first: u8,
        is_minimal: bool,
        body: &[u8],
        version: &mut Option<Version>,
    ) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(body);
        let (kind, flags) = (first >> 4, first & 0xf);
        let packet = match (kind, *version) {
            (1, None) if flags == 0 => Self::Connect(Box::new(Connect::read(&mut reader, version)?)),
            (1, None) => return Err(DecodeError::Flags),
            (_, None) => return Err(DecodeError::NotConnect),
            (1, Some(_)) => return Err(DecodeError::SecondConnect),
            (_, Some(version)) => Self::read_later(kind, flags, &mut reader, version)?,
        };
        if !reader.is_empty() {
            return Err(DecodeError::Length);
        }
        // 3.1.1 does not ask for the shortest form of the remaining length.
        if !is_minimal && *version == Some(Version::V5) {
            return Err(DecodeError::VariableInteger);
        }
        Ok(packet)
    }

    /// Reads any packet but CONNECT.
    fn read_later(
        kind: u8,
        flags: u8,
        reader: &mut Reader<'_>,
        version: Version,
    ) -> Result<Self, DecodeError> {
        let expected = match kind {
            3 => flags,
            6 | 8 | 10 => RESERVED,
            _ => 0,
        };
        if flags != expected {
            return Err(DecodeError::Flags);
        }
        Ok(match kind {
            3 => Self::Publish(Publish::read(flags, reader, version, place::PUBLISH)?),
            4 => Self::Puback(Ack::read(reader, version, ReasonCode::is_of_publish)?),
            5 => Self::Pubrec(Ack::read(reader, version, ReasonCode::is_of_publish)?),
            6 => Self::Pubrel(Ack::read(reader, version, ReasonCode::is_of_release)?),
            7 => Self::Pubcomp(Ack::read(reader, version, ReasonCode::is_of_release)?),
            8 => Self::Subscribe(Subscribe::read(reader, version)?),
            10 => Self::Unsubscribe(Unsubscribe::read(reader, version)?),
            12 => Self::Pingreq,
            14 => {
                let (reason, properties) =
                    reason(reader, version, place::LEAVING, ReasonCode::is_of_leaving_client)?;
                Self::Disconnect(Disconnect { reason, properties })
            }
            15 if version == Version::V5 => {
                let (reason, properties) = reason(reader, version, place::AUTH, ReasonCode::is_of_auth)?;
                Self::Auth(Auth { reason, properties })
            }
            2 | 9 | 11 | 13 => return Err(DecodeError::WrongEnd),
            _ => return Err(DecodeError::PacketType),
        })
    }

    /// The packet as a client sends it; CONNECT in its own version.
    #[must_use]
    pub fn encode(&self, version: Version) -> Vec<u8> {
        let mut body = Writer::default();
        let first = match self {
            Self::Connect(connect) => {
                connect.write(&mut body);
                1 << 4
            }
            Self::Publish(publish) => {
                return EncodedPublish::write(publish.as_ref(), version, place::PUBLISH).into_bytes();
            }
            Self::Puback(ack) => ack.write(4 << 4, version, &mut body),
            Self::Pubrec(ack) => ack.write(5 << 4, version, &mut body),
            Self::Pubrel(ack) => ack.write(6 << 4 | RESERVED, version, &mut body),
            Self::Pubcomp(ack) => ack.write(7 << 4, version, &mut body),
            Self::Subscribe(subscribe) => {
                body.u16(subscribe.packet_id.get());
                if version == Version::V5 {
                    subscribe.properties.write(place::SUBSCRIBE, &mut body);
                }
                for subscription in &subscribe.subscriptions {
                    body.text(&subscription.filter);
                    let options = u8::from(subscription.no_local) << 2
                        | u8::from(subscription.retain_as_published) << 3
                        | subscription.retain_handling << 4;
                    let options = if version == Version::V5 { options } else { 0 };
                    body.u8(subscription.qos as u8 | options);
                }
                8 << 4 | RESERVED
            }
            Self::Unsubscribe(unsubscribe) => {
                body.u16(unsubscribe.packet_id.get());
                if version == Version::V5 {
                    unsubscribe.properties.write(place::UNSUBSCRIBE, &mut body);
                }
                for filter in &unsubscribe.filters {
                    body.text(filter);
                }
                10 << 4 | RESERVED
            }
            Self::Pingreq => 12 << 4,
            Self::Disconnect(disconnect) => {
                write_reason(disconnect.reason, &disconnect.properties, place::LEAVING, version, &mut body);
                14 << 4
            }
            Self::Auth(auth) => {
                write_reason(auth.reason, &auth.properties, place::AUTH, version, &mut body);
                15 << 4
            }
        };
        body.finish(first, &[])
    }
}

impl Connect {
    fn read(reader: &mut Reader<'_>, found: &mut Option<Version>) -> Result<Self, DecodeError> {
        let name = reader.binary()?;
        let level = reader.u8()?;
        let version = Version::from_level(level).filter(|_| name == b"MQTT");
        // One that is refused for its version is answered in the nearest that there is.
        *found = version.or(Some(if level < 5 { Version::V3_1_1 } else { Version::V5 }));
        let version = version.ok_or(DecodeError::UnsupportedVersion)?;

        let flags = reader.u8()?;
        let has = |flag: u8| flags & flag != 0;
        let will_qos = Qos::from_number(flags >> connect::WILL_QOS_SHIFT & 3).ok_or(DecodeError::Qos)?;
        let will_retain = has(connect::WILL_RETAIN);
        let is_will_stray = !has(connect::WILL) && (will_qos != Qos::AtMostOnce || will_retain);
        let is_password_stray =
            version == Version::V3_1_1 && has(connect::PASSWORD) && !has(connect::USER_NAME);
        if has(1) || is_will_stray || is_password_stray {
            return Err(DecodeError::Flags);
        }
        let keep_alive = reader.u16()?;
        let properties = |reader: &mut Reader<'_>, place| match version {
            Version::V3_1_1 => Ok(Properties::default()),
            Version::V5 => Properties::read(reader, place),
        };
        Ok(Self {
            version,
            clean_start: has(connect::CLEAN_START),
            keep_alive,
            properties: properties(reader, place::CONNECT)?,
            client_id: reader.text()?,
            will: if has(connect::WILL) {
                Some(Will {
                    properties: properties(reader, place::WILL)?,
                    topic: reader.topic()?,
                    payload: reader.binary()?.to_vec(),
                    qos: will_qos,
                    retain: will_retain,
                })
            } else {
                None
            },
            user_name: if has(connect::USER_NAME) { Some(reader.text()?) } else { None },
            password: if has(connect::PASSWORD) { Some(reader.binary()?.to_vec()) } else { None },
        })
    }

    fn write(&self, to: &mut Writer) {
        to.text("MQTT");
        to.u8(self.version.level());
        let flag = |is_set, flag| if is_set { flag } else { 0 };
        let will = self.will.as_ref().map_or(0, |will| {
            connect::WILL
                | (will.qos as u8) << connect::WILL_QOS_SHIFT
                | flag(will.retain, connect::WILL_RETAIN)
        });
        to.u8(will
            | flag(self.clean_start, connect::CLEAN_START)
            | flag(self.user_name.is_some(), connect::USER_NAME)
            | flag(self.password.is_some(), connect::PASSWORD));
        to.u16(self.keep_alive);
        if self.version == Version::V5 {
            self.properties.write(place::CONNECT, to);
        }
        to.text(&self.client_id);
        if let Some(will) = &self.will {
            if self.version == Version::V5 {
                will.properties.write(place::WILL, to);
            }
            to.text(&will.topic);
            to.binary(&will.payload);
        }
        if let Some(user_name) = &self.user_name {
            to.text(user_name);
        }
        if let Some(password) = &self.password {
            to.binary(password);
        }
    }
}

impl Ack {
    pub(crate) fn read(
        reader: &mut Reader<'_>,
        version: Version,
        may_have: fn(ReasonCode) -> bool,
    ) -> Result<Self, DecodeError> {
        let packet_id = reader.packet_id()?;
        let (reason, properties) = reason(reader, version, place::ACK, may_have)?;
        Ok(Self { packet_id, reason, properties })
    }

    /// Writes the body and returns the first byte, as it was given.
    pub(crate) fn write(&self, first: u8, version: Version, to: &mut Writer) -> u8 {
        to.u16(self.packet_id.get());
        write_reason(self.reason, &self.properties, place::ACK, version, to);
        first
    }
}

/// A reason code and properties, as far as the packet goes: without them it is a success.
pub(crate) fn reason(
    reader: &mut Reader<'_>,
    version: Version,
    place: u16,
    may_have: fn(ReasonCode) -> bool,
) -> Result<(ReasonCode, Properties), DecodeError> {
    let is_there = |reader: &Reader<'_>| version == Version::V5 && !reader.is_empty();
    let code = if is_there(reader) { ReasonCode(reader.u8()?) } else { ReasonCode::SUCCESS };
    if !may_have(code) {
        return Err(DecodeError::ReasonCode);
    }
    let properties = if is_there(reader) { Properties::read(reader, place)? } else { Properties::default() };
    Ok((code, properties))
}

/// Writes a reason code and properties, and what can be left out is: 3.1.1 has neither.
fn write_reason(reason: ReasonCode, properties: &Properties, place: u16, version: Version, to: &mut Writer) {
    let has_properties = !properties.is_empty();
    if version == Version::V5 && (has_properties || reason != ReasonCode::SUCCESS) {
        to.u8(reason.0);
        if has_properties {
            properties.write(place, to);
        }
    }
}

impl Subscribe {
    fn read(reader: &mut Reader<'_>, version: Version) -> Result<Self, DecodeError> {
        let (packet_id, properties) = head(reader, version, place::SUBSCRIBE)?;
        let subscriptions = list(reader, |reader| {
            let filter = reader.topic()?;
            let options = reader.u8()?;
            let (reserved, invalid) = match version {
                Version::V3_1_1 => (0b1111_1100, DecodeError::Qos),
                Version::V5 => (0b1100_0000, DecodeError::SubscriptionOptions),
            };
            if options & reserved != 0 {
                return Err(DecodeError::Flags);
            }
            let retain_handling = options >> 4 & 3;
            let qos = Qos::from_number(options & 3).filter(|_| retain_handling < 3).ok_or(invalid)?;
            let (no_local, retain_as_published) = (options & 1 << 2 != 0, options & 1 << 3 != 0);
            Ok(Subscription { filter, qos, no_local, retain_as_published, retain_handling })
        })?;
        Ok(Self { packet_id, subscriptions, properties })
    }
}

impl Unsubscribe {
    fn read(reader: &mut Reader<'_>, version: Version) -> Result<Self, DecodeError> {
        let (packet_id, properties) = head(reader, version, place::UNSUBSCRIBE)?;
        Ok(Self { packet_id, filters: list(reader, Reader::topic)?, properties })
    }
}

/// A packet id and the properties behind it.
pub(crate) fn head(
    reader: &mut Reader<'_>,
    version: Version,
    place: u16,
) -> Result<(PacketId, Properties), DecodeError> {
    let packet_id = reader.packet_id()?;
    let properties = match version {
        Version::V3_1_1 => Properties::default(),
        Version::V5 => Properties::read(reader, place)?,
    };
    Ok((packet_id, properties))
}

/// All that is left, at least one ([MQTT-3.8.3-2], [MQTT-3.10.3-2]) and at most [`MAX_TOPICS`].
fn list<'a, T>(
    reader: &mut Reader<'a>,
    read: impl Fn(&mut Reader<'a>) -> Result<T, DecodeError>,
) -> Result<Vec<T>, DecodeError> {
    let mut list = Vec::new();
    while !reader.is_empty() {
        if list.len() == MAX_TOPICS {
            return Err(DecodeError::TooMany);
        }
        list.push(read(reader)?);
    }
    if list.is_empty() { Err(DecodeError::NoTopics) } else { Ok(list) }
}
