//! One message for many connections, encoded once for each way of framing.

use webpubsub_protocol::client::json::decode_downstream;
use webpubsub_protocol::client::{DataFrame, DownstreamMessage, Origin, json, protobuf};
use webpubsub_protocol::data::{MessageData, Metadata};
use webpubsub_protocol::id::SequenceId;
use webpubsub_protocol::time::Timestamp;

use crate::output::Output;
use crate::slot::Slot;

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
}

impl Publish {
    /// Reads what a JSON client would; `None` for anything but a message.
    pub(crate) fn decode(message: &str, expires: Option<Timestamp>) -> Option<Self> {
        match decode_downstream(message) {
            Ok(Some(DownstreamMessage::Data { from, data, metadata, .. })) => {
                Some(Self { from, data, metadata, expires })
            }
            Ok(Some(
                DownstreamMessage::Connected { .. }
                | DownstreamMessage::Disconnected { .. }
                | DownstreamMessage::Ack { .. }
                | DownstreamMessage::InvokeResponse { .. }
                | DownstreamMessage::Pong,
            ))
            | Ok(None)
            | Err(_) => None,
        }
    }

    /// What JSON clients read, and [`Publish::decode`].
    pub(crate) fn json(&self) -> json::DataFrame {
        json::DataFrame::new(&self.from, &self.data, &self.metadata)
    }

    pub(crate) fn protobuf(&self) -> DataFrame {
        DataFrame::Protobuf(protobuf::DataFrame::new(&self.from, &self.data, &self.metadata))
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

/// Who receives a message in one encoding.
#[derive(Debug, Default)]
pub(crate) struct Receivers {
    pub(crate) plain: Vec<Slot>,
    pub(crate) numbered: Vec<(Slot, SequenceId)>,
}

impl Receivers {
    /// Sends them the frame, which is made only if there is somebody to send it to.
    pub(crate) fn send(self, frame: impl FnOnce() -> DataFrame, outputs: &mut Vec<Output>) {
        if self.plain.is_empty() && self.numbered.is_empty() {
            return;
        }
        let frame = frame();
        if self.numbered.is_empty() {
            return outputs.push(Output::Send { to: self.plain, frame: frame.into_plain() });
        }
        if !self.plain.is_empty() {
            outputs.push(Output::Send { to: self.plain, frame: frame.with(None) });
        }
        outputs.push(Output::SendNumbered { to: self.numbered, frame });
    }
}
