//! What happens to a client.

use std::sync::Arc;

use webpubsub_client_core::{Close, Next};
use webpubsub_protocol::name::UserId;

use crate::error::SendError;
use crate::message::Message;

/// Something that happens to a client: an item of [`WebPubSubClient::events`].
///
/// [`WebPubSubClient::events`]: crate::WebPubSubClient::events
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Event {
    /// A connection is there, and its groups have been joined again as far as they could be. Not
    /// raised after a recovery.
    Connected {
        /// The connection's id.
        connection_id: String,
        /// Who it acts for; `None` for an anonymous user.
        user_id: Option<String>,
    },
    /// A connection is lost for good.
    Disconnected {
        /// The connection's id, if it came to have one.
        connection_id: Option<String>,
        /// What the service said before it closed the connection.
        message: Option<String>,
        /// How the connection's last socket ended.
        close: Close,
        /// What follows.
        next: Next,
    },
    /// The client is stopped, and nothing but another start changes that.
    Stopped {
        /// How the last socket ended; `None` if none was ever open.
        close: Option<Close>,
    },
    /// The link is lost, and the client tries to get it back without losing a message.
    Recovering {
        /// The connection's id.
        connection_id: String,
    },
    /// The connection goes on over a new socket, and no message was lost.
    Recovered {
        /// The connection's id.
        connection_id: String,
    },
    /// A message arrived.
    Message(Message),
    /// What the members of a group show has changed: see
    /// [`list_group_states`](crate::WebPubSubClient::list_group_states).
    GroupStatesChanged {
        /// The group.
        group: String,
    },
    /// A group could not be joined again on a new connection, or its states not be subscribed to again.
    RejoinGroupFailed {
        /// The group.
        group: String,
        /// Why.
        error: Arc<SendError>,
    },
    /// The application reads this stream too slowly: its oldest events had to be let go, and stood
    /// here.
    Lagged {
        /// How many.
        missed: u64,
    },
}

impl Event {
    /// The core's event; `None` for a message.
    pub(crate) fn new<D>(event: webpubsub_client_core::Event<D>) -> Option<Self> {
        use webpubsub_client_core::Event as Core;
        Some(match event {
            Core::Connected { connection_id, user_id } => Self::Connected {
                connection_id: connection_id.to_string(),
                user_id: user_id.as_ref().map(UserId::to_string),
            },
            Core::Disconnected { connection_id, message, close, next } => Self::Disconnected {
                connection_id: connection_id.map(|id| id.to_string()),
                message,
                close,
                next,
            },
            Core::Stopped { close } => Self::Stopped { close },
            Core::Recovering { connection_id } => {
                Self::Recovering { connection_id: connection_id.to_string() }
            }
            Core::Recovered { connection_id } => Self::Recovered { connection_id: connection_id.to_string() },
            Core::Data(_) => return None,
            Core::RejoinGroupFailed { group, error } => {
                Self::RejoinGroupFailed { group: group.to_string(), error: Arc::new(error.into()) }
            }
        })
    }

    /// Bytes in memory, as far as they grow with the event.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Message(message) => message.len(),
            Self::Disconnected { message, close, .. } => {
                message.as_ref().map_or(0, String::len) + close.reason.len()
            }
            Self::Connected { .. }
            | Self::Stopped { .. }
            | Self::Recovering { .. }
            | Self::Recovered { .. }
            | Self::GroupStatesChanged { .. }
            | Self::RejoinGroupFailed { .. }
            | Self::Lagged { .. } => 0,
        }
    }
}
