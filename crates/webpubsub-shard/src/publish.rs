//! A message that is published to many connections.

use webpubsub_protocol::client::json::decode_downstream;
use webpubsub_protocol::client::{DataFrame, DownstreamMessage, Origin, StreamPart, json, protobuf};
use webpubsub_protocol::data::{MessageData, Metadata};
use webpubsub_protocol::time::Timestamp;

/// A message for many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Publish {
    /// Where it comes from.
    pub(crate) from: Origin,
    /// Its payload.
    pub(crate) data: MessageData,
    /// What rides beside it.
    pub(crate) metadata: Metadata,
    /// After that it is not worth sending again.
    pub(crate) expires: Option<Timestamp>,
    /// What it is in a stream, if it belongs to one.
    pub(crate) stream: Option<Box<StreamPart>>,
}

impl Publish {
    /// Reads what a JSON client would; `None` for anything but a message.
    pub(crate) fn decode(message: &str, expires: Option<Timestamp>) -> Option<Self> {
        match decode_downstream(message) {
            Ok(Some(DownstreamMessage::Data { from, data, metadata, stream, .. })) => {
                Some(Self { from, data, metadata, expires, stream })
            }
            Ok(Some(
                DownstreamMessage::Connected { .. }
                | DownstreamMessage::Disconnected { .. }
                | DownstreamMessage::Ack { .. }
                | DownstreamMessage::InvokeResponse { .. }
                | DownstreamMessage::Stream { .. }
                | DownstreamMessage::GroupStates { .. }
                | DownstreamMessage::Pong,
            ))
            | Ok(None)
            | Err(_) => None,
        }
    }

    /// What JSON clients read, and [`Publish::decode`].
    pub(crate) fn json(&self) -> json::DataFrame {
        json::DataFrame::new(&self.from, &self.data, &self.metadata, self.stream.as_deref())
    }

    pub(crate) fn protobuf(&self) -> DataFrame {
        let stream = self.stream.as_deref();
        DataFrame::Protobuf(protobuf::DataFrame::new(&self.from, &self.data, &self.metadata, stream))
    }
}

/// How far a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// It has been brought to every shard, or concerns this one only.
    ThisShard,
    /// The other shards are to have it, too.
    AllShards,
}
