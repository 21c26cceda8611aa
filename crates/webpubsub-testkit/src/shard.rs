use std::collections::BTreeMap;
use std::time::Duration;

use webpubsub_protocol::client::{Frame, Subprotocol};
use webpubsub_protocol::close::CloseCode;
use webpubsub_protocol::data::{MessageData, Metadata, TimeToLive};
use webpubsub_protocol::event_handler::CallFailure;
use webpubsub_protocol::name::{ConnectionId, GroupName, UserId};
use webpubsub_protocol::time::Timestamp;
use webpubsub_shard::{
    Attachment, Batch, Call, CallId, Change, Command, ConnectRequest, EventPolicy, Input, LogRow, Output,
    Reply, Selection, Shard, ShardConfig, ShardId, ShardMap, Slot, Snapshot, StoredMessage, Target,
};

use crate::handler::policy;

/// A shard with its disk and its sockets, as plain values.
#[derive(Debug)]
pub struct TestShard {
    /// The hub itself.
    pub core: Shard,
    /// The time that the hub is told.
    pub now: Timestamp,
    config: ShardConfig,
    /// How the hub tells its event handlers of events, should it start again.
    pub policy: EventPolicy,
    ids: u16,
    /// What it wrote,
    pub disk: Snapshot,
    /// and the messages in the log's rows.
    pub messages: BTreeMap<u64, StoredMessage>,
    /// Open sockets.
    sockets: BTreeMap<Slot, Socket>,
    /// Sockets that the hub closed, oldest first.
    pub closed: Vec<Closed>,
    /// Calls to event handlers that are under way, oldest first.
    pub calls: Vec<Call>,
    /// Events that event handlers were not told of, and will not be.
    pub gave_up: Vec<(String, CallFailure)>,
    /// The calls that the shell is to wait for only so much longer.
    pub given_up: Vec<(CallId, Duration)>,
    /// Batches that it sent, oldest first.
    pub relayed: Vec<(ShardId, Batch)>,
}

#[derive(Debug)]
struct Socket {
    id: ConnectionId,
    attachment: Vec<u8>,
    received: Vec<Frame>,
}

/// A socket that the hub closed.
#[derive(Debug)]
pub struct Closed {
    /// Where it was.
    pub slot: Slot,
    /// Its code.
    pub code: u16,
    /// Its text.
    pub reason: String,
    /// What it received and nobody took, binary frames spelled out.
    pub received: Vec<String>,
    /// The same as it was.
    pub frames: Vec<Frame>,
}

/// A group name.
pub fn group(name: &str) -> GroupName {
    GroupName::parse(name).expect("a group name")
}

/// A user id.
pub fn user(name: &str) -> UserId {
    UserId::parse(name).expect("a user id")
}

/// A text payload.
pub fn text(text: &str) -> MessageData {
    MessageData::Text(text.to_owned())
}

/// A client that may do everything with every group.
pub fn json(user_id: &str) -> ConnectRequest {
    ConnectRequest {
        user: Some(user(user_id)),
        roles: vec!["webpubsub.sendToGroup".into(), "webpubsub.joinLeaveGroup".into()],
        subprotocol: Subprotocol::Json,
        ..ConnectRequest::default()
    }
}

/// The same, on the reliable subprotocol.
pub fn reliable(user_id: &str) -> ConnectRequest {
    ConnectRequest { subprotocol: Subprotocol::JsonReliable, ..json(user_id) }
}

impl Default for TestShard {
    fn default() -> Self {
        Self::new()
    }
}

impl TestShard {
    /// The only shard of a hub.
    #[must_use]
    pub fn new() -> Self {
        Self::at(ShardConfig::only())
    }

    /// A shard with this configuration.
    pub fn at(config: ShardConfig) -> Self {
        Self::with(config, policy())
    }

    /// A shard with this configuration that tells its event handlers of events like this.
    pub fn with(config: ShardConfig, policy: EventPolicy) -> Self {
        let now = Timestamp::from_millis(1_000_000);
        let restored = Shard::restore(now, config, policy.clone(), Snapshot::default(), Vec::new());
        let mut shard = Self {
            core: restored.shard,
            now,
            config,
            policy,
            ids: 0,
            disk: Snapshot::default(),
            messages: BTreeMap::new(),
            sockets: BTreeMap::new(),
            closed: Vec::new(),
            calls: Vec::new(),
            gave_up: Vec::new(),
            given_up: Vec::new(),
            relayed: Vec::new(),
        };
        shard.perform(restored.outputs);
        shard
    }

    /// Lets a client in; `None` if the shard is full.
    pub fn connect(&mut self, request: ConnectRequest) -> Option<Slot> {
        self.ids += 1;
        let [high, low] = self.ids.to_be_bytes();
        let mut random = [low; 16];
        random[15] ^= high;
        let connection = self.config.shard.connection_id(random);
        let reconnection_token = request.subprotocol.is_reliable().then(|| "token".to_owned());
        let outputs = self.input(Input::Connect { connection, request, reconnection_token });
        outputs
            .iter()
            .find_map(|output| if let Output::Accept { slot, .. } = output { Some(*slot) } else { None })
    }

    /// A client comes back with a new socket; `None` if its connection cannot be recovered.
    pub fn recover(&mut self, connection: &ConnectionId) -> Option<Slot> {
        let outputs = self.input(Input::Recover { connection: connection.clone() });
        outputs
            .iter()
            .find_map(|output| if let Output::Accept { slot, .. } = output { Some(*slot) } else { None })
    }

    /// A socket is gone, with this code.
    pub fn close(&mut self, slot: Slot, code: CloseCode) {
        self.close_with(slot, code, "");
    }

    /// A socket is gone, with this code and these words.
    pub fn close_with(&mut self, slot: Slot, code: CloseCode, reason: &str) {
        self.input(Input::Closed { slot, code, reason: reason.to_owned() });
    }

    /// The network loses a socket.
    pub fn cut(&mut self, slot: Slot) {
        self.close(slot, CloseCode::ABNORMAL);
    }

    /// Lets time go by, and the hub do what was due.
    pub fn pass(&mut self, duration: Duration) {
        let end = self.now.after(duration);
        while let Some(due) = self.due().filter(|due| *due <= end) {
            self.now = due.max(self.now);
            self.input(Input::Timeout);
        }
        self.now = end;
    }

    /// When the hub next waits for time to pass.
    #[must_use]
    pub fn due(&self) -> Option<Timestamp> {
        [self.core.next_timeout(), self.core.next_deadline()].into_iter().flatten().min()
    }

    /// A connection that has already read its `connected` message.
    pub fn connected(&mut self, request: ConnectRequest) -> Slot {
        let slot = self.connect(request).expect("the shard has room");
        self.take(slot);
        slot
    }

    /// A client sends a text frame.
    pub fn send(&mut self, from: Slot, frame: &str) {
        self.input(Input::Frame { from, frame: Frame::Text(frame.to_owned()) });
    }

    /// A server publishes.
    pub fn publish(&mut self, to: Target, data: MessageData) {
        self.publish_without(to, data, Vec::new());
    }

    /// A server publishes to all but these.
    pub fn publish_without(&mut self, to: Target, data: MessageData, excluded: Vec<ConnectionId>) {
        let to = Selection { excluded, ..Selection::from(to) };
        let reply =
            self.command(Command::Send { to, data, metadata: Metadata::default(), ttl: TimeToLive::FOREVER });
        assert_eq!(reply, Reply::Done);
    }

    /// Asks for an existence.
    pub fn exists(&mut self, target: Target) -> bool {
        self.command(Command::Exists(target)) == Reply::Done
    }

    /// A server asks for something.
    pub fn command(&mut self, command: Command) -> Reply {
        let mut outputs = self.input(Input::Command(command));
        outputs.retain(|output| matches!(output, Output::Reply(_)));
        match &outputs[..] {
            [Output::Reply(reply)] => reply.clone(),
            replies => panic!("a command is answered with {replies:?}"),
        }
    }

    /// Whether a socket is open.
    #[must_use]
    pub fn is_open(&self, slot: Slot) -> bool {
        self.sockets.contains_key(&slot)
    }

    /// Tells how sending a batch ended.
    pub fn answer(&mut self, to: ShardId, batch: &Batch, taken: bool) {
        let (last, _) = *batch.messages.last().expect("a batch is not empty");
        self.input(Input::Relayed { to, last, taken });
    }

    /// Whose socket it is.
    pub fn id(&self, slot: Slot) -> ConnectionId {
        self.sockets[&slot].id.clone()
    }

    /// What a socket received since it was asked last, binary frames spelled out.
    pub fn take(&mut self, slot: Slot) -> Vec<String> {
        self.take_frames(slot).iter().map(spelled_out).collect()
    }

    /// The frames that a socket received since it was asked last.
    pub fn take_frames(&mut self, slot: Slot) -> Vec<Frame> {
        std::mem::take(&mut self.sockets.get_mut(&slot).expect("an open socket").received)
    }

    /// Everything that is only in memory is lost.
    pub fn hibernate(&mut self) {
        self.calls.clear();
        let carried = self.sockets.values().map(|socket| Attachment::decode(&socket.attachment)).collect();
        let restored = Shard::restore(self.now, self.config, self.policy.clone(), self.disk.clone(), carried);
        let slots: Vec<_> = self.sockets.keys().copied().map(Some).collect();
        assert_eq!(restored.slots, slots, "every open socket is found again in its slot");
        self.core = restored.shard;
        self.perform(restored.outputs);
    }

    /// The process dies: memory and sockets are lost, the disk stays.
    pub fn crash(&mut self) {
        self.sockets.clear();
        self.hibernate();
    }

    /// The hub's shards are these from here on.
    pub fn set_map(&mut self, map: ShardMap) {
        self.input(Input::Map(map));
    }

    /// Gives the hub one input, and the turns that it asks for, and does what it answers.
    pub fn input(&mut self, input: Input) -> Vec<Output> {
        let mut outputs = self.feed(input);
        while self.core.next_turn().is_some() {
            outputs.append(&mut self.turn());
        }
        outputs
    }

    /// Gives the hub one input and does what it answers, but for what waits for a turn.
    pub fn feed(&mut self, input: Input) -> Vec<Output> {
        let outputs = self.core.handle(self.now, input);
        self.perform(outputs.clone());
        outputs
    }

    /// Lets the hub have a turn.
    pub fn turn(&mut self) -> Vec<Output> {
        let outputs = self.core.turn(self.now);
        self.perform(outputs.clone());
        outputs
    }

    fn perform(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Accept { connection, subprotocol: _, slot } => {
                    let socket = Socket { id: connection, attachment: Vec::new(), received: Vec::new() };
                    assert!(self.sockets.insert(slot, socket).is_none(), "the slot was taken");
                }
                Output::Refuse(_)
                | Output::SkippedRoles(_)
                | Output::CannotRecover
                | Output::Reply(_)
                | Output::BatchTaken => {}
                Output::Send { to, frame } => {
                    for slot in to {
                        self.deliver(slot, frame.clone());
                    }
                }
                Output::SendNumbered { to, frame } => {
                    for (slot, id) in to {
                        self.deliver(slot, frame.with(Some(id)));
                    }
                }
                Output::Measure { slots } => {
                    let measure = |slot: Slot| {
                        let received = self.sockets.get(&slot).map_or(&[][..], |socket| &socket.received);
                        (slot, received.iter().map(|frame| frame.len() as u64).sum())
                    };
                    self.feed(Input::Measured(slots.into_iter().map(measure).collect()));
                }
                Output::Close { slot, cause } => {
                    let socket = self.sockets.remove(&slot).expect("an open socket");
                    self.closed.push(Closed {
                        slot,
                        code: cause.code().0,
                        reason: cause.reason().to_owned(),
                        received: socket.received.iter().map(spelled_out).collect(),
                        frames: socket.received,
                    });
                }
                Output::Forget { slot } => {
                    self.sockets.remove(&slot).expect("a known socket");
                }
                Output::Attach { slot, attachment } => {
                    self.sockets.get_mut(&slot).expect("an open socket").attachment = attachment.encode();
                }
                Output::Fetch { row, to } => {
                    let message = self.messages.get(&row).cloned();
                    self.feed(Input::Fetched { message, to });
                }
                Output::Store(change) => write(change, &mut self.disk, &mut self.messages),
                Output::Call(call) => self.calls.push(*call),
                Output::GiveUp { call, after } => self.given_up.push((call, after)),
                Output::EventFailed { connection: _, event, failure } => self.gave_up.push((event, failure)),
                Output::Relay { to, rows } => {
                    let messages = rows.iter().map(|row| (*row, self.messages[row].clone())).collect();
                    self.relayed.push((to, Batch { from: self.config.shard, messages }));
                }
            }
        }
    }

    fn deliver(&mut self, slot: Slot, frame: Frame) {
        self.sockets.get_mut(&slot).expect("frames go to open sockets").received.push(frame);
    }
}

fn spelled_out(frame: &Frame) -> String {
    match frame {
        Frame::Text(text) => text.clone(),
        Frame::Binary(bytes) => format!("binary {bytes:?}"),
    }
}

/// Writes one change.
pub(crate) fn write(change: Change, disk: &mut Snapshot, messages: &mut BTreeMap<u64, StoredMessage>) {
    match change {
        Change::PutConnection(record) => {
            disk.connections.retain(|other| other.slot != record.slot);
            disk.connections.push(record);
        }
        Change::RemoveConnection(slot) => {
            disk.connections.retain(|record| record.slot != slot);
            disk.memberships.retain(|(member, _)| *member != slot);
            disk.permissions.retain(|(of, ..)| *of != slot);
            disk.acks.retain(|(of, ..)| *of != slot);
        }
        Change::Join(slot, group) => disk.memberships.push((slot, group)),
        Change::Leave(slot, group) => {
            disk.memberships.retain(|membership| *membership != (slot, group.clone()));
        }
        Change::Permit { slot, kind, group, literal } => {
            disk.permissions.retain(|(of, what, to, _)| (*of, *what, to) != (slot, kind, &group));
            disk.permissions.push((slot, kind, group, literal));
        }
        Change::UseAcks { slot, part, acks } => {
            disk.acks.retain(|(of, ..)| *of != slot || part > 0);
            disk.acks.push((slot, part, acks));
        }
        Change::Detach { slot, until } => {
            for record in disk.connections.iter_mut().filter(|record| record.slot == slot) {
                record.detached_until = until;
            }
        }
        Change::Log { row, message, expires, relayed, recipients } => {
            assert!(disk.log.last().is_none_or(|last| last.row < row), "rows have growing ids");
            disk.log.push(LogRow { row, recipients, relayed, bytes: message.len() });
            messages.insert(row, StoredMessage { message, expires });
        }
        Change::Map(map) => disk.map = Some(map),
        Change::TakenBy { shard, row } => {
            disk.taken_by.retain(|(known, _)| *known != shard);
            disk.taken_by.push((shard, row));
        }
        Change::Take { from, row } => {
            disk.taken.retain(|(known, _)| *known != from);
            disk.taken.push((from, row));
        }
        Change::Acknowledge { slot, cursor } => {
            for record in disk.connections.iter_mut().filter(|record| record.slot == slot) {
                record.acknowledged = cursor;
            }
        }
        Change::EventContext { slot, events, state, cookies } => {
            for record in disk.connections.iter_mut().filter(|record| record.slot == slot) {
                record.context.events = events;
                record.context.state.clone_from(&state);
                record.context.cookies.clone_from(&cookies);
            }
        }
        Change::AddEvent { row, event } => {
            assert!(disk.durable_events.last().is_none_or(|(last, _)| *last < row), "rows have growing ids");
            disk.durable_events.push((row, event));
        }
        Change::RemoveEvent { row } => disk.durable_events.retain(|(other, _)| *other != row),
        Change::Settings(settings) => disk.settings = settings,
        Change::DeleteRows { first, last } => {
            disk.log.retain(|row| !(first..=last).contains(&row.row));
            messages.retain(|row, _| !(first..=last).contains(row));
        }
    }
}
