//! A socket before its session is known.

use webpubsub_mqtt::{Connect, Decoder};
use webpubsub_protocol::name::ConnectionId;
use webpubsub_protocol::time::Timestamp;

use crate::admission::ConnectRequest;
use crate::event_queue::{Attempts, CallId};

/// A client whose socket is open and whose CONNECT is not answered.
#[derive(Debug)]
pub(crate) struct Pending {
    /// The id of the physical connection.
    pub(crate) physical: ConnectionId,
    /// As what it was admitted.
    pub(crate) request: ConnectRequest,
    /// When CONNECT has to be there; after that, when the handler is asked again.
    pub(crate) due: Timestamp,
    pub(crate) decoder: Decoder,
    /// How many bytes have come of it.
    pub(crate) held: usize,
    pub(crate) stage: Stage,
}

/// What a client wants that keeps to the rules.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) connect: Box<Connect>,
    /// The client id.
    pub(crate) id: ConnectionId,
    /// Whether the service has chosen that.
    pub(crate) is_assigned: bool,
}

/// What is waited for.
#[derive(Debug)]
pub(crate) enum Stage {
    /// The client's CONNECT.
    Connect,
    /// The event handler's answer to it.
    Answer {
        /// The call that is under way.
        call: Option<CallId>,
        /// When the handler was asked first, and the attempts at that.
        asked: Option<(Timestamp, Attempts)>,
        /// What the client wants, with the client id that it has or gets.
        wanted: Wanted,
        /// Bytes that came behind CONNECT.
        waiting: usize,
    },
}
