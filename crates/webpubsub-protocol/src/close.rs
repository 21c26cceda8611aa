//! How a WebSocket ends: every close code that the service sends, and what codes mean to it.

use crate::limits::MAX_CLOSE_REASON_BYTES;

/// The number in a WebSocket close frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CloseCode(pub u16);

impl CloseCode {
    /// A normal end: the client is done, or the application's server closed it.
    pub const NORMAL: Self = Self(1000);
    /// This socket is over; the connection need not be.
    pub const GOING_AWAY: Self = Self(1001);
    /// The frame's kind does not fit the subprotocol.
    pub const UNSUPPORTED_DATA: Self = Self(1003);
    /// No code was given. Never on the wire.
    pub const NO_STATUS: Self = Self(1005);
    /// The transport was lost. Never on the wire.
    pub const ABNORMAL: Self = Self(1006);
    /// The frame is no message of the subprotocol.
    pub const INVALID_PAYLOAD: Self = Self(1007);
    /// Policy: do not try to recover this connection.
    pub const POLICY_VIOLATION: Self = Self(1008);
    /// The message is longer than 1 MiB.
    pub const TOO_LARGE: Self = Self(1009);
    /// A fault of ours, or of the application's event handler.
    pub const INTERNAL_ERROR: Self = Self(1011);

    /// The code to answer a client's close with: the client's own where a close frame may carry
    /// it, 1000 otherwise (1004, 1005, 1006 and 1015 are reserved; below 1000 and above 4999 there
    /// are no codes).
    ///
    /// Source: docs/spec/client.md#close-codes.
    #[must_use]
    pub const fn echo(self) -> Self {
        match self.0 {
            1004 | 1005 | 1006 | 1015 => Self::NORMAL,
            1000..=4999 => self,
            _ => Self::NORMAL,
        }
    }
}

/// Why the service ends a connection; code and text come from here and nowhere else.
///
/// Source: docs/spec/client.md#close-codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseCause {
    /// The application's server wants it so. The reason goes into a message, not into the close frame.
    ByServer,
    /// A binary frame on a JSON connection.
    BinaryOnJson,
    /// A frame that is no message of the JSON subprotocol.
    InvalidJsonMessage,
    /// A text frame on a protobuf connection.
    TextOnProtobuf,
    /// A frame that is no message of the protobuf subprotocol.
    InvalidProtobufMessage,
    /// A message over 1 MiB.
    MessageTooLarge,
    /// A message whose rest does not come in time.
    MessageTooSlow,
    /// More messages than the service takes from one client.
    TooManyMessages,
    /// A client that leaves too much unread.
    SlowConsumer,
    /// A reliable client leaves unread what it has not acknowledged, when that is too much for its shard.
    SlowRecoverable,
    /// A recovery that cannot succeed.
    NotRecoverable,
    /// A reliable connection has more unacknowledged messages than are kept.
    BufferFull,
    /// Another socket recovered the connection that this one belonged to.
    TakenOver,
    /// The shard that holds the connection is to go. A new connection finds another.
    ShardDrained,
    /// The service is about to stop. A reliable connection can be recovered when it is back.
    ServiceStops,
    /// A simple client in `sendToGroup` mode without the permission.
    RawSendForbidden,
    /// A simple client's event failed, or has no handler.
    EventFailed,
    /// The service itself failed this connection.
    ServiceFault,
    /// An MQTT client has disconnected.
    MqttEnded,
    /// An MQTT client's CONNECT was refused. CONNACK of 3.1.1 has no place for the reason.
    MqttRefused(ConnackRefusal),
    /// What an MQTT client sent is no packet, or breaks MQTT's rules.
    InvalidPacket,
    /// An MQTT client did not connect in time, or sent nothing for longer than its keep-alive.
    KeepAliveTimeout,
}

impl CloseCause {
    /// The code of the close frame.
    #[must_use]
    pub const fn code(self) -> CloseCode {
        match self {
            Self::ByServer | Self::MqttEnded | Self::MqttRefused(_) => CloseCode::NORMAL,
            Self::BinaryOnJson | Self::TextOnProtobuf => CloseCode::UNSUPPORTED_DATA,
            Self::InvalidJsonMessage | Self::InvalidProtobufMessage | Self::InvalidPacket => {
                CloseCode::INVALID_PAYLOAD
            }
            Self::MessageTooLarge => CloseCode::TOO_LARGE,
            Self::MessageTooSlow
            | Self::TooManyMessages
            | Self::SlowConsumer
            | Self::NotRecoverable
            | Self::BufferFull
            | Self::ShardDrained
            | Self::RawSendForbidden
            | Self::KeepAliveTimeout => CloseCode::POLICY_VIOLATION,
            Self::TakenOver | Self::ServiceStops | Self::SlowRecoverable => CloseCode::GOING_AWAY,
            Self::EventFailed | Self::ServiceFault => CloseCode::INTERNAL_ERROR,
        }
    }

    /// The text of the close frame, at most 123 bytes.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::ByServer | Self::MqttEnded => "",
            Self::MqttRefused(refusal) => refusal.text(),
            Self::BinaryOnJson => "The JSON subprotocol requires text messages.",
            Self::InvalidJsonMessage => "The client message is not a valid JSON protocol message.",
            Self::TextOnProtobuf => "The protobuf subprotocol requires binary messages.",
            Self::InvalidProtobufMessage => "The client message is not a valid protobuf protocol message.",
            Self::MessageTooLarge => "The client message is too large.",
            Self::MessageTooSlow => "The client message did not come whole in time.",
            Self::TooManyMessages => "The client sends messages too fast.",
            Self::SlowConsumer | Self::SlowRecoverable => "slow consumer",
            Self::NotRecoverable => "The connection could not be recovered.",
            Self::BufferFull => "The reliable message buffer is full.",
            Self::TakenOver => "The connection was recovered by another socket.",
            Self::ShardDrained => "The connection has to move to another shard.",
            Self::ServiceStops => "The service is going away.",
            Self::RawSendForbidden => "The connection is not authorized for raw sendToGroup mode.",
            Self::EventFailed | Self::ServiceFault => "Internal server error",
            Self::InvalidPacket => "The client message is not a valid MQTT packet.",
            Self::KeepAliveTimeout => "The client did not send a packet in time.",
        }
    }
}

/// Why an MQTT client's CONNECT was refused, whose reason is a text of the close frame and of CONNACK.
///
/// Source: docs/spec/mqtt.md#connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnackRefusal {
    /// The event handler's answer, which has words of its own.
    ByHandler,
    /// The client id: its characters, or that it is another connection's.
    ClientId,
    /// Too many takeovers of the session.
    Displaced,
    /// An authentication method.
    Method,
    /// The keep-alive of 3.1.1.
    KeepAlive,
    /// A Maximum Packet Size into which CONNACK does not fit.
    PacketSize,
    /// The topic of a will.
    WillTopic,
    /// The payload of a will.
    WillSize,
    /// A retained will.
    Retained,
}

impl ConnackRefusal {
    /// The reason in words, at most 123 bytes.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::ByHandler => "",
            Self::ClientId => "The client id has to be 1 to 128 characters of 0-9, A-Z and a-z.",
            Self::Displaced => "Clients with this id displace each other.",
            Self::Method => "There are no authentication methods.",
            Self::KeepAlive => "The keep-alive has to be 1 to 180 seconds.",
            Self::PacketSize => "A client takes packets of 64 bytes.",
            Self::WillTopic => "A will's topic has to be 1 to 1024 characters, not blank, without wildcards.",
            Self::WillSize => "A will has at most 2000 bytes, and properties of 8192.",
            Self::Retained => "Messages are not retained.",
        }
    }
}

/// The longest prefix of `reason` that fits a close frame and ends between characters.
#[must_use]
pub fn fit_reason(reason: &str) -> &str {
    reason.get(..reason.floor_char_boundary(MAX_CLOSE_REASON_BYTES)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_that_no_frame_may_carry_are_answered_with_1000() {
        for code in [0, 999, 1004, 1005, 1006, 1015, 5000, u16::MAX] {
            assert_eq!(CloseCode(code).echo(), CloseCode::NORMAL, "{code}");
        }
        for code in [1000, 1001, 1008, 3000, 4999] {
            assert_eq!(CloseCode(code).echo(), CloseCode(code), "{code}");
        }
    }

    #[test]
    fn long_reasons_are_cut_between_characters() {
        assert_eq!(fit_reason("short"), "short");
        assert_eq!(fit_reason(&"é".repeat(100)), "é".repeat(61));
        assert_eq!(fit_reason(&"a".repeat(124)).len(), 123);
    }
}
