//! Why a frame could not be understood.

use crate::data::{MetadataError, NotJson, TtlOutOfRange};
use crate::name::NameError;

/// A client's frame is not a message of its subprotocol.
///
/// Source: docs/spec/client.md#invalid-messages: each of these closes the connection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The frame is no JSON object.
    #[error("the frame is not a JSON object")]
    NotAnObject,
    /// The frame is not made of protobuf fields.
    #[error("the frame is not a protobuf message")]
    Malformed,
    /// `type` is not a message of this subprotocol.
    #[error("the message type is unknown")]
    UnknownType,
    /// A property that the message needs is missing.
    #[error("property `{property}` is missing")]
    Missing {
        /// Its name on the wire.
        property: &'static str,
    },
    /// A property has a value of another kind than it should.
    #[error("property `{property}` is invalid")]
    Invalid {
        /// Its name on the wire.
        property: &'static str,
    },
    /// A name breaks its rule.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The metadata breaks its rules.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// The time to live is out of range.
    #[error(transparent)]
    TimeToLive(#[from] TtlOutOfRange),
}

impl From<NotJson> for DecodeError {
    fn from(_: NotJson) -> Self {
        Self::Invalid { property: "data" }
    }
}
