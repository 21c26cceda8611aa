//! What shards put on WebSockets.

use std::collections::VecDeque;

use webpubsub_mqtt::{DownstreamPacket, Publish, Qos};
use webpubsub_protocol::client::{AckError, DataFrame, DownstreamMessage, Frame, Subprotocol};
use webpubsub_protocol::id::SequenceId;
use webpubsub_protocol::name::UserId;
use webpubsub_shard::{Output, Slot};

use super::World;
use crate::mqtt::MqttClient;
use crate::simulation::check::{broken, check};
use crate::simulation::message::{message_number, number_in};
use crate::simulation::packet::{Delivered, Packet};
use crate::simulation::socket::{Reader, Socket};
use crate::simulation::words::{Answer, Down, Received, Word, user_id};

impl World {
    pub(super) fn accept(&mut self, shard: usize, slot: Slot, connection: usize, reader: Reader) {
        let at = self.sockets.iter().position(Option::is_none).unwrap_or_else(|| {
            self.sockets.push(None);
            self.sockets.len() - 1
        });
        let machine = &mut self.shards[shard];
        if machine.sockets.len() <= slot.0 as usize {
            machine.sockets.resize(slot.0 as usize + 1, None);
        }
        check!(machine.sockets[slot.0 as usize].is_none(), "{slot:?} has two sockets");
        machine.sockets[slot.0 as usize] = Some(at);
        self.sockets[at] = Some(Socket {
            reader,
            shard,
            connection,
            attachment: None,
            up: VecDeque::new(),
            down: [Down::Opened].into(),
            known: true,
            is_read: true,
            whole: true,
            opened: false,
            closed: false,
        });
        match reader {
            Reader::Client(client, _) => self.clients[client].socket = Some(at),
            Reader::Peer(peer) => self.peers[peer].socket = Some(at),
        }
        self.note(|| format!("    socket {at} of {reader:?} is connection {connection}'s"));
    }

    pub(super) fn socket_mut(&mut self, at: usize) -> &mut Socket {
        self.sockets[at].as_mut().expect("a socket")
    }

    pub(super) fn holder_of_socket(&self, shard: usize, slot: Slot) -> usize {
        let at = self.shards[shard].socket(slot);
        at.unwrap_or_else(|| broken(format!("shard {shard} has no socket in {slot:?}")))
    }

    pub(super) fn connection_of(&self, at: usize) -> usize {
        self.sockets[at].as_ref().expect("a socket").connection
    }

    /// Who is in a slot, by the socket or without one.
    fn connection_in(&self, shard: usize, slot: Slot) -> usize {
        match self.shards[shard].socket(slot) {
            Some(at) => self.connection_of(at),
            None => self.model.holder(shard, slot),
        }
    }

    /// Puts something on a socket.
    pub(super) fn put(&mut self, at: usize, down: Down) {
        let socket = self.socket_mut(at);
        check!(!socket.closed, "{down:?} is put on a socket after its close frame");
        socket.closed = matches!(down, Down::Close(_));
        if socket.whole && socket.is_read {
            socket.down.push_back(down);
        }
        self.drop_if_dead(at);
    }

    pub(super) fn send(&mut self, shard: usize, to: &[Slot], frame: &Frame, checked: bool) {
        let connection = self.connection_in(shard, to[0]);
        match self.model.connections[connection].profile.subprotocol {
            Subprotocol::Mqtt => return self.send_packet(shard, to, frame, checked),
            Subprotocol::Simple => return self.send_bare(shard, to, frame, checked),
            Subprotocol::Json
            | Subprotocol::JsonReliable
            | Subprotocol::Protobuf
            | Subprotocol::ProtobufReliable => {}
        }
        let encoding = self.model.connections[connection].profile.encoding();
        let message = encoding.decode_downstream(frame).ok().flatten();
        let message = message.unwrap_or_else(|| broken(format!("{frame:?} is no message")));
        let word = match message {
            DownstreamMessage::Data { from, data, metadata: _, sequence_id, stream: _ } => {
                let number = message_number(&data);
                check!(sequence_id.is_none(), "a frame for many has a number");
                let published = &mut self.model.messages[number as usize];
                published.check(encoding, &from, &data);
                published.check_bytes(encoding, frame);
                for slot in to {
                    self.deliver(
                        shard,
                        *slot,
                        Received { message: number, number: None, delivered: None },
                        checked,
                    );
                }
                return;
            }
            DownstreamMessage::Connected { connection_id, user_id: user, reconnection_token } => {
                let known = &self.model.connections[connection];
                let named = user.as_ref().map(UserId::as_str) == Some(user_id(known.profile.user).as_str());
                check!(connection_id == known.id && named, "connection {connection} is called another");
                check!(
                    reconnection_token.is_some() == known.is_reliable(),
                    "connection {connection} has the token {reconnection_token:?}"
                );
                Word::Connected
            }
            DownstreamMessage::Disconnected { .. } => Word::Disconnected,
            DownstreamMessage::Ack { ack_id, result } => Word::Ack(
                ack_id,
                match result {
                    Ok(()) => Answer::Done,
                    Err(error) if error.name == AckError::DUPLICATE => Answer::Duplicate,
                    Err(error) if error.name == AckError::FORBIDDEN => Answer::Forbidden,
                    Err(error) if error.name == AckError::INTERNAL_SERVER_ERROR => Answer::Failed,
                    Err(error) => broken(format!("an operation ends with {error:?}")),
                },
            ),
            DownstreamMessage::InvokeResponse { .. } => broken("sessions invoke nothing"),
            DownstreamMessage::Stream { .. } => broken("sessions open no streams"),
            DownstreamMessage::GroupStates { .. } => broken("sessions subscribe to no states"),
            DownstreamMessage::Pong => Word::Pong,
        };
        for slot in to {
            let at = self.on(shard, *slot);
            if checked {
                self.model.say(self.connection_of(at), word);
            }
            self.put(at, Down::Word(word));
        }
    }

    /// A message goes to a socket.
    fn deliver(&mut self, shard: usize, slot: Slot, received: Received, checked: bool) {
        let at = self.on(shard, slot);
        if checked {
            self.model.send(self.connection_of(at), received);
        }
        self.put(at, Down::Data(received));
    }

    fn send_bare(&mut self, shard: usize, to: &[Slot], frame: &Frame, checked: bool) {
        let message = number_in(match frame {
            Frame::Text(text) => text.as_bytes(),
            Frame::Binary(bytes) => bytes,
        });
        self.model.messages[message as usize].check_bare(frame);
        for slot in to {
            self.deliver(shard, *slot, Received { message, number: None, delivered: None }, checked);
        }
    }

    /// The packet in a frame.
    fn packet_in(&self, shard: usize, slot: Slot, frame: &Frame) -> DownstreamPacket {
        let at = self.on(shard, slot);
        let library = match self.sockets[at].as_ref().map(|socket| socket.reader) {
            Some(Reader::Peer(peer)) => self.peers[peer].library.as_ref(),
            Some(Reader::Client(..)) | None => None,
        };
        let version = library.map(|library| library.version);
        let version = version.unwrap_or_else(|| broken("a packet is sent to who speaks no MQTT"));
        let packets = MqttClient::packets(version, std::slice::from_ref(frame));
        let [packet] = <[DownstreamPacket; 1]>::try_from(packets)
            .unwrap_or_else(|packets| broken(format!("{packets:?} are no packet")));
        packet
    }

    fn send_packet(&mut self, shard: usize, to: &[Slot], frame: &Frame, checked: bool) {
        let packet = self.packet_in(shard, to[0], frame);
        if let DownstreamPacket::Publish(publish) = &packet {
            let delivered = self.check_publish(publish);
            check!(delivered.qos == Qos::AtMostOnce, "{publish:?} has no number");
            let message = number_in(&publish.payload);
            for slot in to {
                let received = Received { message, number: None, delivered: Some(delivered) };
                self.deliver(shard, *slot, received, checked);
            }
        }
        let Some(packet) = Packet::of(&packet) else { return };
        for slot in to {
            let at = self.on(shard, *slot);
            if checked {
                self.model.say(self.connection_of(at), Word::Packet(packet));
            }
            self.put(at, Down::Word(Word::Packet(packet)));
        }
    }

    fn send_publish(&mut self, shard: usize, to: &[(Slot, SequenceId)], frame: &DataFrame, checked: bool) {
        for (slot, id) in to {
            let packet = self.packet_in(shard, *slot, &frame.with(Some(*id)));
            let DownstreamPacket::Publish(publish) = packet else {
                broken(format!("{packet:?} has a number"))
            };
            let delivered = self.check_publish(&publish);
            let is_its = publish.packet_id.map(|own| own.get()) == Some(id.packet_identifier());
            check!(is_its, "{publish:?} is to have the identifier of {id:?}");
            let message = number_in(&publish.payload);
            let received = Received { message, number: Some(id.0), delivered: Some(delivered) };
            self.deliver(shard, *slot, received, checked);
        }
    }

    /// Checks that a message is sent as it was published.
    fn check_publish(&self, publish: &Publish) -> Delivered {
        let message = number_in(&publish.payload);
        self.model.messages[message as usize].check_topic(&publish.topic, &publish.payload);
        Delivered { qos: publish.qos, dup: publish.dup }
    }

    /// The socket that a frame goes to. With [`Bug::SendAfterClose`](crate::simulation::Bug::SendAfterClose) it may be one that is closed.
    fn on(&self, shard: usize, slot: Slot) -> usize {
        self.shards[shard].socket(slot).unwrap_or_else(|| {
            broken(format!("a frame is put on {slot:?} of shard {shard}, which has no open socket"))
        })
    }

    pub(super) fn send_numbered(
        &mut self,
        shard: usize,
        to: &[(Slot, SequenceId)],
        frame: &DataFrame,
        checked: bool,
    ) {
        let (slot, first) = to[0];
        let at = self.on(shard, slot);
        if self.model.connections[self.connection_of(at)].mqtt.is_some() {
            return self.send_publish(shard, to, frame, checked);
        }
        let encoding = self.model.connections[self.connection_of(at)].profile.encoding();
        let message = encoding.decode_downstream(&frame.with(Some(first))).ok().flatten();
        let Some(DownstreamMessage::Data { from, data, metadata: _, sequence_id, stream: _ }) = message
        else {
            broken(format!("{frame:?} is no message"));
        };
        check!(sequence_id == Some(first), "{sequence_id:?} is to be {first}");
        let number = message_number(&data);
        let published = &mut self.model.messages[number as usize];
        published.check(encoding, &from, &data);
        published.check_bytes(encoding, &frame.with(None));
        for (slot, id) in to {
            let received = Received { message: number, number: Some(id.0), delivered: None };
            self.deliver(shard, *slot, received, checked);
        }
    }

    /// Lets frames out before what was written for them is on disk.
    pub(super) fn leak(&mut self, shard: usize, outputs: Vec<Output>) {
        for output in outputs {
            if let Output::Send { to, frame } = &output
                && to.iter().all(|slot| self.shards[shard].socket(*slot).is_some())
            {
                self.send(shard, to, frame, false);
            } else if let Output::SendNumbered { to, frame } = &output {
                self.send_numbered(shard, to, frame, false);
            }
        }
    }

    /// Forgets a socket that neither end knows.
    pub(super) fn drop_if_dead(&mut self, at: usize) {
        if self.sockets[at].as_ref().is_some_and(|socket| !socket.known && !socket.is_read) {
            self.sockets[at] = None;
        }
    }
}
