//! What happens next.

use std::time::Duration;

use webpubsub_shard::Input as ShardInput;

use super::World;
use crate::simulation::faults::Turn;
use crate::simulation::machine::Machine;
use crate::simulation::socket::Socket;
use crate::simulation::summary::Happening;
use crate::simulation::words::Up;

impl World {
    /// What happens next: something that can.
    pub(super) fn draw(&mut self) -> Turn {
        let total = self.faults.turns.iter().map(|(often, _)| often).sum();
        loop {
            let mut at = self.random.below(total);
            let turn = self.faults.turns.iter().find(|(often, _)| match at.checked_sub(*often) {
                Some(rest) => {
                    at = rest;
                    false
                }
                None => true,
            });
            let (_, turn) = *turn.expect("one of them");
            if self.can_take(turn) {
                return turn;
            }
        }
    }

    fn can_take(&self, turn: Turn) -> bool {
        let mut sockets = self.sockets.iter().flatten();
        match turn {
            Turn::Dial => self.clients.iter().any(|client| client.dial.is_some()),
            Turn::Reach => sockets.any(|socket| !socket.up.is_empty()),
            Turn::Arrive => sockets.any(|socket| !socket.down.is_empty()),
            Turn::CarryOut => self.shards.iter().any(Machine::is_busy),
            Turn::Serve => self.rest.waiting() > 0,
            Turn::Relay => !self.network.is_empty(),
            Turn::Answer => !self.calls.is_empty(),
            Turn::Peer => !self.peers.is_empty(),
            Turn::Cut | Turn::Noise => sockets.any(|socket| socket.whole),
            Turn::Operate
            | Turn::StartOrStop
            | Turn::Ask
            | Turn::Wait
            | Turn::Jump
            | Turn::Hibernate
            | Turn::Crash
            | Turn::GoAway
            | Turn::Resize
            | Turn::Burst
            | Turn::Quiet => true,
        }
    }

    pub(super) fn take(&mut self, turn: Turn) {
        match turn {
            Turn::Operate => {
                let client = self.random.below(self.clients.len());
                self.clients[client].operate(&mut self.random, &mut self.model.messages);
                self.act(client);
            }
            Turn::StartOrStop => {
                let client = self.random.below(self.clients.len());
                self.clients[client].start_or_stop();
                self.act(client);
            }
            Turn::Dial => {
                let (count, start) = (self.clients.len(), self.random.below(self.clients.len()));
                let waits = |client: &usize| self.clients[*client].dial.is_some();
                if let Some(client) = (start..count).chain(0..start).find(waits) {
                    self.dial(client);
                }
            }
            Turn::Reach => {
                if let Some(socket) = self.some_socket(|socket| !socket.up.is_empty()) {
                    for _ in 0..self.random.between(1, 4) {
                        self.reach(socket);
                    }
                }
            }
            Turn::CarryOut => {
                let count = self.shards.len();
                let start = self.random.below(count);
                if let Some(shard) =
                    (start..count).chain(0..start).find(|shard| self.shards[*shard].is_busy())
                {
                    self.turn(shard);
                }
            }
            Turn::Arrive => {
                if let Some(socket) = self.some_socket(|socket| !socket.down.is_empty()) {
                    for _ in 0..self.random.between(1, 8) {
                        self.arrive(socket);
                    }
                }
            }
            Turn::Ask => self.ask(),
            Turn::Serve => self.serve(),
            Turn::Relay => self.relay(),
            Turn::Answer => self.answer(),
            Turn::Peer => {
                let peer = self.random.below(self.peers.len());
                self.happen_to_peer(peer);
            }
            Turn::Wait => {
                let milliseconds = match self.random.below(10) {
                    0..=5 => self.random.between(1, 50),
                    6..=8 => self.random.between(100, 1500),
                    _ => self.random.between(1500, 10_000),
                };
                self.wait(Duration::from_millis(milliseconds as u64));
            }
            Turn::Jump => {
                self.count(Happening::Jump);
                let seconds = self.random.pick(&[5, 12, 29, 31, 59, 61, 130, 400]);
                self.wait(Duration::from_secs(seconds));
            }
            Turn::Cut => {
                if let Some(socket) = self.some_socket(|socket| socket.whole) {
                    self.cut(socket);
                }
            }
            Turn::Noise => {
                if let Some(socket) = self.some_socket(|socket| socket.whole && socket.is_read) {
                    self.sockets[socket].as_mut().expect("a socket").up.push_back(Up::Noise);
                }
            }
            Turn::Hibernate => {
                let shard = self.random.below(self.directory.map().reached.into());
                self.hibernate(shard);
            }
            Turn::Crash => {
                let shard = self.random.below(self.directory.map().reached.into());
                self.crash(shard);
            }
            Turn::GoAway => {
                let shard = self.random.below(self.directory.map().reached.into());
                if self.step(shard, ShardInput::GoAway, None, |model, now, _| model.go_away(now, shard)) {
                    self.count(Happening::GoAway);
                }
            }
            Turn::Resize => self.resize(),
            Turn::Burst => self.burst(),
            Turn::Quiet => self.quiet(),
        }
    }

    /// One of the sockets that are like this, if any is.
    fn some_socket(&mut self, like: impl Fn(&Socket) -> bool) -> Option<usize> {
        let count = self.sockets.len();
        let start = self.random.below(count.max(1));
        (start..count).chain(0..start).find(|at| self.sockets[*at].as_ref().is_some_and(&like))
    }
}
