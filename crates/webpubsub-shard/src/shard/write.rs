//! What is written at once, what may wait for the next commit, and what is not written at all.

use std::mem;

use crate::config::Sockets;
use crate::connection::Connection;
use crate::output::{Change, Output};
use crate::shard::Shard;
use crate::slot::Slot;
use crate::snapshot::{ConnectionRecord, encode_runs};
use crate::step::Step;

impl Shard {
    /// Writes a change of a connection: at once if it outlives its socket, otherwise with the next commit. One that
    /// its socket carries is written as a whole instead, unless it stays on the socket.
    pub(crate) fn store(&mut self, slot: Slot, change: Change, step: &mut Step) {
        if self.connections.get(slot).is_some_and(|connection| connection.carried.is_some()) {
            let is_membership = matches!(change, Change::Join(..) | Change::Leave(..));
            self.touch(slot);
            if is_membership {
                return self.keep_what_fits(slot, step);
            }
            self.keep_on_disk(slot, step);
        }
        let is_reliable = self.connections.get(slot).is_some_and(|connection| connection.buffer.is_some());
        // The end of every connection is delivered to handlers, also of one that a crash ends.
        if is_reliable || self.has_event_handlers() {
            step.store(change);
        } else {
            self.turns.write([change]);
        }
    }

    /// Has a connection on disk if its socket cannot carry it with all its groups.
    pub(crate) fn keep_what_fits(&mut self, slot: Slot, step: &mut Step) {
        let Some(Connection { carried: Some(carried), groups, .. }) = self.connections.get(slot) else {
            return;
        };
        if self.config.sockets == Sockets::OutliveMemory && !carried.fits_with(groups) {
            self.keep_on_disk(slot, step);
        }
    }

    /// Has all connections on disk once the hub has event handlers: to those the end of each is due, also of one that
    /// a crash ends.
    pub(crate) fn keep_all_for_handlers(&mut self, step: &mut Step) {
        if self.has_event_handlers() {
            for slot in self.connections.slots(&|connection| connection.carried.is_some()) {
                self.touch(slot);
                self.keep_on_disk(slot, step);
            }
        }
    }

    /// Writes all of a connection that its socket has carried until now.
    fn keep_on_disk(&mut self, slot: Slot, step: &mut Step) {
        let Some(connection) = self.connections.get_mut(slot) else { return };
        let Some(carried) = connection.carried.take() else { return };
        let Some(record) = carried.record(connection.id.clone()) else { return };
        let record = ConnectionRecord { context: connection.context.clone(), ..record };
        let groups = connection.groups.clone();
        self.store(slot, Change::PutConnection(record), step);
        for group in groups.as_slice() {
            self.store(slot, Change::Join(slot, group.clone()), step);
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
