//! One publish on its way to many connections, encoded once for each way of framing.

use webpubsub_mqtt::Qos;
use webpubsub_protocol::client::{DataFrame, Encoding, json};
use webpubsub_protocol::id::SequenceId;
use webpubsub_protocol::time::Timestamp;

use crate::buffer::Link;
use crate::connection::Connection;
use crate::framing::Framing;
use crate::mqtt;
use crate::output::Output;
use crate::publish::Message;
use crate::slot::Slot;
use crate::step::Step;

/// The receivers of a publish, by how they are framed, and the frame that is made at most once.
pub(crate) struct FanOut<'a> {
    publish: &'a dyn Message,
    /// When it is sent.
    now: Timestamp,
    /// The row of the log in which it is written, if it is.
    row: u64,
    /// How many receivers there may be.
    most: usize,
    /// The message as JSON, which is also what the log keeps; made when it is first needed.
    frame: Option<json::DataFrame>,
    simple: Vec<Slot>,
    json: Receivers,
    protobuf: Receivers,
    pub(crate) mqtt: mqtt::Receivers,
    /// MQTT clients with a socket that take no more now: their sockets carry what waits.
    pub(crate) waiting: Vec<Slot>,
    /// Reliable connections that have it in their buffers, those without a socket among them.
    pub(crate) buffered: Vec<Slot>,
    /// Reliable connections whose buffers have no room for it.
    pub(crate) overflowing: Vec<Slot>,
}

impl<'a> FanOut<'a> {
    pub(crate) fn new(publish: &'a dyn Message, most: usize, row: u64, now: Timestamp) -> Self {
        Self {
            publish,
            now,
            row,
            most,
            frame: None,
            simple: Vec::new(),
            json: Receivers::default(),
            protobuf: Receivers::default(),
            mqtt: mqtt::Receivers::default(),
            waiting: Vec::new(),
            buffered: Vec::new(),
            overflowing: Vec::new(),
        }
    }

    /// Adds a receiver. A reliable connection numbers the message, if its buffer has room for it.
    #[inline]
    pub(crate) fn add(&mut self, slot: Slot, connection: &mut Connection) {
        let most = self.most;
        let receivers = match &connection.framing {
            Framing::Simple(_) => return push(&mut self.simple, slot, most),
            Framing::Messages(Encoding::Json) => &mut self.json,
            Framing::Messages(Encoding::Protobuf) => &mut self.protobuf,
            Framing::Mqtt => return self.add_mqtt(slot, connection),
        };
        let Some(buffer) = &mut connection.buffer else {
            return push(&mut receivers.plain, slot, most);
        };
        let bytes = self.frame.get_or_insert_with(|| self.publish.json()).len();
        if !buffer.has_room(bytes) {
            return self.overflowing.push(slot);
        }
        let sequence_id = buffer.push(self.row, bytes);
        push(&mut self.buffered, slot, most);
        if buffer.link == Link::Attached {
            push(&mut receivers.numbered, (slot, sequence_id), most);
        }
    }

    /// Adds an MQTT client: at the lower QoS of the message and the subscription, if it takes so much.
    ///
    /// Source: docs/spec/mqtt.md#delivery.
    fn add_mqtt(&mut self, slot: Slot, connection: &mut Connection) {
        let Some(publish) = self.publish.publish().filter(|publish| !publish.is_end()) else { return };
        let (Some(session), Some(buffer)) = (&mut connection.mqtt, &mut connection.buffer) else { return };
        if session.is_over || !self.mqtt.may_have(publish) {
            return;
        }
        let is_attached = buffer.link == Link::Attached;
        let delivery = session.delivery(publish);
        if delivery.qos == Qos::AtMostOnce && !is_attached {
            return;
        }
        if self.mqtt.choose(publish, delivery, self.now) > session.packet_maximum as usize {
            return;
        }
        if delivery.qos == Qos::AtMostOnce {
            return self.mqtt.add(slot, None);
        }
        let bytes = self.frame.get_or_insert_with(|| self.publish.json()).len();
        if !buffer.has_room(bytes) {
            return self.overflowing.push(slot);
        }
        let sequence_id = buffer.push(self.row, bytes);
        self.buffered.push(slot);
        if delivery.qos == Qos::ExactlyOnce {
            self.mqtt.exactly_once.push(slot);
        }
        if session.outgoing.push(is_attached) {
            self.mqtt.add(slot, Some(sequence_id));
        } else if is_attached {
            self.waiting.push(slot);
        }
    }

    /// Adds a receiver that has the message in its buffer under this number.
    pub(crate) fn add_numbered(&mut self, slot: Slot, sequence_id: SequenceId, framing: &Framing) {
        match framing {
            Framing::Messages(Encoding::Json) => self.json.numbered.push((slot, sequence_id)),
            Framing::Messages(Encoding::Protobuf) => self.protobuf.numbered.push((slot, sequence_id)),
            Framing::Simple(_) | Framing::Mqtt => {}
        }
    }

    /// The message as JSON.
    pub(crate) fn frame(&mut self) -> &json::DataFrame {
        self.frame.get_or_insert_with(|| self.publish.json())
    }

    /// Sends it to all receivers, in at most one output for simple clients and two for each encoding.
    pub(crate) fn send(self, step: &mut Step) {
        let Self { publish, frame, simple, json, protobuf, mqtt, .. } = self;
        if !simple.is_empty()
            && let Some(frame) = publish.simple()
        {
            step.push(Output::Send { to: simple, frame });
        }
        json.send(|| DataFrame::Json(frame.unwrap_or_else(|| publish.json())), step);
        protobuf.send(|| publish.protobuf(), step);
        mqtt.send(step);
    }
}

/// Adds to a list, which is given room at once for as many as it may become: most receivers of a group are framed alike.
#[inline]
fn push<T>(list: &mut Vec<T>, receiver: T, most: usize) {
    if list.is_empty() {
        list.reserve(most);
    }
    list.push(receiver);
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
