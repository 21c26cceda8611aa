//! What an MQTT library keeps for its application, over any number of sockets.

use std::collections::BTreeSet;
use std::mem;
use std::time::Duration;

use webpubsub_mqtt::{
    Connect, Disconnect, Properties, Property, Publish, Qos, ReasonCode, Subscribe, Subscription,
    Unsubscribe, UpstreamPacket, Version, Will,
};
use webpubsub_protocol::data::MessageData;
use webpubsub_protocol::id::SequenceId;
use webpubsub_protocol::time::Timestamp;

use super::message::Message;
use super::packet::Packet;
use super::random::Random;
use super::words::{GROUPS, Received, Sent};
use crate::mqtt::MqttClient;

const ALL_QOS: [Qos; 3] = [Qos::AtMostOnce, Qos::AtLeastOnce, Qos::ExactlyOnce];

/// What an MQTT library keeps.
#[derive(Debug)]
pub(super) struct Library {
    /// The client id.
    pub(super) id: String,
    pub(super) version: Version,
    /// In seconds.
    expiry: u32,
    /// In seconds.
    keep_alive: u16,
    receive_maximum: u16,
    /// Whether CONNACK has let it in.
    pub(super) is_ready: bool,
    /// When it has sent something last, and received.
    last: [Timestamp; 2],
    /// What it has published and is not done.
    outstanding: Vec<Outstanding>,
    /// Packet identifiers of QoS 2 that it has not released, or that it has not been released of.
    received: BTreeSet<u16>,
    next_id: u16,
    /// What it is to send.
    up: Vec<Sent>,
}

/// A message that was published and is not done.
#[derive(Debug)]
struct Outstanding {
    message: u32,
    publish: Publish,
    is_released: bool,
}

/// What an arrival means to the application.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Came {
    Nothing,
    /// Its session goes on, or not.
    Admitted(bool),
    /// It may not have a session now.
    Refused,
    Acknowledged(u32),
    Received,
}

impl Library {
    pub(super) fn draw(random: &mut Random, number: usize, now: Timestamp) -> Self {
        Self {
            id: format!("d{number}"),
            version: random.pick(&[Version::V3_1_1, Version::V5, Version::V5]),
            expiry: random.pick(&[0, 5, 30, 30, 100]),
            keep_alive: random.pick(&[10, 30, 60]),
            receive_maximum: random.pick(&[1, 2, 5, 100]),
            is_ready: false,
            last: [now; 2],
            outstanding: Vec::new(),
            received: BTreeSet::new(),
            next_id: 1,
            up: Vec::new(),
        }
    }

    /// Whether nothing of what it does is under way.
    pub(super) const fn is_done(&self) -> bool {
        self.outstanding.is_empty() && self.up.is_empty()
    }

    /// When it looks at the time.
    pub(super) fn next_timeout(&self) -> Timestamp {
        self.last[0].after(self.half()).min(self.last[1].after(self.patience()))
    }

    fn half(&self) -> Duration {
        Duration::from_secs(self.keep_alive.into()) / 2
    }

    /// How long it waits for something to come.
    fn patience(&self) -> Duration {
        Duration::from_secs(self.keep_alive.into()) * 3 / 2
    }

    /// Its socket is open: it wants its session. What it writes as its will is added to the messages.
    pub(super) fn connect(
        &mut self,
        now: Timestamp,
        user: u8,
        random: &mut Random,
        messages: &mut Vec<Message>,
    ) {
        let hello = MqttClient::hello(self.version, &self.id);
        let mut connect = Connect { clean_start: random.chance(100), keep_alive: self.keep_alive, ..hello };
        if self.version == Version::V5 {
            connect.properties.push_number(Property::SessionExpiryInterval, self.expiry);
            connect.properties.push_number(Property::ReceiveMaximum, self.receive_maximum.into());
        }
        let message = random.chance(500).then_some(messages.len() as u32);
        if let Some(message) = message {
            let group = random.below(GROUPS.len()) as u8;
            let will = Message::binary(message, group, user);
            let mut properties = Properties::default();
            if self.version == Version::V5 {
                properties.push_number(Property::WillDelayInterval, random.pick(&[0, 0, 3, 100]));
            }
            connect.will = Some(Will {
                topic: GROUPS[usize::from(group)].to_owned(),
                payload: will.payload().to_vec(),
                qos: random.pick(&ALL_QOS),
                retain: false,
                properties,
            });
            messages.push(will);
        }
        (self.is_ready, self.last) = (false, [now; 2]);
        self.up.clear();
        self.up.push(Sent { packet: UpstreamPacket::Connect(Box::new(connect)), message });
    }

    /// Whether it receives what becomes of a publish that is refused.
    pub(super) fn is_refused_aloud(&self) -> bool {
        self.version == Version::V5
    }

    /// Its socket is gone.
    pub(super) fn lose_socket(&mut self) {
        self.is_ready = false;
        self.up.clear();
    }

    /// It has another session, though it may never learn of that: it would take a new message for an old one with that
    /// packet identifier.
    pub(super) fn forget_received(&mut self) {
        self.received.clear();
    }

    fn say(&mut self, packet: UpstreamPacket) {
        self.up.push(Sent { packet, message: None });
    }

    /// Its application does something; what it publishes is added to the messages.
    pub(super) fn operate(&mut self, user: u8, random: &mut Random, messages: &mut Vec<Message>) {
        let number = random.below(GROUPS.len()) as u8;
        let topic = GROUPS[usize::from(number)].to_owned();
        let packet_id = MqttClient::ack(1000).packet_id;
        match random.below(12) {
            0..=2 => self.say(UpstreamPacket::Subscribe(Subscribe {
                packet_id,
                subscriptions: vec![Subscription {
                    filter: topic,
                    qos: random.pick(&ALL_QOS),
                    no_local: self.version == Version::V5 && random.chance(200),
                    retain_as_published: false,
                    retain_handling: 0,
                }],
                properties: Properties::default(),
            })),
            3 => {
                let (filters, properties) = (vec![topic], Properties::default());
                self.say(UpstreamPacket::Unsubscribe(Unsubscribe { packet_id, filters, properties }));
            }
            4 => self.say(UpstreamPacket::Pingreq),
            _ if self.outstanding.len() < 20 => self.publish(user, number, random, messages),
            _ => {}
        }
    }

    fn publish(&mut self, user: u8, group: u8, random: &mut Random, messages: &mut Vec<Message>) {
        let (message, qos) = (messages.len() as u32, random.pick(&ALL_QOS));
        let mut publish = Publish { topic: GROUPS[usize::from(group)].to_owned(), qos, ..Publish::default() };
        let content = match self.version {
            Version::V3_1_1 => Message::binary(message, group, user),
            Version::V5 => Message::new(message, 0, Some(group), Some(user)),
        };
        publish.payload = content.payload().to_vec();
        match content.data {
            MessageData::Text(_) => publish.properties.push_number(Property::PayloadFormatIndicator, 1),
            MessageData::Json(_) => publish.properties.push_text(Property::ContentType, "application/json"),
            MessageData::Binary(_) | MessageData::Protobuf(_) => {}
        }
        if self.version == Version::V5 && random.chance(200) {
            publish.properties.push_number(Property::MessageExpiryInterval, random.pick(&[1, 5, 30]));
        }
        messages.push(content);
        if qos != Qos::AtMostOnce {
            while self.outstanding.iter().any(|other| other.id() == self.next_id) {
                self.next_id = self.next_id % 50 + 1;
            }
            publish.packet_id = Some(MqttClient::ack(self.next_id).packet_id);
            self.next_id = self.next_id % 50 + 1;
            self.outstanding.push(Outstanding { message, publish: publish.clone(), is_released: false });
        }
        self.up.push(Sent { packet: UpstreamPacket::Publish(publish), message: Some(message) });
    }

    /// It leaves, and may have its will published.
    pub(super) fn leave(&mut self, random: &mut Random) {
        let mut disconnect = Disconnect::default();
        if self.version == Version::V5 && random.chance(200) {
            disconnect.reason = ReasonCode::DISCONNECT_WITH_WILL;
        }
        self.say(UpstreamPacket::Disconnect(disconnect));
    }

    /// It looks at the time. Returns whether it gives its socket up.
    pub(super) fn look_at_clock(&mut self, now: Timestamp) -> bool {
        if self.last[1].after(self.patience()) <= now {
            return true;
        }
        if self.is_ready && self.last[0].after(self.half()) <= now && self.up.is_empty() {
            self.say(UpstreamPacket::Pingreq);
        }
        false
    }

    /// Some packets as they are on the wire.
    pub(super) fn encode(&self, packets: &[Sent]) -> Vec<u8> {
        packets.iter().flat_map(|sent| sent.packet.encode(self.version)).collect()
    }

    /// What it is to send, which is on its way from here on.
    pub(super) fn take_up(&mut self, now: Timestamp) -> Vec<Sent> {
        if !self.up.is_empty() {
            self.last[0] = now;
        }
        mem::take(&mut self.up)
    }

    /// It receives a packet.
    pub(super) fn take(&mut self, now: Timestamp, packet: Packet, with_dup: bool) -> Came {
        self.last[1] = now;
        match packet {
            Packet::Connack { reason, .. } if reason.is_failure() => return Came::Refused,
            Packet::Connack { is_present, .. } => {
                self.is_ready = true;
                if !is_present {
                    self.received.clear();
                }
                self.send_again(with_dup);
                return Came::Admitted(is_present);
            }
            Packet::Pubrel(id, _) => {
                self.received.remove(&id);
                self.say(UpstreamPacket::Pubcomp(MqttClient::ack(id)));
            }
            Packet::Puback(id, reason) | Packet::Pubcomp(id, reason) => {
                let Some(at) = self.outstanding.iter().position(|one| one.id() == id) else {
                    return Came::Nothing;
                };
                let Outstanding { message, publish, .. } = self.outstanding.remove(at);
                if publish.qos == Qos::AtLeastOnce && !reason.is_failure() {
                    return Came::Acknowledged(message);
                }
            }
            Packet::Pubrec(id, reason) => {
                let Some(at) = self.outstanding.iter().position(|one| one.id() == id) else {
                    self.say(UpstreamPacket::Pubrel(MqttClient::ack(id)));
                    return Came::Nothing;
                };
                if reason.is_failure() {
                    self.outstanding.remove(at);
                    return Came::Nothing;
                }
                let is_news = !mem::replace(&mut self.outstanding[at].is_released, true);
                let message = self.outstanding[at].message;
                self.say(UpstreamPacket::Pubrel(MqttClient::ack(id)));
                if is_news {
                    return Came::Acknowledged(message);
                }
            }
            Packet::Suback(..) | Packet::Unsuback(..) | Packet::Pingresp | Packet::Disconnect(_) => {}
        }
        Came::Nothing
    }

    /// It receives a message. Returns whether that is one for its application.
    pub(super) fn receive(&mut self, now: Timestamp, Received { number, delivered, .. }: Received) -> Came {
        self.last[1] = now;
        let id = number.map_or(0, |number| SequenceId(number).packet_identifier());
        match delivered.map_or(Qos::AtMostOnce, |delivered| delivered.qos) {
            Qos::AtMostOnce => Came::Received,
            Qos::AtLeastOnce => {
                self.say(UpstreamPacket::Puback(MqttClient::ack(id)));
                Came::Received
            }
            Qos::ExactlyOnce => {
                self.say(UpstreamPacket::Pubrec(MqttClient::ack(id)));
                if self.received.insert(id) { Came::Received } else { Came::Nothing }
            }
        }
    }

    fn send_again(&mut self, with_dup: bool) {
        for Outstanding { message, publish, is_released } in &self.outstanding {
            self.up.push(if *is_released {
                let id = publish.packet_id.map_or(0, |id| id.get());
                Sent { packet: UpstreamPacket::Pubrel(MqttClient::ack(id)), message: None }
            } else {
                let publish = Publish { dup: with_dup, ..publish.clone() };
                Sent { packet: UpstreamPacket::Publish(publish), message: Some(*message) }
            });
        }
    }
}

impl Outstanding {
    fn id(&self) -> u16 {
        self.publish.packet_id.map_or(0, |id| id.get())
    }
}
