//! Why a shard refuses a client's message.

use std::borrow::Cow;

use webpubsub_protocol::client::AckError;
use webpubsub_protocol::id::AckId;
use webpubsub_protocol::limits::{MAX_LITERAL_PERMISSIONS, MAX_STREAMS};
use webpubsub_protocol::name::GroupName;

use crate::group_states::StateLimit;

/// Why a client's operation was not carried out. Its text is that of the ack.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The connection may not join the group.
    #[error("The client does not have permission to join group '{0}'.")]
    JoinForbidden(GroupName),
    /// The connection may not leave the group.
    #[error("The client does not have permission to leave group '{0}'.")]
    LeaveForbidden(GroupName),
    /// The connection may not publish to the group.
    #[error("The client does not have permission to send to group '{0}'.")]
    SendForbidden(GroupName),
    /// The connection is in as many groups as it may be.
    #[error("The client is in {0} groups, which is the limit.")]
    TooManyGroups(u32),
    /// The connection is no member of the group.
    #[error("The client is not a member of group '{0}'.")]
    NotAMember(GroupName),
    /// The connection may not subscribe to the group's states.
    #[error("The client does not have permission to subscribe to the states of group '{0}'.")]
    SubscribeForbidden(GroupName),
    /// A bound of states is reached.
    #[error(transparent)]
    StateLimit(#[from] StateLimit),
    /// The connection already used this ack id successfully; the first use stands.
    #[error("Message with ack-id: {0} has been processed")]
    Duplicate(AckId),
    /// No event handler took the event.
    #[error("Internal server error")]
    EventFailed,
    /// The connection waits for the answer to another invocation with this id.
    #[error("An invocation with this id is under way")]
    InvocationPending,
    /// The connection has a stream with this id.
    #[error("A stream with this id is open.")]
    StreamOpen,
    /// The connection has as many streams as it may have.
    #[error("The client has {MAX_STREAMS} streams, which is the limit.")]
    TooManyStreams,
    /// A stream is to be closed as soon as it is opened.
    #[error("The idle time of a stream is greater than 0.")]
    NeverIdle,
    /// The messages that wait for another shard have reached their limit.
    #[error("Internal server error")]
    OutboxFull,
}

impl Refusal {
    /// The same, as it stands in an ack.
    ///
    /// Source: docs/spec/client.md#acks.
    #[must_use]
    pub(crate) fn to_ack_error(&self) -> AckError {
        let name = match self {
            Self::JoinForbidden(_)
            | Self::LeaveForbidden(_)
            | Self::SendForbidden(_)
            | Self::NotAMember(_)
            | Self::SubscribeForbidden(_)
            | Self::TooManyGroups(_) => AckError::FORBIDDEN,
            Self::Duplicate(_) => AckError::DUPLICATE,
            Self::EventFailed | Self::OutboxFull => AckError::INTERNAL_SERVER_ERROR,
            Self::InvocationPending
            | Self::StateLimit(_)
            | Self::StreamOpen
            | Self::TooManyStreams
            | Self::NeverIdle => AckError::BAD_REQUEST,
        };
        AckError { name: Cow::Borrowed(name), message: format!("{self}") }
    }
}

/// A connection has as many permissions for single groups as it can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the connection has {MAX_LITERAL_PERMISSIONS} permissions for single groups")]
pub struct TooManyPermissions;
