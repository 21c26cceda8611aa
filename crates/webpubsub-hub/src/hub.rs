use std::collections::{BTreeSet, HashMap};

use webpubsub_protocol::client::{DownstreamMessage, Origin};
use webpubsub_protocol::close::CloseCause;
use webpubsub_protocol::name::{ConnectionId, GroupName};
use webpubsub_protocol::time::Timestamp;

use crate::ack::AckCache;
use crate::admission::ConnectRequest;
use crate::connection::{Connection, Slot, Speech};
use crate::directory::Directory;
use crate::fan_out::{Publish, fan_out};
use crate::input::Input;
use crate::output::{Change, Output};
use crate::pace::Pace;
use crate::permission::Permissions;
use crate::placement::Place;
use crate::relay::Relay;
use crate::reliable::{Log, Sequence, has_bit};
use crate::snapshot::{Attachment, ConnectionRecord, Snapshot};

/// One shard of a hub.
#[derive(Debug)]
pub struct Hub {
    pub(crate) directory: Directory,
    pub(crate) log: Log,
    pub(crate) relay: Relay,
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
    /// A shard without connections. `incarnation` is drawn at random whenever a shard's memory
    /// begins; it tells the batches of one life from those of the next.
    #[must_use]
    pub fn new(place: Place, incarnation: u64) -> Self {
        Self {
            directory: Directory::default(),
            log: Log::default(),
            relay: Relay::new(place, incarnation),
            place,
        }
    }

    /// Puts a shard together from what outlived its memory: the disk, and what each open socket
    /// carried (`None` where that could not be read). Connections without a socket are gone.
    #[must_use]
    pub fn restore(
        place: Place,
        incarnation: u64,
        snapshot: Snapshot,
        sockets: Vec<Option<Attachment>>,
    ) -> Restored {
        let mut hub = Self::new(place, incarnation);
        let mut outputs = Vec::new();
        let rows = snapshot.log.iter().map(|(row, _)| *row);
        let newest = rows.clone().chain(snapshot.connections.iter().map(|record| record.row)).max();
        hub.log = Log::restore(newest.unwrap_or(0), rows.min());
        let mut acks: HashMap<ConnectionId, AckCache> = HashMap::new();
        let ids: Vec<_> = sockets
            .into_iter()
            .map(|socket| {
                let Attachment { connection, acks: used } = socket?;
                acks.insert(connection.clone(), used);
                Some(connection)
            })
            .collect();
        for record in snapshot.connections {
            let slot = record.slot;
            match acks.remove(&record.id) {
                Some(acks) => hub.directory.insert(slot, Connection::restore(record, acks, &snapshot.log)),
                None => outputs.push(Output::Store(Change::RemoveConnection(slot))),
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
        let slots = ids.iter().map(|id| hub.directory.find(id.as_ref()?)).collect();
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
            Input::Frame { from, frame } => {
                if self.hear(now, from, &mut outputs) {
                    self.frame(from, frame, &mut outputs);
                }
            }
            Input::Closed { slot } => {
                if self.directory.remove(slot).is_some() {
                    outputs.push(Output::Store(Change::RemoveConnection(slot)));
                    outputs.push(Output::Forget { slot });
                }
            }
            Input::Command(command) => {
                let reply = self.command(command, &mut outputs);
                outputs.push(Output::Reply(reply));
            }
            Input::Batch(batch) => {
                if self.relay.take(&batch) {
                    for publish in batch.publishes() {
                        self.deliver(&publish, &mut outputs);
                    }
                }
                outputs.push(Output::BatchTaken);
            }
            Input::Relayed { to, number, taken } => {
                self.relay.relayed(now, to, number, taken, &mut outputs);
            }
            Input::Timeout => self.relay.timeout(now, &mut outputs),
        }
        self.watch(now, &mut outputs);
        outputs
    }

    /// When [`Input::Timeout`] is next due; `None` while nothing waits for time to pass.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Timestamp> {
        self.relay.next_timeout()
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
        let attachment = Attachment::new(id.clone());
        let record = ConnectionRecord {
            slot,
            id: id.clone(),
            user: request.user.clone(),
            roles: request.roles,
            subprotocol: request.subprotocol,
            mode: request.mode,
            row: self.log.newest(),
            received: 0,
        };
        self.directory.insert(slot, Connection::restore(record.clone(), AckCache::default(), &[]));
        outputs.push(Output::Store(Change::PutConnection(record)));
        for group in &request.groups {
            self.join(slot, group, outputs);
        }
        outputs.push(Output::Accept { connection: id.clone(), slot });
        outputs.push(Output::Attach { slot, attachment });
        let connected =
            DownstreamMessage::Connected { connection_id: id, user_id: request.user, reconnection_token };
        self.send(slot, &connected, outputs);
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
        fan_out(&mut self.directory, &mut self.log, to, publish, outputs);
    }

    /// Sends a message of the service to one connection. Simple clients receive payloads only.
    pub(crate) fn send(&self, slot: Slot, message: &DownstreamMessage, outputs: &mut Vec<Output>) {
        match self.directory.get(slot).map(|connection| &connection.speech) {
            Some(Speech::Messages { encoding, .. }) => {
                let frame = encoding.encode_downstream(message);
                outputs.push(Output::Send { to: vec![slot], frame });
            }
            Some(Speech::Simple(_)) | None => {}
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
        self.directory.remove(slot);
        outputs.push(Output::Store(Change::RemoveConnection(slot)));
        outputs.push(Output::Close { slot, cause });
    }
}

impl Connection {
    /// The connection of a record, its sequence, if it has one, counted on from the record's base.
    fn restore(record: ConnectionRecord, acks: AckCache, log: &[(u64, Vec<u8>)]) -> Self {
        let log = if record.subprotocol.is_reliable() { log } else { &[] };
        let later = log.iter().filter(|(row, bits)| *row > record.row && has_bit(bits, record.slot)).count();
        let sequence = Sequence::after(record.received.saturating_add(later as u64));
        Self {
            id: record.id,
            user: record.user,
            permissions: Permissions::from_roles(record.roles.iter().map(String::as_str)),
            subprotocol: record.subprotocol,
            speech: Speech::new(record.subprotocol, record.mode, sequence),
            groups: BTreeSet::new(),
            acks,
            pace: Pace::default(),
        }
    }

    /// What its socket carries.
    pub(crate) fn attachment(&self) -> Attachment {
        Attachment { connection: self.id.clone(), acks: self.acks.clone() }
    }
}
