//! A message that is published to many connections.

use webpubsub_protocol::client::json::decode_logged;
use webpubsub_protocol::client::{
    DataFrame, DownstreamMessage, Frame, GroupStates, Origin, StreamPart, json, protobuf, simple,
};
use webpubsub_protocol::data::{MessageData, Metadata};
use webpubsub_protocol::time::Timestamp;

use crate::mqtt::{Content, MESSAGES_TOPIC};
use crate::snapshot::StoredMessage;

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
    /// What an MQTT client published it with.
    pub(crate) mqtt: Option<Box<Content>>,
}

impl Publish {
    /// A message of a server to a client, without an end.
    pub(crate) fn by_server(data: MessageData, metadata: Metadata) -> Self {
        Self { from: Origin::Server, data, metadata, expires: None, stream: None, mqtt: None }
    }

    /// Its topic for MQTT clients.
    ///
    /// Source: docs/spec/mqtt.md#delivery.
    pub(crate) fn topic(&self) -> &str {
        match &self.from {
            Origin::Group { group, .. } => group.as_str(),
            Origin::Server => MESSAGES_TOPIC,
        }
    }

    /// Whether it is only the end of a stream, which has no payload.
    pub(crate) fn is_end(&self) -> bool {
        self.stream.as_ref().is_some_and(|part| part.end.is_some())
    }
}

/// What is delivered to many connections, encoded once for each way of framing.
///
/// Not `Debug`: what a trait object can do is in the worker's wasm, whether or not it is used.
pub(crate) trait Message {
    /// What JSON clients read, and the log keeps.
    fn json(&self) -> json::DataFrame;

    /// What protobuf clients read.
    fn protobuf(&self) -> DataFrame;

    /// What simple clients receive, if they do.
    fn simple(&self) -> Option<Frame>;

    /// After that it is not worth sending again.
    fn expires(&self) -> Option<Timestamp>;

    /// The message itself, unless it is one of the service's own.
    fn publish(&self) -> Option<&Publish>;
}

impl Message for Publish {
    fn json(&self) -> json::DataFrame {
        json::DataFrame::new(&self.from, &self.data, &self.metadata, self.stream.as_deref())
    }

    fn protobuf(&self) -> DataFrame {
        let stream = self.stream.as_deref();
        DataFrame::Protobuf(protobuf::DataFrame::new(&self.from, &self.data, &self.metadata, stream))
    }

    fn simple(&self) -> Option<Frame> {
        (!self.is_end()).then(|| simple::encode(&self.data))
    }

    fn expires(&self) -> Option<Timestamp> {
        self.expires
    }

    fn publish(&self) -> Option<&Publish> {
        Some(self)
    }
}

impl Message for GroupStates {
    fn json(&self) -> json::DataFrame {
        json::DataFrame::of_states(self)
    }

    fn protobuf(&self) -> DataFrame {
        DataFrame::Protobuf(protobuf::DataFrame::of_states(self))
    }

    fn simple(&self) -> Option<Frame> {
        None
    }

    fn expires(&self) -> Option<Timestamp> {
        None
    }

    fn publish(&self) -> Option<&Publish> {
        None
    }
}

/// What a row of the log has for its receivers.
#[derive(Debug)]
pub(crate) enum Stored {
    /// A publish.
    Publish(Publish),
    /// States of members of a group.
    States(GroupStates),
}

impl Stored {
    /// Reads what a JSON client would; `None` for anything else.
    pub(crate) fn decode(StoredMessage { message, expires }: &StoredMessage) -> Option<Self> {
        match decode_logged(message) {
            Ok(Some(DownstreamMessage::Data { from, data, metadata, stream, .. })) => {
                Some(Self::Publish(Publish { from, data, metadata, expires: *expires, stream, mqtt: None }))
            }
            Ok(Some(DownstreamMessage::GroupStates { states, .. })) => Some(Self::States(states)),
            Ok(Some(
                DownstreamMessage::Connected { .. }
                | DownstreamMessage::Disconnected { .. }
                | DownstreamMessage::Ack { .. }
                | DownstreamMessage::InvokeResponse { .. }
                | DownstreamMessage::Stream { .. }
                | DownstreamMessage::Pong,
            ))
            | Ok(None)
            | Err(_) => None,
        }
    }

    /// The message in it.
    pub(crate) fn message(&self) -> &dyn Message {
        match self {
            Self::Publish(publish) => publish,
            Self::States(states) => states,
        }
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
