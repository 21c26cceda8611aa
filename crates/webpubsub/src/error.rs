//! Why a call did not succeed.

use std::error::Error;

use webpubsub_client_core::{ConnectError, InvocationError, OutboundError};
use webpubsub_protocol::client::{AckError, StreamError};
use webpubsub_protocol::limits::MAX_GROUP_STATE_ENTRIES;
use webpubsub_protocol::name::NameError;

use crate::data::DataError;

/// What a platform or a credential says of its failure.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Why [`WebPubSubClient::start`](crate::WebPubSubClient::start) did not lead to an open socket.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An earlier stop is not finished.
    #[error("the client is still stopping")]
    Stopping,
    /// The client runs already.
    #[error("the client is not stopped")]
    NotStopped,
    /// The client was stopped before the socket was open.
    #[error("the client was stopped before it was connected")]
    Stopped,
    /// The attempt failed.
    #[error("{error}")]
    Connect {
        /// What went wrong.
        error: ConnectError,
        /// What the credential, the network or TLS says of it, where they say something.
        source: Option<BoxError>,
    },
    /// The client's task does not run. On native targets it needs tokio, and ends with its runtime.
    #[error("the client's task does not run")]
    Gone,
}

/// Why an operation was not done, or why it is not known to be done.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The group or the event has no name that it can have.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The payload cannot be sent.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A group state has at most 256 entries.
    #[error("a group state has at most {MAX_GROUP_STATE_ENTRIES} entries")]
    GroupStateTooLarge,
    /// The service refused it.
    #[error("the service refused it: {}: {}", error.name, error.message)]
    Refused {
        /// The ack id of the last try.
        ack_id: u64,
        /// The service's word for it, such as [`AckError::FORBIDDEN`], and its sentence.
        error: AckError,
    },
    /// The link was lost before the ack came, so it may have been done.
    #[error("the connection was lost before the ack came")]
    Disconnected {
        /// The ack id of the last try.
        ack_id: u64,
    },
    /// There was no open socket to send it on.
    #[error("the client is not connected")]
    NotConnected {
        /// The ack id of the last try; `None` for fire-and-forget.
        ack_id: Option<u64>,
    },
    /// The client's task does not run. On native targets it needs tokio, and ends with its runtime.
    #[error("the client's task does not run")]
    Gone,
}

/// Why an invocation has no answer, or none that is good.
#[derive(Debug, thiserror::Error)]
pub enum InvokeError {
    /// The event has no name that it can have.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The payload cannot be sent.
    #[error(transparent)]
    Data(#[from] DataError),
    /// An invocation's id is not empty.
    #[error("an invocation id is not empty")]
    EmptyId,
    /// Another invocation with this id waits for its answer.
    #[error("the invocation id {id:?} is in use")]
    Registered {
        /// The id.
        id: String,
    },
    /// There was no open socket to send it on.
    #[error("the client is not connected")]
    NotConnected,
    /// The service or the event handler refused it.
    #[error("the service refused it: {}: {}", error.name, error.message)]
    Refused {
        /// The service's word for it, and its sentence.
        error: AckError,
    },
    /// The answer is none.
    #[error("the answer cannot be read")]
    Unreadable,
    /// The link was lost before the answer came, so it may have been done.
    #[error("the connection was lost before the answer came")]
    Disconnected,
    /// The client's task does not run. On native targets it needs tokio, and ends with its runtime.
    #[error("the client's task does not run")]
    Gone,
}

/// Why a stream could not be opened, or a call about one was not done.
#[derive(Debug, thiserror::Error)]
pub enum GroupStreamWriteError {
    /// The group has no name that it can have.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The payload cannot be sent.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A stream's id has 1 to 256 characters.
    #[error("a stream id has 1 to 256 characters")]
    StreamId,
    /// A stream may be silent for 1 ms at least.
    #[error("an idle timeout is 1 ms at least")]
    IdleTimeout,
    /// The stream is over, or was never open; the first failure is what every later call returns.
    #[error(transparent)]
    Stream(#[from] OutboundError),
    /// The client's task does not run. On native targets it needs tokio, and ends with its runtime.
    #[error("the client's task does not run")]
    Gone,
}

/// Why a stream that arrives ended before its sender ended it well.
///
/// Source: docs/spec/sdk.md#streams.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GroupStreamError {
    /// Its sender or the service ended it with an error.
    #[error("the stream failed: {}: {}", .0.name, .0.message.as_deref().unwrap_or_default())]
    Failed(
        /// The error: `UserError` with the sender's words, or the service's word.
        StreamError,
    ),
    /// Nothing came for too long.
    #[error("nothing came of the stream for too long")]
    IdleTimeout,
    /// The application read it too slowly, and what followed was not kept.
    #[error("the stream was not read in time")]
    Lagged,
}

impl StartError {
    /// The core's error, with what is known beside it.
    pub(crate) fn new(error: webpubsub_client_core::StartError, source: Option<BoxError>) -> Self {
        use webpubsub_client_core::StartError as Core;
        match error {
            Core::Stopping => Self::Stopping,
            Core::NotStopped => Self::NotStopped,
            // An aborted start has no caller who would see it.
            Core::Stopped | Core::Aborted => Self::Stopped,
            Core::Connect(error) => Self::Connect { error, source },
        }
    }
}

impl SendError {
    /// What the service said, where it refused the operation.
    #[must_use]
    pub const fn refusal(&self) -> Option<&AckError> {
        match self {
            Self::Refused { error, .. } => Some(error),
            Self::Name(_)
            | Self::Data(_)
            | Self::GroupStateTooLarge
            | Self::Disconnected { .. }
            | Self::NotConnected { .. }
            | Self::Gone => None,
        }
    }
}

impl From<webpubsub_client_core::SendError> for SendError {
    fn from(error: webpubsub_client_core::SendError) -> Self {
        use webpubsub_client_core::SendError as Core;
        match error {
            Core::Refused { ack_id, error } => Self::Refused { ack_id: ack_id.0, error },
            Core::Disconnected { ack_id } => Self::Disconnected { ack_id: ack_id.0 },
            Core::NotConnected { ack_id } => Self::NotConnected { ack_id: ack_id.map(|id| id.0) },
            // An aborted operation has no caller who would see it.
            Core::Aborted { .. } => Self::Gone,
        }
    }
}

impl InvokeError {
    /// The core's error of the invocation with this id.
    pub(crate) fn new(id: String, error: InvocationError) -> Self {
        match error {
            InvocationError::Registered => Self::Registered { id },
            InvocationError::NotConnected => Self::NotConnected,
            InvocationError::Refused(Some(error)) => Self::Refused { error },
            InvocationError::Refused(None) | InvocationError::Unreadable => Self::Unreadable,
            InvocationError::Disconnected => Self::Disconnected,
            // An aborted invocation has no caller who would see it.
            InvocationError::Aborted => Self::Gone,
        }
    }
}
