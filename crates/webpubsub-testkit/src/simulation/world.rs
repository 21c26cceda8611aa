//! A hub, its clients, its servers, what lies between them, and what goes wrong.

use std::time::Duration;

use webpubsub_protocol::client::Subprotocol;
use webpubsub_protocol::name::HubName;
use webpubsub_protocol::time::Timestamp;
use webpubsub_shard::{ShardConfig, ShardId, ShardMap, Sockets};

use super::client::Client;
use super::directory::SimulatedDirectory;
use super::faults::Faults;
use super::flight::Flight;
use super::machine::Machine;
use super::model::{Asks, Model};
use super::peer::Peer;
use super::random::Random;
use super::rest::Rest;
use super::ringing::Ringing;
use super::run::{Bug, Run, Trace};
use super::socket::Socket;
use super::summary::{Happening, Summary};
use super::words::{Profile, USERS};
use crate::handler::with_handlers;

mod arrivals;
mod directory;
mod edge;
mod faults;
mod handler;
mod host;
mod network;
mod peers;
mod quiet;
mod servers;
mod sockets;
mod steps;
mod turns;

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
    pub(super) directory: SimulatedDirectory,
    pub(super) clients: Vec<Client>,
    pub(super) peers: Vec<Peer>,
    pub(super) sockets: Vec<Option<Socket>>,
    pub(super) hub: HubName,
    /// What servers have asked.
    pub(super) rest: Rest,
    /// What is on its way from shard to shard.
    pub(super) network: Vec<Flight>,
    /// Calls to event handlers that are under way.
    pub(super) calls: Vec<Ringing>,
    /// How many connection ids were given.
    pub(super) ids: u64,
    pub(super) summary: Summary,
    trace: Option<Trace>,
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
        // A source of its own: everything else happens as it would without it.
        let sockets =
            if Random::new(!seed).chance(300) { Sockets::EndWithMemory } else { Sockets::OutliveMemory };
        let config = |shard| ShardConfig {
            shard: ShardId(shard),
            shards,
            limits,
            drain_window,
            sockets,
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
        let peers = if random.chance(600) { random.between(1, 4) } else { 0 };
        let now = Timestamp::from_millis(1_700_000_000_000);
        let peers = (0..peers).map(|number| Peer::draw(&mut random, number, now)).collect();
        Self {
            now,
            random,
            faults,
            calm: false,
            bug,
            model: Model::new(machines.len(), map, asks),
            shards: machines,
            directory: SimulatedDirectory::new(hub.clone(), shards),
            hub,
            clients,
            peers,
            sockets: Vec::new(),
            rest: Rest::default(),
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
        Profile {
            subprotocol,
            user: random.below(USERS.len()) as u8,
            groups,
            allowed: random.chance(850),
            mode: None,
        }
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
        let Model { expired, wills, silent, .. } = self.model;
        let counted = [(Happening::Expiry, expired), (Happening::Will, wills), (Happening::Silence, silent)];
        for (happening, count) in counted {
            self.summary.happened[happening as usize] += count;
        }
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

    /// Time goes by, and those that waited for it are given it; shards sometimes late.
    pub(super) fn wait(&mut self, duration: Duration) {
        self.now = self.now.after(duration);
        for client in 0..self.clients.len() {
            self.look_at_clock(client);
        }
        for peer in 0..self.peers.len() {
            self.look_at_peer(peer);
        }
        self.give_up_calls();
        if self.directory.alarm().is_some_and(|due| due <= self.now) {
            self.wake_directory();
        }
        for shard in 0..self.shards.len() {
            if self.shards[shard].is_due(self.now) && (self.calm || self.random.chance(700)) {
                self.time_out(shard);
            }
        }
    }
}
