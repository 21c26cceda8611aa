//! A shard drains, or its process is about to stop: clients are to connect again elsewhere.

use webpubsub_mqtt::ReasonCode;
use webpubsub_protocol::close::CloseCause;

use crate::buffer::Link;
use crate::connection::Connection;
use crate::output::{Change, Output};
use crate::shard::Shard;
use crate::shard_map::{ShardMap, ShardState};
use crate::step::Step;

/// How many clients a shard that is to go sends away in one step.
const DRAINED_AT_ONCE: usize = 500;

impl Shard {
    /// Takes a map that is newer than the one known, and closes some connections if this shard is
    /// draining. The directory sends the map again until no connection is left.
    ///
    /// A reliable connection stays until it ends by itself, or until the time of
    /// [`drain_window`](crate::ShardConfig::drain_window) is over: its client
    /// would miss what is published between the end of it and the first join of the next one.
    pub(crate) fn take_map(&mut self, map: ShardMap, step: &mut Step) {
        if map.version > self.map.version {
            self.map = map;
            step.store(Change::Map(map));
            self.relay.set(map.others(self.config.shard), self.log.newest(), step);
            self.welcome(step);
        }
        if self.map.state(self.config.shard) == ShardState::Draining {
            let keeps = self.config.drain_window.is_none_or(|window| step.now < self.map.since.after(window));
            let leaving = self.connections.slots(&|connection| match &connection.buffer {
                Some(buffer) => !keeps && buffer.link == Link::Attached,
                None => true,
            });
            for slot in leaving.into_iter().take(DRAINED_AT_ONCE) {
                self.close(slot, CloseCause::ShardDrained, step);
            }
        }
    }

    /// Closes every socket because the service is about to stop. Reliable connections outlive their sockets;
    /// the others end.
    pub(crate) fn go_away(&mut self, step: &mut Step) {
        for watcher in self.trace.clear() {
            step.push(Output::EndTrace { watcher, cause: CloseCause::ServiceStops });
        }
        let attached = self.connections.slots(&Connection::is_attached);
        for slot in self.mqtt.slots() {
            self.refuse_pending(slot, CloseCause::ServiceStops, step);
        }
        for slot in attached {
            if self.connections.get(slot).is_some_and(|connection| connection.buffer.is_some()) {
                self.send_disconnect(slot, ReasonCode::SERVER_SHUTTING_DOWN, None, step);
                self.detach(slot, step);
                step.push(Output::Close { slot, cause: CloseCause::ServiceStops });
            } else {
                self.close(slot, CloseCause::ServiceStops, step);
            }
        }
    }
}
