//! The streams that clients send to groups: their ids, options and ends.

use std::borrow::Cow;
use std::fmt;

use super::{AckError, Echo};
use crate::data::MessageData;
use crate::error::DecodeError;
use crate::id::AckId;
use crate::limits::MAX_STREAM_ID_CHARS;
use crate::name::GroupName;

/// What a client calls one of its streams: unique among those that its connection has open.
///
/// 1 to [`MAX_STREAM_ID_CHARS`] characters.
///
/// Source: docs/spec/client.md#streams.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct StreamId(Box<str>);

impl StreamId {
    /// Checks a stream id.
    ///
    /// # Errors
    /// [`DecodeError::Invalid`] for one that is empty or too long.
    pub fn parse(text: impl Into<Box<str>>) -> Result<Self, DecodeError> {
        let text = text.into();
        let valid = !text.is_empty() && text.chars().nth(MAX_STREAM_ID_CHARS).is_none();
        if valid { Ok(Self(text)) } else { Err(DecodeError::Invalid { property: "streamId" }) }
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// What a publisher does with a stream of its connection.
///
/// Source: docs/spec/client.md#streams.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamAction<P = MessageData> {
    /// Open it: a `sendToGroup` with a `stream` and no payload.
    Start {
        /// To which group.
        group: GroupName,
        /// Acknowledge the start with an ack as well, and do it at most once. SDKs give none.
        ack_id: Option<AckId>,
        /// Whether the publishing connection, if it is a member, receives the stream, too.
        echo: Echo,
        /// For how many milliseconds it may be idle; `None` for [`DEFAULT_STREAM_IDLE_MILLIS`]. 0 is
        /// refused.
        ///
        /// [`DEFAULT_STREAM_IDLE_MILLIS`]: crate::limits::DEFAULT_STREAM_IDLE_MILLIS
        idle_millis: Option<u32>,
    },
    /// Publish the next fragment.
    Data {
        /// Its place in the stream: 1, 2, 3, … without gaps.
        sequence_id: u64,
        /// Its payload.
        data: P,
    },
    /// Keep it open: `streamData` without a payload.
    KeepAlive,
    /// Close it.
    End {
        /// What the subscribers learn of an end that is a failure. Its name is not on the wire here.
        error: Option<StreamError>,
    },
}

/// What the service answers to the publisher of a stream.
///
/// Source: docs/spec/client.md#streams.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamAnswer {
    /// Every fragment below this one was accepted; 1 answers the start.
    Ack {
        /// The next fragment that the service takes.
        expected: u64,
    },
    /// A fragment was not accepted, and may be sent again.
    Nack {
        /// [`StreamAnswer::INVALID_SEQUENCE_ID`] or [`StreamAnswer::TRANSIENT_ERROR`].
        name: Cow<'static, str>,
        /// A sentence for people.
        message: String,
        /// The next fragment that the service takes.
        expected: u64,
    },
    /// The stream is closed, or never was open.
    Closed {
        /// Why, unless the publisher closed it.
        error: Option<AckError>,
    },
}

impl StreamAnswer {
    /// The name of a nack: the fragment is not the next one.
    pub const INVALID_SEQUENCE_ID: &'static str = "InvalidSequenceId";
    /// The name of a nack: the service takes no fragment for the moment.
    pub const TRANSIENT_ERROR: &'static str = "TransientError";
}

/// What a group message is in a stream.
///
/// Source: docs/spec/client.md#streams.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamPart {
    /// Which stream of the group.
    pub stream_id: StreamId,
    /// Its place in the stream; at the end, that of the fragment that does not follow.
    pub sequence_id: u64,
    /// How the stream ends, if this is its end. The message has an empty payload then.
    pub end: Option<Result<(), StreamError>>,
}

/// Why a stream ended, as its subscribers learn it.
///
/// Source: docs/spec/client.md#streams.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamError {
    /// A word for programs: [`StreamError::USER_ERROR`] and its neighbours, or what a later service says.
    pub name: Cow<'static, str>,
    /// A sentence for people.
    pub message: Option<String>,
    /// The publisher's own word.
    pub user_error_code: Option<String>,
}

impl StreamError {
    /// The publisher ended it with an error.
    pub const USER_ERROR: &'static str = "UserError";
    /// The publisher's connection has ended.
    pub const CANCELLED: &'static str = "Cancelled";
    /// Nothing came from the publisher for too long.
    pub const IDLE_TIMEOUT: &'static str = "IdleTimeout";
    /// There is no such stream; only publishers learn that.
    pub const NOT_FOUND: &'static str = "StreamNotFound";

    /// An error of the publisher's.
    #[must_use]
    pub const fn of_user(message: Option<String>, user_error_code: Option<String>) -> Self {
        Self { name: Cow::Borrowed(Self::USER_ERROR), message, user_error_code }
    }

    /// An error that the service found.
    #[must_use]
    pub const fn of_service(name: &'static str) -> Self {
        Self { name: Cow::Borrowed(name), message: None, user_error_code: None }
    }
}
