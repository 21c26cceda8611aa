//! What comes to shards from clients.

use webpubsub_client_core::{Close, ConnectError, Input};
use webpubsub_hub::{Input as HubInput, Output, ShardNumber, Slot};
use webpubsub_protocol::close::{CloseCause, CloseCode};

use super::words::{Down, Up, spelled_out};
use super::world::World;
use super::{Happening, broken, check};

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
        let died = match dial.recovery {
            None => {
                let shard = self.random.below(self.shards.len());
                self.ids += 1;
                let mut random = [0; 16];
                random[..8].copy_from_slice(&self.ids.to_be_bytes());
                let id = ShardNumber(shard as u16).connection_id(random);
                let request = self.clients[client].request();
                let profile = self.clients[client].profile;
                let token = profile.subprotocol.is_reliable().then(|| "token".to_owned());
                let input = HubInput::Connect { connection: id.clone(), request, reconnection_token: token };
                self.note(|| format!("  client {client} connects to shard {shard} as {id}"));
                !self.step(shard, input, Some((client, attempt)), |model, _, outputs| {
                    let slot = outputs.iter().find_map(|output| {
                        if let Output::Accept { slot, .. } = output { Some(*slot) } else { None }
                    });
                    let slot = slot.unwrap_or_else(|| broken("a shard with room takes nobody"));
                    model.connect(shard, slot, id, profile);
                })
            }
            Some(id) => {
                let shard = ShardNumber::of(&id).map_or(0, |shard| usize::from(shard.0));
                let input = HubInput::Recover { connection: id.clone() };
                self.note(|| format!("  client {client} recovers {id}"));
                let mut recovered = false;
                let died = !self.step(shard, input, Some((client, attempt)), |model, now, outputs| {
                    let is_there = model.recover(now, shard, &id);
                    recovered = !outputs.contains(&Output::CannotRecover);
                    check!(recovered == is_there, "{id} can be recovered: {recovered}, not {is_there}");
                });
                if !died {
                    self.count(if recovered { Happening::Recovery } else { Happening::Refusal });
                }
                if !died && !recovered {
                    // The service accepts and closes at once what it cannot recover.
                    let cause = CloseCause::NotRecoverable;
                    let close = Close { code: cause.code(), reason: cause.reason().to_owned() };
                    let inputs = &mut self.clients[client].inputs;
                    inputs.push_back(Input::Opened { attempt });
                    inputs.push_back(Input::Closed { attempt, close });
                    return self.act(client);
                }
                died
            }
        };
        if died {
            let error = ConnectError::Unreachable;
            self.clients[client].inputs.push_back(Input::ConnectFailed { attempt, error });
            self.act(client);
        }
    }

    /// What a client sent first reaches its shard.
    pub(super) fn reach(&mut self, at: usize) {
        let Some(socket) = &mut self.sockets[at] else { return };
        let shard = socket.shard;
        if !socket.known {
            socket.up.clear();
            return self.drop_if_dead(at);
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
                self.step(shard, HubInput::Frame { from: slot, frame }, None, |model, now, outputs| {
                    model.message(now, connection, &message, outputs);
                });
            }
            Up::Close(code) => self.closed(shard, slot, connection, code),
            Up::Lost => self.closed(shard, slot, connection, CloseCode::ABNORMAL),
            Up::Noise => {
                let done = self.step(shard, HubInput::Broken { slot }, None, |model, _, _| {
                    model.broken(connection);
                });
                // The platform has closed it.
                if done && let Some(socket) = &mut self.sockets[at] {
                    socket.whole = false;
                    if socket.heard {
                        socket.down.push_back(Down::Lost);
                    }
                    self.drop_if_dead(at);
                }
            }
        }
    }

    fn closed(&mut self, shard: usize, slot: Slot, connection: usize, code: CloseCode) {
        self.step(shard, HubInput::Closed { slot, code }, None, |model, now, _| {
            model.closed(now, connection, code);
        });
    }
}
