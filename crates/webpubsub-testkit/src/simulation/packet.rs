//! MQTT packets, as far as the simulation looks at them.

use webpubsub_mqtt::{Ack, DownstreamPacket, Qos, ReasonCode, Results, Version};

/// What an MQTT client receives beside messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packet {
    Connack {
        is_present: bool,
        reason: ReasonCode,
    },
    Suback(u16, ReasonCode),
    Unsuback(u16, ReasonCode),
    Puback(u16, ReasonCode),
    Pubrec(u16, ReasonCode),
    Pubrel(u16, ReasonCode),
    Pubcomp(u16, ReasonCode),
    Pingresp,
    /// Only clients of 5.0 receive it.
    Disconnect(ReasonCode),
}

/// How a message comes over MQTT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Delivered {
    pub(super) qos: Qos,
    pub(super) dup: bool,
}

impl Packet {
    /// The same as it was sent; `None` for a message.
    pub(super) fn of(packet: &DownstreamPacket) -> Option<Self> {
        let of = |ack: &Ack| (ack.packet_id.get(), ack.reason);
        // Every SUBSCRIBE and UNSUBSCRIBE here has one filter, and UNSUBACK of 3.1.1 has no reasons.
        let first = |results: &Results| {
            let reason = results.reasons.first().copied().unwrap_or(ReasonCode::SUCCESS);
            (results.packet_id.get(), reason)
        };
        let (make, (id, reason)): (fn(u16, ReasonCode) -> Self, _) = match packet {
            DownstreamPacket::Connack(connack) => {
                return Some(Self::Connack { is_present: connack.session_present, reason: connack.reason });
            }
            DownstreamPacket::Publish(_) => return None,
            DownstreamPacket::Pingresp => return Some(Self::Pingresp),
            DownstreamPacket::Disconnect(disconnect) => return Some(Self::Disconnect(disconnect.reason)),
            DownstreamPacket::Suback(results) => (Self::Suback, first(results)),
            DownstreamPacket::Unsuback(results) => (Self::Unsuback, first(results)),
            DownstreamPacket::Puback(ack) => (Self::Puback, of(ack)),
            DownstreamPacket::Pubrec(ack) => (Self::Pubrec, of(ack)),
            DownstreamPacket::Pubrel(ack) => (Self::Pubrel, of(ack)),
            DownstreamPacket::Pubcomp(ack) => (Self::Pubcomp, of(ack)),
        };
        Some(make(id, reason))
    }

    /// The same as a client of this version receives it, which has fewer reasons if that is 3.1.1; `None` for what that
    /// does not have.
    pub(super) fn said_in(self, version: Version) -> Option<Self> {
        if version == Version::V5 {
            return Some(self);
        }
        Some(match self {
            Self::Connack { is_present, reason } => {
                let reason = ReasonCode::from_return_code(reason.return_code()).unwrap_or(reason);
                Self::Connack { is_present, reason }
            }
            Self::Suback(id, reason) if reason.is_failure() => {
                Self::Suback(id, ReasonCode::UNSPECIFIED_ERROR)
            }
            Self::Suback(..) | Self::Pingresp => self,
            Self::Unsuback(id, _) => Self::Unsuback(id, ReasonCode::SUCCESS),
            Self::Puback(id, _) => Self::Puback(id, ReasonCode::SUCCESS),
            Self::Pubrec(id, _) => Self::Pubrec(id, ReasonCode::SUCCESS),
            Self::Pubrel(id, _) => Self::Pubrel(id, ReasonCode::SUCCESS),
            Self::Pubcomp(id, _) => Self::Pubcomp(id, ReasonCode::SUCCESS),
            Self::Disconnect(_) => return None,
        })
    }
}
