use webpubsub_protocol::client::Frame;
use webpubsub_protocol::name::ConnectionId;

use crate::admission::ConnectRequest;
use crate::command::Command;
use crate::connection::Slot;
use crate::placement::ShardNumber;
use crate::relay::{Batch, BatchNumber};

/// What the shell tells the hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A client was admitted and its socket is about to be accepted.
    Connect {
        /// Its id, made by [`ShardNumber::connection_id`] of this shard.
        connection: ConnectionId,
        /// Who it is and how it speaks.
        request: ConnectRequest,
        /// What will recover the connection; given to reliable subprotocols only.
        reconnection_token: Option<String>,
    },
    /// A client's WebSocket message.
    Frame {
        /// Whose.
        from: Slot,
        /// What it holds.
        frame: Frame,
    },
    /// A socket is gone, with a close frame or without.
    Closed {
        /// Whose.
        slot: Slot,
    },
    /// A server's request. Its [`crate::Output::Reply`] is in the outputs of this very input.
    Command(Command),
    /// Publishes of clients on another shard. Answered by [`crate::Output::BatchTaken`].
    Batch(Batch),
    /// How sending an [`crate::Output::Relay`] ended.
    Relayed {
        /// To which shard it went.
        to: ShardNumber,
        /// Which batch.
        number: BatchNumber,
        /// Whether that shard has taken it.
        taken: bool,
    },
    /// The time that [`crate::Hub::next_timeout`] named has come.
    Timeout,
}
