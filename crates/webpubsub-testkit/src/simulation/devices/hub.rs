//! The shards of a hub, its directory, and what is on its way between them.

use std::time::Duration;

use webpubsub_protocol::time::Timestamp;
use webpubsub_service::{HubView, ShardAnswer};
use webpubsub_shard::{Batch, Input, ShardConfig, ShardId, ShardMap};

use crate::handler::policy;
use crate::shard::TestShard;
use crate::simulation::directory::{Answers, SimulatedDirectory};
use crate::simulation::random::Random;

/// Publishes on their way from shard to shard.
#[derive(Debug)]
struct Flight {
    from: usize,
    to: ShardId,
    batch: Batch,
    /// In which of its lives the sender waits for an answer, if it does.
    life: Option<u32>,
}

#[derive(Debug)]
pub(super) struct Hub {
    pub(super) shards: Vec<TestShard>,
    /// How often each has lost its memory.
    lives: Vec<u32>,
    directory: SimulatedDirectory,
    views: Vec<(usize, HubView, Answers)>,
    flights: Vec<Flight>,
    /// How many batches were taken.
    pub(super) relayed: u64,
    /// How often the number of shards was changed.
    pub(super) resized: u64,
}

impl Hub {
    /// So many shards, of which some are added later.
    pub(super) fn new(shards: u16, most: u16) -> Self {
        let config = |shard| ShardConfig { shard: ShardId(shard), shards, ..ShardConfig::only() };
        Self {
            lives: vec![0; most.into()],
            directory: SimulatedDirectory::new(policy().hub, shards),
            shards: (0..most).map(|shard| TestShard::at(config(shard))).collect(),
            views: Vec::new(),
            flights: Vec::new(),
            relayed: 0,
            resized: 0,
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.shards[0].now
    }

    /// What some Worker knows of the shards.
    pub(super) fn view(&mut self, random: &mut Random) -> ShardMap {
        let now = self.now();
        self.directory.view(random.below(2), now)
    }

    /// Time goes by for all of them.
    pub(super) fn pass(&mut self, duration: Duration) {
        for shard in &mut self.shards {
            shard.pass(duration);
        }
        let now = self.now();
        if self.directory.alarm().is_some_and(|due| due <= now) {
            self.directory.wake();
            self.run_directory();
        }
    }

    /// The hub is to have so many shards.
    pub(super) fn resize(&mut self, shards: u16) {
        self.resized += 1;
        self.directory.resize(shards);
        self.run_directory();
    }

    fn run_directory(&mut self) {
        let (views, _) = self.directory.run(self.now());
        for (view, answers) in views {
            let of = |to| (to, view.clone(), Answers::clone(&answers));
            self.views.extend((0..usize::from(view.map.reached)).map(of));
        }
    }

    /// A shard loses its memory, and its sockets as well if it crashes.
    pub(super) fn forget(&mut self, shard: usize, crashes: bool) {
        if !crashes {
            // One that is to take a turn does not sleep.
            self.turn(shard);
        }
        self.send_batches();
        self.lives[shard] += 1;
        if crashes {
            self.shards[shard].crash();
        } else {
            self.shards[shard].hibernate();
        }
    }

    /// What shards have for each other is on its way.
    fn send_batches(&mut self) {
        for (from, shard) in self.shards.iter_mut().enumerate() {
            let life = Some(self.lives[from]);
            let batches = std::mem::take(&mut shard.relayed);
            self.flights.extend(batches.into_iter().map(|(to, batch)| Flight { from, to, batch, life }));
        }
    }

    /// Something between shards arrives, comes twice, or is lost.
    pub(super) fn carry(&mut self, random: &mut Random, is_calm: bool) {
        self.send_batches();
        if !self.views.is_empty() && (self.flights.is_empty() || random.chance(500)) {
            let (to, view, answers) = self.views.swap_remove(random.below(self.views.len()));
            let is_taken = is_calm || random.chance(800);
            let answer = is_taken.then(|| {
                self.shards[to].input(Input::Map(view.map));
                ShardAnswer::Load(self.shards[to].core().load() as u64).encode().body
            });
            answers.borrow_mut()[to] = Some(answer);
            return self.run_directory();
        }
        if self.flights.is_empty() {
            return;
        }
        let Flight { from, to, batch, life } = self.flights.swap_remove(random.below(self.flights.len()));
        let (is_lost, is_repeated) = (!is_calm && random.chance(150), !is_calm && random.chance(150));
        if is_repeated {
            self.flights.push(Flight { from, to, batch: batch.clone(), life: None });
        }
        let arrives = !is_lost || random.chance(500);
        if arrives {
            self.relayed += 1;
            self.shards[usize::from(to.0)].input(Input::Batch(batch.clone()));
        }
        if life == Some(self.lives[from]) {
            self.shards[from].answer(to, &batch, arrives && !is_lost);
        }
    }

    /// Whether nothing is on its way between shards.
    pub(super) fn is_still(&mut self) -> bool {
        self.send_batches();
        self.views.is_empty() && self.flights.is_empty()
    }

    /// A shard carries out what waits for a turn.
    pub(super) fn turn(&mut self, shard: usize) {
        while self.shards[shard].core().next_turn().is_some() {
            self.shards[shard].turn();
        }
    }
}
