/// What became of a packet, or why a connection ends: a reason code of MQTT 5.0.
///
/// Codes below 0x80 are successes. A client of 3.1.1 is sent what is left of them there: see
/// [`ReasonCode::return_code`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ReasonCode(pub u8);

impl ReasonCode {
    /// Success, a normal disconnection, or a subscription granted at QoS 0.
    pub const SUCCESS: Self = Self(0x00);
    /// A subscription granted at QoS 1.
    pub const GRANTED_QOS_1: Self = Self(0x01);
    /// A subscription granted at QoS 2.
    pub const GRANTED_QOS_2: Self = Self(0x02);
    /// A client leaves, and its will is to be published all the same.
    pub const DISCONNECT_WITH_WILL: Self = Self(0x04);
    /// A publish reached the service, and it has no subscriber.
    pub const NO_MATCHING_SUBSCRIBERS: Self = Self(0x10);
    /// There was no such subscription.
    pub const NO_SUBSCRIPTION_EXISTED: Self = Self(0x11);
    /// Something that has no code of its own.
    pub const UNSPECIFIED_ERROR: Self = Self(0x80);
    /// A packet cannot be read.
    pub const MALFORMED_PACKET: Self = Self(0x81);
    /// A packet is well formed, and not allowed as it is or where it stands.
    pub const PROTOCOL_ERROR: Self = Self(0x82);
    /// The packet is valid, and not taken here.
    pub const IMPLEMENTATION_SPECIFIC_ERROR: Self = Self(0x83);
    /// The service does not speak the client's version of MQTT.
    pub const UNSUPPORTED_PROTOCOL_VERSION: Self = Self(0x84);
    /// The client id is not allowed.
    pub const CLIENT_IDENTIFIER_NOT_VALID: Self = Self(0x85);
    /// The user name or the password is wrong.
    pub const BAD_USER_NAME_OR_PASSWORD: Self = Self(0x86);
    /// The client may not do this.
    pub const NOT_AUTHORIZED: Self = Self(0x87);
    /// The service is not there.
    pub const SERVER_UNAVAILABLE: Self = Self(0x88);
    /// The service has too much to do.
    pub const SERVER_BUSY: Self = Self(0x89);
    /// The client is shut out.
    pub const BANNED: Self = Self(0x8a);
    /// The service ends.
    pub const SERVER_SHUTTING_DOWN: Self = Self(0x8b);
    /// The authentication method is not supported.
    pub const BAD_AUTHENTICATION_METHOD: Self = Self(0x8c);
    /// No packet came for one and a half times the keep-alive.
    pub const KEEP_ALIVE_TIMEOUT: Self = Self(0x8d);
    /// Another connection has taken the session over.
    pub const SESSION_TAKEN_OVER: Self = Self(0x8e);
    /// The topic filter is well formed and not taken here.
    pub const TOPIC_FILTER_INVALID: Self = Self(0x8f);
    /// The topic name is well formed and not taken here.
    pub const TOPIC_NAME_INVALID: Self = Self(0x90);
    /// The packet id is in use.
    pub const PACKET_IDENTIFIER_IN_USE: Self = Self(0x91);
    /// There is no such packet id.
    pub const PACKET_IDENTIFIER_NOT_FOUND: Self = Self(0x92);
    /// More publishes than the receive maximum are not acknowledged.
    pub const RECEIVE_MAXIMUM_EXCEEDED: Self = Self(0x93);
    /// The topic alias is out of range.
    pub const TOPIC_ALIAS_INVALID: Self = Self(0x94);
    /// The packet is larger than its receiver takes.
    pub const PACKET_TOO_LARGE: Self = Self(0x95);
    /// Messages come too fast.
    pub const MESSAGE_RATE_TOO_HIGH: Self = Self(0x96);
    /// A limit of the service is reached.
    pub const QUOTA_EXCEEDED: Self = Self(0x97);
    /// An operator or a server has closed the connection.
    pub const ADMINISTRATIVE_ACTION: Self = Self(0x98);
    /// The payload is not in the format that it claims.
    pub const PAYLOAD_FORMAT_INVALID: Self = Self(0x99);
    /// Retained messages are not supported.
    pub const RETAIN_NOT_SUPPORTED: Self = Self(0x9a);
    /// The QoS is higher than the service's maximum.
    pub const QOS_NOT_SUPPORTED: Self = Self(0x9b);
    /// The client should use another server for the time being.
    pub const USE_ANOTHER_SERVER: Self = Self(0x9c);
    /// The client should use another server from here on.
    pub const SERVER_MOVED: Self = Self(0x9d);
    /// Shared subscriptions are not supported.
    pub const SHARED_SUBSCRIPTIONS_NOT_SUPPORTED: Self = Self(0x9e);
    /// Connections come too fast.
    pub const CONNECTION_RATE_EXCEEDED: Self = Self(0x9f);
    /// The connection has been there for as long as it may.
    pub const MAXIMUM_CONNECT_TIME: Self = Self(0xa0);
    /// Subscription identifiers are not supported.
    pub const SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED: Self = Self(0xa1);
    /// Wildcard subscriptions are not supported.
    pub const WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED: Self = Self(0xa2);

    /// Whether it says that something failed.
    #[must_use]
    pub const fn is_failure(self) -> bool {
        self.0 >= 0x80
    }

    /// The return code that CONNACK of 3.1.1 has for it: 0 to 5.
    ///
    /// Only the identifier, the version, and what concerns the client's credentials have codes there;
    /// all else is "server unavailable".
    #[must_use]
    pub const fn return_code(self) -> u8 {
        match self {
            Self(..0x80) => 0,
            Self::UNSUPPORTED_PROTOCOL_VERSION => 1,
            Self::CLIENT_IDENTIFIER_NOT_VALID => 2,
            Self::BAD_USER_NAME_OR_PASSWORD => 4,
            Self::NOT_AUTHORIZED | Self::BANNED | Self::BAD_AUTHENTICATION_METHOD => 5,
            Self(_) => 3,
        }
    }

    /// The reason code that stands for a return code of 3.1.1, if there is such a return code.
    #[must_use]
    pub const fn from_return_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::SUCCESS),
            1 => Some(Self::UNSUPPORTED_PROTOCOL_VERSION),
            2 => Some(Self::CLIENT_IDENTIFIER_NOT_VALID),
            3 => Some(Self::SERVER_UNAVAILABLE),
            4 => Some(Self::BAD_USER_NAME_OR_PASSWORD),
            5 => Some(Self::NOT_AUTHORIZED),
            _ => None,
        }
    }

    /// Whether PUBACK and PUBREC may have it.
    #[must_use]
    pub(crate) const fn is_of_publish(self) -> bool {
        matches!(self.0, 0x00 | 0x10 | 0x80 | 0x83 | 0x87 | 0x90 | 0x91 | 0x97 | 0x99)
    }

    /// Whether PUBREL and PUBCOMP may have it.
    #[must_use]
    pub(crate) const fn is_of_release(self) -> bool {
        matches!(self.0, 0x00 | 0x92)
    }

    /// Whether a client's DISCONNECT may have it.
    #[must_use]
    pub(crate) const fn is_of_leaving_client(self) -> bool {
        matches!(self.0, 0x00 | 0x04 | 0x80..=0x83 | 0x90 | 0x93..=0x99)
    }

    /// Whether AUTH may have it: success, go on, authenticate again.
    #[must_use]
    pub(crate) const fn is_of_auth(self) -> bool {
        matches!(self.0, 0x00 | 0x18 | 0x19)
    }
}
