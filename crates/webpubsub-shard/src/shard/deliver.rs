//! Messages are delivered to connections.

use webpubsub_protocol::client::{DataFrame, DownstreamMessage, Encoding, Origin, json, simple};
use webpubsub_protocol::close::CloseCause;

use crate::buffer::{Buffer, Link};
use crate::framing::Framing;
use crate::log::bitmap;
use crate::output::{Change, Output};
use crate::publish::{Publish, Reach, Receivers};
use crate::shard::Shard;
use crate::slot::Slot;

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

    /// Hands a publish from another shard to the members here.
    pub(super) fn deliver(&mut self, publish: &Publish, outputs: &mut Vec<Output>) {
        let to: Vec<Slot> = match &publish.from {
            Origin::Group { group, .. } => self.connections.members(group).collect(),
            // Servers reach every shard by themselves; clients publish to groups only.
            Origin::Server => Vec::new(),
        };
        self.fan_out(to, publish, Reach::ThisShard, outputs);
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

    /// Sends a message of the service to one connection, if it has a socket. Simple clients receive
    /// payloads only.
    pub(crate) fn send(&self, slot: Slot, message: DownstreamMessage, outputs: &mut Vec<Output>) {
        let Some(connection) = self.connections.get(slot).filter(|connection| connection.is_attached())
        else {
            return;
        };
        if let Framing::Messages(encoding) = &connection.framing {
            let frame = encoding.encode_downstream(message);
            outputs.push(Output::Send { to: vec![slot], frame });
        }
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
