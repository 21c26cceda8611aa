//! What comes to shards from clients.

use webpubsub_client_core::{AttemptId, Close, ConnectError, Input};
use webpubsub_protocol::client::{Encoding, Subprotocol, UpstreamMessage, simple};
use webpubsub_protocol::close::{CloseCause, CloseCode};
use webpubsub_protocol::name::ConnectionId;
use webpubsub_shard::{ConnectRequest, Full, Input as ShardInput, Output, ShardId, Slot};

use super::World;
use crate::placing::place;
use crate::simulation::check::check;
use crate::simulation::message::spelled_out;
use crate::simulation::socket::Reader;
use crate::simulation::summary::Happening;
use crate::simulation::words::{Arrival, Down, Profile, Up, Word};

impl World {
    /// A client's dialling comes to something.
    pub(super) fn dial(&mut self, client: usize) {
        let Some(dial) = self.clients[client].dial.take() else { return };
        let attempt = dial.attempt;
        if !self.calm && self.random.chance(self.faults.unreachable) {
            let error = ConnectError::Unreachable;
            self.clients[client].inputs.push_back(Input::ConnectFailed { attempt, error });
            return self.act(client);
        }
        let taken = match dial.recovery {
            None => self.connect(client, attempt),
            Some(id) => self.recover(client, attempt, &id),
        };
        if !taken {
            let error = ConnectError::Unreachable;
            self.clients[client].inputs.push_back(Input::ConnectFailed { attempt, error });
        }
        self.act(client);
    }

    fn connect(&mut self, client: usize, attempt: AttemptId) -> bool {
        let (request, profile) = (self.clients[client].request(), self.clients[client].profile);
        self.place(Reader::Client(client, attempt), &request, profile)
    }

    /// A peer opens a socket; false if it gets none.
    pub(super) fn connect_peer(&mut self, peer: usize) -> bool {
        let (request, profile) = (self.peers[peer].request(), self.peers[peer].profile);
        self.place(Reader::Peer(peer), &request, profile)
    }

    /// Some Worker places a client; false if no shard accepts it, or the one that does dies of it.
    fn place(&mut self, reader: Reader, request: &ConnectRequest, profile: Profile) -> bool {
        self.ids += 1;
        let mut random = [0; 20];
        random[..2].copy_from_slice(&(self.random.below(4) as u16).to_be_bytes());
        random[4..12].copy_from_slice(&self.ids.to_be_bytes());
        let (now, accepting) = (self.now, self.view().accepting);
        let offer = |ShardId(shard), id| self.offer(shard.into(), &id, reader, request, profile);
        place(now, random, profile.subprotocol, accepting, offer).unwrap_or(false)
    }

    /// A shard is offered a client as this connection. Returns whether it lives on.
    fn offer(
        &mut self,
        shard: usize,
        id: &ConnectionId,
        reader: Reader,
        request: &ConnectRequest,
        profile: Profile,
    ) -> Result<bool, Full> {
        let (connection, request) = (id.clone(), request.clone());
        let reconnection_token = profile.subprotocol.is_reliable().then(|| "token".to_owned());
        let input = ShardInput::Connect { connection, request, reconnection_token };
        self.note(|| format!("  {reader:?} connects to shard {shard} as {id}"));
        let mut refused = None;
        let done = self.step(shard, input, Some(reader), |model, now, outputs| {
            refused = outputs
                .iter()
                .find_map(|output| if let Output::Refuse(why) = output { Some(*why) } else { None });
            let draining = model.is_draining(shard);
            check!(refused.is_some() == draining, "shard {shard} is draining: {draining}; {refused:?}");
            let slot = outputs
                .iter()
                .find_map(|output| if let Output::Accept { slot, .. } = output { Some(*slot) } else { None });
            match slot {
                Some(slot) if profile.subprotocol == Subprotocol::Mqtt => {
                    model.open(now, shard, slot, id.clone(), profile);
                }
                Some(slot) => model.connect(shard, slot, id.clone(), profile),
                None => {}
            }
        });
        refused.map_or(Ok(done), Err)
    }

    /// A client wants its connection back; false if the shard dies meanwhile.
    fn recover(&mut self, client: usize, attempt: AttemptId, id: &ConnectionId) -> bool {
        let shard = ShardId::of(id).map_or(0, |shard| usize::from(shard.0));
        let input = ShardInput::Recover { connection: id.clone(), reconnection_token: String::new() };
        self.note(|| format!("  client {client} recovers {id}"));
        let mut recovered = false;
        let done = self.step(shard, input, Some(Reader::Client(client, attempt)), |model, now, outputs| {
            let is_there = model.recover(now, shard, id, outputs);
            recovered = !outputs.contains(&Output::CannotRecover);
            check!(recovered == is_there, "{id} can be recovered: {recovered}, not {is_there}");
        });
        if done && recovered {
            self.count(Happening::Recovery);
        } else if done {
            self.count(Happening::Refusal);
            // The service accepts and closes at once what it cannot recover.
            let cause = CloseCause::NotRecoverable;
            let close = Close { code: cause.code(), reason: cause.reason().to_owned() };
            let inputs = &mut self.clients[client].inputs;
            inputs.push_back(Input::Opened { attempt });
            inputs.push_back(Input::Closed { attempt, close });
        }
        done
    }

    /// What a client sent first reaches its shard.
    pub(super) fn reach(&mut self, at: usize) {
        let Some(socket) = &mut self.sockets[at] else { return };
        let shard = socket.shard;
        if !socket.known {
            socket.up.clear();
            return self.drop_if_dead(at);
        }
        if let Some(Up::Message(UpstreamMessage::Ping)) = socket.up.front()
            && self.model.connections[socket.connection].profile.encoding() == Encoding::Json
        {
            // The platform answers it, and wakes no shard.
            socket.up.pop_front();
            return self.put(at, Down::Word(Word::Pong));
        }
        self.wake(shard);
        let Some(socket) = &mut self.sockets[at] else { return };
        if !socket.known {
            return;
        }
        let Some(up) = socket.up.pop_front() else { return };
        let connection = socket.connection;
        let slot = self.model.connections[connection].slot;
        self.note(|| format!("  on socket {at}, connection {connection} to shard {shard}: {up:?}"));
        match up {
            Up::Message(message) => {
                let encoding = self.model.connections[connection].profile.encoding();
                let frame = encoding.encode_upstream(&spelled_out(&message, &self.model.messages));
                let input = ShardInput::Frame { from: slot, frame };
                self.receive(shard, slot, input, vec![Arrival::Message(connection, message)]);
            }
            Up::Payload(message) => {
                let frame = simple::encode(&self.model.messages[message as usize].data);
                let input = ShardInput::Frame { from: slot, frame };
                self.receive(shard, slot, input, vec![Arrival::Payload(connection, message)]);
            }
            Up::Part(bytes) => self.part(shard, slot, connection, bytes),
            Up::Packets(packets, before) => self.packets(at, shard, slot, connection, (packets, before)),
            Up::Close(code) => self.closed(shard, slot, connection, code),
            Up::Lost => self.closed(shard, slot, connection, CloseCode::ABNORMAL),
            Up::Noise => {
                let arrivals = vec![Arrival::Broken(connection)];
                // The platform has closed it.
                if self.receive(shard, slot, ShardInput::Broken { slot, cause: None }, arrivals)
                    && let Some(socket) = &mut self.sockets[at]
                {
                    socket.whole = false;
                    if socket.is_read {
                        socket.down.push_back(Down::Lost);
                    }
                    self.drop_if_dead(at);
                }
            }
        }
    }

    fn closed(&mut self, shard: usize, slot: Slot, connection: usize, code: CloseCode) {
        let input = ShardInput::Closed { slot, code, reason: String::new() };
        self.receive(shard, slot, input, vec![Arrival::Closed(connection, code)]);
    }
}
