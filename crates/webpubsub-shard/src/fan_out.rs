//! One publish to many connections: encoded once for each way of speaking.

use webpubsub_protocol::client::json::decode_downstream;
use webpubsub_protocol::client::{DataFrame, DownstreamMessage, Encoding, Origin, json, protobuf, simple};
use webpubsub_protocol::close::CloseCause;
use webpubsub_protocol::data::{MessageData, Metadata};
use webpubsub_protocol::id::SequenceId;
use webpubsub_protocol::time::Timestamp;

use crate::connection::Framing;
use crate::output::{Change, Output};
use crate::reliable::{Buffer, Link, bitmap};
use crate::shard::Shard;
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

    fn protobuf(&self) -> DataFrame {
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
struct Receivers {
    plain: Vec<Slot>,
    numbered: Vec<(Slot, SequenceId)>,
}

impl Receivers {
    /// Sends them the frame, which is made only if there is somebody to send it to.
    fn send(self, frame: impl FnOnce() -> DataFrame, outputs: &mut Vec<Output>) {
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

impl Shard {
    /// Sends a message to these connections, in at most one output for simple clients and two for
    /// each encoding, after one row of the log if a reliable connection is among them or it goes to
    /// other shards as well. A connection that has no room for it is closed.
    pub(crate) fn fan_out(
        &mut self,
        to: impl IntoIterator<Item = Slot>,
        publish: &Publish,
        reach: Reach,
        outputs: &mut Vec<Output>,
    ) {
        let relayed = reach == Reach::AllShards && self.relay.is_needed();
        let (mut simple, mut json, mut protobuf) = (Vec::new(), Receivers::default(), Receivers::default());
        let mut frame: Option<json::DataFrame> = None;
        let (mut buffered, mut overflowing) = (Vec::new(), Vec::new());
        let row = self.log.newest() + 1;
        for slot in to {
            let Some(connection) = self.connections.get_mut(slot) else { continue };
            let receivers = match &connection.framing {
                Framing::Simple(_) => {
                    simple.push(slot);
                    continue;
                }
                Framing::Messages(Encoding::Json) => &mut json,
                Framing::Messages(Encoding::Protobuf) => &mut protobuf,
            };
            let Some(buffer) = &mut connection.buffer else {
                receivers.plain.push(slot);
                continue;
            };
            let bytes = frame.get_or_insert_with(|| publish.json()).len();
            if !buffer.has_room(bytes) {
                overflowing.push(slot);
                continue;
            }
            let sequence_id = buffer.push(row, bytes);
            buffered.push(slot);
            if buffer.link == Link::Attached {
                receivers.numbered.push((slot, sequence_id));
            }
        }
        if relayed || !buffered.is_empty() {
            let frame = frame.get_or_insert_with(|| publish.json());
            self.log.add(frame.len());
            let (message, expires, recipients) = (frame.with(None), publish.expires, bitmap(buffered));
            outputs.push(Output::Store(Change::Log { row, message, expires, relayed, recipients }));
            if relayed {
                self.relay.publish(row, frame.len());
            }
        }
        if !simple.is_empty() {
            outputs.push(Output::Send { to: simple, frame: simple::encode(&publish.data) });
        }
        json.send(|| DataFrame::Json(frame.unwrap_or_else(|| publish.json())), outputs);
        protobuf.send(|| publish.protobuf(), outputs);
        for slot in overflowing {
            self.close(slot, CloseCause::BufferFull, outputs);
        }
        if self.log.is_long() {
            self.trim_log(outputs);
        }
    }

    /// Sends a message to one connection, as [`Shard::fan_out`] does it. A large payload is not copied for
    /// one that is not reliable.
    pub(crate) fn send_data(&mut self, slot: Slot, publish: Publish, outputs: &mut Vec<Output>) {
        let Some(connection) = self.connections.get(slot) else { return };
        match &connection.framing {
            Framing::Simple(_) => {
                let frame = simple::encode_given(publish.data);
                outputs.push(Output::Send { to: vec![slot], frame });
            }
            Framing::Messages(_) if connection.buffer.is_none() => {
                let Publish { from, data, metadata, .. } = publish;
                let message = DownstreamMessage::Data { from, data, metadata, sequence_id: None };
                self.send(slot, message, outputs);
            }
            Framing::Messages(_) => self.fan_out([slot], &publish, Reach::ThisShard, outputs),
        }
    }

    /// Asks for every row that a connection has not acknowledged, to send it again.
    pub(crate) fn resend(&self, slot: Slot, outputs: &mut Vec<Output>) {
        let buffer = self.connections.get(slot).and_then(|connection| connection.buffer.as_ref());
        for (row, id) in buffer.into_iter().flat_map(Buffer::needed) {
            outputs.push(Output::Fetch { row, to: vec![(slot, id)] });
        }
    }

    /// Sends a row of the log again. A connection that needs one which cannot be read has lost it,
    /// and is told so.
    pub(crate) fn fetched(
        &mut self,
        now: Timestamp,
        publish: Option<Publish>,
        to: Vec<(Slot, SequenceId)>,
        outputs: &mut Vec<Output>,
    ) {
        let Some(publish) = publish else {
            for (slot, _) in to {
                self.close(slot, CloseCause::NotRecoverable, outputs);
            }
            return;
        };
        if publish.expires.is_some_and(|expires| expires <= now) {
            return;
        }
        let (mut json, mut protobuf) = (Receivers::default(), Receivers::default());
        for (slot, id) in to {
            match self.connections.get(slot).map(|connection| &connection.framing) {
                Some(Framing::Messages(Encoding::Json)) => json.numbered.push((slot, id)),
                Some(Framing::Messages(Encoding::Protobuf)) => protobuf.numbered.push((slot, id)),
                Some(Framing::Simple(_)) | None => {}
            }
        }
        json.send(|| DataFrame::Json(publish.json()), outputs);
        protobuf.send(|| publish.protobuf(), outputs);
    }

    /// Deletes the rows of the log that nobody needs, once every connection's base is past them.
    fn trim_log(&mut self, outputs: &mut Vec<Output>) {
        for (slot, connection) in self.connections.iter_mut() {
            if let Some(cursor) = connection.buffer.as_mut().and_then(|buffer| buffer.take_unstored()) {
                outputs.push(Output::Store(Change::Acknowledge { slot, cursor }));
            }
        }
        let buffers = self.connections.iter().filter_map(|(_, connection)| connection.buffer.as_ref());
        let needed = buffers.flat_map(Buffer::needed).map(|(row, _)| row);
        for (first, last) in self.log.trim(needed.chain(self.relay.needed())) {
            outputs.push(Output::Store(Change::DeleteRows { first, last }));
        }
    }
}
