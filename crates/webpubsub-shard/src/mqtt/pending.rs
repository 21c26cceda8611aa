//! A socket before its session is known.

use webpubsub_mqtt::{Connect, Decoder};
use webpubsub_protocol::name::ConnectionId;
use webpubsub_protocol::time::Timestamp;

use crate::admission::ConnectRequest;
use crate::event_queue::CallId;

/// A client whose socket is open and whose CONNECT is not answered.
#[derive(Debug)]
pub(crate) struct Pending {
    /// The id of the physical connection.
    pub(crate) physical: ConnectionId,
    /// As what it was admitted.
    pub(crate) request: ConnectRequest,
    /// When the socket was opened.
    pub(crate) since: Timestamp,
    pub(crate) decoder: Decoder,
    pub(crate) stage: Stage,
}

/// What is waited for.
#[derive(Debug)]
pub(crate) enum Stage {
    /// The client's CONNECT.
    Connect,
    /// The event handler's answer to it.
    #[expect(dead_code, reason = "handlers are yet to be asked")]
    Answer {
        /// The call.
        call: CallId,
        /// What the client wants.
        connect: Box<Connect>,
        /// Bytes that came behind CONNECT.
        waiting: usize,
    },
}
