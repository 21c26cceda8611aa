use std::collections::{BTreeSet, VecDeque};

use webpubsub_protocol::client::{DownstreamMessage, Origin};
use webpubsub_protocol::close::{CloseCause, CloseCode};
use webpubsub_protocol::id::SequenceId;
use webpubsub_protocol::name::{ConnectionId, GroupName};
use webpubsub_protocol::time::Timestamp;

use crate::ack::AckCache;
use crate::admission::ConnectRequest;
use crate::connection::{Connection, Slot, Speech};
use crate::directory::Directory;
use crate::fan_out::{Publish, Reach};
use crate::input::Input;
use crate::output::{Change, Output};
use crate::pace::Pace;
use crate::permission::Permissions;
use crate::placement::Place;
use crate::relay::Relay;
use crate::reliable::{self, Buffer, Cursor, Link, Log};
use crate::snapshot::{Attachment, ConnectionRecord, LogRow, Snapshot, StoredMessage, decode_acks};

/// One shard of a hub.
#[derive(Debug)]
pub struct Hub {
    pub(crate) directory: Directory,
    pub(crate) log: Log,
    pub(crate) relay: Relay,
    /// Connections that may have no socket, and when they are given up, soonest first. One that has
    /// a socket again stays until its turn.
    detached: VecDeque<(Timestamp, Slot)>,
    pub(crate) place: Place,
}

/// A hub that was put together again, and what became of its sockets.
#[derive(Debug)]
pub struct Restored {
    /// The hub.
    pub hub: Hub,
    /// The slot of each socket, in the order given; `None` for one that belongs to nobody and is to
    /// be closed.
    pub slots: Vec<Option<Slot>>,
    /// What is to be done before the first input.
    pub outputs: Vec<Output>,
}

impl Hub {
    /// Puts a shard together from what outlived its memory: the disk, and what each open socket
    /// carried (`None` where that could not be read). Connections without a socket are gone, but for
    /// reliable ones, which have their time to come back. Those with one get again what they have not
    /// acknowledged.
    #[must_use]
    pub fn restore(
        now: Timestamp,
        place: Place,
        snapshot: Snapshot,
        sockets: Vec<Option<Attachment>>,
    ) -> Restored {
        let mut outputs = Vec::new();
        let cursors = snapshot.connections.iter().map(|record| record.acknowledged.row);
        let carried = sockets.iter().flatten().map(|socket| socket.acknowledged.row);
        let (rows, bytes) =
            (snapshot.log.iter().map(|row| row.row), snapshot.log.iter().map(|row| row.bytes));
        let mut hub = Self {
            directory: Directory::default(),
            log: Log::restore(cursors.chain(carried).max().unwrap_or(0), rows.collect(), bytes.sum()),
            relay: Relay::restore(place, &snapshot.taken_by, snapshot.taken, &snapshot.log, &mut outputs),
            detached: VecDeque::new(),
            place,
        };
        hub.relay.watch(now);
        // As if nobody had a socket, then as those who have one.
        let mut known = Vec::new();
        for record in snapshot.connections {
            let (slot, since) = (record.slot, record.detached_until);
            let buffer = record.subprotocol.is_reliable().then(|| {
                let until = since.unwrap_or(now.after(place.recovery_window));
                Buffer::new(record.acknowledged, record.acknowledged, Link::Detached { until })
            });
            hub.directory.insert(slot, Connection::of(record, buffer, AckCache::default()));
            known.push((slot, since));
        }
        let mut here = vec![false; hub.directory.end().index()];
        let slots = sockets.into_iter().map(|socket| {
            let socket = socket?;
            let slot = hub.directory.find(&socket.connection)?;
            hub.directory.get_mut(slot)?.resume(socket);
            *here.get_mut(slot.index())? = true;
            Some(slot)
        });
        let slots = slots.collect();
        for (slot, since) in known.into_iter().filter(|(slot, _)| here.get(slot.index()) == Some(&false)) {
            match hub.link(slot) {
                Some(Link::Detached { until }) => {
                    hub.wait(until, slot);
                    if since.is_none() {
                        outputs.push(Output::Store(Change::Detach { slot, until: Some(until) }));
                    }
                }
                Some(Link::Attached) | None => hub.remove(slot, &mut outputs),
            }
        }
        for (slot, group) in snapshot.memberships {
            hub.directory.join(slot, &group);
        }
        for (slot, kind, group, literal) in snapshot.permissions {
            if let Some(connection) = hub.directory.get_mut(slot) {
                connection.permissions.restore(kind, group, literal);
            }
        }
        for (slot, acks) in snapshot.acks {
            if let Some(connection) = hub.directory.get_mut(slot) {
                connection.acks = decode_acks(&acks).unwrap_or_default();
            }
        }
        for LogRow { row, recipients, bytes, relayed: _ } in snapshot.log {
            let mut to = Vec::new();
            for slot in reliable::slots(&recipients) {
                let connection = hub.directory.get_mut(slot);
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
        for (_, connection) in hub.directory.iter_mut() {
            connection.buffer.iter_mut().for_each(Buffer::doubt);
        }
        Restored { hub, slots, outputs }
    }

    /// Takes one input and returns everything that follows from it, in order.
    #[must_use = "outputs are the only way a hub acts"]
    pub fn handle(&mut self, now: Timestamp, input: Input) -> Vec<Output> {
        let mut outputs = Vec::new();
        match input {
            Input::Connect { connection, request, reconnection_token } => {
                self.connect(connection, request, reconnection_token, &mut outputs);
            }
            Input::Recover { connection } => self.recover(now, &connection, &mut outputs),
            Input::Closed { slot, code } => self.closed(now, slot, code, &mut outputs),
            Input::Broken { slot } => {
                outputs.push(Output::Forget { slot });
                self.remove(slot, &mut outputs);
            }
            Input::Frame { from, frame } => {
                if self.hear(now, from, &mut outputs) {
                    self.frame(now, from, frame, &mut outputs);
                }
            }
            Input::Fetched { message, to } => {
                let publish =
                    message.and_then(|StoredMessage { message, expires }| Publish::decode(&message, expires));
                self.fetched(now, publish, to, &mut outputs);
            }
            Input::Command(command) => {
                let reply = self.command(now, command, &mut outputs);
                outputs.push(Output::Reply(reply));
            }
            Input::Batch(batch) => {
                for StoredMessage { message, expires } in self.relay.take(batch, &mut outputs) {
                    if let Some(publish) = Publish::decode(&message, expires) {
                        self.deliver(&publish, &mut outputs);
                    }
                }
                outputs.push(Output::BatchTaken);
            }
            Input::Relayed { to, last, taken } => {
                self.relay.relayed(now, to, last, taken, &mut outputs);
            }
            Input::Timeout => {
                self.relay.timeout(now, &mut outputs);
                self.give_up(now, &mut outputs);
            }
        }
        self.watch(now, &mut outputs);
        self.relay.watch(now);
        outputs
    }

    /// When [`Input::Timeout`] is next due for something that is lost with the memory; `None` while
    /// nothing such waits for time to pass.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Timestamp> {
        self.relay.next_timeout()
    }

    /// When [`Input::Timeout`] is next due even if the memory is lost until then; `None` while nothing
    /// such waits for time to pass.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Timestamp> {
        let detached = self.detached.front().map(|(until, _)| *until);
        [detached, self.relay.next_deadline()].into_iter().flatten().min()
    }

    /// How many connections this shard holds.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.directory.len()
    }

    fn connect(
        &mut self,
        id: ConnectionId,
        request: ConnectRequest,
        reconnection_token: Option<String>,
        outputs: &mut Vec<Output>,
    ) {
        if let Some(full) = self.place.full(self.directory.len()) {
            return outputs.push(Output::Refuse(full));
        }
        let slot = self.directory.vacancy();
        let subprotocol = request.subprotocol;
        let start = Cursor { row: self.log.newest(), sequence_id: SequenceId(0) };
        let record = ConnectionRecord {
            slot,
            id: id.clone(),
            user: request.user.clone(),
            roles: request.roles,
            subprotocol,
            mode: request.mode,
            acknowledged: start,
            detached_until: None,
        };
        outputs.push(Output::Store(Change::PutConnection(record.clone())));
        let buffer = subprotocol.is_reliable().then(|| Buffer::new(start, start, Link::Attached));
        self.directory.insert(slot, Connection::of(record, buffer, AckCache::default()));
        for group in &request.groups {
            self.join(slot, group, outputs);
        }
        outputs.push(Output::Accept { connection: id.clone(), subprotocol, slot });
        self.attach(slot, outputs);
        let connected =
            DownstreamMessage::Connected { connection_id: id, user_id: request.user, reconnection_token };
        self.send(slot, &connected, outputs);
    }

    /// Gives a reliable connection a new socket, whether or not it has lost the one it had, and
    /// everything that it has not acknowledged.
    ///
    /// Source: client spec, section 8.3.
    fn recover(&mut self, now: Timestamp, id: &ConnectionId, outputs: &mut Vec<Output>) {
        self.give_up(now, outputs);
        let Some(slot) = self.directory.find(id) else { return outputs.push(Output::CannotRecover) };
        let Some(connection) = self.directory.get_mut(slot) else {
            return outputs.push(Output::CannotRecover);
        };
        let Some(buffer) = &mut connection.buffer else { return outputs.push(Output::CannotRecover) };
        match buffer.link {
            Link::Attached => outputs.push(Output::Close { slot, cause: CloseCause::TakenOver }),
            Link::Detached { .. } => outputs.push(Output::Store(Change::Detach { slot, until: None })),
        }
        buffer.link = Link::Attached;
        let subprotocol = connection.subprotocol;
        outputs.push(Output::Accept { connection: id.clone(), subprotocol, slot });
        self.attach(slot, outputs);
        self.resend(slot, outputs);
        self.forget_recovered();
    }

    /// A socket is gone. A reliable connection outlives it, unless its client ended it on purpose.
    ///
    /// Source: client spec, section 8.2.
    fn closed(&mut self, now: Timestamp, slot: Slot, code: CloseCode, outputs: &mut Vec<Output>) {
        let Some(connection) = self.directory.get_mut(slot) else { return };
        outputs.push(Output::Forget { slot });
        match &mut connection.buffer {
            Some(buffer) if code != CloseCode::NORMAL => {
                let until = now.after(self.place.recovery_window);
                buffer.link = Link::Detached { until };
                // It was on the socket.
                if let Some(cursor) = buffer.take_unstored() {
                    outputs.push(Output::Store(Change::Acknowledge { slot, cursor }));
                }
                outputs.push(Output::Store(Change::Detach { slot, until: Some(until) }));
                self.wait(until, slot);
            }
            Some(_) | None => self.remove(slot, outputs),
        }
    }

    /// Waits for a connection to be recovered.
    fn wait(&mut self, until: Timestamp, slot: Slot) {
        let at = self.detached.partition_point(|(other, _)| *other <= until);
        self.detached.insert(at, (until, slot));
    }

    /// Ends the connections that were not recovered in time.
    fn give_up(&mut self, now: Timestamp, outputs: &mut Vec<Output>) {
        while let Some((_, slot)) = self.detached.pop_front_if(|(until, _)| *until <= now) {
            if self.link(slot).is_some_and(|link| matches!(link, Link::Detached { until } if until <= now)) {
                self.remove(slot, outputs);
            }
        }
        self.forget_recovered();
    }

    /// Waits no longer for connections that have come back, or have been ended.
    fn forget_recovered(&mut self) {
        while let Some(&(until, slot)) = self.detached.front()
            && self.link(slot) != Some(Link::Detached { until })
        {
            self.detached.pop_front();
        }
    }

    fn link(&self, slot: Slot) -> Option<Link> {
        self.directory.get(slot)?.buffer.as_ref().map(|buffer| buffer.link)
    }

    fn remove(&mut self, slot: Slot, outputs: &mut Vec<Output>) {
        if self.directory.remove(slot).is_some() {
            outputs.push(Output::Store(Change::RemoveConnection(slot)));
        }
    }

    /// Keeps on its socket what a connection has acknowledged and used.
    pub(crate) fn attach(&self, slot: Slot, outputs: &mut Vec<Output>) {
        if let Some(connection) = self.directory.get(slot) {
            outputs.push(Output::Attach { slot, attachment: connection.attachment() });
        }
    }

    /// Makes a connection a member, if it is not one already.
    pub(crate) fn join(&mut self, slot: Slot, group: &GroupName, outputs: &mut Vec<Output>) {
        if self.directory.join(slot, group) {
            outputs.push(Output::Store(Change::Join(slot, group.clone())));
        }
    }

    /// Ends a membership, if there is one.
    pub(crate) fn leave(&mut self, slot: Slot, group: &GroupName, outputs: &mut Vec<Output>) {
        if self.directory.leave(slot, group) {
            outputs.push(Output::Store(Change::Leave(slot, group.clone())));
        }
    }

    /// Hands a publish from another shard to the members here.
    fn deliver(&mut self, publish: &Publish, outputs: &mut Vec<Output>) {
        let to: Vec<Slot> = match &publish.from {
            Origin::Group { group, .. } => self.directory.members(group).collect(),
            // Servers reach every shard by themselves; clients publish to groups only.
            Origin::Server => Vec::new(),
        };
        self.fan_out(to, publish, Reach::ThisShard, outputs);
    }

    /// Sends a message of the service to one connection, if it has a socket. Simple clients receive
    /// payloads only.
    pub(crate) fn send(&self, slot: Slot, message: &DownstreamMessage, outputs: &mut Vec<Output>) {
        let Some(connection) = self.directory.get(slot).filter(|connection| connection.is_attached()) else {
            return;
        };
        if let Speech::Messages(encoding) = &connection.speech {
            let frame = encoding.encode_downstream(message);
            outputs.push(Output::Send { to: vec![slot], frame });
        }
    }

    /// Ends a connection for good, with the reason in words first where the client can read them.
    ///
    /// Source: client spec, section 10.
    pub(crate) fn close(&mut self, slot: Slot, cause: CloseCause, outputs: &mut Vec<Output>) {
        self.end(slot, cause, cause.reason(), outputs);
    }

    /// The same, for a server that wants it so; the words are of any length.
    pub(crate) fn close_by_server(&mut self, slot: Slot, message: &str, outputs: &mut Vec<Output>) {
        self.end(slot, CloseCause::ByServer, message, outputs);
    }

    fn end(&mut self, slot: Slot, cause: CloseCause, message: &str, outputs: &mut Vec<Output>) {
        self.send(slot, &DownstreamMessage::Disconnected { message: message.to_owned() }, outputs);
        let attached = self.directory.get(slot).is_some_and(Connection::is_attached);
        self.remove(slot, outputs);
        if attached {
            outputs.push(Output::Close { slot, cause });
        }
    }
}

impl Connection {
    fn of(record: ConnectionRecord, buffer: Option<Buffer>, acks: AckCache) -> Self {
        Self {
            id: record.id,
            user: record.user,
            permissions: Permissions::from_roles(record.roles.iter().map(String::as_str)),
            subprotocol: record.subprotocol,
            speech: Speech::new(record.subprotocol, record.mode),
            buffer,
            groups: BTreeSet::new(),
            acks,
            pace: Pace::default(),
        }
    }

    /// Goes on where what its socket carries says that it was.
    fn resume(&mut self, socket: Attachment) {
        match &mut self.buffer {
            Some(buffer) => buffer.resume(socket.acknowledged),
            None => self.acks = socket.acks,
        }
    }

    /// What its socket carries.
    fn attachment(&self) -> Attachment {
        let (acknowledged, acks) = match &self.buffer {
            // Its acks are on disk.
            Some(buffer) => (buffer.acknowledged(), AckCache::default()),
            None => (Cursor { row: 0, sequence_id: SequenceId(0) }, self.acks.clone()),
        };
        Attachment { connection: self.id.clone(), acknowledged, acks }
    }
}
