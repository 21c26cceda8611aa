//! Reliable connections lose their sockets, and get new ones.

use webpubsub_protocol::close::{CloseCause, CloseCode};
use webpubsub_protocol::id::SequenceId;
use webpubsub_protocol::name::ConnectionId;
use webpubsub_protocol::time::Timestamp;

use crate::buffer::{Buffer, Link};
use crate::fan_out::FanOut;
use crate::output::{Change, Output};
use crate::publish::Message;
use crate::shard::Shard;
use crate::slot::{Slot, insert_by_time};
use crate::step::Step;

/// The reason in `disconnected` of a connection that was not recovered in time.
///
/// Source: docs/spec/client.md#detached-connections.
const RECOVERY_TIMEOUT: &str = "The connection recovery timeout expired.";

impl Shard {
    /// Gives a reliable connection a new socket, whether or not it has lost the one it had, and
    /// everything that it has not acknowledged.
    ///
    /// Source: docs/spec/client.md#recovery.
    pub(crate) fn recover(&mut self, id: &ConnectionId, reconnection_token: String, step: &mut Step) {
        self.give_up(step);
        let Some(slot) = self.connections.find(id) else { return step.push(Output::CannotRecover) };
        let Some(connection) = self.connections.get_mut(slot) else {
            return step.push(Output::CannotRecover);
        };
        let Some(buffer) = connection.buffer.as_mut().filter(|_| connection.mqtt.is_none()) else {
            return step.push(Output::CannotRecover);
        };
        match buffer.link {
            Link::Attached => step.push(Output::Close { slot, cause: CloseCause::TakenOver }),
            Link::Detached { .. } => step.store(Change::Detach { slot, until: None }),
        }
        buffer.link = Link::Attached;
        connection.backlog.bytes = 0;
        // What came over the old socket and is not carried out counts as not received.
        self.turns.clear(&mut connection.inbox);
        self.counters.recoveries += 1;
        let subprotocol = connection.subprotocol;
        step.push(Output::Accept { connection: id.clone(), subprotocol, slot });
        self.attach(slot, step);
        if self.trace.is_on() {
            self.record_connection(step.now, slot, "recovered", &|_| {});
        }
        self.resume_streams(slot, reconnection_token, step);
        self.resend(slot, step);
        self.forget_recovered();
    }

    /// Asks for every row that a connection has not acknowledged, to send it again.
    pub(crate) fn resend(&self, slot: Slot, step: &mut Step) {
        let buffer = self.connections.get(slot).and_then(|connection| connection.buffer.as_deref());
        for (row, id) in buffer.into_iter().flat_map(Buffer::needed) {
            step.push(Output::Fetch { row, to: vec![(slot, id)] });
        }
    }

    /// Sends a row of the log again. A connection that needs one which cannot be read cannot be
    /// recovered, and is closed.
    pub(crate) fn fetched(
        &mut self,
        message: Option<&dyn Message>,
        to: Vec<(Slot, SequenceId)>,
        step: &mut Step,
    ) {
        let Some(message) = message else {
            for (slot, _) in to {
                self.close(slot, CloseCause::NotRecoverable, step);
            }
            return;
        };
        if message.expires().is_some_and(|expires| expires <= step.now) {
            return;
        }
        let mut fan_out = FanOut::new(message, 1, self.log.newest(), step.now);
        for (slot, id) in to {
            if let Some(connection) = self.connections.get(slot) {
                fan_out.add_numbered(slot, id, &connection.framing);
            }
        }
        fan_out.send(step);
    }

    /// Handles the end of a socket. A reliable connection outlives it, unless its client closed it normally.
    ///
    /// Source: docs/spec/client.md#detached-connections.
    pub(crate) fn closed(&mut self, slot: Slot, code: CloseCode, reason: &str, step: &mut Step) {
        let Some(connection) = self.connections.get(slot) else { return };
        step.push(Output::Forget { slot });
        if connection.mqtt.is_some() {
            return self.lose(slot, step);
        }
        match &connection.buffer {
            Some(_) if code != CloseCode::NORMAL => self.detach(slot, step),
            // Where there was no close frame, the reason is the platform's own.
            Some(_) | None if code == CloseCode::ABNORMAL => self.remove(slot, "", step),
            Some(_) | None => self.remove(slot, reason, step),
        }
    }

    /// Takes the socket from a reliable connection, whose recovery window begins.
    pub(crate) fn detach(&mut self, slot: Slot, step: &mut Step) {
        let session = self.connections.get(slot).and_then(|connection| connection.mqtt.as_ref());
        let window = session.map_or(self.config.recovery_window, |session| session.window());
        if window.is_zero() {
            return self.remove(slot, "", step);
        }
        let until = step.now.after(window);
        if self.trace.is_on() {
            self.record_connection(step.now, slot, "detached", &|_| {});
        }
        let Some(connection) = self.connections.get_mut(slot) else { return };
        connection.backlog.bytes = 0;
        self.turns.clear(&mut connection.inbox);
        let Some(buffer) = &mut connection.buffer else { return };
        buffer.link = Link::Detached { until };
        // The socket carried it.
        if let Some(cursor) = buffer.take_unstored() {
            step.store(Change::Acknowledge { slot, cursor });
        }
        step.store(Change::Detach { slot, until: Some(until) });
        self.wait(until, slot);
        self.wait_with_will(slot, step);
        self.publish_due_will(slot, step);
    }

    /// Waits for a connection to be recovered.
    pub(crate) fn wait(&mut self, until: Timestamp, slot: Slot) {
        insert_by_time(&mut self.detached, until, slot);
    }

    /// Ends the connections that were not recovered in time.
    pub(crate) fn give_up(&mut self, step: &mut Step) {
        while let Some((_, slot)) = self.detached.pop_front_if(|(until, _)| *until <= step.now) {
            if self
                .link(slot)
                .is_some_and(|link| matches!(link, Link::Detached { until } if until <= step.now))
            {
                let is_mqtt = self.connections.get(slot).is_some_and(|connection| connection.mqtt.is_some());
                self.remove(slot, if is_mqtt { "" } else { RECOVERY_TIMEOUT }, step);
            }
        }
        self.forget_recovered();
    }

    /// Stops waiting for connections that were recovered or ended.
    fn forget_recovered(&mut self) {
        while let Some(&(until, slot)) = self.detached.front()
            && self.link(slot) != Some(Link::Detached { until })
        {
            self.detached.pop_front();
        }
    }

    pub(crate) fn link(&self, slot: Slot) -> Option<Link> {
        self.connections.get(slot)?.buffer.as_ref().map(|buffer| buffer.link)
    }
}
