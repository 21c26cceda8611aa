//! What an application can have done.

use webpubsub_protocol::client::{Echo, UpstreamMessage};
use webpubsub_protocol::data::{Metadata, TimeToLive};
use webpubsub_protocol::id::AckId;
use webpubsub_protocol::name::{EventName, GroupName};

/// What an application can have done.
///
/// Source: docs/spec/sdk.md#operations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation<P, O = P> {
    /// Become a member of a group; the session joins it again on every later connection.
    JoinGroup {
        /// Which group.
        group: GroupName,
        /// An ack id of the application's choice, used for every try.
        ack_id: Option<AckId>,
    },
    /// Stop being a member of a group.
    LeaveGroup {
        /// Which group.
        group: GroupName,
        /// An ack id of the application's choice, used for every try.
        ack_id: Option<AckId>,
    },
    /// Publish to a group.
    SendToGroup {
        /// Which group.
        group: GroupName,
        /// What to publish.
        data: P,
        /// Whether this connection, if it is a member, receives it too.
        echo: Echo,
        /// Whether to wait for an ack.
        delivery: Delivery,
    },
    /// Send an event to the application's server.
    SendEvent {
        /// The event's name.
        event: EventName,
        /// Its payload.
        data: P,
        /// Whether to wait for an ack.
        delivery: Delivery,
    },
    /// Something that the session does not look into, such as setting a group state.
    Other {
        /// The message that asks the service for it, but for its ack id.
        message: O,
        /// Whether to wait for an ack.
        delivery: Delivery,
    },
}

/// When an operation is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// When the service has acknowledged it.
    Acknowledged {
        /// An ack id of the application's choice, used for every try, so that the service does it
        /// at most once. Without one every try gets a number of its own.
        ack_id: Option<AckId>,
    },
    /// When the socket has taken it.
    FireAndForget,
}

/// What asks the service for an operation.
pub(crate) enum Request<P, O> {
    /// A message that the session knows, with its ack id.
    Known(UpstreamMessage<P>),
    /// Another, without its ack id.
    Other(O),
}

impl<P: Clone, O: Clone> Operation<P, O> {
    /// Whether to wait for an ack.
    pub(crate) const fn delivery(&self) -> Delivery {
        match self {
            Self::JoinGroup { ack_id, .. } | Self::LeaveGroup { ack_id, .. } => {
                Delivery::Acknowledged { ack_id: *ack_id }
            }
            Self::SendToGroup { delivery, .. }
            | Self::SendEvent { delivery, .. }
            | Self::Other { delivery, .. } => *delivery,
        }
    }

    /// What asks the service for it.
    pub(crate) fn request(&self, ack_id: Option<AckId>) -> Request<P, O> {
        Request::Known(match self {
            Self::JoinGroup { group, .. } => UpstreamMessage::JoinGroup { group: group.clone(), ack_id },
            Self::LeaveGroup { group, .. } => UpstreamMessage::LeaveGroup { group: group.clone(), ack_id },
            Self::SendToGroup { group, data, echo, .. } => UpstreamMessage::SendToGroup {
                group: group.clone(),
                ack_id,
                echo: *echo,
                ttl: TimeToLive::FOREVER,
                data: data.clone(),
                metadata: Metadata::default(),
            },
            Self::SendEvent { event, data, .. } => UpstreamMessage::Event {
                event: event.clone(),
                ack_id,
                data: data.clone(),
                metadata: Metadata::default(),
            },
            Self::Other { message, .. } => return Request::Other(message.clone()),
        })
    }
}
