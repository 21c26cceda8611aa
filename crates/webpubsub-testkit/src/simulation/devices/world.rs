//! A hub, devices, clients of other protocols, and what happens to them.

use std::time::Duration;

use webpubsub_mqtt::{DownstreamPacket, Qos, UpstreamPacket, Version};
use webpubsub_protocol::client::{Frame, Subprotocol};
use webpubsub_shard::{Input, Target};

use super::device::{Came, Delivered, Device, TOPIC};
use super::hub::Hub;
use super::ledger::{Ledger, Publisher};
use super::member::Member;
use super::summary::DeviceSummary;
use crate::mqtt::{MqttClient, mqtt};
use crate::shard::{group, text};
use crate::simulation::check::check;
use crate::simulation::random::Random;

mod members;
mod quiet;

/// How many lines a failure shows.
const SHOWN: usize = 60;
/// The shard of the devices: the first.
const FIRST: usize = 0;
/// How many messages one message of a flood has.
const FLOOD: usize = 60;

#[derive(Debug)]
pub(super) struct World {
    random: Random,
    hub: Hub,
    devices: Vec<Device>,
    members: Vec<Member>,
    ledger: Ledger,
    step: u32,
    /// Nothing goes wrong any more.
    is_calm: bool,
    lines: Vec<String>,
    summary: DeviceSummary,
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
        let members = (0..random.between(0, 4))
            .map(|number| {
                use Subprotocol::{Json, JsonReliable, Protobuf, ProtobufReliable};
                Member::new(
                    number,
                    random.pick(&[Json, JsonReliable, JsonReliable, Protobuf, ProtobufReliable]),
                )
            })
            .collect();
        let shards = random.pick(&[1, 1, 2, 3]);
        let most = if random.chance(300) { 3 } else { shards };
        Self {
            random,
            hub: Hub::new(shards, most),
            devices,
            members,
            ledger: Ledger::default(),
            step: 0,
            is_calm: false,
            lines: Vec::new(),
            summary: DeviceSummary::default(),
        }
    }

    /// The last things that happened.
    pub(super) fn trace(&self) -> String {
        self.lines[self.lines.len().saturating_sub(SHOWN)..].join("\n")
    }

    /// What happened.
    pub(super) fn summary(&self) -> DeviceSummary {
        let accounts = self.devices.iter().map(|device| &device.account);
        DeviceSummary {
            acknowledged: self.ledger.acknowledged,
            repeated: accounts.map(|account| account.repeated).sum(),
            wills: self.ledger.wills,
            relayed: self.hub.relayed,
            resized: self.hub.resized,
            ..self.summary
        }
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
        match self.random.below(130) {
            0..28 => self.arrive_up(at),
            28..56 => self.arrive_down(at),
            56..70 => self.publish(at),
            70..78 => {
                if self.devices[at].socket.is_none() || self.random.chance(100) {
                    self.connect(at);
                }
            }
            78..80 => self.cut(at),
            80 => self.say_goodbye(at),
            81..100 => self.happen_to_member(),
            100..104 => self.serve(),
            104..112 => self.hub.carry(&mut self.random, false),
            112..122 => {
                let shard = self.random.below(self.hub.shards.len());
                self.hub.turn(shard);
            }
            122 => self.crash(),
            123 => {
                let shard = self.random.below(self.hub.shards.len());
                self.note(format!("the memory of shard {shard} is lost"));
                self.summary.losses_of_memory += 1;
                self.hub.forget(shard, false);
            }
            124 => {
                let seconds = self.random.pick(&[1, 1, 1, 5, 20, 40]);
                self.note(format!("{seconds} s pass"));
                self.hub.pass(Duration::from_secs(seconds));
            }
            125 => self.go_away(),
            126 => {
                let shards = self.random.between(1, self.hub.shards.len()) as u16;
                self.note(format!("the hub is to have {shards} shards"));
                self.hub.resize(shards);
            }
            _ => self.flood(at),
        }
    }

    /// A server publishes on every shard that it knows of.
    fn serve(&mut self) {
        let message = self.ledger.add(Publisher::Server, self.step, Qos::AtLeastOnce);
        let shards = self.hub.view(&mut self.random).reached;
        self.note(format!("a server publishes {message} on {shards} shards"));
        for shard in &mut self.hub.shards[..usize::from(shards)] {
            shard.publish(Target::Group(group(TOPIC)), text(&message.to_string()));
        }
        self.ledger.acknowledge(message);
    }

    fn publish(&mut self, at: usize) {
        if !self.devices[at].is_ready || self.devices[at].outstanding.len() >= 20 {
            return;
        }
        let qos = self.random.pick(&[Qos::AtMostOnce, Qos::AtLeastOnce, Qos::ExactlyOnce, Qos::ExactlyOnce]);
        let message = self.ledger.add(Publisher::Device(at), self.step, qos);
        self.note(format!("d{at} publishes {message} at {qos:?}"));
        self.devices[at].publish(message, qos);
    }

    /// Many messages at QoS 0 in one, more than a turn takes.
    fn flood(&mut self, at: usize) {
        let device = &self.devices[at];
        let Some(socket) = device.socket.as_ref().filter(|_| device.is_ready && device.up.is_empty()) else {
            return;
        };
        let mut bytes = Vec::new();
        for _ in 0..FLOOD {
            let message = self.ledger.add(Publisher::Device(at), self.step, Qos::AtMostOnce);
            let publish = MqttClient::message(TOPIC, Qos::AtMostOnce, 0, &message.to_string());
            bytes.append(&mut UpstreamPacket::Publish(publish).encode(device.version));
        }
        self.hub.shards[FIRST].feed(Input::Frame { from: socket.slot, frame: Frame::Binary(bytes) });
        self.note(format!("d{at} floods"));
    }

    fn connect(&mut self, at: usize) {
        let (now, step) = (self.hub.now(), self.step);
        let before = self.devices[at].will.take();
        let will = self.ledger.add(Publisher::Will, step, Qos::ExactlyOnce);
        let (qos, delay) =
            (self.random.pick(&[Qos::AtLeastOnce, Qos::ExactlyOnce]), self.random.pick(&[0, 0, 3, 100]));
        let device = &mut self.devices[at];
        device.lose_socket();
        device.write_will(will, qos, delay);
        let (id, version, hello) = (device.id.clone(), device.version, device.hello());
        let shard = &mut self.hub.shards[FIRST];
        let mut client = MqttClient::open(shard, mqtt(&id), version);
        client.send(shard, &UpstreamPacket::Connect(Box::new(hello)));
        match shard.slot_of(&id) {
            // Displaced too often: the older socket stays, whose client is gone.
            Some(slot) if is_refused(shard.closed.last()) => {
                shard.cut(slot);
                self.ledger.settle_will(will, step, false);
                self.devices[at].will = before;
                self.devices[at].is_lost(now, step);
            }
            Some(slot) => {
                client.slot = slot;
                let packets = MqttClient::packets(version, shard.frames(slot));
                let Some(DownstreamPacket::Connack(connack)) = packets.first() else {
                    check!(false, "d{at} is answered with {packets:?}");
                    return;
                };
                if let Some(before) = before {
                    let (since, is_due) = before.end(now, step);
                    self.ledger.settle_will(before.message, since, is_due || !connack.session_present);
                }
                if !connack.session_present {
                    self.summary.lost += 1;
                    self.ledger.may_double(self.devices[at].lose_session());
                }
                self.devices[at].socket = Some(client);
            }
            None => check!(false, "d{at} is not let in"),
        }
        self.note(format!("d{at} connects, with the will {will}"));
        self.hub.shards[FIRST].closed.clear();
    }

    fn cut(&mut self, at: usize) {
        if let Some(socket) = &self.devices[at].socket {
            let slot = socket.slot;
            self.note(format!("d{at} is cut"));
            self.devices[at].lose_socket();
            self.hub.shards[FIRST].cut(slot);
            self.devices[at].is_lost(self.hub.now(), self.step);
        }
    }

    /// A device leaves, and its session goes on for a while. Its will is not published.
    fn say_goodbye(&mut self, at: usize) {
        let device = &mut self.devices[at];
        let Some(socket) = device.socket.as_ref().filter(|_| device.is_ready && device.up.is_empty()) else {
            return;
        };
        let shard = &mut self.hub.shards[FIRST];
        socket.disconnect(shard);
        if let Some(will) = device.will.take() {
            self.ledger.settle_will(will.message, self.step, false);
        }
        device.lose_socket();
        self.note(format!("d{at} leaves"));
    }

    fn crash(&mut self) {
        let shard = self.random.below(self.hub.shards.len());
        self.crash_of(shard);
    }

    fn crash_of(&mut self, shard: usize) {
        self.note(format!("the process of shard {shard} dies"));
        self.summary.losses_of_memory += 1;
        self.hub.forget(shard, true);
        self.lose_sockets(shard);
    }

    /// The service is about to stop, and closes the sockets of a shard.
    fn go_away(&mut self) {
        let shard = self.random.below(self.hub.shards.len());
        self.note(format!("shard {shard} says goodbye"));
        self.hub.shards[shard].input(Input::GoAway);
        self.lose_sockets(shard);
    }

    fn lose_sockets(&mut self, shard: usize) {
        let (now, step) = (self.hub.now(), self.step);
        for device in self.devices.iter_mut().filter(|_| shard == FIRST) {
            if device.socket.is_some() {
                device.is_lost(now, step);
            }
            device.lose_socket();
        }
        for member in &mut self.members {
            if member.socket.is_some_and(|(of, _)| of == shard) {
                member.lose_socket();
            }
        }
    }

    fn arrive_up(&mut self, at: usize) {
        let device = &mut self.devices[at];
        let (Some(socket), Some(packet)) = (&device.socket, device.up.pop_front()) else { return };
        let line = format!("d{at} → {packet:?}");
        let input = Input::Frame { from: socket.slot, frame: Frame::Binary(packet.encode(device.version)) };
        self.note(line);
        if !self.is_calm && self.random.chance(5) {
            // It dies before anything of the step is on disk, or let out.
            drop(self.hub.shards[FIRST].outputs(input));
            return self.crash_of(FIRST);
        }
        self.hub.shards[FIRST].feed(input);
    }

    fn arrive_down(&mut self, at: usize) {
        let (step, with_dup) = (self.step, self.random.chance(500));
        let device = &mut self.devices[at];
        let Some(first) = device.down.front() else { return };
        let line = format!("d{at} ← {first:?}");
        let Came { acknowledged, received, is_resumed } = device.take(step, with_dup);
        self.note(line);
        self.summary.resumed += u64::from(is_resumed);
        if let Some(message) = acknowledged {
            self.ledger.acknowledge(message);
        }
        let Some(Delivered { message, qos, dup }) = received else { return };
        self.summary.received += 1;
        let device = &mut self.devices[at];
        let published = self.ledger.get(message);
        // Those are published once.
        let is_single = matches!(published.from, Publisher::Server | Publisher::Will);
        let is_again = is_single && device.account.has(message);
        check!(dup || !is_again, "message {message} came to {} again without DUP", device.id);
        check!(!dup || qos != Qos::AtMostOnce, "message {message} came to {} at QoS 0 with DUP", device.id);
        let is_exact = qos != Qos::AtLeastOnce && (is_single || published.qos != Qos::AtLeastOnce);
        device.account.receive(&self.ledger, message, qos, is_exact, &device.id);
    }

    /// What was put on sockets is on its way, and sockets that are closed are detected.
    fn collect(&mut self) {
        let (now, step) = (self.hub.now(), self.step);
        let shard = &mut self.hub.shards[FIRST];
        for device in &mut self.devices {
            let Some(socket) = &device.socket else { continue };
            if shard.slot_of(&device.id) == Some(socket.slot) {
                device.down.extend(socket.take(shard));
            } else {
                device.is_lost(now, step);
                device.lose_socket();
            }
        }
        for member in &mut self.members {
            let Some((shard, slot)) = member.socket else { continue };
            if self.hub.shards[shard].is_open(slot) {
                member.down.extend(self.hub.shards[shard].take_frames(slot));
            } else {
                member.lose_socket();
            }
        }
        self.hub.shards.iter_mut().for_each(|shard| shard.closed.clear());
    }
}

/// Whether the socket that was closed last was refused.
fn is_refused(closed: Option<&crate::shard::Closed>) -> bool {
    // Both versions say so in the fourth byte.
    let first = closed.and_then(|closed| closed.frames.first());
    matches!(first, Some(Frame::Binary(bytes)) if bytes.first() == Some(&0x20) && bytes.get(3) != Some(&0))
}
