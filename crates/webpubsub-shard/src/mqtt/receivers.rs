//! One message on its way to many MQTT clients, encoded once for each way of delivering it.

use webpubsub_mqtt::{Qos, Version};
use webpubsub_protocol::client::{DataFrame, Frame, MqttFrame};
use webpubsub_protocol::id::SequenceId;
use webpubsub_protocol::time::Timestamp;

use crate::mqtt::content::{is_topic, write_publish};
use crate::output::Output;
use crate::publish::Publish;
use crate::slot::Slot;
use crate::step::Step;

/// How many ways are looked at to find the one of a receiver. More there are only with subscription identifiers.
const LOOKED_AT: usize = 8;

/// How a message is delivered to a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Delivery {
    pub(crate) version: Version,
    pub(crate) qos: Qos,
    /// The subscription identifier; 0 for none.
    pub(crate) identifier: u32,
    /// Whether it was sent before.
    pub(crate) is_again: bool,
}

/// The receivers of a message, by how it is delivered to them.
#[derive(Debug, Default)]
pub(crate) struct Receivers {
    ways: Vec<Way>,
    /// Whether the message can go to MQTT clients, once that is known.
    has_topic: Option<bool>,
    /// Who receives it at QoS 2, sockets or not.
    pub(crate) exactly_once: Vec<Slot>,
}

#[derive(Debug)]
struct Way {
    delivery: Delivery,
    frame: MqttFrame,
    plain: Vec<Slot>,
    numbered: Vec<(Slot, SequenceId)>,
}

impl Receivers {
    /// Whether the message has a topic by which an MQTT client can be sent it.
    pub(crate) fn may_have(&mut self, publish: &Publish) -> bool {
        *self.has_topic.get_or_insert_with(|| is_topic(publish.topic()))
    }

    /// How many bytes the message has that is delivered in this way, which the next receiver has.
    pub(crate) fn choose(&mut self, publish: &Publish, delivery: Delivery, now: Timestamp) -> usize {
        let known = self.ways.iter().rev().take(LOOKED_AT).position(|way| way.delivery == delivery);
        let at = known.map_or(self.ways.len(), |back| self.ways.len() - 1 - back);
        if known.is_none() {
            let frame = write_publish(publish, delivery, now);
            self.ways.push(Way { delivery, frame, plain: Vec::new(), numbered: Vec::new() });
        }
        let last = self.ways.len() - 1;
        self.ways.swap(at, last);
        self.ways.last().map_or(0, |way| way.frame.bytes.len())
    }

    /// Adds a receiver for the way that was chosen last.
    pub(crate) fn add(&mut self, slot: Slot, sequence_id: Option<SequenceId>) {
        if let Some(way) = self.ways.last_mut() {
            match sequence_id {
                None => way.plain.push(slot),
                Some(id) => way.numbered.push((slot, id)),
            }
        }
    }

    /// Sends it to all of them, in one output for each way.
    pub(crate) fn send(self, step: &mut Step) {
        for Way { frame, plain, numbered, .. } in self.ways {
            if !plain.is_empty() {
                step.push(Output::Send { to: plain, frame: Frame::Binary(frame.bytes) });
            } else if !numbered.is_empty() {
                step.push(Output::SendNumbered { to: numbered, frame: DataFrame::Mqtt(frame) });
            }
        }
    }
}
