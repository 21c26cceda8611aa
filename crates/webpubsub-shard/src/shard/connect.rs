//! A client connects.

use webpubsub_protocol::client::{DownstreamMessage, Subprotocol};
use webpubsub_protocol::event_handler::Event;
use webpubsub_protocol::id::SequenceId;
use webpubsub_protocol::name::ConnectionId;

use crate::ack::AckCache;
use crate::admission::ConnectRequest;
use crate::buffer::{Buffer, Cursor};
use crate::carried::Carried;
use crate::config::Sockets;
use crate::connection::Connection;
use crate::output::{Change, Output};
use crate::shard::Shard;
use crate::slot::Slot;
use crate::snapshot::ConnectionRecord;
use crate::step::Step;

impl Shard {
    pub(super) fn connect(
        &mut self,
        id: ConnectionId,
        request: ConnectRequest,
        reconnection_token: Option<String>,
        step: &mut Step,
    ) {
        if let Some(full) = self.full() {
            return step.push(Output::Refuse(full));
        }
        let slot = self.connections.vacancy();
        let subprotocol = request.subprotocol;
        let start = Cursor { row: self.log.newest(), sequence_id: SequenceId(0) };
        let user_id = request.user.clone();
        let (record, groups) = ConnectionRecord::begin(slot, id.clone(), request, start);
        let buffer = subprotocol.is_reliable().then(|| Buffer::new(start));
        let carried = if self.has_event_handlers() { None } else { Carried::of(&record) };
        let put = carried.is_none().then(|| Change::PutConnection(record.clone()));
        let mut connection = Connection::of(record, buffer, AckCache::default());
        connection.carried = carried;
        self.open(slot, connection, step);
        match put {
            Some(put) => {
                self.store(slot, put, step);
                self.notify(slot, Event::Connected, step);
                for group in &groups {
                    self.join(slot, group, step);
                }
            }
            // Its socket is yet to be there.
            None => {
                for group in &groups {
                    self.connections.join(slot, group);
                }
                self.keep_what_fits(slot, step);
            }
        }
        step.push(Output::Accept { connection: id.clone(), subprotocol, slot });
        self.attach(slot, step);
        self.record_opened(slot, subprotocol, step);
        self.send(
            slot,
            DownstreamMessage::Connected { connection_id: id, user_id, reconnection_token },
            step,
        );
    }

    /// Takes a connection in that begins.
    pub(super) fn open(&mut self, slot: Slot, mut connection: Connection, step: &mut Step) {
        connection.since = Some(step.now);
        if connection.permissions.skipped > 0 {
            step.push(Output::SkippedRoles(connection.permissions.skipped));
        }
        self.connections.insert(slot, connection);
        self.counters.opened += 1;
    }

    /// Says to operators who watch that a connection has begun.
    pub(super) fn record_opened(&mut self, slot: Slot, subprotocol: Subprotocol, step: &Step) {
        if self.trace.is_on() {
            self.record_connection(step.now, slot, "connected", &|record| {
                record.text_or_null("subprotocol", subprotocol.name());
            });
        }
    }

    /// Attaches what a connection has acknowledged and used to its socket, if that outlives the memory.
    pub(crate) fn attach(&self, slot: Slot, step: &mut Step) {
        if self.config.sockets == Sockets::OutliveMemory
            && let Some(connection) = self.connections.get(slot)
        {
            step.push(Output::Attach { slot, attachment: connection.attachment() });
        }
    }
}
