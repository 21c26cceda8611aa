//! What can be wrong with a packet.

use crate::reason::ReasonCode;

/// Bytes that are no packet, or a packet that is not allowed as it is. Each ends the connection.
///
/// `Display` is what may go into a reason string and a log; [`DecodeError::reason_code`] goes into
/// DISCONNECT, or into CONNACK where the packet was CONNECT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// A field reaches beyond the end of its packet, or bytes stand behind the last one.
    #[error("a field does not fit its packet")]
    Length,
    /// A variable byte integer has more than four bytes, or in 5.0 more than it needs.
    #[error("a variable byte integer is not well formed")]
    VariableInteger,
    /// A packet type that is reserved.
    #[error("the packet type is reserved")]
    PacketType,
    /// A packet that only the other end sends.
    #[error("the packet is one that only the other end sends")]
    WrongEnd,
    /// Reserved bits are not as they have to be.
    #[error("reserved flags are set")]
    Flags,
    /// A text is no UTF-8, or has the character U+0000.
    #[error("a text is not UTF-8 without U+0000")]
    Text,
    /// A QoS of 3, or DUP where it is 0.
    #[error("the QoS is not valid")]
    Qos,
    /// A QoS of 3 or a retain handling of 3 in a subscription of 5.0.
    #[error("the subscription options are not valid")]
    SubscriptionOptions,
    /// A property that is unknown, or not one of its packet.
    #[error("a property is not one of its packet")]
    UnknownProperty,
    /// A property that may be there once is there twice.
    #[error("a property is there twice")]
    DuplicateProperty,
    /// A property with a value that it may not have.
    #[error("the value of a property is not valid")]
    PropertyValue,
    /// A packet id of 0.
    #[error("the packet id is 0")]
    PacketId,
    /// A reason code that its packet may not have.
    #[error("the reason code is not one of its packet")]
    ReasonCode,
    /// A subscription or its end without a topic filter.
    #[error("there is no topic filter")]
    NoTopics,
    /// An empty topic name or filter.
    #[error("a topic is empty")]
    EmptyTopic,
    /// The first packet is not CONNECT.
    #[error("the first packet is not CONNECT")]
    NotConnect,
    /// A second CONNECT.
    #[error("CONNECT came twice")]
    SecondConnect,
    /// Another protocol than MQTT 3.1.1 and 5.0.
    #[error("the protocol is not MQTT 3.1.1 or 5.0")]
    UnsupportedVersion,
    /// The packet is larger than it may be.
    #[error("the packet is too large")]
    TooLarge,
    /// More user properties, or more topics in one packet, than the service takes.
    #[error("the packet has too many user properties or topics")]
    TooMany,
}

impl DecodeError {
    /// What a client of 5.0 is sent.
    ///
    /// A packet that cannot be read is malformed; one that can and breaks a rule is a protocol error
    /// (MQTT 5.0, section 1.2).
    #[must_use]
    pub const fn reason_code(self) -> ReasonCode {
        match self {
            Self::Length
            | Self::VariableInteger
            | Self::PacketType
            | Self::Flags
            | Self::Text
            | Self::Qos
            | Self::UnknownProperty => ReasonCode::MALFORMED_PACKET,
            Self::WrongEnd
            | Self::SubscriptionOptions
            | Self::DuplicateProperty
            | Self::PropertyValue
            | Self::PacketId
            | Self::ReasonCode
            | Self::NoTopics
            | Self::EmptyTopic
            | Self::NotConnect
            | Self::SecondConnect => ReasonCode::PROTOCOL_ERROR,
            Self::UnsupportedVersion => ReasonCode::UNSUPPORTED_PROTOCOL_VERSION,
            Self::TooLarge => ReasonCode::PACKET_TOO_LARGE,
            Self::TooMany => ReasonCode::QUOTA_EXCEEDED,
        }
    }
}
