//! The hub, its clients, and what happens to them.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::time::Duration;

use webpubsub_client_core::{CommandId, InboundInput, InboundOptions, OutboundInput, SubscriptionId};
use webpubsub_protocol::client::{Echo, GroupState, GroupStateAction, StreamError, StreamId};
use webpubsub_protocol::data::MessageData;
use webpubsub_protocol::time::Timestamp;
use webpubsub_shard::{Batch, ShardConfig, ShardId};

use self::check::Seen;
use super::client::Client;
use super::seen::{Fate, Sent};
use super::summary::StreamSummary;
use crate::handler::policy;
use crate::shard::TestShard;
use crate::simulation::directory::{SentView, SimulatedDirectory};
use crate::simulation::random::Random;
use crate::simulation::words::{GROUPS, group_name};

mod check;
mod directory;
mod edge;
mod faults;
mod network;
mod time;

/// For how long a sender's stream may be silent.
const IDLE_MILLIS: u32 = 20_000;
/// Long enough for every recovery, retry and silent stream to be over.
const PATIENCE: Duration = Duration::from_secs(400);

/// The hub, its clients, and what happens to them.
pub(super) struct World {
    now: Timestamp,
    random: Random,
    /// Those that may be added exist, too.
    shards: Vec<TestShard>,
    directory: SimulatedDirectory,
    /// Whether the number of shards changes.
    resizes: bool,
    clients: Vec<Client>,
    /// On its way from shard to shard.
    batches: VecDeque<(usize, usize, Batch)>,
    /// On its way from the directory to a shard.
    views: VecDeque<SentView>,
    streams: Vec<Sent>,
    states: u32,
    /// Nothing goes wrong.
    calm: bool,
    pub(super) summary: StreamSummary,
    /// What happened, a line each.
    pub(super) trace: Vec<String>,
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let shards: u16 = random.pick(&[1, 1, 2, 3]);
        let resizes = random.chance(400);
        let most = if resizes { 3 } else { shards };
        let drain_window = random.pick(&[None, Some(Duration::from_secs(30))]);
        let config =
            |shard| ShardConfig { shard: ShardId(shard), shards, drain_window, ..ShardConfig::only() };
        let clients = random.between(2, 5);
        Self {
            now: Timestamp::from_millis(1_000_000),
            shards: (0..most).map(|shard| TestShard::with(config(shard), policy())).collect(),
            directory: SimulatedDirectory::new(policy().hub, shards),
            resizes,
            clients: (0..clients).map(|_| Client::new(&mut random)).collect(),
            random,
            batches: VecDeque::new(),
            views: VecDeque::new(),
            streams: Vec::new(),
            states: 0,
            calm: false,
            summary: StreamSummary::default(),
            trace: Vec::new(),
        }
    }

    pub(super) fn run(&mut self, steps: u32) {
        for client in 0..self.clients.len() {
            let options =
                InboundOptions { idle_timeout: Duration::from_secs(100), ..InboundOptions::default() };
            self.inbound(client, InboundInput::Subscribe { id: SubscriptionId(1), options });
            self.clients[client].start_or_stop();
            self.act(client);
        }
        for _ in 0..steps {
            self.step();
        }
        self.calm = true;
        self.pass(PATIENCE);
        self.check();
        // An update outweighs snapshots for a time that has passed.
        for client in 0..self.clients.len() {
            for (group, name) in (0..).zip(GROUPS) {
                if self.clients[client].view(name).is_some() {
                    self.clients[client].change_state(group, GroupStateAction::Subscribe);
                }
            }
            self.act(client);
        }
        self.pass(Duration::from_secs(10));
        for group in 0..GROUPS.len() {
            self.check_states(group, Seen::IsThere);
        }
    }

    /// Notes what happens now.
    fn note(&mut self, line: &str) {
        // Pings and pongs say nothing.
        if line.ends_with("Ping") || line.contains("pong") || line.ends_with("[34, 0])") {
            return;
        }
        self.trace.push(format!("{} {line}", self.now.as_millis()));
    }

    fn step(&mut self) {
        let client = self.random.below(self.clients.len());
        match self.random.below(100) {
            0..=29 => self.reach(client),
            30..=59 => self.arrive(client),
            60..=66 => self.relay(),
            67 | 68 => self.take_view(),
            69 if self.resizes && self.random.chance(200) => self.resize(),
            70..=81 => self.write(client),
            82..=88 => self.change_states(client),
            89..=95 => {
                let milliseconds = self.random.pick(&[1, 5, 20, 200, 1500, 6000]);
                self.wait(Duration::from_millis(milliseconds));
            }
            96 => self.cut(client),
            97 => self.lose_memory(),
            98 if self.random.chance(300) => {
                let seconds = self.random.pick(&[12, 31, 61]);
                self.wait(Duration::from_secs(seconds));
            }
            99 if self.random.chance(200) => {
                self.clients[client].start_or_stop();
                self.act(client);
            }
            _ => {}
        }
    }

    /// An application opens a stream, goes on with one, or ends one.
    fn write(&mut self, client: usize) {
        let draw = self.random.below(10);
        let of = |sent: &Sent| sent.client == client && sent.end.is_none() && sent.fate != Fate::Failed;
        let open: Vec<usize> = (0..self.streams.len()).filter(|at| of(&self.streams[*at])).collect();
        if open.is_empty() || draw == 0 {
            let group = self.random.below(GROUPS.len()) as u8;
            let id = format!("{client}-{}", self.streams.len());
            let stream_id = StreamId::parse(&*id).expect("a stream id");
            let there = |(number, one): (usize, &Client)| {
                Some((number, one.connection.as_ref().map(|_| one.connections)?))
            };
            let witnesses = self.clients.iter().enumerate().filter_map(there).collect();
            let sent = Sent { client, id, group, witnesses, pieces: 0, end: None, fate: Fate::Opening };
            self.streams.push(sent);
            let idle_millis = Some(IDLE_MILLIS);
            let group = group_name(group);
            let call = self.call(client, self.streams.len() - 1);
            let input = OutboundInput::Open { id: call, stream_id, group, echo: Echo::Send, idle_millis };
            return self.outbound(client, input);
        }
        let at = open[self.random.below(open.len())];
        if self.streams[at].fate == Fate::Opening {
            return;
        }
        let stream_id = StreamId::parse(&*self.streams[at].id).expect("a stream id");
        if draw == 1 {
            let is_error = self.random.chance(300);
            self.streams[at].end = Some(is_error);
            let error = is_error.then(|| StreamError::of_user(None, Some("simulated".to_owned())));
            let id = self.call(client, at);
            return self.outbound(client, OutboundInput::End { id, stream_id, error });
        }
        for _ in 0..self.random.between(1, 4) {
            self.streams[at].pieces += 1;
            let data = MessageData::Text(self.streams[at].pieces.to_string());
            let (id, stream_id) = (self.call(client, at), stream_id.clone());
            self.outbound(client, OutboundInput::Write { id, stream_id, data, len: 1 });
        }
    }

    fn call(&mut self, client: usize, stream: usize) -> CommandId {
        let id = self.clients[client].command();
        self.clients[client].calls.insert(id.0, stream);
        id
    }

    fn change_states(&mut self, client: usize) {
        let group = self.random.below(GROUPS.len()) as u8;
        let action = match self.random.below(6) {
            0 => GroupStateAction::Set(GroupState::default()),
            1 | 2 => {
                self.states += 1;
                let entry = (Cow::Borrowed("text"), Cow::Owned(self.states.to_string()));
                GroupStateAction::Set(GroupState::parse(vec![entry]).expect("a state"))
            }
            3 | 4 => GroupStateAction::Subscribe,
            _ => GroupStateAction::Unsubscribe,
        };
        self.note(&format!("client {client} in group {}: {action:?}", GROUPS[usize::from(group)]));
        self.clients[client].change_state(group, action);
        self.act(client);
    }
}
