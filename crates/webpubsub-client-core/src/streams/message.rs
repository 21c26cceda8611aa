//! What a client says to the service about a stream, and why a call about one failed.

use std::time::Duration;

use webpubsub_protocol::client::Echo;
use webpubsub_protocol::name::GroupName;

/// How a stream begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamStart {
    /// What the stream is known by: unique among those that the connection sends.
    pub stream_id: String,
    /// Where it goes.
    pub group: GroupName,
    /// Whether the sending connection, if it is a member, receives it too.
    pub echo: Echo,
    /// How long it may be silent; `None` leaves that to the service.
    pub idle_timeout: Option<Duration>,
}

/// A message to the service about a stream.
///
/// Source: docs/spec/client.md#streams.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamMessage<P> {
    /// Asks for the go-ahead.
    Start(StreamStart),
    /// One fragment.
    Data {
        /// The stream.
        stream_id: String,
        /// The fragment's number: 1, 2, 3, …
        sequence_id: u64,
        /// Its payload.
        data: P,
    },
    /// Nothing follows.
    End {
        /// The stream.
        stream_id: String,
        /// Why the stream ends early, if it does.
        error: Option<StreamEndError>,
    },
}

/// Why a stream ends early, in the words of its sender.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StreamEndError {
    /// A sentence for people.
    pub message: Option<String>,
    /// A word of the application's own.
    pub user_error_code: Option<String>,
}

/// Why a call about a stream was not done, and why a stream ended before its sender ended it.
///
/// Source: docs/spec/sdk.md#streams.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StreamError {
    /// Another stream with this id is open.
    #[error("stream '{stream_id}' already exists")]
    Exists {
        /// The stream.
        stream_id: String,
    },
    /// There was no open socket to begin it on.
    #[error("the session is not connected")]
    NotConnected,
    /// The link was lost before the service gave its go-ahead.
    #[error("the connection was lost before stream '{stream_id}' was accepted")]
    NotStarted {
        /// The stream.
        stream_id: String,
    },
    /// The stream is over, or its end is on its way.
    #[error("stream '{stream_id}' is completed")]
    Completed {
        /// The stream.
        stream_id: String,
    },
    /// The service ended the stream.
    #[error("the service ended the stream: {message}")]
    Closed {
        /// A word for programs, such as `Forbidden`.
        name: String,
        /// A sentence for people.
        message: String,
    },
    /// The service acknowledged what was never sent, or again what it had acknowledged before.
    #[error("an ack for {expected} is outside of {oldest} to {newest}")]
    ProtocolViolation {
        /// The number that the ack names.
        expected: u64,
        /// The smallest that it could name.
        oldest: u64,
        /// The largest that it could name.
        newest: u64,
    },
    /// The connection was lost for good.
    #[error("the connection was lost for good")]
    ConnectionLost,
    /// Too many fragments of the stream wait to be sent.
    #[error("too many fragments of stream '{stream_id}' wait to be sent")]
    Full {
        /// The stream.
        stream_id: String,
    },
    /// The application gave the call up; what it was about may have been sent.
    #[error("the call was aborted")]
    Aborted,
}
