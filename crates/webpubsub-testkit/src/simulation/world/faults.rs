//! What goes wrong.

use webpubsub_shard::Sockets;

use super::World;
use crate::simulation::summary::Happening;
use crate::simulation::words::{Down, Up, Word};

impl World {
    /// The network loses a socket. What was on its way last is lost with it, and either end detects it
    /// sooner or later, or never.
    pub(super) fn cut(&mut self, at: usize) {
        self.count(Happening::Cut);
        let (is_seen, is_detected) = (self.random.chance(700), self.random.chance(500));
        let random = &mut self.random;
        let socket = self.sockets[at].as_mut().expect("a socket");
        socket.whole = false;
        socket.up.truncate(random.below(socket.up.len() + 1));
        socket.down.truncate(random.below(socket.down.len() + 1));
        if is_seen && socket.is_read {
            socket.down.push_back(Down::Lost);
        }
        if is_detected {
            socket.up.push_back(Up::Lost);
        }
        self.note(|| {
            format!("  socket {at} is cut; client detects it: {is_seen}, shard detects it: {is_detected}")
        });
    }

    /// A shard's memory is lost. Its sockets stay, but frames that were just put on them may be lost.
    pub(super) fn hibernate(&mut self, shard: usize) {
        // A shard that waits for something outside does not sleep.
        if self.shards[shard].driver.is_none()
            || self.shards[shard].is_busy()
            || self.is_calling(shard)
            || self.model.is_mid_packet(shard)
        {
            return;
        }
        if self.shards[shard].config.sockets == Sockets::EndWithMemory {
            return self.crash(shard);
        }
        self.count(Happening::Hibernation);
        self.note(|| format!("  shard {shard} loses its memory"));
        self.shards[shard].forget();
        for at in self.shards[shard].sockets.clone().into_iter().flatten() {
            // Nothing is sent again over the socket of an MQTT session: what was put on it arrives.
            let is_mqtt = self.model.connections[self.connection_of(at)].mqtt.is_some();
            let often = if is_mqtt { 0 } else { self.faults.forgotten };
            let mut lost = false;
            while self.random.chance(often) {
                let socket = self.socket_mut(at);
                if !matches!(socket.down.back(), Some(Down::Data(_) | Down::Word(Word::Ack(..) | Word::Pong)))
                {
                    break;
                }
                socket.down.pop_back();
                lost = true;
            }
            if lost {
                let connection = self.connection_of(at);
                self.model.connections[connection].lossy = true;
            }
        }
    }

    /// A shard's process dies. The disk stays, and so do frames that are far enough on their way.
    pub(super) fn crash(&mut self, shard: usize) {
        self.count(Happening::Crash);
        self.note(|| format!("  shard {shard} crashes"));
        self.shards[shard].forget();
        for at in self.shards[shard].sockets.clone().into_iter().flatten() {
            self.lose(shard, at);
            let in_flight = self.socket_mut(at).down.len();
            let kept = self.random.below(in_flight + 1);
            let is_seen = self.random.chance(800);
            let socket = self.socket_mut(at);
            if socket.whole {
                socket.whole = false;
                socket.down.truncate(kept);
                if is_seen && socket.is_read {
                    socket.down.push_back(Down::Lost);
                }
            }
            self.drop_if_dead(at);
        }
    }

    /// A shard that has no memory has a socket no longer.
    pub(super) fn lose(&mut self, shard: usize, at: usize) {
        let connection = self.connection_of(at);
        let slot = self.model.connections[connection].slot;
        self.shards[shard].sockets[slot.0 as usize] = None;
        let socket = self.socket_mut(at);
        socket.known = false;
        socket.up.clear();
        self.model.vanish(connection);
    }
}
