//! One device: an MQTT client as its application's library keeps it, over any number of sockets.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use webpubsub_mqtt::{
    Ack, Connect, DownstreamPacket, Properties, Property, Publish, Qos, Subscribe, Subscription,
    UpstreamPacket, Version, Will,
};
use webpubsub_protocol::time::Timestamp;

use super::ledger::Account;
use crate::mqtt::MqttClient;

/// The topic of every message.
pub(super) const TOPIC: &str = "g";

/// How long a session outlives its socket.
const EXPIRY: Duration = Duration::from_secs(30);
/// In seconds, the longest that a device of 3.1.1 may ask for.
const KEEP_ALIVE: u16 = 180;

/// What is published when the device is lost.
#[derive(Debug, Clone, Copy)]
pub(super) struct Testament {
    pub(super) message: u32,
    qos: Qos,
    delay: Duration,
    /// When its socket was lost, and in which step.
    lost: Option<(Timestamp, u32)>,
}

impl Testament {
    /// Another socket takes the place of its own: since which step it was owed, and whether it is published.
    pub(super) fn end(&self, now: Timestamp, step: u32) -> (u32, bool) {
        let Some((lost, since)) = self.lost else { return (step, self.delay.is_zero()) };
        (since, lost.after(self.delay.min(EXPIRY)) <= now)
    }
}

/// A message that was published and is not done.
#[derive(Debug)]
pub(super) struct Outstanding {
    pub(super) message: u32,
    pub(super) qos: Qos,
    pub(super) id: u16,
    is_released: bool,
}

#[derive(Debug)]
pub(super) struct Device {
    pub(super) id: String,
    pub(super) version: Version,
    /// At which it subscribes.
    pub(super) qos: Qos,
    receive_maximum: u16,
    /// Its socket, if it has one.
    pub(super) socket: Option<MqttClient>,
    /// Whether CONNACK has come over it.
    pub(super) is_ready: bool,
    pub(super) will: Option<Testament>,
    /// What it has sent and has not arrived.
    pub(super) up: VecDeque<UpstreamPacket>,
    /// What it was sent and has not arrived.
    pub(super) down: VecDeque<DownstreamPacket>,
    pub(super) outstanding: Vec<Outstanding>,
    next_id: u16,
    /// Packet identifiers of QoS 2 that were not released.
    received: BTreeSet<u16>,
    /// Since the step from which on its session is subscribed.
    pub(super) account: Account,
}

/// A message as it came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Delivered {
    pub(super) message: u32,
    pub(super) qos: Qos,
    pub(super) dup: bool,
}

/// What a packet came to.
#[derive(Debug, Default)]
pub(super) struct Came {
    pub(super) acknowledged: Option<u32>,
    /// What its application receives.
    pub(super) received: Option<Delivered>,
    pub(super) is_resumed: bool,
}

impl Device {
    pub(super) fn new(number: usize, version: Version, qos: Qos, receive_maximum: u16) -> Self {
        Self {
            id: format!("d{number}"),
            version,
            qos,
            receive_maximum,
            socket: None,
            is_ready: false,
            will: None,
            up: VecDeque::new(),
            down: VecDeque::new(),
            outstanding: Vec::new(),
            next_id: 1,
            received: BTreeSet::new(),
            account: Account::default(),
        }
    }

    pub(super) fn hello(&self) -> Connect {
        let hello = MqttClient::hello(self.version, &self.id);
        let mut connect = Connect { clean_start: false, keep_alive: KEEP_ALIVE, ..hello };
        if let Some(Testament { message, qos, delay, .. }) = self.will {
            let mut properties = Properties::default();
            if !delay.is_zero() {
                properties.push_number(Property::WillDelayInterval, delay.as_secs() as u32);
            }
            let payload = message.to_string().into_bytes();
            connect.will = Some(Will { topic: TOPIC.to_owned(), payload, qos, retain: false, properties });
        }
        if self.version == Version::V5 {
            connect.properties.push_number(Property::SessionExpiryInterval, 30);
            connect.properties.push_number(Property::ReceiveMaximum, self.receive_maximum.into());
        }
        connect
    }

    /// It has a will from its next socket on.
    pub(super) fn write_will(&mut self, message: u32, qos: Qos, delay: u64) {
        let delay = if self.version == Version::V5 { Duration::from_secs(delay) } else { Duration::ZERO };
        self.will = Some(Testament { message, qos, delay, lost: None });
    }

    /// The service has lost its socket, unless it had before.
    pub(super) fn is_lost(&mut self, now: Timestamp, step: u32) {
        if let Some(will) = &mut self.will {
            will.lost.get_or_insert((now, step));
        }
    }

    /// Its socket is gone, and what was on its way.
    pub(super) fn lose_socket(&mut self) {
        self.socket = None;
        self.is_ready = false;
        self.up.clear();
        self.down.clear();
    }

    /// Its session was lost. Returns which of its messages may be published twice.
    ///
    /// What it has received is forgotten at once, though CONNACK, which says so, may be lost: a device that believes in
    /// its session still would take a new message for an old one with that packet identifier.
    pub(super) fn lose_session(&mut self) -> Vec<u32> {
        self.account.since = None;
        self.received.clear();
        self.outstanding.iter().map(|one| one.message).collect()
    }

    /// Publishes a message, now or with the next socket.
    pub(super) fn publish(&mut self, message: u32, qos: Qos) {
        let id = self.next_id;
        if qos != Qos::AtMostOnce {
            self.next_id = self.next_id % 50 + 1;
            while self.outstanding.iter().any(|other| other.id == self.next_id) {
                self.next_id = self.next_id % 50 + 1;
            }
            self.outstanding.push(Outstanding { message, qos, id, is_released: false });
        }
        self.up.push_back(UpstreamPacket::Publish(publish(message, qos, id)));
    }

    fn send_again(&mut self, with_dup: bool) {
        for Outstanding { message, qos, id, is_released } in &self.outstanding {
            self.up.push_back(if *is_released {
                UpstreamPacket::Pubrel(MqttClient::ack(*id))
            } else {
                UpstreamPacket::Publish(Publish { dup: with_dup, ..publish(*message, *qos, *id) })
            });
        }
    }

    /// Takes the next packet that has arrived.
    pub(super) fn take(&mut self, step: u32, with_dup: bool) -> Came {
        let mut came = Came::default();
        match self.down.pop_front() {
            Some(DownstreamPacket::Connack(connack)) => {
                came.is_resumed = connack.session_present;
                self.is_ready = true;
                if !connack.session_present {
                    self.received.clear();
                }
                // It may not have learned that its session was lost before.
                self.up.push_back(UpstreamPacket::Subscribe(self.subscribe()));
                self.send_again(with_dup);
            }
            Some(DownstreamPacket::Suback(_)) => {
                self.account.since.get_or_insert(step);
            }
            Some(DownstreamPacket::Publish(publish)) => {
                let text = String::from_utf8(publish.payload).expect("a number");
                let message = text.parse().expect("a number");
                let id = publish.packet_id.map_or(0, |id| id.get());
                let delivered = Delivered { message, qos: publish.qos, dup: publish.dup };
                match publish.qos {
                    Qos::AtMostOnce => came.received = Some(delivered),
                    Qos::AtLeastOnce => {
                        came.received = Some(delivered);
                        self.up.push_back(UpstreamPacket::Puback(MqttClient::ack(id)));
                    }
                    Qos::ExactlyOnce => {
                        if self.received.insert(id) {
                            came.received = Some(delivered);
                        }
                        self.up.push_back(UpstreamPacket::Pubrec(MqttClient::ack(id)));
                    }
                }
            }
            Some(DownstreamPacket::Pubrel(ack)) => {
                self.received.remove(&ack.packet_id.get());
                self.up.push_back(UpstreamPacket::Pubcomp(MqttClient::ack(ack.packet_id.get())));
            }
            Some(DownstreamPacket::Puback(ack)) => came.acknowledged = self.done(&ack),
            Some(DownstreamPacket::Pubrec(ack)) => {
                let id = ack.packet_id.get();
                if let Some(one) = self.outstanding.iter_mut().find(|one| one.id == id) {
                    one.is_released = true;
                    came.acknowledged = Some(one.message);
                }
                self.up.push_back(UpstreamPacket::Pubrel(MqttClient::ack(id)));
            }
            Some(DownstreamPacket::Pubcomp(ack)) => drop(self.done(&ack)),
            Some(DownstreamPacket::Disconnect(_)) => {}
            Some(other @ (DownstreamPacket::Unsuback(_) | DownstreamPacket::Pingresp)) => {
                panic!("{other:?} was not asked for")
            }
            None => {}
        }
        came
    }

    /// The message of an acknowledgement, which is done.
    fn done(&mut self, ack: &Ack) -> Option<u32> {
        assert!(!ack.reason.is_failure() || ack.reason.0 == 0x92, "{ack:?}");
        let at = self.outstanding.iter().position(|one| one.id == ack.packet_id.get())?;
        Some(self.outstanding.remove(at).message)
    }

    fn subscribe(&self) -> Subscribe {
        Subscribe {
            packet_id: MqttClient::ack(1000).packet_id,
            subscriptions: vec![Subscription {
                filter: TOPIC.to_owned(),
                qos: self.qos,
                no_local: false,
                retain_as_published: false,
                retain_handling: 0,
            }],
            properties: Properties::default(),
        }
    }
}

fn publish(message: u32, qos: Qos, id: u16) -> Publish {
    MqttClient::message(TOPIC, qos, id, &message.to_string())
}
