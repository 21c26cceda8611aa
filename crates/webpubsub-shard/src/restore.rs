//! Putting a shard together from what outlived its memory.

use std::collections::{HashMap, VecDeque};

use webpubsub_protocol::name::ConnectionId;
use webpubsub_protocol::time::Timestamp;

use crate::ack::AckCache;
use crate::config::ShardConfig;
use crate::connection::Connection;
use crate::connections::Connections;
use crate::event_queue::{EventPolicy, EventQueues};
use crate::metrics::Counters;
use crate::output::{Change, Output};
use crate::relay::Relay;
use crate::reliable::{self, Buffer, Link, Log};
use crate::shard::Shard;
use crate::shard_map::ShardMap;
use crate::slot::Slot;
use crate::snapshot::{Attachment, ConnectionRecord, LogRow, Snapshot, decode_runs};
use crate::turn::Turns;

/// A shard that was put together again, and what became of its sockets.
#[derive(Debug)]
pub struct Restored {
    /// The shard.
    pub shard: Shard,
    /// The slot of each socket, in the order given; `None` for one that belongs to nobody and is to
    /// be closed.
    pub slots: Vec<Option<Slot>>,
    /// What is to be done before the first input.
    pub outputs: Vec<Output>,
}

impl Shard {
    /// Puts a shard together from what outlived its memory: the disk, and what each open socket
    /// carried (`None` where that could not be read). Connections without a socket are gone, but for
    /// reliable ones, which have their time to come back. Those with one get again what they have not
    /// acknowledged.
    #[must_use]
    pub fn restore(
        now: Timestamp,
        config: ShardConfig,
        policy: EventPolicy,
        snapshot: Snapshot,
        sockets: Vec<Option<Attachment>>,
    ) -> Restored {
        let mut outputs = Vec::new();
        let cursors = snapshot.connections.iter().map(|record| record.acknowledged.row);
        let carried = sockets.iter().flatten().map(|socket| socket.acknowledged.row);
        let (rows, bytes) =
            (snapshot.log.iter().map(|row| row.row), snapshot.log.iter().map(|row| row.bytes));
        let map = snapshot.map.unwrap_or_else(|| ShardMap::new(config.shards));
        let relay = Relay::restore(
            map.others(config.shard),
            &snapshot.taken_by,
            snapshot.taken,
            &snapshot.log,
            &mut outputs,
        );
        let mut shard = Self {
            connections: Connections::default(),
            log: Log::restore(cursors.chain(carried).max().unwrap_or(0), rows.collect(), bytes.sum()),
            relay,
            detached: VecDeque::new(),
            map,
            counters: Counters::default(),
            config,
            policy,
            events: EventQueues::new(now, snapshot.settings),
            unmeasured: 0,
            turns: Turns::default(),
        };
        shard.relay.watch(now);
        let queues = shard.restore_outbox(snapshot.durable_events, &mut outputs);
        let detached = shard.restore_connections(now, snapshot.connections, &queues);
        for (slot, group) in snapshot.memberships {
            shard.connections.join(slot, &group);
        }
        for (slot, kind, group, literal) in snapshot.permissions {
            if let Some(connection) = shard.connections.get_mut(slot) {
                connection.permissions.restore(kind, group, literal);
            }
        }
        for (slot, part, acks) in snapshot.acks {
            if let Some(connection) = shard.connections.get_mut(slot)
                && let Some(buffer) = &mut connection.buffer
            {
                let runs = decode_runs(&acks).unwrap_or_default();
                buffer.acks.restore(part, &runs);
                connection.acks.extend(runs);
            }
        }
        let slots = shard.restore_sockets(sockets, detached, &mut outputs);
        shard.restore_buffers(snapshot.log, &mut outputs);
        shard.tell(&mut outputs);
        Restored { shard, slots, outputs }
    }

    /// Puts everybody in as if nobody had a socket. Returns who had none before.
    fn restore_connections(
        &mut self,
        now: Timestamp,
        records: Vec<ConnectionRecord>,
        queues: &HashMap<ConnectionId, Slot>,
    ) -> Vec<(Slot, bool)> {
        let mut known = Vec::new();
        for record in records {
            let (slot, since) = (record.slot, record.detached_until);
            let queue = queues.get(&record.id).copied();
            let buffer = record.subprotocol.is_reliable().then(|| {
                Buffer::restore(record.acknowledged, since.unwrap_or(now.after(self.config.recovery_window)))
            });
            self.connections.insert(slot, Connection::of(record, buffer, AckCache::default()));
            if let Some(queue) = queue {
                self.adopt(slot, queue);
            }
            known.push((slot, since.is_some()));
        }
        known
    }

    /// Has those go on who have a socket. Of the others, reliable ones have their time to come back,
    /// and the rest are gone. Returns the slots of the sockets.
    fn restore_sockets(
        &mut self,
        sockets: Vec<Option<Attachment>>,
        known: Vec<(Slot, bool)>,
        outputs: &mut Vec<Output>,
    ) -> Vec<Option<Slot>> {
        let mut here = vec![false; self.connections.end().index()];
        let slots = sockets.into_iter().map(|socket| {
            let socket = socket?;
            let slot = self.connections.find(&socket.connection)?;
            self.connections.get_mut(slot)?.resume(socket);
            *here.get_mut(slot.index())? = true;
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
                        outputs.push(Output::Store(Change::Detach { slot, until: Some(until) }));
                    }
                }
                // Nobody knows what became of its client.
                Some(Link::Attached) | None => self.remove(slot, "", outputs),
            }
        }
        slots
    }

    /// Gives every reliable connection back what it has not acknowledged, and has it sent again to
    /// those that have a socket.
    fn restore_buffers(&mut self, log: Vec<LogRow>, outputs: &mut Vec<Output>) {
        for LogRow { row, recipients, bytes, relayed: _ } in log {
            let mut to = Vec::new();
            for slot in reliable::slots(&recipients) {
                let connection = self.connections.get_mut(slot);
                let Some(buffer) = connection.and_then(|connection| connection.buffer.as_mut()) else {
                    continue;
                };
                if row > buffer.acknowledged().row {
                    let id = buffer.push(row, bytes);
                    if buffer.link == Link::Attached {
                        to.push((slot, id));
                    }
                }
            }
            if !to.is_empty() {
                outputs.push(Output::Fetch { row, to });
            }
        }
    }
}

impl Connection {
    /// Goes on where what its socket carries says that it was.
    fn resume(&mut self, socket: Attachment) {
        match &mut self.buffer {
            Some(buffer) => buffer.resume(socket.acknowledged, socket.is_behind),
            None => self.acks = socket.acks,
        }
    }
}
