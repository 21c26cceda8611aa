//! Why a call of the application did not succeed.

use webpubsub_protocol::client::AckError;
use webpubsub_protocol::close::CloseCode;
use webpubsub_protocol::id::AckId;

/// Why a start did not lead to an open socket.
///
/// Source: docs/spec/sdk.md#lifecycle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// An earlier stop is not finished.
    #[error("the session is still stopping")]
    Stopping,
    /// The session is running already.
    #[error("the session is not stopped")]
    NotStopped,
    /// The application stopped the session before the socket was open.
    #[error("the session was stopped before it was connected")]
    Stopped,
    /// The application aborted the start.
    #[error("the start was aborted")]
    Aborted,
    /// The attempt failed.
    #[error(transparent)]
    Connect(#[from] ConnectError),
}

/// Why one attempt did not lead to an open socket, as far as the platform knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// The credential gave no URL.
    #[error("the credential gave no URL")]
    Credential,
    /// The platform does not take this URL for a WebSocket's.
    #[error("the URL is not one of a WebSocket")]
    InvalidUrl,
    /// The service answered, but not with a WebSocket.
    #[error("the service answered with HTTP {status}")]
    Refused {
        /// The answer's HTTP status.
        status: u16,
    },
    /// No server answered.
    #[error("the service cannot be reached")]
    Unreachable,
    /// The credential or the service did not answer in time.
    #[error("the attempt took too long")]
    TimedOut,
    /// The socket failed or closed instead of opening, and no more is known: what browsers report of a
    /// refusal and of a closed port alike.
    #[error("the socket closed with {} before it was open", code.0)]
    Closed {
        /// The close code, usually 1006.
        code: CloseCode,
    },
}

/// Why an operation was not done, or why it is not known to be done.
///
/// Source: docs/spec/sdk.md#errors.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The service refused it.
    #[error("the service refused it: {}", error.message)]
    Refused {
        /// The ack id of the last try.
        ack_id: AckId,
        /// What the ack says.
        error: AckError,
    },
    /// The link was lost before the ack came, so it may have been done.
    #[error("the connection was lost before the ack came")]
    Disconnected {
        /// The ack id of the last try.
        ack_id: AckId,
    },
    /// There was no open socket to send it on.
    #[error("the session is not connected")]
    NotConnected {
        /// The ack id of the last try; `None` for fire-and-forget.
        ack_id: Option<AckId>,
    },
    /// The application aborted it; it may have been done.
    #[error("the operation was aborted")]
    Aborted {
        /// The ack id of the last try; `None` for fire-and-forget.
        ack_id: Option<AckId>,
    },
}

/// Why an invocation has no answer, or none that is good.
///
/// Source: docs/spec/sdk.md#errors.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvocationError {
    /// Another invocation with this id waits for its answer.
    #[error("the invocation id is in use")]
    Registered,
    /// There was no open socket to send it on.
    #[error("the session is not connected")]
    NotConnected,
    /// The service or the event handler refused it.
    #[error("the service refused it")]
    Refused(
        /// What the answer says, if it says anything.
        Option<AckError>,
    ),
    /// The answer is none.
    #[error("the answer is none")]
    Unreadable,
    /// The link was lost before the answer came, so it may have been done.
    #[error("the connection was lost before the answer came")]
    Disconnected,
    /// The application aborted it; it may have been done.
    #[error("the invocation was aborted")]
    Aborted,
}

impl SendError {
    /// The ack id of the last try; `None` for fire-and-forget.
    #[must_use]
    pub const fn ack_id(&self) -> Option<AckId> {
        match self {
            Self::Refused { ack_id, .. } | Self::Disconnected { ack_id } => Some(*ack_id),
            Self::NotConnected { ack_id } | Self::Aborted { ack_id } => *ack_id,
        }
    }
}
