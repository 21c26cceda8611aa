//! What one connection sent and is not yet carried out.

use std::collections::VecDeque;

use webpubsub_mqtt::{DecodeError, UpstreamPacket};
use webpubsub_protocol::client::{Frame, UpstreamMessage};
use webpubsub_protocol::close::{CloseCause, CloseCode};
use webpubsub_protocol::limits::MAX_CLIENT_MESSAGE_BYTES;

use crate::framing::Framing;

/// How many messages of one connection may wait before nothing more is taken in ahead of a turn: as many as
/// a turn carries out.
const SHARE_MESSAGES: usize = 256;
/// How many bytes of one connection may wait before the same holds.
const SHARE_BYTES: usize = MAX_CLIENT_MESSAGE_BYTES;
/// How many messages of one connection may wait before it is closed.
const MAX_MESSAGES: usize = 1000;
/// How many bytes of one connection may wait before it is closed.
const MAX_BYTES: usize = 4 * MAX_CLIENT_MESSAGE_BYTES;
/// How many bytes of all connections of a shard may wait before one that sends faster than its rate is
/// closed.
pub(crate) const MAX_SHARD_BYTES: usize = 16 * MAX_BYTES;

/// What one connection sent and is not yet carried out.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    /// Oldest first, with the bytes of each.
    pub(crate) arrived: VecDeque<(Arrived, usize)>,
    pub(crate) bytes: usize,
    /// What it may still cost in this round.
    pub(crate) credit: i64,
    /// Whether it is in [`Turns::waiting`](crate::turns::Turns) or `slowed`.
    pub(crate) is_listed: bool,
    /// Whether it waits for its rate.
    pub(crate) is_slowed: bool,
    /// Whether the socket has ended. Nothing more comes over it, so nothing waits for a rate.
    pub(crate) is_ended: bool,
    /// Whether it is in [`Turns::touched`](crate::turns::Turns).
    pub(crate) is_touched: bool,
}

impl Inbox {
    /// Drops what came over a socket that no longer exists.
    pub(crate) fn clear(&mut self) {
        self.arrived.clear();
        (self.bytes, self.is_ended) = (0, false);
    }

    pub(crate) fn is_over_its_share(&self) -> bool {
        self.arrived.len() >= SHARE_MESSAGES || self.bytes >= SHARE_BYTES
    }

    pub(crate) fn is_full(&self) -> bool {
        self.arrived.len() >= MAX_MESSAGES || self.bytes >= MAX_BYTES
    }
}

/// What came over a socket.
#[derive(Debug)]
pub(crate) enum Arrived {
    /// A message of a client with a subprotocol.
    Message(UpstreamMessage),
    /// A payload of a simple client.
    Payload(Frame),
    /// A packet of an MQTT client.
    Packet(Box<UpstreamPacket>),
    /// What an MQTT client sent is none.
    Unreadable(DecodeError),
    /// What ends the connection.
    Invalid(CloseCause),
    /// The end of the socket, as in [`crate::Input::Closed`].
    Closed { code: CloseCode, reason: String },
    /// The end of the socket, as in [`crate::Input::Broken`].
    Broken(Option<CloseCause>),
}

impl Arrived {
    pub(crate) fn read(framing: &Framing, frame: Frame) -> Self {
        if frame.len() > MAX_CLIENT_MESSAGE_BYTES {
            return Self::Invalid(CloseCause::MessageTooLarge);
        }
        match framing {
            Framing::Simple(_) => Self::Payload(frame),
            // Its packets are read where its session is known.
            Framing::Mqtt => Self::Invalid(CloseCause::InvalidPacket),
            Framing::Messages(encoding) => {
                encoding.decode_upstream(&frame).map_or_else(Self::Invalid, Self::Message)
            }
        }
    }

    /// Whether the client's rate limit applies to it.
    pub(crate) const fn is_limited(&self) -> bool {
        match self {
            Self::Message(_) | Self::Payload(_) => true,
            Self::Packet(_) => !self.is_acknowledgement(),
            Self::Unreadable(_) | Self::Invalid(_) | Self::Closed { .. } | Self::Broken(_) => false,
        }
    }

    /// Whether it is the end of a delivery over MQTT, which frees memory and is taken at once.
    pub(crate) const fn is_acknowledgement(&self) -> bool {
        if let Self::Packet(packet) = self {
            matches!(**packet, UpstreamPacket::Puback(_) | UpstreamPacket::Pubcomp(_))
        } else {
            false
        }
    }

    /// Whether nothing comes over the socket after it.
    pub(crate) const fn is_end(&self) -> bool {
        matches!(self, Self::Closed { .. } | Self::Broken(_))
    }
}
