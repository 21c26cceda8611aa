//! What packets consist of, apart from [`crate::Publish`].

use crate::packet_id::PacketId;
use crate::property::Properties;
use crate::reason::ReasonCode;
use crate::version::Version;

/// How surely a message arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(u8)]
pub enum Qos {
    /// 0: at most once, without an acknowledgement.
    #[default]
    AtMostOnce = 0,
    /// 1: at least once.
    AtLeastOnce = 1,
    /// 2: exactly once.
    ExactlyOnce = 2,
}

impl Qos {
    /// The QoS with this number; 3 is none ([MQTT-3.3.1-4]).
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::AtMostOnce),
            1 => Some(Self::AtLeastOnce),
            2 => Some(Self::ExactlyOnce),
            _ => None,
        }
    }

    /// What SUBACK says where it is granted.
    #[must_use]
    pub const fn granted(self) -> ReasonCode {
        ReasonCode(self as u8)
    }
}

/// CONNECT: who a client is, and what it wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connect {
    /// What it speaks, and is answered in.
    pub version: Version,
    /// Whether a session of that client id is dropped; "clean session" in 3.1.1.
    pub clean_start: bool,
    /// Seconds, 0 for none.
    pub keep_alive: u16,
    /// Empty where the service is to choose it.
    pub client_id: String,
    /// What is published when the connection is lost.
    pub will: Option<Will>,
    /// Any text.
    pub user_name: Option<String>,
    /// Any bytes; in 3.1.1 only with a user name ([MQTT-3.1.2-22]).
    pub password: Option<Vec<u8>>,
    /// In 5.0.
    pub properties: Properties,
}

/// A message for the case that the client is lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Will {
    /// Not empty; it may have wildcards, which the session has to refuse.
    pub topic: String,
    /// Any bytes.
    pub payload: Vec<u8>,
    /// How surely it is to arrive.
    pub qos: Qos,
    /// Whether it is to be retained.
    pub retain: bool,
    /// In 5.0; those of the message with the will delay interval.
    pub properties: Properties,
}

/// CONNACK: the answer to CONNECT.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Connack {
    /// Whether a session goes on; never with a failure ([MQTT-3.2.2-6]).
    pub session_present: bool,
    /// Written as a return code in 3.1.1.
    pub reason: ReasonCode,
    /// In 5.0.
    pub properties: Properties,
}

/// PUBACK, PUBREC, PUBREL or PUBCOMP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ack {
    /// Of the publish.
    pub packet_id: PacketId,
    /// In 5.0; success in 3.1.1.
    pub reason: ReasonCode,
    /// In 5.0.
    pub properties: Properties,
}

impl Ack {
    /// One without properties.
    #[must_use]
    pub fn new(packet_id: PacketId, reason: ReasonCode) -> Self {
        Self { packet_id, reason, properties: Properties::default() }
    }
}

/// SUBSCRIBE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscribe {
    /// For SUBACK.
    pub packet_id: PacketId,
    /// At least one.
    pub subscriptions: Vec<Subscription>,
    /// In 5.0.
    pub properties: Properties,
}

/// One subscription of SUBSCRIBE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Not empty.
    pub filter: String,
    /// The highest QoS of what is sent for it.
    pub qos: Qos,
    /// Whether the client's own publishes are left out.
    pub no_local: bool,
    /// Whether publishes keep their retain flag.
    pub retain_as_published: bool,
    /// When retained messages are sent: 0 always, 1 for a new subscription, 2 never.
    pub retain_handling: u8,
}

/// SUBACK or UNSUBACK: what became of each filter, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Results {
    /// Of SUBSCRIBE or UNSUBSCRIBE.
    pub packet_id: PacketId,
    /// As many as filters; UNSUBACK of 3.1.1 has none.
    pub reasons: Vec<ReasonCode>,
    /// In 5.0.
    pub properties: Properties,
}

/// UNSUBSCRIBE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsubscribe {
    /// For UNSUBACK.
    pub packet_id: PacketId,
    /// At least one, none empty.
    pub filters: Vec<String>,
    /// In 5.0.
    pub properties: Properties,
}

/// DISCONNECT: the last packet of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Disconnect {
    /// Why; success in 3.1.1.
    pub reason: ReasonCode,
    /// In 5.0.
    pub properties: Properties,
}

/// AUTH: a step of an extended authentication, in 5.0.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Auth {
    /// Success, 0x18 to go on, 0x19 to authenticate again.
    pub reason: ReasonCode,
    /// With the method and its data.
    pub properties: Properties,
}
