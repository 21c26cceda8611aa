//! Messages are delivered to connections.

use std::mem;

use webpubsub_protocol::client::{DownstreamMessage, Origin, simple};
use webpubsub_protocol::close::CloseCause;

use crate::buffer::Buffer;
use crate::fan_out::FanOut;
use crate::framing::Framing;
use crate::log::bitmap;
use crate::output::{Change, Output};
use crate::publish::{Message, Publish, Reach};
use crate::shard::Shard;
use crate::slot::Slot;
use crate::step::Step;

impl Shard {
    /// Sends a message to these connections, in at most one output for simple clients and two for
    /// each encoding, after one row of the log if a reliable connection is among them or it goes to
    /// other shards as well. A connection that has no room for it is closed.
    pub(crate) fn fan_out(&mut self, to: &[Slot], publish: &dyn Message, reach: Reach, step: &mut Step) {
        if self.trace.is_on()
            && let Some(publish) = publish.publish()
        {
            self.record_delivery(step.now, to, publish);
        }
        let mut fan_out = FanOut::new(publish, to.len(), self.log.newest() + 1, step.now);
        for &slot in to {
            if let Some(connection) = self.connections.get_mut(slot) {
                fan_out.add(slot, connection);
            }
        }
        let relayed = reach == Reach::AllShards && self.relay.is_needed();
        if relayed || !fan_out.buffered.is_empty() {
            self.log_publish(&mut fan_out, publish, relayed, step);
        }
        for slot in mem::take(&mut fan_out.waiting) {
            self.touch(slot);
        }
        let overflowing = mem::take(&mut fan_out.overflowing);
        fan_out.send(step);
        for slot in overflowing {
            self.close(slot, CloseCause::BufferFull, step);
        }
        if self.log.is_long() {
            self.trim_log(step);
        }
    }

    /// Writes a publish to the log, and relays that row if the other shards are to have it.
    fn log_publish(
        &mut self,
        fan_out: &mut FanOut<'_>,
        publish: &dyn Message,
        relayed: bool,
        step: &mut Step,
    ) {
        let recipients = bitmap(&fan_out.buffered);
        let mut message = fan_out.frame().with(None);
        if let Some(content) = publish.publish().and_then(|publish| publish.mqtt.as_ref()) {
            content.add_to(&mut message, &bitmap(&fan_out.mqtt.exactly_once));
        }
        let bytes = message.len();
        self.log.add(bytes);
        let (row, expires) = (self.log.newest(), publish.expires());
        step.store(Change::Log { row, message, expires, relayed, recipients });
        if relayed {
            self.relay.publish(row, bytes);
        }
    }

    /// Delivers a publish to all members of its group on this shard.
    pub(crate) fn deliver_to_group(&mut self, publish: &Publish, reach: Reach, step: &mut Step) {
        let to: Vec<Slot> = match &publish.from {
            Origin::Group { group, .. } => self.connections.members(group).collect(),
            // Servers reach every shard by themselves; clients publish to groups only.
            Origin::Server => Vec::new(),
        };
        self.fan_out(&to, publish, reach, step);
    }

    /// Sends a message to one connection, as [`Shard::fan_out`] does it. A large payload is not copied for
    /// one that is not reliable.
    pub(crate) fn send_data(&mut self, slot: Slot, publish: Publish, step: &mut Step) {
        if self.trace.is_on() && self.link(slot).is_none() {
            // Of a reliable one the fan-out is recorded.
            self.record_delivery(step.now, &[slot], &publish);
        }
        let Some(connection) = self.connections.get(slot) else { return };
        match &connection.framing {
            Framing::Simple(_) => {
                let frame = simple::encode_given(publish.data);
                step.push(Output::Send { to: vec![slot], frame });
            }
            Framing::Messages(_) if connection.buffer.is_none() => {
                let Publish { from, data, metadata, stream, .. } = publish;
                let message = DownstreamMessage::Data { from, data, metadata, sequence_id: None, stream };
                self.send(slot, message, step);
            }
            Framing::Messages(_) | Framing::Mqtt => {
                self.fan_out(&[slot], &publish, Reach::ThisShard, step);
            }
        }
    }

    /// Sends a message of the service to one connection, if it has a socket. Simple clients receive
    /// payloads only.
    pub(crate) fn send(&self, slot: Slot, message: DownstreamMessage, step: &mut Step) {
        let Some(connection) = self.connections.get(slot).filter(|connection| connection.is_attached())
        else {
            return;
        };
        if let Framing::Messages(encoding) = &connection.framing {
            let frame = encoding.encode_downstream(message);
            step.push(Output::Send { to: vec![slot], frame });
        }
    }

    /// Deletes the rows of the log that are not needed, after every connection's base is past them.
    fn trim_log(&mut self, step: &mut Step) {
        for (slot, connection) in self.connections.iter_mut() {
            if let Some(cursor) = connection.buffer.as_mut().and_then(|buffer| buffer.take_unstored()) {
                step.store(Change::Acknowledge { slot, cursor });
            }
        }
        let buffers = self.connections.iter().filter_map(|(_, connection)| connection.buffer.as_deref());
        let needed = buffers.flat_map(Buffer::needed).map(|(row, _)| row);
        for (first, last) in self.log.trim(needed.chain(self.relay.needed())) {
            step.store(Change::DeleteRows { first, last });
        }
    }
}
