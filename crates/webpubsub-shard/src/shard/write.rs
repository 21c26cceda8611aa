//! What is written at once, and what may wait for the next commit.

use std::mem;

use crate::output::{Change, Output};
use crate::shard::Shard;
use crate::slot::Slot;
use crate::snapshot::encode_runs;
use crate::step::Step;

impl Shard {
    /// Writes a change of a connection: at once if it outlives its socket, otherwise with the next commit.
    pub(crate) fn store(&mut self, slot: Slot, change: Change, step: &mut Step) {
        let is_reliable = self.connections.get(slot).is_some_and(|connection| connection.buffer.is_some());
        // The end of every connection is delivered to handlers, also of one that a crash ends.
        if is_reliable || self.has_event_handlers() {
            step.store(change);
        } else {
            self.turns.write([change]);
        }
    }

    /// Puts what waits to be written in front of these outputs, if they have to wait for a commit anyway.
    pub(crate) fn write_with(&mut self, step: &mut Step) {
        if !self.turns.acked.is_empty() || step.outputs.iter().any(Output::is_store) {
            let mut ordered = self.unwritten();
            ordered.append(&mut step.outputs);
            step.outputs = ordered;
        }
    }

    /// Everything that waits to be written.
    pub(super) fn unwritten(&mut self) -> Vec<Output> {
        let mut stores: Vec<Output> =
            mem::take(&mut self.turns.changes).into_iter().map(Output::Store).collect();
        for slot in mem::take(&mut self.turns.acked) {
            let Some(connection) = self.connections.get_mut(slot) else { continue };
            let Some(buffer) = &mut connection.buffer else { continue };
            if let Some((part, runs)) = buffer.acks.take_unwritten(&connection.acks) {
                stores.push(Output::Store(Change::UseAcks { slot, part, acks: encode_runs(runs) }));
            }
        }
        stores
    }
}
