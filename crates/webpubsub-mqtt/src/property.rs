//! The properties of MQTT 5, and which packet may have which.

use crate::error::DecodeError;
use crate::read::Reader;
use crate::write::Writer;

/// The most user properties that one packet may have.
pub const MAX_USER_PROPERTIES: usize = 128;

/// The name of a property, as it stands in front of its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Property {
    /// 1 where the payload is UTF-8, else 0.
    PayloadFormatIndicator = 0x01,
    /// How long a message lives, in seconds.
    MessageExpiryInterval = 0x02,
    /// What the payload is: a text.
    ContentType = 0x03,
    /// The topic of the answer.
    ResponseTopic = 0x08,
    /// What links an answer to its request: bytes.
    CorrelationData = 0x09,
    /// The number of a subscription, 1 to 268,435,455.
    SubscriptionIdentifier = 0x0b,
    /// How long the session outlives the connection, in seconds; 0xffffffff is for ever.
    SessionExpiryInterval = 0x11,
    /// The client id that the service chose.
    AssignedClientIdentifier = 0x12,
    /// The keep-alive that the client has to use, in seconds.
    ServerKeepAlive = 0x13,
    /// The name of a method.
    AuthenticationMethod = 0x15,
    /// What the method needs: bytes.
    AuthenticationData = 0x16,
    /// Whether reason strings and user properties may stand in any packet.
    RequestProblemInformation = 0x17,
    /// How long the will waits, in seconds.
    WillDelayInterval = 0x18,
    /// Whether the client wants response information.
    RequestResponseInformation = 0x19,
    /// What a response topic begins with.
    ResponseInformation = 0x1a,
    /// Another server.
    ServerReference = 0x1c,
    /// A text for people.
    ReasonString = 0x1f,
    /// How many publishes may be without an acknowledgement, 1 to 65,535.
    ReceiveMaximum = 0x21,
    /// The highest topic alias.
    TopicAliasMaximum = 0x22,
    /// A number in a topic's place.
    TopicAlias = 0x23,
    /// The highest QoS: 0 or 1.
    MaximumQos = 0x24,
    /// Whether messages can be retained.
    RetainAvailable = 0x25,
    /// A name and a value, as often as wanted.
    UserProperty = 0x26,
    /// The largest packet, in bytes.
    MaximumPacketSize = 0x27,
    /// Whether filters may have wildcards.
    WildcardSubscriptionAvailable = 0x28,
    /// Whether subscriptions may have identifiers.
    SubscriptionIdentifierAvailable = 0x29,
    /// Whether subscriptions can be shared.
    SharedSubscriptionAvailable = 0x2a,
}

/// How a value is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A byte that is 0 or 1.
    Flag,
    U16,
    U32,
    /// The same that may not be 0.
    Positive16,
    Positive32,
    /// A variable byte integer that may not be 0.
    Variable,
    Text,
    Binary,
    Pair,
}

/// A packet with properties, by which end sends it where that matters.
pub(crate) mod place {
    pub(crate) const CONNECT: u16 = 1;
    pub(crate) const WILL: u16 = 1 << 1;
    pub(crate) const CONNACK: u16 = 1 << 2;
    /// PUBLISH from a client.
    pub(crate) const PUBLISH: u16 = 1 << 3;
    /// PUBLISH to a client.
    pub(crate) const DELIVERY: u16 = 1 << 4;
    /// PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK and UNSUBACK.
    pub(crate) const ACK: u16 = 1 << 5;
    pub(crate) const SUBSCRIBE: u16 = 1 << 6;
    pub(crate) const UNSUBSCRIBE: u16 = 1 << 7;
    /// DISCONNECT from a client.
    pub(crate) const LEAVING: u16 = 1 << 8;
    /// DISCONNECT from the service.
    pub(crate) const CLOSING: u16 = 1 << 9;
    pub(crate) const AUTH: u16 = 1 << 10;

    pub(super) const MESSAGE: u16 = WILL | PUBLISH | DELIVERY;
    pub(super) const REASONS: u16 = CONNACK | ACK | LEAVING | CLOSING | AUTH;
    pub(super) const ALL: u16 = (1 << 11) - 1;
}

/// Every property with the kind of its value and the packets that may have it (MQTT 5.0, table 2-4).
const TABLE: [(Property, Kind, u16); 27] = {
    use place::{
        ALL, AUTH, CLOSING, CONNACK, CONNECT, DELIVERY, LEAVING, MESSAGE, PUBLISH, REASONS, SUBSCRIBE, WILL,
    };
    [
        (Property::PayloadFormatIndicator, Kind::Flag, MESSAGE),
        (Property::MessageExpiryInterval, Kind::U32, MESSAGE),
        (Property::ContentType, Kind::Text, MESSAGE),
        (Property::ResponseTopic, Kind::Text, MESSAGE),
        (Property::CorrelationData, Kind::Binary, MESSAGE),
        (Property::SubscriptionIdentifier, Kind::Variable, DELIVERY | SUBSCRIBE),
        (Property::SessionExpiryInterval, Kind::U32, CONNECT | CONNACK | LEAVING),
        (Property::AssignedClientIdentifier, Kind::Text, CONNACK),
        (Property::ServerKeepAlive, Kind::U16, CONNACK),
        (Property::AuthenticationMethod, Kind::Text, CONNECT | CONNACK | AUTH),
        (Property::AuthenticationData, Kind::Binary, CONNECT | CONNACK | AUTH),
        (Property::RequestProblemInformation, Kind::Flag, CONNECT),
        (Property::WillDelayInterval, Kind::U32, WILL),
        (Property::RequestResponseInformation, Kind::Flag, CONNECT),
        (Property::ResponseInformation, Kind::Text, CONNACK),
        (Property::ServerReference, Kind::Text, CONNACK | CLOSING),
        (Property::ReasonString, Kind::Text, REASONS),
        (Property::ReceiveMaximum, Kind::Positive16, CONNECT | CONNACK),
        (Property::TopicAliasMaximum, Kind::U16, CONNECT | CONNACK),
        (Property::TopicAlias, Kind::U16, PUBLISH | DELIVERY),
        (Property::MaximumQos, Kind::Flag, CONNACK),
        (Property::RetainAvailable, Kind::Flag, CONNACK),
        (Property::UserProperty, Kind::Pair, ALL),
        (Property::MaximumPacketSize, Kind::Positive32, CONNECT | CONNACK),
        (Property::WildcardSubscriptionAvailable, Kind::Flag, CONNACK),
        (Property::SubscriptionIdentifierAvailable, Kind::Flag, CONNACK),
        (Property::SharedSubscriptionAvailable, Kind::Flag, CONNACK),
    ]
};

#[derive(Debug, Clone, PartialEq, Eq)]
enum Value {
    Number(u32),
    Text(String),
    Binary(Vec<u8>),
    Pair(String, String),
}

/// The properties of one packet, in the order sent. 3.1.1 has none.
///
/// What is read is what its packet may have, each once but for user properties (at most
/// [`MAX_USER_PROPERTIES`]) and, in a publish to a client, subscription identifiers. What is written
/// leaves out what its packet may not have.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Properties(Vec<(Property, Value)>);

impl Properties {
    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of a property that is a number; the first where there are several.
    #[must_use]
    pub fn number(&self, property: Property) -> Option<u32> {
        self.numbers(property).next()
    }

    /// The values of a property that is a number and may be there several times.
    pub fn numbers(&self, property: Property) -> impl Iterator<Item = u32> {
        self.values(property).filter_map(|value| match value {
            Value::Number(number) => Some(*number),
            Value::Text(_) | Value::Binary(_) | Value::Pair(..) => None,
        })
    }

    /// The value of a property that says yes or no.
    #[must_use]
    pub fn flag(&self, property: Property) -> Option<bool> {
        self.number(property).map(|number| number != 0)
    }

    /// The value of a property that is a text.
    #[must_use]
    pub fn text(&self, property: Property) -> Option<&str> {
        self.values(property).find_map(|value| match value {
            Value::Text(text) => Some(text.as_str()),
            Value::Number(_) | Value::Binary(_) | Value::Pair(..) => None,
        })
    }

    /// The value of a property that is bytes.
    #[must_use]
    pub fn binary(&self, property: Property) -> Option<&[u8]> {
        self.values(property).find_map(|value| match value {
            Value::Binary(bytes) => Some(bytes.as_slice()),
            Value::Number(_) | Value::Text(_) | Value::Pair(..) => None,
        })
    }

    /// Names and values of the user properties, in the order sent; a name may be there several times.
    pub fn user(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values(Property::UserProperty).filter_map(|value| match value {
            Value::Pair(name, value) => Some((name.as_str(), value.as_str())),
            Value::Number(_) | Value::Text(_) | Value::Binary(_) => None,
        })
    }

    /// How many bytes of text and of binary data they have.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let bytes = |value: &Value| match value {
            Value::Number(_) => 0,
            Value::Text(text) => text.len(),
            Value::Binary(bytes) => bytes.len(),
            Value::Pair(name, value) => name.len() + value.len(),
        };
        self.0.iter().map(|(_, value)| bytes(value)).sum()
    }

    fn values(&self, property: Property) -> impl Iterator<Item = &Value> {
        self.0.iter().filter(move |(name, _)| *name == property).map(|(_, value)| value)
    }

    /// Adds a number, or a flag as 0 or 1.
    pub fn push_number(&mut self, property: Property, number: u32) {
        self.0.push((property, Value::Number(number)));
    }

    /// Adds a text.
    pub fn push_text(&mut self, property: Property, text: impl Into<String>) {
        self.0.push((property, Value::Text(text.into())));
    }

    /// Adds bytes.
    pub fn push_binary(&mut self, property: Property, bytes: impl Into<Vec<u8>>) {
        self.0.push((property, Value::Binary(bytes.into())));
    }

    /// Adds a user property.
    pub fn push_user(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.push((Property::UserProperty, Value::Pair(name.into(), value.into())));
    }

    /// Takes a property out.
    pub fn remove(&mut self, property: Property) {
        self.0.retain(|(name, _)| *name != property);
    }

    /// Adds these behind its own.
    pub fn extend(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    /// The properties of a packet of 5.0, with their length in front.
    ///
    /// # Errors
    /// [`DecodeError`] for a property that this packet may not have (MQTT 5.0, 2.2.2.2), has twice, or
    /// with a value that it may not have.
    pub(crate) fn read(reader: &mut Reader<'_>, place: u16) -> Result<Self, DecodeError> {
        let length = reader.variable()?;
        let mut reader = Reader::new(reader.take(length as usize)?);
        let mut read = Vec::new();
        // Properties that are there, by their identifiers, and how many user properties.
        let (mut seen, mut users) = (0_u64, 0);
        while !reader.is_empty() {
            let id = reader.variable()?;
            let row = TABLE.iter().find(|(property, ..)| *property as u32 == id);
            let Some((property, kind, _)) = row.filter(|(.., places)| places & place != 0) else {
                return Err(DecodeError::UnknownProperty);
            };
            let bit = 1 << (id & 63);
            if *kind == Kind::Pair {
                users += 1;
                if users > MAX_USER_PROPERTIES {
                    return Err(DecodeError::TooMany);
                }
            } else if *kind != Kind::Variable || place != place::DELIVERY {
                if seen & bit != 0 {
                    return Err(DecodeError::DuplicateProperty);
                }
                seen |= bit;
            }
            let value = Value::read(&mut reader, *kind)?;
            // A response topic is a topic name: not empty, without wildcards ([MQTT-3.3.2-14]).
            if *property == Property::ResponseTopic
                && let Value::Text(topic) = &value
                && (topic.is_empty() || topic.contains(['+', '#']))
            {
                return Err(DecodeError::PropertyValue);
            }
            read.push((*property, value));
        }
        let has = |property: Property| seen & 1 << (property as u8) != 0;
        if has(Property::AuthenticationData) && !has(Property::AuthenticationMethod) {
            return Err(DecodeError::PropertyValue);
        }
        Ok(Self(read))
    }

    /// Writes those that this packet may have, with their length in front.
    pub(crate) fn write(&self, place: u16, to: &mut Writer) {
        let mut written = Writer::default();
        for (property, value) in &self.0 {
            let row = TABLE.iter().find(|(name, ..)| name == property);
            if let Some((_, kind, places)) = row
                && places & place != 0
            {
                value.write(*property, *kind, &mut written);
            }
        }
        to.variable(written.0.len() as u32);
        to.0.append(&mut written.0);
    }
}

impl Value {
    fn read(reader: &mut Reader<'_>, kind: Kind) -> Result<Self, DecodeError> {
        let number = match kind {
            Kind::Text => return Ok(Self::Text(reader.text()?)),
            Kind::Binary => return Ok(Self::Binary(reader.binary()?.to_vec())),
            Kind::Pair => return Ok(Self::Pair(reader.text()?, reader.text()?)),
            Kind::Flag => reader.number(1)?,
            Kind::U16 | Kind::Positive16 => reader.number(2)?,
            Kind::U32 | Kind::Positive32 => reader.number(4)?,
            Kind::Variable => reader.variable()?,
        };
        let is_valid = match kind {
            Kind::Flag => number <= 1,
            Kind::Positive16 | Kind::Positive32 | Kind::Variable => number > 0,
            Kind::U16 | Kind::U32 | Kind::Text | Kind::Binary | Kind::Pair => true,
        };
        if is_valid { Ok(Self::Number(number)) } else { Err(DecodeError::PropertyValue) }
    }

    /// A value of another kind than its property has is not written.
    fn write(&self, property: Property, kind: Kind, to: &mut Writer) {
        let id = property as u8;
        match (self, kind) {
            (Self::Number(number), Kind::Flag) => {
                to.u8(id);
                to.number(*number, 1);
            }
            (Self::Number(number), Kind::U16 | Kind::Positive16) => {
                to.u8(id);
                to.number(*number, 2);
            }
            (Self::Number(number), Kind::U32 | Kind::Positive32) => {
                to.u8(id);
                to.number(*number, 4);
            }
            (Self::Number(number), Kind::Variable) => {
                to.u8(id);
                to.variable(*number);
            }
            (Self::Text(text), Kind::Text) => {
                to.u8(id);
                to.text(text);
            }
            (Self::Binary(bytes), Kind::Binary) => {
                to.u8(id);
                to.binary(bytes);
            }
            (Self::Pair(name, value), Kind::Pair) => {
                to.u8(id);
                to.text(name);
                to.text(value);
            }
            (Self::Number(_) | Self::Text(_) | Self::Binary(_) | Self::Pair(..), _) => {}
        }
    }
}

#[cfg(test)]
mod tests;
