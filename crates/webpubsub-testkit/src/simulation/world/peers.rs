//! What happens to clients that are none of ours: devices that speak MQTT, and bare WebSockets.

use webpubsub_mqtt::UpstreamPacket;
use webpubsub_protocol::client::Frame;
use webpubsub_protocol::close::CloseCode;
use webpubsub_shard::{Input as ShardInput, Slot};

use super::World;
use crate::simulation::check::{broken, check};
use crate::simulation::library::{Came, Library};
use crate::simulation::message::Message;
use crate::simulation::peer::Peer;
use crate::simulation::socket::{Reader, Socket};
use crate::simulation::summary::Happening;
use crate::simulation::words::{Arrival, Down, Received, Sent, Up, Word};

impl World {
    /// A peer does something, or something is done to it.
    pub(super) fn happen_to_peer(&mut self, at: usize) {
        let peer = &self.peers[at];
        if !peer.started {
            self.peers[at].started = self.random.chance(200);
        } else if peer.socket.is_none() {
            self.dial_peer(at);
        } else if !peer.is_ready() {
            // It waits for CONNACK.
        } else {
            match self.random.below(100) {
                0 => self.stop_peer(at),
                // It has lost its socket without knowing, and takes its session over.
                1 | 2 if peer.library.is_some() => self.dial_peer(at),
                _ => self.operate_peer(at),
            }
        }
    }

    fn operate_peer(&mut self, at: usize) {
        let Self { peers, random, model, .. } = self;
        let Peer { profile, library, .. } = &mut peers[at];
        match library {
            Some(library) => {
                let times = if random.chance(100) { random.between(2, 40) } else { 1 };
                (0..times).for_each(|_| library.operate(profile.user, random, &mut model.messages));
            }
            None => {
                let number = model.messages.len() as u32;
                let group = profile.mode.map_or(0, |(group, _)| group);
                let mut message = Message::new(number, 0, Some(group), Some(profile.user));
                if number % 3 == 1 {
                    message = Message::binary(number, group, profile.user);
                }
                model.messages.push(message);
                self.put_up(at, Up::Payload(number));
            }
        }
        self.flush(at);
    }

    /// A peer opens a socket, in place of one that it may have still.
    fn dial_peer(&mut self, at: usize) {
        self.let_peer_go(at);
        if self.calm || !self.random.chance(self.faults.unreachable) {
            self.connect_peer(at);
        }
    }

    /// A peer leaves.
    pub(super) fn stop_peer(&mut self, at: usize) {
        if self.peers[at].is_ready()
            && let Some(library) = &mut self.peers[at].library
        {
            library.leave(&mut self.random);
            self.flush(at);
        }
        self.peers[at].started = false;
        self.put_up(at, Up::Close(CloseCode::NORMAL));
        self.let_peer_go(at);
    }

    /// A peer listens to its socket no longer.
    fn let_peer_go(&mut self, at: usize) {
        if let Some(library) = &mut self.peers[at].library {
            library.lose_socket();
        }
        if let Some(socket) = self.peers[at].socket.take() {
            let lost = self.socket_mut(socket);
            lost.is_read = false;
            lost.down.clear();
            self.drop_if_dead(socket);
        }
    }

    /// What a peer wants to send is on its way, some packets in each message, or a part of one.
    fn flush(&mut self, at: usize) {
        let Some(library) = &mut self.peers[at].library else { return };
        let packets = library.take_up(self.now);
        if packets.is_empty() {
            return;
        }
        self.note(|| format!("  peer {at} sends {packets:?}"));
        let most = self.random.between(1, packets.len());
        for some in packets.chunks(most) {
            let before = if self.random.chance(200) { self.send_part(at, &some[..1]) } else { 0 };
            self.put_up(at, Up::Packets(some.to_vec(), before));
        }
    }

    /// The first bytes of a packet are on their way. Returns how many.
    fn send_part(&mut self, at: usize, packet: &[Sent]) -> usize {
        let Some(library) = &self.peers[at].library else { return 0 };
        let mut bytes = library.encode(packet);
        bytes.truncate(self.random.between(1, bytes.len() - 1));
        let count = bytes.len();
        self.put_up(at, Up::Part(bytes));
        count
    }

    /// The first bytes of a packet reach a shard.
    pub(super) fn part(&mut self, shard: usize, slot: Slot, connection: usize, bytes: Vec<u8>) {
        let input = ShardInput::Frame { from: slot, frame: Frame::Binary(bytes) };
        if self.receive(shard, slot, input, Vec::new()) {
            let now = self.now;
            self.model.note_part(now, connection);
        }
    }

    fn put_up(&mut self, at: usize, up: Up) {
        if let Some(socket) = self.peers[at].socket
            && let Some(socket) = &mut self.sockets[socket]
            && socket.whole
        {
            socket.up.push_back(up);
        }
    }

    /// A peer is given the time.
    pub(super) fn look_at_peer(&mut self, at: usize) {
        let now = self.now;
        let Peer { socket: Some(_), library: Some(library), .. } = &mut self.peers[at] else { return };
        if library.look_at_clock(now) {
            self.put_up(at, Up::Lost);
            return self.let_peer_go(at);
        }
        self.flush(at);
    }

    /// When nothing goes wrong, a peer that is started has a socket. Returns whether anything has come of it.
    pub(super) fn go_on_with_peer(&mut self, at: usize) -> bool {
        if !self.peers[at].started || self.peers[at].socket.is_some() {
            return false;
        }
        // Its shard detects what it has left.
        let is_left = |socket: &&mut Socket| {
            let is_lost = socket.up.iter().any(|up| matches!(up, Up::Lost));
            socket.reader == Reader::Peer(at) && socket.known && !is_lost
        };
        let left = self.sockets.iter_mut().flatten().filter(is_left);
        let left = left.map(|socket| socket.up.push_back(Up::Lost)).count();
        if left > 0 {
            return true;
        }
        self.dial_peer(at);
        self.peers[at].socket.is_some()
    }

    /// Packets of a peer reach its shard, of which so many bytes are there.
    pub(super) fn packets(
        &mut self,
        at: usize,
        shard: usize,
        slot: Slot,
        connection: usize,
        (packets, before): (Vec<Sent>, usize),
    ) {
        let Some(Reader::Peer(peer)) = self.sockets[at].as_ref().map(|socket| socket.reader) else {
            broken("a packet is sent by who speaks no MQTT")
        };
        let Some(library) = &self.peers[peer].library else {
            broken("a packet is sent by who speaks no MQTT")
        };
        let bytes = library.encode(&packets).split_off(before);
        let is_first = packets.iter().any(|sent| matches!(sent.packet, UpstreamPacket::Connect(_)));
        let input = ShardInput::Frame { from: slot, frame: Frame::Binary(bytes) };
        let arrivals = packets.into_iter().map(|sent| Arrival::Packet(connection, sent)).collect();
        if self.receive(shard, slot, input, arrivals) {
            let now = self.now;
            self.model.note_packet(now, connection);
            // It has another session.
            if is_first
                && self.model.connections[connection].session().is_some()
                && let Some(library) = &mut self.peers[peer].library
            {
                library.forget_received();
            }
        }
    }

    /// What was sent to a peer first arrives.
    pub(super) fn arrive_at_peer(&mut self, peer: usize, at: usize, connection: usize, down: Down) {
        self.note(|| format!("  on socket {at}, connection {connection} to peer {peer}: {down:?}"));
        let (now, with_dup) = (self.now, self.random.chance(500));
        let Self { peers, random, model, .. } = self;
        let Peer { profile, library, .. } = &mut peers[peer];
        let came = match (down, library) {
            (Down::Opened, None) => Came::Nothing,
            (Down::Opened, Some(library)) => {
                library.connect(now, profile.user, random, &mut model.messages);
                Came::Nothing
            }
            (Down::Word(Word::Packet(packet)), Some(library)) => library.take(now, packet, with_dup),
            (Down::Data(received), Some(library)) => library.receive(now, received),
            (Down::Data(_), None) => Came::Received,
            (Down::Close(_) | Down::Lost, _) => return self.let_peer_go(peer),
            (Down::Word(word), _) => broken(format!("a peer is sent {word:?}")),
        };
        match (came, down) {
            (Came::Received, Down::Data(received)) => self.raise_for_peer(connection, received),
            (Came::Acknowledged(message), _) => {
                self.count(Happening::MqttAcknowledgement);
                // 3.1.1 has no way to say that it was not.
                let says_so = self.peers[peer].library.as_ref().is_some_and(Library::is_refused_aloud);
                let accepted = self.model.messages[message as usize].accepted;
                check!(accepted > 0 || !says_so, "message {message} is acknowledged and was never published");
            }
            (Came::Refused, _) => return self.let_peer_go(peer),
            _ => {}
        }
        self.flush(peer);
    }

    fn raise_for_peer(&mut self, connection: usize, received: Received) {
        if received.delivered.is_none() {
            self.count(Happening::BareDelivery);
            return self.receive_message(connection, received);
        }
        self.count(Happening::MqttDelivery);
        if self.model.raise_over_mqtt(connection, received) {
            self.count(Happening::MqttRepetition);
        }
    }

    /// Every peer has what it is owed.
    pub(super) fn check_peers(&self) {
        for (at, peer) in self.peers.iter().enumerate().filter(|(_, peer)| peer.started) {
            let socket = peer.socket.and_then(|socket| self.sockets[socket].as_ref());
            let Some(socket) = socket.filter(|socket| socket.whole && socket.known && peer.is_ready()) else {
                broken(format!("peer {at} has no open socket after a while of quiet"))
            };
            check!(self.model.is_delivered(), "peer {at} has not acknowledged what it has received");
            check!(peer.is_done(), "peer {at} waits for what it has asked for: {peer:?}");
            let connection = &self.model.connections[socket.connection];
            if connection.mqtt.is_some() {
                let missed = self.model.never_raised(self.now, socket.connection);
                check!(missed.is_none(), "peer {at} never receives {missed:?}");
                continue;
            }
            let missed = &connection.expected[connection.received..];
            check!(missed.is_empty() || connection.lossy, "peer {at} never receives {missed:?}");
        }
    }
}
