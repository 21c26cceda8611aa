//! A shard is put together from what outlived its memory.

use std::collections::HashMap;

use webpubsub_protocol::name::{ConnectionId, GroupName};
use webpubsub_protocol::role::PermissionType;
use webpubsub_protocol::time::Timestamp;

use crate::ack::AckCache;
use crate::buffer::{Buffer, Link};
use crate::carried::Carried;
use crate::connection::Connection;
use crate::event_queue::{Owner, QueueKind, durable};
use crate::log;
use crate::mqtt::MqttSession;
use crate::output::{Change, Output};
use crate::permission::Verdict;
use crate::shard::Shard;
use crate::slot::Slot;
use crate::snapshot::{Attachment, ConnectionRecord, LogRow, decode_runs};
use crate::step::Step;

impl Shard {
    /// Restores all connections as if none had a socket. Returns, of each, whether it had none before.
    pub(super) fn restore_connections(
        &mut self,
        now: Timestamp,
        records: Vec<ConnectionRecord>,
        sessions: &[(Slot, String)],
        queues: &HashMap<ConnectionId, Slot>,
    ) -> Vec<(Slot, bool)> {
        let mut known = Vec::new();
        for record in records {
            let (slot, until) = (record.slot, record.detached_until);
            let session = sessions.binary_search_by_key(&slot, |(of, _)| *of).ok();
            let session = session.and_then(|at| MqttSession::decode(&sessions.get(at)?.1, now));
            let session_id = session.as_ref().map(|session| session.id.as_str());
            let queue = queues.get(&queue_id(&record.id, session_id)).copied();
            let window = session.as_ref().map_or(self.config.recovery_window, MqttSession::window);
            let buffer = (record.subprotocol.is_reliable() || session.is_some())
                .then(|| Buffer::restore(record.acknowledged, until.unwrap_or(now.after(window))));
            let mut connection = Connection::of(record, buffer, AckCache::default());
            connection.mqtt = session.map(Box::new);
            self.connections.insert(slot, connection);
            if let Some(queue) = queue {
                self.adopt_event_queue(slot, queue);
            }
            known.push((slot, until.is_some()));
        }
        known
    }

    pub(super) fn restore_permissions(
        &mut self,
        permissions: Vec<(Slot, PermissionType, GroupName, Option<Verdict>)>,
    ) {
        for (slot, kind, group, literal) in permissions {
            if let Some(connection) = self.connections.get_mut(slot) {
                connection.permissions.restore(kind, group, literal);
            }
        }
    }

    /// Restores the ack ids that reliable connections have used, a part of them a row.
    pub(super) fn restore_acks(&mut self, acks: Vec<(Slot, u32, Vec<u8>)>) {
        for (slot, part, runs) in acks {
            if let Some(connection) = self.connections.get_mut(slot)
                && let Some(buffer) = &mut connection.buffer
            {
                let runs = decode_runs(&runs).unwrap_or_default();
                buffer.acks.restore(part, &runs);
                connection.acks.extend(runs);
            }
        }
    }

    pub(super) fn restore_streams(&mut self, streams: Vec<(Slot, u16, String)>) {
        for (slot, number, text) in streams {
            if let Some(connection) = self.connections.get_mut(slot) {
                connection.streams.get_or_insert_default().restore(number, &text);
            }
        }
    }

    /// Attaches the sockets to their connections. Of the other connections, the recovery windows of reliable
    /// ones begin, and the rest end. Returns the slots of the sockets.
    pub(super) fn restore_sockets(
        &mut self,
        sockets: Vec<Option<Attachment>>,
        known: Vec<(Slot, bool)>,
        step: &mut Step,
    ) -> Vec<Option<Slot>> {
        for socket in sockets.iter().flatten() {
            self.restore_carried(socket);
        }
        let mut here = vec![false; self.connections.end().index()];
        let slots = sockets.into_iter().map(|socket| {
            let socket = socket?;
            let slot = self.connections.find(&socket.connection)?;
            self.connections.get_mut(slot)?.resume(socket);
            *here.get_mut(slot.index())? = true;
            self.watch_streams(slot);
            Some(slot)
        });
        let slots = slots.collect();
        for (slot, was_detached) in
            known.into_iter().filter(|(slot, _)| here.get(slot.index()) == Some(&false))
        {
            match self.link(slot) {
                Some(Link::Detached { until }) => {
                    self.wait(until, slot);
                    if !was_detached {
                        step.store(Change::Detach { slot, until: Some(until) });
                        self.wait_with_will(slot, step);
                    }
                }
                // What became of its client is not known.
                Some(Link::Attached) | None => self.remove(slot, "", step),
            }
        }
        slots
    }

    /// Restores a connection that is on no disk.
    fn restore_carried(&mut self, socket: &Attachment) {
        let Some((carried, groups)) = Carried::decode(&socket.carried) else { return };
        let Some(record) = carried.record(socket.connection.clone()) else { return };
        let slot = record.slot;
        // One that is on disk is what its rows say.
        if self.connections.find(&record.id).is_some() || self.connections.get(slot).is_some() {
            return;
        }
        let mut connection = Connection::of(record, None, AckCache::default());
        connection.carried = Some(carried);
        for group in groups {
            connection.groups.insert(group);
        }
        self.connections.insert(slot, connection);
    }

    /// Fills the buffers of reliable connections, and has what is in them sent again to those that have a
    /// socket.
    pub(super) fn restore_buffers(&mut self, log: Vec<LogRow>, step: &mut Step) {
        for LogRow { row, recipients, bytes, relayed: _ } in log {
            let mut to = Vec::new();
            for slot in log::slots(&recipients) {
                let Some(connection) = self.connections.get_mut(slot) else { continue };
                let Some(buffer) = &mut connection.buffer else { continue };
                if row > buffer.acknowledged().row {
                    let id = buffer.push(row, bytes);
                    if let Some(session) = &mut connection.mqtt {
                        session.outgoing.push_restored();
                    } else if buffer.link == Link::Attached {
                        to.push((slot, id));
                    }
                }
            }
            if !to.is_empty() {
                step.push(Output::Fetch { row, to });
            }
        }
    }

    /// Restores the durable events. Returns the queues, by [`queue_id`].
    pub(crate) fn restore_durable_events(
        &mut self,
        outbox: Vec<(u64, String)>,
        step: &mut Step,
    ) -> HashMap<ConnectionId, Slot> {
        let mut queues = HashMap::new();
        for (row, text) in outbox {
            self.events.newest = row;
            let Some((closed, waiting)) = durable::decode(row, &text) else {
                step.store(Change::RemoveEvent { row });
                continue;
            };
            let session = closed.mqtt.as_ref().and_then(|physical| physical.session.as_deref());
            let id = queue_id(&closed.id, session);
            let known = queues.get(&id).copied();
            let owner = Owner::Closed(Box::new(closed));
            let at = match known.and_then(|at| Some((at, self.events.get_mut(at)?))) {
                Some((at, queue)) => {
                    // The event that was written last has the newest context.
                    queue.owner = owner;
                    at
                }
                None => {
                    let at = self.events.open(owner, 0);
                    queues.insert(id, at);
                    at
                }
            };
            self.events.push(at, QueueKind::Durable, waiting);
        }
        queues
    }

    /// Gives a restored connection the queue with its durable events.
    pub(crate) fn adopt_event_queue(&mut self, slot: Slot, at: Slot) {
        let Some(connection) = self.connections.get_mut(slot) else { return };
        let Some(queue) = self.events.get_mut(at) else { return };
        connection.event_queue = Some(at);
        queue.stored = connection.context.events;
        if let Owner::Closed(closed) = &queue.owner {
            connection.context.events = connection.context.events.max(closed.context.events);
        }
        queue.owner = Owner::Open(slot);
    }
}

/// What the events of a connection have in common, and those of no other: of MQTT, sessions that follow each other
/// have one connection id.
fn queue_id(connection: &ConnectionId, session: Option<&str>) -> ConnectionId {
    let session = session.and_then(|session| ConnectionId::parse(session).ok());
    session.unwrap_or_else(|| connection.clone())
}
