use std::collections::VecDeque;

use webpubsub_protocol::client::{DownstreamMessage, Origin};
use webpubsub_protocol::close::CloseCause;
use webpubsub_protocol::event_handler::Event;
use webpubsub_protocol::id::SequenceId;
use webpubsub_protocol::name::{ConnectionId, GroupName};
use webpubsub_protocol::sorted::SortedSet;
use webpubsub_protocol::time::Timestamp;

use crate::ack::AckCache;
use crate::admission::ConnectRequest;
use crate::backpressure::Backlog;
use crate::config::{Full, ShardConfig};
use crate::connection::{Connection, Framing};
use crate::connections::Connections;
use crate::event_queue::{AFTER_CONNECTED, EventPolicy, EventQueues};
use crate::fan_out::{Publish, Reach};
use crate::input::Input;
use crate::metrics::Counters;
use crate::output::{Change, Output};
use crate::permission::Permissions;
use crate::rate_limit::TokenBucket;
use crate::relay::Relay;
use crate::reliable::{Buffer, Cursor, Log};
use crate::shard_map::ShardMap;
use crate::slot::Slot;
use crate::snapshot::{Attachment, ConnectionRecord, EventContext, StoredMessage};
use crate::turn::{Arrived, Inbox, Turns};

/// What an event handler is told of a connection whose client sent no WebSocket traffic.
///
/// Source: client spec, section 10.
const INVALID_FRAME: &str = "The client frame is invalid.";

/// One shard of a hub.
#[derive(Debug)]
pub struct Shard {
    pub(crate) connections: Connections,
    pub(crate) log: Log,
    pub(crate) relay: Relay,
    /// Connections that may have no socket, and when they are given up, soonest first. One that has
    /// a socket again stays until its turn.
    pub(crate) detached: VecDeque<(Timestamp, Slot)>,
    pub(crate) map: ShardMap,
    pub(crate) counters: Counters,
    pub(crate) config: ShardConfig,
    pub(crate) policy: EventPolicy,
    pub(crate) events: EventQueues,
    /// Bytes that were put on sockets since all of them were measured.
    pub(crate) unmeasured: u64,
    pub(crate) turns: Turns,
}

impl Shard {
    /// Takes one input and returns everything that follows from it, in order.
    #[must_use = "outputs are the only way a hub acts"]
    pub fn handle(&mut self, now: Timestamp, input: Input) -> Vec<Output> {
        let mut outputs = Vec::new();
        self.events.now = now;
        match input {
            Input::Connect { connection, request, reconnection_token } => {
                self.connect(connection, request, reconnection_token, &mut outputs);
            }
            Input::Recover { connection } => self.recover(now, &connection, &mut outputs),
            Input::Closed { slot, code, reason } => {
                self.enqueue(slot, Arrived::Closed { code, reason }, 0, &mut outputs);
            }
            Input::Broken { slot } => self.enqueue(slot, Arrived::Broken, 0, &mut outputs),
            Input::Frame { from, frame } => self.receive(now, from, frame, &mut outputs),
            Input::Fetched { message, to } => {
                self.counters.replays += 1;
                let publish =
                    message.and_then(|StoredMessage { message, expires }| Publish::decode(&message, expires));
                self.fetched(now, publish, to, &mut outputs);
            }
            Input::Command(command) => {
                let reply = self.command(now, command, &mut outputs);
                outputs.push(Output::Reply(reply));
            }
            Input::Map(map) => self.take_map(now, map, &mut outputs),
            Input::Batch(batch) => {
                self.counters.batches += 1;
                for StoredMessage { message, expires } in self.relay.take(batch, &mut outputs) {
                    if let Some(publish) = Publish::decode(&message, expires) {
                        self.deliver(&publish, &mut outputs);
                    }
                }
                outputs.push(Output::BatchTaken);
            }
            Input::Relayed { to, last, taken } => {
                self.turns.write(self.relay.relayed(now, to, last, taken));
            }
            Input::Called { call, result } => self.called(call, result, &mut outputs),
            Input::Settings(settings) => self.take_settings(settings, &mut outputs),
            Input::Measure => self.measure_all(&mut outputs),
            Input::Measured(waiting) => self.measured(now, waiting, &mut outputs),
            Input::GoAway => self.go_away(now, &mut outputs),
            Input::Timeout => {
                self.go_on(now);
                self.events.timeout();
                self.relay.timeout(now, &mut outputs);
                self.give_up(now, &mut outputs);
            }
        }
        self.follow_up(now, &mut outputs);
        self.write_with(&mut outputs);
        outputs
    }

    /// Adds what follows from these outputs.
    pub(crate) fn follow_up(&mut self, now: Timestamp, outputs: &mut Vec<Output>) {
        self.watch(outputs);
        self.tell(outputs);
        self.relay.send(outputs);
        self.relay.watch(now);
    }

    /// When [`Input::Timeout`] is next due for something that is lost with the memory; `None` while
    /// nothing such waits for time to pass.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Timestamp> {
        let waits = [self.relay.next_timeout(), self.events.next_timeout(), self.turns.next_timeout()];
        waits.into_iter().flatten().min()
    }

    /// When [`Input::Timeout`] is next due even if the memory is lost until then; `None` while nothing
    /// such waits for time to pass.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Timestamp> {
        let detached = self.detached.front().map(|(until, _)| *until);
        [detached, self.relay.next_deadline(), self.events.next_deadline()].into_iter().flatten().min()
    }

    /// Why a connect would be refused, if it would be.
    #[must_use]
    pub fn full(&self) -> Option<Full> {
        self.config.full(&self.map, self.connections.len())
    }

    /// How many connections this shard holds.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.connections.len()
    }

    fn connect(
        &mut self,
        id: ConnectionId,
        request: ConnectRequest,
        reconnection_token: Option<String>,
        outputs: &mut Vec<Output>,
    ) {
        if let Some(full) = self.full() {
            return outputs.push(Output::Refuse(full));
        }
        let slot = self.connections.vacancy();
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
            context: EventContext {
                origin: request.origin,
                custom_subprotocol: request.custom_subprotocol,
                state: request.state,
                cookies: request.cookies.encode(),
                events: AFTER_CONNECTED,
            },
        };
        let put = Change::PutConnection(record.clone());
        let buffer = subprotocol.is_reliable().then(|| Buffer::new(start));
        let connection = Connection::of(record, buffer, AckCache::default());
        if connection.permissions.skipped > 0 {
            outputs.push(Output::SkippedRoles(connection.permissions.skipped));
        }
        self.connections.insert(slot, connection);
        self.store(slot, put, outputs);
        self.notify(slot, Event::Connected, outputs);
        for group in &request.groups {
            self.join(slot, group, outputs);
        }
        outputs.push(Output::Accept { connection: id.clone(), subprotocol, slot });
        self.attach(slot, outputs);
        let connected =
            DownstreamMessage::Connected { connection_id: id, user_id: request.user, reconnection_token };
        self.send(slot, connected, outputs);
    }

    /// Ends a connection for good, for a reason that its event handler is told.
    pub(crate) fn remove(&mut self, slot: Slot, reason: &str, outputs: &mut Vec<Output>) {
        self.notify_of_end(slot, reason, outputs);
        if let Some(mut connection) = self.connections.remove(slot) {
            self.turns.clear(&mut connection.inbox);
            outputs.push(Output::Store(Change::RemoveConnection(slot)));
            self.part(connection, outputs);
        }
    }

    /// What came over a connection's socket was no WebSocket traffic.
    pub(crate) fn broken(&mut self, slot: Slot, outputs: &mut Vec<Output>) {
        outputs.push(Output::Forget { slot });
        self.remove(slot, INVALID_FRAME, outputs);
    }

    /// Keeps on its socket what a connection has acknowledged and used.
    pub(crate) fn attach(&self, slot: Slot, outputs: &mut Vec<Output>) {
        if let Some(connection) = self.connections.get(slot) {
            outputs.push(Output::Attach { slot, attachment: connection.attachment() });
        }
    }

    /// Makes a connection a member, if it is not one already.
    pub(crate) fn join(&mut self, slot: Slot, group: &GroupName, outputs: &mut Vec<Output>) {
        if self.connections.join(slot, group) {
            self.store(slot, Change::Join(slot, group.clone()), outputs);
            if self.has_event_handlers() {
                self.notify(slot, Event::Joined { group: group.clone() }, outputs);
            }
        }
    }

    /// Whether a connection may be a member of these, too. What it is already it stays.
    pub(crate) fn has_room_for(&self, slot: Slot, groups: &[GroupName]) -> bool {
        self.connections.get(slot).is_none_or(|Connection { groups: known, .. }| {
            let more = groups.iter().filter(|group| !known.contains(*group)).count();
            more == 0 || self.config.limits.allows_groups(known.as_slice().len() + more)
        })
    }

    /// Ends a membership, if there is one.
    pub(crate) fn leave(&mut self, slot: Slot, group: &GroupName, outputs: &mut Vec<Output>) {
        if self.connections.leave(slot, group) {
            self.store(slot, Change::Leave(slot, group.clone()), outputs);
            if self.has_event_handlers() {
                self.notify(slot, Event::Left { group: group.clone() }, outputs);
            }
        }
    }

    /// Hands a publish from another shard to the members here.
    fn deliver(&mut self, publish: &Publish, outputs: &mut Vec<Output>) {
        let to: Vec<Slot> = match &publish.from {
            Origin::Group { group, .. } => self.connections.members(group).collect(),
            // Servers reach every shard by themselves; clients publish to groups only.
            Origin::Server => Vec::new(),
        };
        self.fan_out(to, publish, Reach::ThisShard, outputs);
    }

    /// Sends a message of the service to one connection, if it has a socket. Simple clients receive
    /// payloads only.
    pub(crate) fn send(&self, slot: Slot, message: DownstreamMessage, outputs: &mut Vec<Output>) {
        let Some(connection) = self.connections.get(slot).filter(|connection| connection.is_attached())
        else {
            return;
        };
        if let Framing::Messages(encoding) = &connection.framing {
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
        self.send(slot, DownstreamMessage::Disconnected { message: message.to_owned() }, outputs);
        if matches!(cause, CloseCause::BufferFull | CloseCause::SlowConsumer | CloseCause::TooManyMessages) {
            self.counters.drops += 1;
        }
        let attached = self.connections.get(slot).is_some_and(Connection::is_attached);
        self.remove(slot, message, outputs);
        if attached {
            outputs.push(Output::Close { slot, cause });
        }
    }
}

impl Connection {
    pub(crate) fn of(record: ConnectionRecord, buffer: Option<Buffer>, acks: AckCache) -> Self {
        Self {
            id: record.id,
            user: record.user,
            permissions: Permissions::from_roles(record.roles.iter().map(String::as_str)),
            subprotocol: record.subprotocol,
            framing: Framing::new(record.subprotocol, record.mode),
            buffer,
            groups: SortedSet::new(),
            acks,
            bucket: TokenBucket::default(),
            backlog: Backlog::default(),
            inbox: Inbox::default(),
            context: record.context,
            event_queue: None,
        }
    }

    /// What its socket carries.
    fn attachment(&self) -> Attachment {
        let (acknowledged, is_behind, acks) = match &self.buffer {
            // Its acks are on disk.
            Some(buffer) => (buffer.acknowledged(), buffer.is_behind(), AckCache::default()),
            None => (Cursor { row: 0, sequence_id: SequenceId(0) }, false, self.acks.clone()),
        };
        Attachment { connection: self.id.clone(), acknowledged, is_behind, acks }
    }
}
