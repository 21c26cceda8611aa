//! Connections end.

use webpubsub_protocol::client::DownstreamMessage;
use webpubsub_protocol::close::CloseCause;

use crate::output::{Change, Output};
use crate::shard::Shard;
use crate::shard::mqtt::reason_code;
use crate::slot::Slot;
use crate::step::Step;

/// The reason in `disconnected` of a connection whose client sent no WebSocket traffic.
///
/// Source: docs/spec/client.md#close-codes.
const INVALID_FRAME: &str = "The client frame is invalid.";

impl Shard {
    /// Ends a connection for good, for a reason that goes into `disconnected`.
    pub(crate) fn remove(&mut self, slot: Slot, reason: &str, step: &mut Step) {
        if self.trace.is_on() {
            self.record_connection(step.now, slot, "disconnected", &|record| {
                record.text("reason", reason);
            });
        }
        self.end_session(slot, step);
        self.notify_of_end(slot, reason, step);
        self.end_states(slot, step);
        if let Some(mut connection) = self.connections.remove(slot) {
            self.counters.closed += 1;
            self.turns.clear(&mut connection.inbox);
            self.cancel_streams(slot, &mut connection, step);
            if connection.carried.is_none() {
                step.store(Change::RemoveConnection(slot));
            }
            self.leave_event_queue(connection, step);
        }
    }

    /// Ends a connection whose socket carried no WebSocket traffic, or what cannot be taken for this cause.
    pub(crate) fn broken(&mut self, slot: Slot, cause: Option<CloseCause>, step: &mut Step) {
        step.push(Output::Forget { slot });
        if self.connections.get(slot).is_some_and(|connection| connection.mqtt.is_some()) {
            return self.lose(slot, step);
        }
        self.remove(slot, cause.map_or(INVALID_FRAME, CloseCause::reason), step);
    }

    /// Ends a connection for good, after a `disconnected` message where its subprotocol has one.
    ///
    /// Source: docs/spec/client.md#close-codes.
    pub(crate) fn close(&mut self, slot: Slot, cause: CloseCause, step: &mut Step) {
        self.end(slot, cause, cause.reason(), step);
    }

    /// Ends a connection for good because a server asked for it, with a message of any length.
    pub(crate) fn close_by_server(&mut self, slot: Slot, message: &str, step: &mut Step) {
        self.end(slot, CloseCause::ByServer, message, step);
    }

    fn end(&mut self, slot: Slot, cause: CloseCause, message: &str, step: &mut Step) {
        // The will of another that ends in this step may have ended it already.
        let Some(connection) = self.connections.get(slot) else { return };
        let attached = connection.is_attached();
        self.send(slot, DownstreamMessage::Disconnected { message: message.to_owned() }, step);
        self.send_disconnect(slot, reason_code(cause), Some(message), step);
        if matches!(cause, CloseCause::BufferFull | CloseCause::SlowConsumer | CloseCause::TooManyMessages) {
            self.counters.drops += 1;
        }
        self.remove(slot, message, step);
        if attached {
            step.push(Output::Close { slot, cause });
        }
    }
}
