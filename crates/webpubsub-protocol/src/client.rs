//! What clients send to the service and receive from it, whatever the subprotocol.
//!
//! Both directions are generic over the payload `P`: the service and native tests carry
//! [`MessageData`]; a page keeps its payloads as JavaScript values that Rust never copies.

mod encoding;
pub mod endpoint;
mod frame;
mod group_state;
pub mod json;
pub mod protobuf;
pub mod simple;
mod stream;
mod subprotocol;

use std::borrow::Cow;

pub use encoding::{DataFrame, Encoding, MqttFrame};
pub use frame::Frame;
pub use group_state::{GroupState, GroupStateAction, GroupStateItem, GroupStates, GroupStatesKind};
pub use stream::{StreamAction, StreamAnswer, StreamError, StreamId, StreamPart};
pub use subprotocol::{Negotiated, Subprotocol};

use crate::data::{MessageData, Metadata, TimeToLive};
use crate::id::{AckId, SequenceId};
use crate::name::{ConnectionId, EventName, GroupName, UserId};

/// A message from a client to the service.
///
/// Operations with an `ack_id` are acknowledged; those without never are, not even on failure.
///
/// Source: docs/spec/client.md#messages-to-the-service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpstreamMessage<P = MessageData> {
    /// Become a member of a group.
    JoinGroup {
        /// Which group.
        group: GroupName,
        /// Acknowledge it, and do it at most once.
        ack_id: Option<AckId>,
    },
    /// Stop being a member of a group.
    LeaveGroup {
        /// Which group.
        group: GroupName,
        /// Acknowledge it, and do it at most once.
        ack_id: Option<AckId>,
    },
    /// Publish to a group; the sender need not be a member.
    SendToGroup {
        /// Which group.
        group: GroupName,
        /// Acknowledge it, and do it at most once.
        ack_id: Option<AckId>,
        /// Whether the sending connection, if it is a member, receives it too.
        echo: Echo,
        /// How long undelivered copies are worth keeping.
        ttl: TimeToLive,
        /// What to publish.
        data: P,
        /// What rides beside it.
        metadata: Metadata,
    },
    /// A user event, for the application's event handler.
    Event {
        /// Its name.
        event: EventName,
        /// Acknowledge it, and do it at most once.
        ack_id: Option<AckId>,
        /// Its payload.
        data: P,
        /// What rides beside it.
        metadata: Metadata,
    },
    /// A user event whose answer comes back as [`DownstreamMessage::InvokeResponse`].
    ///
    /// Source: docs/spec/client.md#invocations.
    Invoke {
        /// What its answer is known by: not empty, and unique among those that the connection waits for.
        invocation_id: String,
        /// The event's name.
        event: EventName,
        /// Its payload.
        data: P,
        /// What rides beside it.
        metadata: Metadata,
    },
    /// The client no longer waits for the answer to an [`UpstreamMessage::Invoke`].
    CancelInvocation {
        /// Which.
        invocation_id: String,
    },
    /// Starts a stream to a group, goes on with it, or ends it.
    ///
    /// Source: docs/spec/client.md#streams.
    Stream {
        /// Which stream of the connection.
        stream_id: StreamId,
        /// What is done with it.
        action: StreamAction<P>,
    },
    /// Sets the connection's state in a group, or begins or ends to receive those of its members.
    ///
    /// Source: docs/spec/client.md#group-state.
    GroupState {
        /// Which group.
        group: GroupName,
        /// Acknowledge it, and do it at most once.
        ack_id: Option<AckId>,
        /// What to do.
        action: GroupStateAction,
    },
    /// Asks for a [`DownstreamMessage::Pong`].
    Ping,
    /// Every data message up to and including this one has arrived.
    SequenceAck {
        /// The largest that arrived.
        sequence_id: SequenceId,
    },
}

/// Whether a publisher receives its own message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Echo {
    /// Members receive it, the sending connection among them.
    #[default]
    Send,
    /// The sending connection is left out; other connections of its user are not.
    Skip,
}

/// A message from the service to a client.
///
/// Source: docs/spec/client.md#messages-to-the-client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DownstreamMessage<P = MessageData> {
    /// The first message of every connection.
    Connected {
        /// The connection's id.
        connection_id: ConnectionId,
        /// Who it acts for; `None` for an anonymous user.
        user_id: Option<UserId>,
        /// What recovers the connection; only on reliable subprotocols.
        reconnection_token: Option<String>,
    },
    /// The service is about to close the connection.
    Disconnected {
        /// Why.
        message: String,
    },
    /// Something published, by a client or a server.
    Data {
        /// Where it comes from.
        from: Origin,
        /// What was published.
        data: P,
        /// What rides beside it.
        metadata: Metadata,
        /// Its place in what the connection receives; only on reliable subprotocols.
        sequence_id: Option<SequenceId>,
        /// What it is in a stream, if it belongs to one.
        stream: Option<Box<StreamPart>>,
    },
    /// The answer to an operation that carried an ack id.
    Ack {
        /// The operation's ack id.
        ack_id: AckId,
        /// Whether it was done, and if not why.
        result: Result<(), AckError>,
    },
    /// The answer to an [`UpstreamMessage::Invoke`].
    InvokeResponse {
        /// Which.
        invocation_id: String,
        /// The handler's payload, if it answered with one, or why there is none.
        result: Result<Option<P>, AckError>,
    },
    /// An answer to the publisher of a stream.
    Stream {
        /// Which stream of the connection.
        stream_id: StreamId,
        /// What it says.
        answer: StreamAnswer,
    },
    /// States of members of a group, for its subscribers.
    ///
    /// Source: docs/spec/client.md#group-state.
    GroupStates {
        /// Which.
        states: GroupStates,
        /// Their place in what the connection receives; only on reliable subprotocols.
        sequence_id: Option<SequenceId>,
    },
    /// The answer to [`UpstreamMessage::Ping`].
    Pong,
}

/// Where a data message comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A publish to a group that the receiver is a member of.
    Group {
        /// The group.
        group: GroupName,
        /// Who published; `None` for anonymous clients and for servers.
        from_user: Option<UserId>,
    },
    /// The application's server, to all, to a user or to this connection.
    Server,
}

/// Why an operation was not done, as it stands in an ack.
///
/// Source: docs/spec/client.md#acks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AckError {
    /// A word for programs: [`AckError::FORBIDDEN`] and its neighbours, or what a later service says.
    pub name: Cow<'static, str>,
    /// A sentence for people.
    pub message: String,
}

impl AckError {
    /// A permission is missing.
    pub const FORBIDDEN: &'static str = "Forbidden";
    /// What was asked makes no sense now.
    pub const BAD_REQUEST: &'static str = "BadRequest";
    /// The ack id was already used successfully; the first use stands.
    pub const DUPLICATE: &'static str = "Duplicate";
    /// The event handler failed, there is none, or the service is at fault.
    pub const INTERNAL_SERVER_ERROR: &'static str = "InternalServerError";
}
