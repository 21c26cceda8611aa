//! A shard, some devices, and what happens to them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use webpubsub_mqtt::{DownstreamPacket, Qos, UpstreamPacket, Version};
use webpubsub_protocol::client::Frame;
use webpubsub_shard::Target;

use super::device::{Device, TOPIC};
use super::summary::DeviceSummary;
use crate::mqtt::{MqttClient, mqtt};
use crate::shard::{TestShard, group, text};
use crate::simulation::check::check;
use crate::simulation::random::Random;

/// How many lines a failure shows.
const SHOWN: usize = 60;

/// A message, from when it was first sent.
#[derive(Debug)]
struct Message {
    sent: u32,
    qos: Qos,
    is_acknowledged: bool,
}

#[derive(Debug)]
pub(super) struct World {
    random: Random,
    shard: TestShard,
    devices: Vec<Device>,
    messages: BTreeMap<u32, Message>,
    /// Messages that may be there twice, since their publishers lost their sessions.
    doubled: BTreeSet<u32>,
    step: u32,
    lines: Vec<String>,
    pub(super) summary: DeviceSummary,
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let devices = (0..random.between(2, 5))
            .map(|number| {
                let version = random.pick(&[Version::V3_1_1, Version::V5, Version::V5]);
                let qos =
                    random.pick(&[Qos::AtMostOnce, Qos::AtLeastOnce, Qos::ExactlyOnce, Qos::ExactlyOnce]);
                Device::new(number, version, qos, random.pick(&[1, 2, 5, 100]))
            })
            .collect();
        Self {
            random,
            shard: TestShard::new(),
            devices,
            messages: BTreeMap::new(),
            doubled: BTreeSet::new(),
            step: 0,
            lines: Vec::new(),
            summary: DeviceSummary::default(),
        }
    }

    /// The last things that happened.
    pub(super) fn trace(&self) -> String {
        self.lines[self.lines.len().saturating_sub(SHOWN)..].join("\n")
    }

    pub(super) fn run(&mut self, steps: u32) {
        for _ in 0..steps {
            self.step += 1;
            self.happen();
            self.collect();
        }
        self.calm_down();
        self.compare();
        self.leave();
    }

    fn note(&mut self, line: String) {
        self.lines.push(line);
    }

    fn happen(&mut self) {
        let at = self.random.below(self.devices.len());
        match self.random.below(100) {
            0..30 => self.arrive_up(at),
            30..60 => self.arrive_down(at),
            60..80 => self.publish(at),
            80..90 => {
                if self.devices[at].socket.is_none() || self.random.chance(100) {
                    self.connect(at);
                }
            }
            90..93 => self.cut(at),
            93 => self.crash(),
            94 => {
                self.note("the memory is lost".to_owned());
                self.summary.losses_of_memory += 1;
                self.shard.hibernate();
            }
            95 => {
                let seconds = self.random.pick(&[1, 1, 1, 5, 20, 40]);
                self.note(format!("{seconds} s pass"));
                self.shard.pass(Duration::from_secs(seconds));
            }
            _ => {
                let message = self.next_message(Qos::AtLeastOnce);
                self.note(format!("a server publishes {message}"));
                self.shard.publish(Target::Group(group(TOPIC)), text(&message.to_string()));
                self.acknowledge(message);
            }
        }
    }

    fn next_message(&mut self, qos: Qos) -> u32 {
        let message = u32::try_from(self.messages.len()).expect("few messages");
        self.messages.insert(message, Message { sent: self.step, qos, is_acknowledged: false });
        message
    }

    fn acknowledge(&mut self, message: u32) {
        let message = self.messages.get_mut(&message).expect("a message that was published");
        self.summary.acknowledged += u64::from(!message.is_acknowledged);
        message.is_acknowledged = true;
    }

    fn publish(&mut self, at: usize) {
        if self.devices[at].socket.is_none() || self.devices[at].outstanding.len() >= 20 {
            return;
        }
        let qos = self.random.pick(&[Qos::AtMostOnce, Qos::AtLeastOnce, Qos::ExactlyOnce, Qos::ExactlyOnce]);
        let message = self.next_message(qos);
        self.note(format!("d{at} publishes {message} at {qos:?}"));
        self.devices[at].publish(message, qos);
    }

    fn connect(&mut self, at: usize) {
        let device = &mut self.devices[at];
        device.lose_socket();
        let (id, version, hello) = (device.id.clone(), device.version, device.hello());
        let mut client = MqttClient::open(&mut self.shard, mqtt(&id), version);
        client.send(&mut self.shard, &UpstreamPacket::Connect(Box::new(hello)));
        match self.shard.slot_of(&id) {
            // Displaced too often: the older socket stays, whose client is gone.
            Some(slot) if self.is_refused() => self.shard.cut(slot),
            Some(slot) => {
                client.slot = slot;
                let packets = MqttClient::packets(version, self.shard.frames(slot));
                let Some(DownstreamPacket::Connack(connack)) = packets.first() else {
                    check!(false, "d{at} is answered with {packets:?}");
                    return;
                };
                if !connack.session_present {
                    self.summary.lost += 1;
                    self.doubled.extend(self.devices[at].lose_session());
                }
                self.devices[at].socket = Some(client);
            }
            None => check!(false, "d{at} is not let in"),
        }
        self.note(format!("d{at} connects"));
        self.shard.closed.clear();
    }

    /// Whether the socket that was closed last was refused.
    fn is_refused(&self) -> bool {
        let Some(closed) = self.shard.closed.last() else { return false };
        // Both versions say so in the fourth byte.
        let first = closed.frames.first().map(|frame| match frame {
            Frame::Binary(bytes) => bytes.clone(),
            Frame::Text(_) => Vec::new(),
        });
        first.is_some_and(|bytes| bytes.first() == Some(&0x20) && bytes.get(3) != Some(&0))
    }

    fn cut(&mut self, at: usize) {
        if let Some(socket) = &self.devices[at].socket {
            let slot = socket.slot;
            self.note(format!("d{at} is cut"));
            self.devices[at].lose_socket();
            self.shard.cut(slot);
        }
    }

    fn crash(&mut self) {
        self.note("the process dies".to_owned());
        self.summary.losses_of_memory += 1;
        self.devices.iter_mut().for_each(Device::lose_socket);
        self.shard.crash();
    }

    fn arrive_up(&mut self, at: usize) {
        let device = &mut self.devices[at];
        if let (Some(socket), Some(packet)) = (&device.socket, device.up.pop_front()) {
            let line = format!("d{at} → {packet:?}");
            socket.send(&mut self.shard, &packet);
            self.note(line);
        }
    }

    fn arrive_down(&mut self, at: usize) {
        let (step, with_dup) = (self.step, self.random.chance(500));
        let device = &mut self.devices[at];
        let Some(first) = device.down.front() else { return };
        let line = format!("d{at} ← {first:?}");
        let came = device.take(step, with_dup);
        self.note(line);
        self.summary.resumed += u64::from(came.is_resumed);
        if let Some(message) = came.acknowledged {
            self.acknowledge(message);
        }
        if let Some(message) = came.received {
            let times = self.devices[at].seen.entry(message).or_default();
            *times += 1;
            let times = *times;
            self.summary.received += 1;
            self.summary.repeated += u64::from(times > 1);
            let is_exact = self.messages[&message].qos == Qos::ExactlyOnce
                && self.devices[at].qos == Qos::ExactlyOnce
                && !self.doubled.contains(&message);
            check!(times == 1 || !is_exact, "message {message} came to d{at} {times} times");
        }
    }

    /// What was put on sockets is on its way to the devices, which detect sockets that are closed.
    fn collect(&mut self) {
        for device in &mut self.devices {
            let Some(socket) = &device.socket else { continue };
            if self.shard.slot_of(&device.id) == Some(socket.slot) {
                device.down.extend(socket.take(&mut self.shard));
            } else {
                device.lose_socket();
            }
        }
        self.shard.closed.clear();
    }

    /// Everything that is on its way arrives, until nothing more comes of it.
    fn calm_down(&mut self) {
        for round in 0.. {
            check!(round < 10_000, "it goes on for ever");
            self.step += 1;
            let mut is_calm = true;
            for at in 0..self.devices.len() {
                if self.devices[at].socket.is_none() {
                    self.shard.pass(Duration::from_secs(1));
                    self.connect(at);
                    is_calm = false;
                }
                self.collect();
                is_calm &= self.devices[at].up.is_empty() && self.devices[at].down.is_empty();
                self.arrive_up(at);
                self.collect();
                self.arrive_down(at);
            }
            if is_calm {
                return;
            }
        }
    }

    fn compare(&self) {
        for device in &self.devices {
            check!(device.outstanding.is_empty(), "{} waits for {:?}", device.id, device.outstanding);
            let Some(subscribed) = device.subscribed else { continue };
            for (number, message) in &self.messages {
                let is_owed = message.is_acknowledged
                    && message.sent > subscribed
                    && message.qos != Qos::AtMostOnce
                    && device.qos != Qos::AtMostOnce;
                let came = device.seen.contains_key(number);
                check!(came || !is_owed, "message {number} has not come to {}", device.id);
            }
        }
    }

    fn leave(&mut self) {
        for device in &self.devices {
            let Some(socket) = &device.socket else { continue };
            socket.disconnect(&mut self.shard);
        }
        // Longer than any keep-alive that was looked after.
        self.shard.pass(Duration::from_secs(600));
        let disk = &self.shard.disk;
        check!(self.shard.core().connections() == 0, "sessions are left");
        check!(
            disk.mqtt_sessions.is_empty()
                && disk.mqtt_subscriptions.is_empty()
                && disk.mqtt_packets.is_empty(),
            "rows are left: {disk:?}"
        );
        check!(self.shard.due().is_none(), "the shard waits for something");
    }
}
