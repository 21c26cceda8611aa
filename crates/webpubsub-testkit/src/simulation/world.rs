//! A hub, its clients, its servers, what lies between them, and what goes wrong.

use std::time::Duration;

use webpubsub_protocol::client::Subprotocol;
use webpubsub_protocol::time::Timestamp;
use webpubsub_shard::{Input as ShardInput, ShardConfig, ShardId, ShardMap};

use super::client::Client;
use super::directory::DirectoryHost;
use super::faults::Faults;
use super::handler::Ringing;
use super::machine::Machine;
use super::model::{Asks, Model};
use super::network::Flight;
use super::random::Random;
use super::sockets::Socket;
use super::words::{Profile, Request, USERS, Up};
use super::{Bug, Happening, Run, Summary, Trace};
use crate::handler::with_handlers;

/// A hub, its clients, its servers, what lies between them, and what goes wrong.
#[derive(Debug)]
pub(super) struct World {
    pub(super) now: Timestamp,
    pub(super) random: Random,
    pub(super) faults: Faults,
    /// Nothing goes wrong for the time being.
    pub(super) calm: bool,
    pub(super) bug: Option<Bug>,
    pub(super) model: Model,
    pub(super) shards: Vec<Machine>,
    pub(super) directory: DirectoryHost,
    pub(super) clients: Vec<Client>,
    pub(super) sockets: Vec<Option<Socket>>,
    /// What servers have asked of which shard, and was not taken yet.
    pub(super) requests: Vec<(usize, Request)>,
    /// What is on its way from shard to shard.
    pub(super) network: Vec<Flight>,
    /// Calls to event handlers that are under way.
    pub(super) calls: Vec<Ringing>,
    /// How many connection ids were given.
    pub(super) ids: u64,
    pub(super) summary: Summary,
    trace: Option<Trace>,
}

/// What can happen next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    Operate,
    StartOrStop,
    Dial,
    Reach,
    CarryOut,
    Arrive,
    Ask,
    Serve,
    Relay,
    Answer,
    Wait,
    Jump,
    Cut,
    Noise,
    Hibernate,
    Crash,
    GoAway,
    Resize,
    Burst,
    Quiet,
}

impl World {
    pub(super) fn new(Run { seed, steps, bug, disk }: Run, trace: Option<Trace>) -> Self {
        let mut random = Random::new(seed);
        let shards: u16 = random.pick(&[1, 1, 2, 3, 4]);
        let clients = random.between(2, 8);
        let faults = Faults::draw(&mut random, steps);
        // Those that may be added exist, too.
        let most = if faults.resizes { 4 } else { shards };
        let mut limits = ShardConfig::only().limits;
        if faults.large > 0 {
            limits.outbound_bytes = 0;
        }
        let drain_window = random.pick(&[None, None, Some(Duration::from_secs(30))]);
        let config = |shard| ShardConfig {
            shard: ShardId(shard),
            shards,
            limits,
            drain_window,
            ..ShardConfig::only()
        };
        let asks = random.pick(&[
            Asks::Nothing,
            Asks::Nothing,
            Asks::Connections,
            Asks::Everything,
            Asks::Everything,
        ]);
        let policy = with_handlers(asks.handlers());
        let hub = policy.hub.clone();
        let machines: Vec<_> =
            (0..most).map(|shard| Machine::new(config(shard), policy.clone(), disk)).collect();
        let map = ShardMap::new(shards);
        let clients = (0..clients).map(|_| Client::new(Self::profile(&mut random))).collect();
        Self {
            now: Timestamp::from_millis(1_700_000_000_000),
            random,
            faults,
            calm: false,
            bug,
            model: Model::new(machines.len(), map, asks),
            shards: machines,
            directory: DirectoryHost::new(hub, shards),
            clients,
            sockets: Vec::new(),
            requests: Vec::new(),
            network: Vec::new(),
            calls: Vec::new(),
            ids: 0,
            summary: Summary::default(),
            trace,
        }
    }

    fn profile(random: &mut Random) -> Profile {
        use Subprotocol::{Json, JsonReliable, Protobuf, ProtobufReliable};
        let subprotocol = random.pick(&[
            JsonReliable,
            JsonReliable,
            JsonReliable,
            ProtobufReliable,
            ProtobufReliable,
            Json,
            Protobuf,
        ]);
        let groups = (random.below(16) & random.below(16)) as u8;
        Profile { subprotocol, user: random.below(USERS.len()) as u8, groups, allowed: random.chance(850) }
    }

    /// Everybody starts, and so many things happen; at the end nothing goes wrong for long enough.
    pub(super) fn run(&mut self, steps: u32) {
        for client in 0..self.clients.len() {
            self.clients[client].start_or_stop();
            self.act(client);
        }
        for step in 0..steps {
            self.summary.steps += 1;
            let turn = self.draw();
            self.note(|| format!("step {step}: {turn:?}"));
            self.take(turn);
        }
        self.quiet();
        self.rest();
        self.summary.happened[Happening::Expiry as usize] += self.model.expired;
    }

    /// Writes down what happens, if anybody wants to know.
    pub(super) fn note(&self, line: impl FnOnce() -> String) {
        if let Some(trace) = &self.trace {
            trace.borrow_mut().push(line());
        }
    }

    pub(super) fn count(&mut self, happening: Happening) {
        self.summary.happened[happening as usize] += 1;
    }

    /// What happens next: something that can.
    fn draw(&mut self) -> Turn {
        let total = self.faults.turns.iter().map(|(often, _)| often).sum();
        loop {
            let mut at = self.random.below(total);
            let turn = self.faults.turns.iter().find(|(often, _)| match at.checked_sub(*often) {
                Some(rest) => {
                    at = rest;
                    false
                }
                None => true,
            });
            let (_, turn) = *turn.expect("one of them");
            if self.can_take(turn) {
                return turn;
            }
        }
    }

    fn can_take(&self, turn: Turn) -> bool {
        let mut sockets = self.sockets.iter().flatten();
        match turn {
            Turn::Dial => self.clients.iter().any(|client| client.dial.is_some()),
            Turn::Reach => sockets.any(|socket| !socket.up.is_empty()),
            Turn::Arrive => sockets.any(|socket| !socket.down.is_empty()),
            Turn::CarryOut => self.shards.iter().any(Machine::is_busy),
            Turn::Serve => !self.requests.is_empty(),
            Turn::Relay => !self.network.is_empty(),
            Turn::Answer => !self.calls.is_empty(),
            Turn::Cut | Turn::Noise => sockets.any(|socket| socket.whole),
            Turn::Operate
            | Turn::StartOrStop
            | Turn::Ask
            | Turn::Wait
            | Turn::Jump
            | Turn::Hibernate
            | Turn::Crash
            | Turn::GoAway
            | Turn::Resize
            | Turn::Burst
            | Turn::Quiet => true,
        }
    }

    fn take(&mut self, turn: Turn) {
        match turn {
            Turn::Operate => {
                let client = self.random.below(self.clients.len());
                self.clients[client].operate(&mut self.random, &mut self.model.messages);
                self.act(client);
            }
            Turn::StartOrStop => {
                let client = self.random.below(self.clients.len());
                self.clients[client].start_or_stop();
                self.act(client);
            }
            Turn::Dial => {
                let (count, start) = (self.clients.len(), self.random.below(self.clients.len()));
                let waits = |client: &usize| self.clients[*client].dial.is_some();
                if let Some(client) = (start..count).chain(0..start).find(waits) {
                    self.dial(client);
                }
            }
            Turn::Reach => {
                if let Some(socket) = self.some_socket(|socket| !socket.up.is_empty()) {
                    for _ in 0..self.random.between(1, 4) {
                        self.reach(socket);
                    }
                }
            }
            Turn::CarryOut => {
                let count = self.shards.len();
                let start = self.random.below(count);
                if let Some(shard) =
                    (start..count).chain(0..start).find(|shard| self.shards[*shard].is_busy())
                {
                    self.turn(shard);
                }
            }
            Turn::Arrive => {
                if let Some(socket) = self.some_socket(|socket| !socket.down.is_empty()) {
                    for _ in 0..self.random.between(1, 8) {
                        self.arrive(socket);
                    }
                }
            }
            Turn::Ask => self.ask(),
            Turn::Serve => self.serve(),
            Turn::Relay => self.relay(),
            Turn::Answer => self.answer(),
            Turn::Wait => {
                let milliseconds = match self.random.below(10) {
                    0..=5 => self.random.between(1, 50),
                    6..=8 => self.random.between(100, 1500),
                    _ => self.random.between(1500, 10_000),
                };
                self.wait(Duration::from_millis(milliseconds as u64));
            }
            Turn::Jump => {
                self.count(Happening::Jump);
                let seconds = self.random.pick(&[5, 12, 29, 31, 59, 61, 130, 400]);
                self.wait(Duration::from_secs(seconds));
            }
            Turn::Cut => {
                if let Some(socket) = self.some_socket(|socket| socket.whole) {
                    self.cut(socket);
                }
            }
            Turn::Noise => {
                if let Some(socket) = self.some_socket(|socket| socket.whole && socket.is_read) {
                    self.sockets[socket].as_mut().expect("a socket").up.push_back(Up::Noise);
                }
            }
            Turn::Hibernate => {
                let shard = self.random.below(self.directory.map().reached.into());
                self.hibernate(shard);
            }
            Turn::Crash => {
                let shard = self.random.below(self.directory.map().reached.into());
                self.crash(shard);
            }
            Turn::GoAway => {
                let shard = self.random.below(self.directory.map().reached.into());
                if self.step(shard, ShardInput::GoAway, None, |model, now, _| model.go_away(now, shard)) {
                    self.count(Happening::GoAway);
                }
            }
            Turn::Resize => self.resize(),
            Turn::Burst => self.burst(),
            Turn::Quiet => self.quiet(),
        }
    }

    /// One of the sockets that are like this, if any is.
    fn some_socket(&mut self, like: impl Fn(&Socket) -> bool) -> Option<usize> {
        let count = self.sockets.len();
        let start = self.random.below(count.max(1));
        (start..count).chain(0..start).find(|at| self.sockets[*at].as_ref().is_some_and(&like))
    }

    /// Time goes by, and those that waited for it are given it; shards sometimes late.
    pub(super) fn wait(&mut self, duration: Duration) {
        self.now = self.now.after(duration);
        for client in 0..self.clients.len() {
            self.look_at_clock(client);
        }
        self.give_up_calls();
        if self.directory.alarm.is_some_and(|due| due <= self.now) {
            self.wake_directory();
        }
        for shard in 0..self.shards.len() {
            if self.shards[shard].is_due(self.now) && (self.calm || self.random.chance(700)) {
                self.time_out(shard);
            }
        }
    }
}
