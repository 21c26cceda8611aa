//! Time goes by.

use std::time::Duration;

use webpubsub_client_core::{InboundInput, OutboundInput};
use webpubsub_protocol::time::Timestamp;

use super::World;
use crate::shard::TestShard;
use crate::simulation::streaming::client::Input;

impl World {
    pub(super) fn wait(&mut self, duration: Duration) {
        self.now = self.now.after(duration);
        self.wake_directory();
        for shard in &mut self.shards {
            shard.now = self.now;
            if shard.due().is_some_and(|due| due <= shard.now) {
                shard.time_out();
            }
        }
        self.collect();
        for client in 0..self.clients.len() {
            let due = |at: Option<Timestamp>, now| at.is_some_and(|at| at <= now);
            if due(self.clients[client].outbound.next_timeout(), self.now) {
                self.outbound(client, OutboundInput::Timeout);
            }
            if due(self.clients[client].inbound.next_timeout(), self.now) {
                self.inbound(client, InboundInput::Timeout);
            }
            if due(self.clients[client].session.next_timeout(), self.now) {
                self.clients[client].inputs.push_back(Input::Timeout);
                self.act(client);
            }
        }
    }

    /// Lets time go by, in the steps that something waits for, and carries everything.
    pub(super) fn pass(&mut self, duration: Duration) {
        let end = self.now.after(duration);
        loop {
            self.carry_everything();
            let clients = self.clients.iter().flat_map(|client| {
                [client.session.next_timeout(), client.outbound.next_timeout(), client.inbound.next_timeout()]
            });
            let shards = self.shards.iter().map(TestShard::due);
            let due = clients.chain(shards).flatten().chain(self.directory.alarm()).min();
            let Some(due) = due.filter(|due| *due <= end) else { break };
            self.wait(due.since(self.now));
        }
        self.now = end;
    }

    pub(super) fn carry_everything(&mut self) {
        loop {
            let mut moved = false;
            for client in 0..self.clients.len() {
                while self.clients[client].socket.as_ref().is_some_and(|socket| !socket.up.is_empty()) {
                    moved = true;
                    self.reach(client);
                }
                while self.clients[client].socket.as_ref().is_some_and(|socket| !socket.down.is_empty()) {
                    moved = true;
                    self.arrive(client);
                }
            }
            while !self.batches.is_empty() {
                moved = true;
                self.relay();
            }
            while !self.views.is_empty() {
                moved = true;
                self.take_view();
            }
            if !moved {
                return;
            }
        }
    }
}
