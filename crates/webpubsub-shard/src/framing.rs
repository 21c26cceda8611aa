//! How frames and messages of a connection relate.

use webpubsub_protocol::client::endpoint::SimpleMode;
use webpubsub_protocol::client::{Encoding, Subprotocol};

/// What the frames of a connection hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Framing {
    /// Raw payloads.
    Simple(SimpleMode),
    /// Messages in an encoding.
    Messages(Encoding),
    /// Packets of MQTT, each of which may be in several frames, and each frame have several.
    Mqtt,
}

impl Framing {
    pub(crate) fn new(subprotocol: Subprotocol, mode: SimpleMode) -> Self {
        if subprotocol == Subprotocol::Mqtt {
            Self::Mqtt
        } else {
            subprotocol.encoding().map_or(Self::Simple(mode), Self::Messages)
        }
    }
}
