//! One publish on its way to many connections, encoded once for each way of framing.

use webpubsub_protocol::client::{DataFrame, Encoding, json};
use webpubsub_protocol::id::SequenceId;

use crate::buffer::Link;
use crate::connection::Connection;
use crate::framing::Framing;
use crate::output::Output;
use crate::publish::Message;
use crate::slot::Slot;
use crate::step::Step;

/// The receivers of a publish, by how they are framed, and the frame that is made at most once.
pub(crate) struct FanOut<'a> {
    publish: &'a dyn Message,
    /// The row of the log in which it is written, if it is.
    row: u64,
    /// The message as JSON, which is also what the log keeps; made when it is first needed.
    frame: Option<json::DataFrame>,
    simple: Vec<Slot>,
    json: Receivers,
    protobuf: Receivers,
    /// Reliable connections that have it in their buffers, those without a socket among them.
    pub(crate) buffered: Vec<Slot>,
    /// Reliable connections whose buffers have no room for it.
    pub(crate) overflowing: Vec<Slot>,
}

impl<'a> FanOut<'a> {
    pub(crate) fn new(publish: &'a dyn Message, row: u64) -> Self {
        Self {
            publish,
            row,
            frame: None,
            simple: Vec::new(),
            json: Receivers::default(),
            protobuf: Receivers::default(),
            buffered: Vec::new(),
            overflowing: Vec::new(),
        }
    }

    /// Adds a receiver. A reliable connection numbers the message, if its buffer has room for it.
    #[inline]
    pub(crate) fn add(&mut self, slot: Slot, connection: &mut Connection) {
        let receivers = match &connection.framing {
            Framing::Simple(_) => return self.simple.push(slot),
            Framing::Messages(Encoding::Json) => &mut self.json,
            Framing::Messages(Encoding::Protobuf) => &mut self.protobuf,
        };
        let Some(buffer) = &mut connection.buffer else { return receivers.plain.push(slot) };
        let bytes = self.frame.get_or_insert_with(|| self.publish.json()).len();
        if !buffer.has_room(bytes) {
            return self.overflowing.push(slot);
        }
        let sequence_id = buffer.push(self.row, bytes);
        self.buffered.push(slot);
        if buffer.link == Link::Attached {
            receivers.numbered.push((slot, sequence_id));
        }
    }

    /// Adds a receiver that has the message in its buffer under this number.
    pub(crate) fn add_numbered(&mut self, slot: Slot, sequence_id: SequenceId, framing: &Framing) {
        match framing {
            Framing::Messages(Encoding::Json) => self.json.numbered.push((slot, sequence_id)),
            Framing::Messages(Encoding::Protobuf) => self.protobuf.numbered.push((slot, sequence_id)),
            Framing::Simple(_) => {}
        }
    }

    /// The message as JSON.
    pub(crate) fn frame(&mut self) -> &json::DataFrame {
        self.frame.get_or_insert_with(|| self.publish.json())
    }

    /// Sends it to all receivers, in at most one output for simple clients and two for each encoding.
    pub(crate) fn send(self, step: &mut Step) {
        let Self { publish, frame, simple, json, protobuf, .. } = self;
        if !simple.is_empty()
            && let Some(frame) = publish.simple()
        {
            step.push(Output::Send { to: simple, frame });
        }
        json.send(|| DataFrame::Json(frame.unwrap_or_else(|| publish.json())), step);
        protobuf.send(|| publish.protobuf(), step);
    }
}

/// Who receives a message in one encoding.
#[derive(Debug, Default)]
struct Receivers {
    plain: Vec<Slot>,
    numbered: Vec<(Slot, SequenceId)>,
}

impl Receivers {
    /// Sends them the frame, which is made only if there are receivers.
    fn send(self, frame: impl FnOnce() -> DataFrame, step: &mut Step) {
        if self.plain.is_empty() && self.numbered.is_empty() {
            return;
        }
        let frame = frame();
        if self.numbered.is_empty() {
            return step.push(Output::Send { to: self.plain, frame: frame.into_plain() });
        }
        if !self.plain.is_empty() {
            step.push(Output::Send { to: self.plain, frame: frame.with(None) });
        }
        step.push(Output::SendNumbered { to: self.numbered, frame });
    }
}
