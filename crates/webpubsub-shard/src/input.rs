//! What happens to a shard.

use webpubsub_protocol::client::Frame;
use webpubsub_protocol::close::{CloseCause, CloseCode};
use webpubsub_protocol::event_handler::{CallFailure, Taken};
use webpubsub_protocol::id::SequenceId;
use webpubsub_protocol::name::ConnectionId;

use crate::admission::ConnectRequest;
use crate::command::Command;
use crate::event_queue::CallId;
use crate::relay::Batch;
use crate::settings::HubSettings;
use crate::shard_id::ShardId;
use crate::shard_map::ShardMap;
use crate::slot::Slot;
use crate::snapshot::StoredMessage;

/// What happened, as the host reports it to a shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A client was admitted and its socket is about to be accepted.
    Connect {
        /// Its id, made by [`ShardId::connection_id`] of this shard.
        connection: ConnectionId,
        /// Its user, roles, groups and subprotocol.
        request: ConnectRequest,
        /// What will recover the connection; given to reliable subprotocols only.
        reconnection_token: Option<String>,
    },
    /// A client proved that it had this connection, and its new socket is about to be accepted.
    /// Answered by [`crate::Output::Accept`] or [`crate::Output::CannotRecover`].
    Recover {
        /// Which connection.
        connection: ConnectionId,
        /// The token that the client came with. It receives it again in `connected`, if it has streams.
        reconnection_token: String,
    },
    /// A client's WebSocket message. What leads to a write is carried out by [`crate::Shard::turn`].
    Frame {
        /// Which connection.
        from: Slot,
        /// What it holds.
        frame: Frame,
    },
    /// A socket is gone: the client closed it, or the transport was lost. Carried out by
    /// [`crate::Shard::turn`], after what came over it before.
    Closed {
        /// Which connection.
        slot: Slot,
        /// The code in the client's close frame; [`CloseCode::NO_STATUS`] for a frame without one,
        /// [`CloseCode::ABNORMAL`] where there was no frame.
        code: CloseCode,
        /// The reason in it; ignored where there was no frame.
        reason: String,
    },
    /// What came over a socket was no WebSocket traffic, or cannot be taken, and the platform has closed it.
    Broken {
        /// Which connection.
        slot: Slot,
        /// Why, where it was WebSocket traffic.
        cause: Option<CloseCause>,
    },
    /// The row that an [`crate::Output::Fetch`] asked for.
    Fetched {
        /// The row's message; `None` if the row is not there.
        message: Option<StoredMessage>,
        /// As in the output.
        to: Vec<(Slot, SequenceId)>,
    },
    /// A server's request. Its [`crate::Output::Reply`] is in the outputs of this very input.
    Command(Command),
    /// A map of the hub's shards, which replaces an older one. [`crate::Shard::load`] says how much a
    /// draining shard still holds.
    Map(ShardMap),
    /// Publishes of clients on another shard. Answered by [`crate::Output::BatchTaken`].
    Batch(Batch),
    /// How sending an [`crate::Output::Relay`] ended.
    Relayed {
        /// To which shard it went.
        to: ShardId,
        /// The last of its rows.
        last: u64,
        /// Whether that shard has taken it.
        taken: bool,
    },
    /// How an [`crate::Output::Call`] ended.
    Called {
        /// Which.
        call: CallId,
        /// The handler's answer, or why there is none.
        result: Result<Taken, CallFailure>,
    },
    /// The hub's settings, which replace those before unless these were changed later.
    Settings {
        /// The settings; `None` for those of the configuration.
        settings: Option<HubSettings>,
        /// When they were changed last: grows with every change.
        since: u64,
    },
    /// Asks for a measurement of every socket: [`crate::Output::Measure`] follows.
    Measure,
    /// How many bytes wait on the sockets of an [`crate::Output::Measure`].
    Measured(Vec<(Slot, u64)>),
    /// The service is about to stop: every socket is to be closed with 1001. Reliable connections have
    /// their time to come back, the others end.
    GoAway,
    /// The time that [`crate::Shard::next_timeout`] or [`crate::Shard::next_deadline`] named has come.
    Timeout,
}
