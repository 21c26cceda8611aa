//! Why a call about a stream was not done.

use webpubsub_protocol::client::{AckError, StreamId};

/// Why a call about a stream was not done, and why a stream ended before its sender ended it.
///
/// Source: docs/spec/sdk.md#streams.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutboundError {
    /// Another stream with this id is open.
    #[error("stream '{}' already exists", stream_id.as_str())]
    Exists {
        /// The stream.
        stream_id: StreamId,
    },
    /// There was no open socket to begin it on.
    #[error("the session is not connected")]
    NotConnected,
    /// The link was lost before the service gave its go-ahead.
    #[error("the connection was lost before stream '{}' was accepted", stream_id.as_str())]
    NotStarted {
        /// The stream.
        stream_id: StreamId,
    },
    /// The stream is over, or its end is on its way.
    #[error("stream '{}' is completed", stream_id.as_str())]
    Completed {
        /// The stream.
        stream_id: StreamId,
    },
    /// The service ended the stream.
    #[error("the service ended the stream: {}", .0.message)]
    Closed(
        /// What it said.
        AckError,
    ),
    /// The service acknowledged what was never sent, or takes back what it had acknowledged.
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
    #[error("too many fragments of stream '{}' wait to be sent", stream_id.as_str())]
    Full {
        /// The stream.
        stream_id: StreamId,
    },
    /// The application gave the call up; what it was about may have been sent.
    #[error("the call was aborted")]
    Aborted,
}

impl OutboundError {
    /// The word with which a stream is ended whose acks make no sense.
    ///
    /// Source: docs/spec/sdk.md#streams.
    pub const PROTOCOL_VIOLATION: &'static str = "ProtocolViolation";

    /// The word with which a stream is ended that its sender has given up.
    pub const ABORTED: &'static str = "Aborted";
}
