//! What waits on sockets is counted, measured and bounded.

use webpubsub_protocol::close::CloseCause;
use webpubsub_protocol::limits::MAX_CLIENT_MESSAGE_BYTES;

use crate::connection::Connection;
use crate::output::Output;
use crate::shard::Shard;
use crate::slot::Slot;
use crate::step::Step;

/// How many times the limit of one socket may wait on all sockets of a shard together.
const SOCKETS_AT_LIMIT: u64 = 16;

/// All sockets are measured when one in this many parts of the shard's limit was put on them.
const MEASURES: u64 = 4;

/// How many bytes may wait on a socket in any case: two messages of the longest kind.
const MODEST_BYTES: u64 = 2 * MAX_CLIENT_MESSAGE_BYTES as u64;

/// Only an answer of an event handler makes a frame that is longer than this.
const ANSWER_BYTES: u64 = 8 * MAX_CLIENT_MESSAGE_BYTES as u64;

impl Shard {
    /// Adds up what the outputs of a step put on sockets, and has those measured on which too much may wait,
    /// unless there is no limit.
    ///
    /// What a reliable connection is sent is added when its client acknowledges it: until then it is bounded
    /// by its buffer.
    ///
    /// Source: docs/spec/client.md#limits.
    pub(crate) fn count_unread(&mut self, step: &mut Step) {
        let limit = u64::from(self.config.limits.outbound_bytes);
        let (mut sent, mut slots) = (0, Vec::new());
        for output in &step.outputs {
            if let Output::Send { to, frame } = output {
                let bytes = frame.len();
                sent += (bytes * to.len()) as u64;
                if limit > 0 {
                    slots.extend(to.iter().copied().filter(|slot| self.add_unread(*slot, bytes) > limit));
                }
            } else if let Output::SendNumbered { to, frame } = output {
                sent += (frame.len() * to.len()) as u64;
            }
        }
        self.counters.sent += sent;
        if limit == 0 {
            return;
        }
        self.unmeasured += sent;
        if self.unmeasured > limit * SOCKETS_AT_LIMIT / MEASURES {
            self.measure_all(step);
        } else if !slots.is_empty() {
            step.push(Output::Measure { slots });
        }
    }

    /// Adds what a reliable client has acknowledged, whether or not it has read it.
    pub(crate) fn count_acknowledged(&mut self, slot: Slot, bytes: usize, step: &mut Step) {
        let limit = u64::from(self.config.limits.outbound_bytes);
        if self.add_unread(slot, bytes) > limit && limit > 0 {
            step.push(Output::Measure { slots: vec![slot] });
        }
    }

    /// Adds to what may wait on a socket, and returns how much that is.
    fn add_unread(&mut self, slot: Slot, bytes: usize) -> u64 {
        let bytes = bytes as u64;
        self.connections.get_mut(slot).map_or(0, |connection| {
            let backlog = &mut connection.backlog;
            if bytes > ANSWER_BYTES {
                backlog.answer = backlog.answer.max(bytes + MODEST_BYTES);
            }
            backlog.bytes += bytes;
            backlog.bytes
        })
    }

    /// Has every socket measured.
    pub(crate) fn measure_all(&mut self, step: &mut Step) {
        self.unmeasured = 0;
        step.push(Output::Measure { slots: self.connections.slots(&Connection::is_attached) });
    }

    /// Takes the result of a measurement, and ends the connections on whose sockets too much waits. If it is
    /// too much on all sockets together, those go on which most waits: a reliable connection, which has
    /// not acknowledged it, can be recovered.
    pub(crate) fn measured(&mut self, waiting: Vec<(Slot, u64)>, step: &mut Step) {
        for (slot, bytes) in waiting {
            if let Some(connection) = self.connections.get_mut(slot) {
                connection.backlog.bytes = bytes;
            }
        }
        while let Some((slot, cause)) = self.slowest() {
            if cause == CloseCause::SlowRecoverable {
                self.counters.drops += 1;
                self.detach(slot, step);
                step.push(Output::Close { slot, cause });
            } else {
                self.close(slot, cause, step);
            }
        }
    }

    /// A connection that leaves too much unread, if any does.
    fn slowest(&self) -> Option<(Slot, CloseCause)> {
        let limit = u64::from(self.config.limits.outbound_bytes);
        let (mut total, mut most, mut slowest) = (0, MODEST_BYTES, None);
        for (slot, connection) in self.connections.iter().filter(|_| limit > 0) {
            let bytes = connection.backlog.bytes;
            // A shard that wakes sends it once more.
            let unacknowledged = connection.buffer.as_ref().map_or(0, |buffer| 2 * buffer.bytes() as u64);
            if bytes > limit.max(connection.backlog.answer) + unacknowledged {
                return Some((slot, CloseCause::SlowConsumer));
            }
            total += bytes;
            if bytes > most {
                let is_reliable = connection.buffer.is_some();
                let cause = if is_reliable { CloseCause::SlowRecoverable } else { CloseCause::SlowConsumer };
                (most, slowest) = (bytes, Some((slot, cause)));
            }
        }
        slowest.filter(|_| total > limit * SOCKETS_AT_LIMIT)
    }
}
