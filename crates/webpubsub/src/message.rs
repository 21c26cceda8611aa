//! What an application receives: messages, and answers to invocations.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use webpubsub_protocol::client::{DownstreamMessage, Origin, StreamPart};
use webpubsub_protocol::data::Metadata;
use webpubsub_protocol::name::UserId;

use crate::data::{Data, PayloadError};

/// Something published, by a client to a group or by a server; or a piece of a group stream.
///
/// Cloning one is cheap: the payload is shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message(Arc<Inner>);

#[derive(Debug, PartialEq, Eq)]
struct Inner {
    from: Origin,
    data: Data,
    metadata: Metadata,
    sequence_id: Option<u64>,
    stream_sequence_id: Option<u64>,
}

impl Message {
    /// The data message that the service sent, and what it is in a group stream; `None` for a message of
    /// another kind.
    pub(crate) fn new(message: DownstreamMessage) -> Option<(Self, Option<Box<StreamPart>>)> {
        let DownstreamMessage::Data { from, data, metadata, sequence_id, stream } = message else {
            return None;
        };
        let sequence_id = sequence_id.map(|id| id.0);
        let stream_sequence_id = stream.as_ref().map(|part| part.sequence_id);
        let inner = Inner { from, data: data.into(), metadata, sequence_id, stream_sequence_id };
        Some((Self(Arc::new(inner)), stream))
    }

    /// The group that it was published to; `None` for a message of a server to all, to a user or to
    /// this connection.
    #[must_use]
    pub fn group(&self) -> Option<&str> {
        match &self.0.from {
            Origin::Group { group, .. } => Some(group.as_str()),
            Origin::Server => None,
        }
    }

    /// Who published it to the group; `None` for anonymous clients and for servers, and always on the
    /// protobuf subprotocols, whose messages do not say it.
    #[must_use]
    pub fn from_user(&self) -> Option<&str> {
        match &self.0.from {
            Origin::Group { from_user, .. } => from_user.as_ref().map(UserId::as_str),
            Origin::Server => None,
        }
    }

    /// The payload.
    #[must_use]
    pub fn data(&self) -> &Data {
        &self.0.data
    }

    /// The payload's text, if it is text.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        self.0.data.as_text()
    }

    /// The payload's bytes, if it is binary or a serialized `google.protobuf.Any`.
    #[must_use]
    pub fn bytes(&self) -> Option<&[u8]> {
        self.0.data.as_bytes()
    }

    /// The payload's JSON value, as a type of the application.
    ///
    /// # Errors
    /// [`PayloadError`] for a payload that is no JSON, or other JSON.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, PayloadError> {
        self.0.data.read_json()
    }

    /// Short strings that the publisher sent beside the payload.
    pub fn metadata(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.metadata.iter()
    }

    /// Its place in what the connection receives: 1, 2, 3, …; `None` if the subprotocol is not
    /// reliable.
    #[must_use]
    pub fn sequence_id(&self) -> Option<u64> {
        self.0.sequence_id
    }

    /// Its place in its group stream: 1, 2, 3, …; `None` if it is no piece of one.
    #[must_use]
    pub fn stream_sequence_id(&self) -> Option<u64> {
        self.0.stream_sequence_id
    }

    /// Bytes in memory, as far as they grow with the message.
    pub(crate) fn len(&self) -> usize {
        let metadata: usize = self.0.metadata.iter().map(|(key, value)| key.len() + value.len()).sum();
        self.0.data.len() + metadata
    }
}

/// The answer to an invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    invocation_id: String,
    data: Option<Data>,
}

impl Answer {
    /// What the service answered to the invocation with this id; `None` if it is no answer.
    pub(crate) fn new(invocation_id: String, message: DownstreamMessage) -> Option<Self> {
        let DownstreamMessage::InvokeResponse { result: Ok(data), .. } = message else {
            return None;
        };
        Some(Self { invocation_id, data: data.map(Data::from) })
    }

    /// What the invocation was known by.
    #[must_use]
    pub fn invocation_id(&self) -> &str {
        &self.invocation_id
    }

    /// The payload, if the event handler answered with one.
    #[must_use]
    pub const fn data(&self) -> Option<&Data> {
        self.data.as_ref()
    }

    /// The payload's JSON value, as a type of the application.
    ///
    /// # Errors
    /// [`PayloadError`] for no payload, one that is no JSON, or other JSON.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, PayloadError> {
        self.data.as_ref().ok_or(PayloadError::Missing)?.read_json()
    }
}
