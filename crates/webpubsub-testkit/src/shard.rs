//! One shard with its disk and its sockets as plain values.

mod calls;
mod host;
mod sockets;

use std::collections::BTreeMap;
use std::time::Duration;

use webpubsub_protocol::client::{Frame, Subprotocol};
use webpubsub_protocol::data::{MessageData, Metadata, TimeToLive};
use webpubsub_protocol::event_handler::CallFailure;
use webpubsub_protocol::name::{ConnectionId, GroupName, UserId};
use webpubsub_protocol::time::Timestamp;
use webpubsub_shard::{
    Attachment, Batch, Call, CallId, Command, ConnectRequest, Driver, EventPolicy, Input, Output, Reply,
    Selection, Shard, ShardConfig, ShardId, ShardMap, Slot, Snapshot, StoredMessage, Target, WatcherId,
};

use crate::handler::policy;

/// A shard with its disk and its sockets, as plain values.
#[derive(Debug)]
pub struct TestShard {
    /// `None` during a step.
    driver: Option<Driver>,
    /// The time.
    pub now: Timestamp,
    timer: Option<Timestamp>,
    alarm: Option<Timestamp>,
    config: ShardConfig,
    /// How events are delivered once the shard starts again.
    pub policy: EventPolicy,
    ids: u16,
    /// What is on disk, but for the messages in the log's rows.
    pub disk: Snapshot,
    /// The messages in the log's rows.
    pub messages: BTreeMap<u64, StoredMessage>,
    sockets: BTreeMap<Slot, Socket>,
    /// Sockets that the shard closed, oldest first.
    pub closed: Vec<Closed>,
    /// Calls to event handlers that are under way, oldest first.
    pub calls: Vec<Call>,
    /// Names of events that were not delivered to their handlers and will not be, with the reason.
    pub gave_up: Vec<(String, CallFailure)>,
    /// Calls that are to end after this time at the latest.
    pub given_up: Vec<(CallId, Duration)>,
    /// Batches that were sent to other shards, oldest first.
    pub relayed: Vec<(ShardId, Batch)>,
    /// Texts that were sent to operators who watch, oldest first.
    pub traced: Vec<(WatcherId, String)>,
    /// Operators whose traces the shard has ended.
    pub trace_ends: Vec<WatcherId>,
}

#[derive(Debug)]
struct Socket {
    id: ConnectionId,
    attachment: Vec<u8>,
    received: Vec<Frame>,
}

/// A socket that the shard closed.
#[derive(Debug)]
pub struct Closed {
    /// Where it was.
    pub slot: Slot,
    /// Its code.
    pub code: u16,
    /// Its text.
    pub reason: String,
    /// What it received and no test took, binary frames spelled out.
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

    /// A shard with this configuration that delivers events like this.
    pub fn with(config: ShardConfig, policy: EventPolicy) -> Self {
        let now = Timestamp::from_millis(1_000_000);
        let restored = Shard::restore(now, config, policy.clone(), Snapshot::default(), Vec::new());
        let mut shard = Self {
            driver: Some(Driver::new(restored.shard)),
            now,
            timer: None,
            alarm: None,
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
            traced: Vec::new(),
            trace_ends: Vec::new(),
        };
        shard.perform(restored.outputs);
        shard
    }

    /// Lets time go by, and the shard do what was due.
    pub fn pass(&mut self, duration: Duration) {
        let end = self.now.after(duration);
        while let Some(due) = self.due().filter(|due| *due <= end) {
            self.now = due.max(self.now);
            self.time_out();
        }
        self.now = end;
    }

    /// The timer and the alarm fire, if they are due, and the shard does what it waited to do.
    pub fn time_out(&mut self) {
        let driver = self.driver.as_mut().expect("no step is under way");
        if self.timer.take_if(|due| *due <= self.now).is_some() {
            driver.timer_fired();
        }
        if self.alarm.take_if(|due| *due <= self.now).is_some() {
            driver.alarm_fired();
        }
        self.input(Input::Timeout);
    }

    /// The shard itself.
    #[must_use]
    pub fn core(&self) -> &Shard {
        &self.driver.as_ref().expect("no step is under way").shard
    }

    /// The shard itself, to be changed beside its inputs.
    pub fn core_mut(&mut self) -> &mut Shard {
        &mut self.driver.as_mut().expect("no step is under way").shard
    }

    /// When the timer or the alarm fires next.
    #[must_use]
    pub fn due(&self) -> Option<Timestamp> {
        [self.timer, self.alarm].into_iter().flatten().min()
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

    /// Gives the shard how sending a batch ended.
    pub fn answer(&mut self, to: ShardId, batch: &Batch, taken: bool) {
        let (last, _) = *batch.messages.last().expect("a batch is not empty");
        self.input(Input::Relayed { to, last, taken });
    }

    /// Everything that is only in memory is lost.
    pub fn hibernate(&mut self) {
        self.calls.clear();
        let carried = self.sockets.values().map(|socket| Attachment::decode(&socket.attachment)).collect();
        let restored = Shard::restore(self.now, self.config, self.policy.clone(), self.disk.clone(), carried);
        let slots: Vec<_> = self.sockets.keys().copied().map(Some).collect();
        assert_eq!(restored.slots, slots, "every open socket is found again in its slot");
        self.driver = Some(Driver::new(restored.shard));
        self.timer = None;
        self.perform(restored.outputs);
    }

    /// Everything that outlives the shard's memory: what is on disk, and the connections that open sockets carry.
    #[must_use]
    pub fn kept(&self) -> Snapshot {
        let mut kept = self.disk.clone();
        let attachments = self.sockets.values().filter_map(|socket| Attachment::decode(&socket.attachment));
        for (record, groups) in attachments.filter_map(|attachment| attachment.carried()) {
            kept.memberships.extend(groups.into_iter().map(|group| (record.slot, group)));
            kept.connections.push(record);
        }
        kept
    }

    /// The process dies: memory and sockets are lost, the disk stays.
    pub fn crash(&mut self) {
        self.sockets.clear();
        self.hibernate();
    }

    /// Sets the hub's shards.
    pub fn set_map(&mut self, map: ShardMap) {
        self.input(Input::Map(map));
    }

    /// Gives the shard one input and the turns that it asks for, and performs the outputs.
    pub fn input(&mut self, input: Input) -> Vec<Output> {
        let mut outputs = self.feed(input);
        while self.core().next_turn().is_some() {
            outputs.append(&mut self.turn());
        }
        outputs
    }

    /// Gives the shard one input and performs the outputs; what waits for a turn waits.
    pub fn feed(&mut self, input: Input) -> Vec<Output> {
        let outputs = self.outputs(input);
        self.perform(outputs.clone());
        outputs
    }

    /// Gives the shard one input and returns the outputs without performing them.
    pub fn outputs(&mut self, input: Input) -> Vec<Output> {
        let driver = self.driver.as_mut().expect("no step is under way");
        driver.shard.handle(self.now, input)
    }

    /// Takes a turn.
    pub fn turn(&mut self) -> Vec<Output> {
        let driver = self.driver.as_mut().expect("no step is under way");
        let outputs = driver.shard.turn(self.now);
        self.perform(outputs.clone());
        outputs
    }

    fn perform(&mut self, outputs: Vec<Output>) {
        self.drive(|driver, host| {
            let Ok(_) = driver.perform(host, outputs);
            driver.keep_alarm(host);
        });
    }

    fn drive(&mut self, run: impl FnOnce(&mut Driver, &mut Self)) {
        let mut driver = self.driver.take().expect("one step at a time");
        run(&mut driver, self);
        self.driver = Some(driver);
    }
}
