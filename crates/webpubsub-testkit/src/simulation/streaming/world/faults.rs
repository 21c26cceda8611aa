//! What goes wrong.

use std::time::Duration;

use webpubsub_client_core::Close;
use webpubsub_protocol::close::CloseCode;
use webpubsub_shard::{Batch, Input as ShardInput, ShardId};

use super::World;
use crate::simulation::streaming::client::Down;

impl World {
    /// A client's link is lost, with what was on its way last.
    pub(super) fn cut(&mut self, client: usize) {
        let (random, clients) = (&mut self.random, &mut self.clients);
        let Some(socket) = &mut clients[client].socket else { return };
        let Some(slot) = socket.slot.take() else { return };
        let shard = socket.shard;
        socket.up.truncate(random.below(socket.up.len() + 1));
        let up = std::mem::take(&mut socket.up);
        self.note(&format!("client {client} is cut"));
        for frame in up {
            if self.shards[shard].is_open(slot) {
                self.shards[shard].input(ShardInput::Frame { from: slot, frame });
            }
        }
        if self.shards[shard].is_open(slot) {
            self.take_frames(shard);
            self.shards[shard].cut(slot);
        }
        self.lose(client);
        self.collect();
    }

    /// What is on its way to a client is lost in part, and then the client detects that its link is.
    pub(super) fn lose(&mut self, client: usize) {
        let (random, clients) = (&mut self.random, &mut self.clients);
        let Some(socket) = &mut clients[client].socket else { return };
        socket.slot = None;
        socket.up.clear();
        if !matches!(socket.down.back(), Some(Down::Closed(_))) {
            socket.down.truncate(random.below(socket.down.len() + 1));
            socket.down.push_back(Down::Closed(Close { code: CloseCode::ABNORMAL, reason: String::new() }));
        }
    }

    /// A shard loses its memory, or its process dies.
    pub(super) fn lose_memory(&mut self) {
        // Waking takes a while. When a state was cleared last is not on disk, so in the same millisecond the next one
        // could look no newer.
        self.wait(Duration::from_millis(20));
        let shard = self.random.below(self.shards.len());
        self.collect();
        if self.random.chance(500) {
            self.note(&format!("shard {shard} loses its memory"));
            self.shards[shard].hibernate();
        } else {
            self.note(&format!("shard {shard} crashes"));
            for client in 0..self.clients.len() {
                let socket = self.clients[client].socket.as_ref();
                if socket.is_some_and(|socket| socket.shard == shard && socket.slot.is_some()) {
                    self.lose(client);
                }
            }
            self.shards[shard].crash();
        }
        // What it waits for is lost with its memory: it sends again what was not taken.
        self.batches.retain(|(from, ..)| *from != shard);
        self.collect();
    }

    /// A batch reaches another shard, or does not.
    pub(super) fn relay(&mut self) {
        let Some((from, to, batch)) = self.batches.pop_front() else { return };
        let sent = Batch::decode(&batch.encode()).expect("a batch is read as it was written");
        let arrives = self.calm || self.random.chance(850);
        if arrives {
            self.shards[to].input(ShardInput::Batch(sent));
            if !self.calm && self.random.chance(100) {
                let again = Batch::decode(&batch.encode()).expect("a batch is read as it was written");
                self.shards[to].input(ShardInput::Batch(again));
            }
        }
        let taken = arrives && (self.calm || self.random.chance(850));
        self.shards[from].answer(ShardId(to as u16), &batch, taken);
        self.collect();
    }
}
