//! How many shards the hub has, and who knows.

use std::time::Duration;

use webpubsub_protocol::time::Timestamp;
use webpubsub_shard::{Input as ShardInput, ShardMap};

use super::Happening;
use super::network::Flight;
use super::world::World;

/// How long a Worker holds a map,
const HELD: Duration = Duration::from_secs(5);
/// how much longer every step of a change waits for the one before,
const MARGIN: Duration = Duration::from_secs(1);
/// and how often the shards are told while they change.
const PACE: Duration = Duration::from_secs(1);

/// The hub's directory, and the Workers who ask it.
#[derive(Debug)]
pub(super) struct Directory {
    pub(super) map: ShardMap,
    /// When it next tells the shards, if they change.
    pub(super) alarm: Option<Timestamp>,
    /// Its questions to the shards, counted,
    round: u32,
    /// and what each has answered to the last.
    loads: Vec<Option<u64>>,
    /// What Workers hold, and since when.
    held: [Option<(Timestamp, ShardMap)>; 2],
}

impl Directory {
    pub(super) const fn new(map: ShardMap) -> Self {
        Self { map, alarm: None, round: 0, loads: Vec::new(), held: [None; 2] }
    }
}

impl World {
    /// What some Worker knows of the hub's shards.
    pub(super) fn view(&mut self) -> ShardMap {
        let held = self.random.pick(&[0, 1]);
        let Directory { map, held: views, .. } = &mut self.directory;
        match views[held] {
            Some((since, map)) if self.now < since.after(HELD) => map,
            Some(_) | None => {
                views[held] = Some((self.now, *map));
                *map
            }
        }
    }

    /// The hub is to have another number of shards.
    pub(super) fn resize(&mut self) {
        self.count(Happening::Resize);
        let shards = self.random.between(1, self.shards.len()) as u16;
        let Directory { map, alarm, .. } = &mut self.directory;
        map.resize(self.now, shards);
        if !map.is_settled() {
            *alarm = Some(self.now.after(PACE));
        }
        self.note(|| format!("  the hub is to have {shards} shards: {:?}", self.directory.map));
    }

    /// Every shard is told what the shards are.
    pub(super) fn tell_shards(&mut self) {
        let Directory { map, round, loads, alarm, .. } = &mut self.directory;
        *alarm = Some(self.now.after(map.pause(self.now, PACE)));
        *round += 1;
        *loads = vec![None; map.reached.into()];
        let (map, round) = (*map, *round);
        self.note(|| format!("  the shards are told {map:?}"));
        let told = (0..usize::from(map.reached)).map(|to| Flight::Map { to, map, round });
        self.network.extend(told);
    }

    /// A shard is told what the shards are, and answers; with the last answer the next step is taken.
    pub(super) fn told(&mut self, shard: usize, map: ShardMap, round: u32) {
        if !self.calm && self.random.chance(self.faults.relay_lost) {
            return;
        }
        self.note(|| format!("  shard {shard} is told {map:?}"));
        let window = self.shards[shard].config.drain_window;
        if !self.step(shard, ShardInput::Map(map), None, |model, now, _| model.map(now, shard, map, window)) {
            return;
        }
        let load = self.core(shard).load() as u64;
        let directory = &mut self.directory;
        if directory.round != round || directory.map.version != map.version {
            return;
        }
        directory.loads[shard] = Some(load);
        if let Some(loads) = directory.loads.iter().copied().collect::<Option<Vec<_>>>() {
            directory.map.advance(self.now, HELD + MARGIN, &loads);
            directory.alarm = Some(self.now.after(directory.map.pause(self.now, PACE)));
            if directory.map.version == map.version && map.is_settled() {
                directory.alarm = None;
                self.count(Happening::Resized);
            }
            self.note(|| format!("  the map of the shards is {:?}", self.directory.map));
        }
    }
}
