//! Messages to clients, each written once for each framing.

use super::{DownstreamMessage, Frame, GroupStates, Origin, StreamPart, UpstreamMessage, json, protobuf};
use crate::close::CloseCause;
use crate::data::{MessageData, Metadata};
use crate::error::DecodeError;
use crate::id::SequenceId;

/// How a subprotocol writes its messages; reliable or not, they are written the same way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// One JSON object a text frame.
    Json,
    /// One protobuf message a binary frame.
    Protobuf,
}

impl Encoding {
    /// Reads one frame of a client.
    ///
    /// # Errors
    /// What closes the connection of a client that sends such a frame.
    ///
    /// Source: docs/spec/client.md#close-codes.
    pub fn decode_upstream(self, frame: &Frame) -> Result<UpstreamMessage, CloseCause> {
        match (self, frame) {
            (Self::Json, Frame::Text(text)) => json::decode_upstream(text).map_err(|_| self.invalid()),
            (Self::Json, Frame::Binary(_)) => Err(CloseCause::BinaryOnJson),
            (Self::Protobuf, Frame::Binary(bytes)) => {
                protobuf::decode_upstream(bytes).map_err(|_| self.invalid())
            }
            (Self::Protobuf, Frame::Text(_)) => Err(CloseCause::TextOnProtobuf),
        }
    }

    /// What closes the connection of a client that sends what is no message, or one that cannot be.
    ///
    /// Source: docs/spec/client.md#close-codes.
    #[must_use]
    pub const fn invalid(self) -> CloseCause {
        match self {
            Self::Json => CloseCause::InvalidJsonMessage,
            Self::Protobuf => CloseCause::InvalidProtobufMessage,
        }
    }

    /// Writes one frame of a client.
    #[must_use]
    pub fn encode_upstream(self, message: &UpstreamMessage) -> Frame {
        match self {
            Self::Json => Frame::Text(json::encode_upstream(message)),
            Self::Protobuf => Frame::Binary(protobuf::encode_upstream(message)),
        }
    }

    /// Writes one frame of the service. A payload is not copied: a large one costs its size but once.
    #[must_use]
    pub fn encode_downstream(self, message: DownstreamMessage) -> Frame {
        match self {
            Self::Json => Frame::Text(json::encode_downstream(message)),
            Self::Protobuf => Frame::Binary(protobuf::encode_downstream(message)),
        }
    }

    /// Reads one frame of the service; `None` for a message that a client ignores: one of a kind
    /// that is not known, or a frame of the other kind.
    ///
    /// # Errors
    /// A [`DecodeError`] for a frame that cannot be read.
    pub fn decode_downstream(self, frame: &Frame) -> Result<Option<DownstreamMessage>, DecodeError> {
        match (self, frame) {
            (Self::Json, Frame::Text(text)) => json::decode_downstream(text),
            (Self::Protobuf, Frame::Binary(bytes)) => protobuf::decode_downstream(bytes),
            (Self::Json, Frame::Binary(_)) | (Self::Protobuf, Frame::Text(_)) => Ok(None),
        }
    }

    /// Encodes a payload, where it comes from and what it is in a stream, once for every receiver.
    #[must_use]
    pub fn data_frame(
        self,
        from: &Origin,
        data: &MessageData,
        metadata: &Metadata,
        stream: Option<&StreamPart>,
    ) -> DataFrame {
        match self {
            Self::Json => DataFrame::Json(json::DataFrame::new(from, data, metadata, stream)),
            Self::Protobuf => DataFrame::Protobuf(protobuf::DataFrame::new(from, data, metadata, stream)),
        }
    }

    /// Encodes states of members of a group, once for every receiver.
    #[must_use]
    pub fn states_frame(self, states: &GroupStates) -> DataFrame {
        match self {
            Self::Json => DataFrame::Json(json::DataFrame::of_states(states)),
            Self::Protobuf => DataFrame::Protobuf(protobuf::DataFrame::of_states(states)),
        }
    }
}

/// A data message encoded once for every receiver, but for its sequence id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DataFrame {
    /// For text frames.
    Json(json::DataFrame),
    /// For binary frames.
    Protobuf(protobuf::DataFrame),
    /// An MQTT packet, for binary frames.
    Mqtt(MqttFrame),
}

/// An MQTT PUBLISH, encoded once for every receiver, but for its packet identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MqttFrame {
    /// The packet.
    pub bytes: Vec<u8>,
    /// Where in it the two bytes of its packet identifier are; `None` for QoS 0, which has none.
    pub identifier_at: Option<usize>,
}

impl MqttFrame {
    /// The packet, with the packet identifier of this place in what its receiver is sent.
    #[must_use]
    pub fn with(&self, sequence_id: Option<SequenceId>) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        let end = self.identifier_at.map(|at| at..at + 2);
        if let (Some(place), Some(id)) = (end.and_then(|place| bytes.get_mut(place)), sequence_id) {
            place.copy_from_slice(&id.packet_identifier().to_be_bytes());
        }
        bytes
    }
}

impl DataFrame {
    /// Bytes of the frame without a sequence id.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a frame is never empty")]
    pub fn len(&self) -> usize {
        match self {
            Self::Json(frame) => frame.len(),
            Self::Protobuf(frame) => frame.len(),
            Self::Mqtt(frame) => frame.bytes.len(),
        }
    }

    /// The whole frame, for a connection that counts messages or for one that does not.
    #[must_use]
    pub fn with(&self, sequence_id: Option<SequenceId>) -> Frame {
        match self {
            Self::Json(frame) => Frame::Text(frame.with(sequence_id)),
            Self::Protobuf(frame) => Frame::Binary(frame.with(sequence_id)),
            Self::Mqtt(frame) => Frame::Binary(frame.with(sequence_id)),
        }
    }

    /// The whole frame for connections that do not count messages, where no other needs it.
    #[must_use]
    pub fn into_plain(self) -> Frame {
        match self {
            Self::Json(frame) => Frame::Text(frame.into_plain()),
            Self::Protobuf(frame) => Frame::Binary(frame.into_plain()),
            Self::Mqtt(frame) => Frame::Binary(frame.bytes),
        }
    }
}
