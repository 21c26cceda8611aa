//! The host of the directory of the hub: its disk, its alarm, and its questions to the shards.

use webpubsub_service::HubView;
use webpubsub_service::directory::{Input, Output};
use webpubsub_shard::{HubSettings, Input as ShardInput, ShardMap};

use super::World;
use crate::simulation::check::check;
use crate::simulation::directory::{DirectoryHost, MAP_TTL};
use crate::simulation::flight::Flight;
use crate::simulation::summary::Happening;

impl World {
    /// What some Worker knows of the shards of the hub.
    pub(super) fn view(&mut self) -> ShardMap {
        let cache = self.random.pick(&[0, 1]);
        let (now, DirectoryHost { hub, directory, caches, .. }) = (self.now, &mut self.directory);
        let cache = &mut caches[cache];
        cache.get(now, MAP_TTL, hub).unwrap_or_else(|| cache.put(now, hub, directory.view().clone())).map
    }

    /// The hub is to have another number of shards.
    pub(super) fn resize(&mut self) {
        self.count(Happening::Resize);
        let shards = self.random.between(1, self.shards.len()) as u16;
        let settings = HubSettings { shards: Some(shards), ..HubSettings::default() };
        self.directory_step(Input::ChangeSettings(Some(settings)));
        self.note(|| format!("  the hub is to have {shards} shards: {:?}", self.directory.map()));
    }

    /// The directory delivers its view again.
    pub(super) fn wake_directory(&mut self) {
        self.directory_step(Input::Timeout);
    }

    /// Gives the directory one input and does what it returns. Its memory may be lost in between.
    fn directory_step(&mut self, input: Input) {
        let DirectoryHost { directory, config, facts, .. } = &mut self.directory;
        let restored = DirectoryHost::restore(*config, facts);
        check!(restored == *directory, "the directory {directory:?} is stored as {restored:?}");
        for output in directory.handle(self.now, input) {
            match output {
                Output::Store(fact, value) => drop(self.directory.facts.insert(fact, value)),
                Output::Deliver => self.deliver_view(),
                Output::SetAlarm(at) => self.directory.alarm = Some(at),
                Output::ClearAlarm => {
                    self.directory.alarm = None;
                    self.count(Happening::Resized);
                }
                Output::Taken(_) => {}
                // No handler of the simulation is validated.
                Output::StoreValidation(..) | Output::Validate(..) | Output::Allowed(_) => {}
            }
        }
    }

    /// The view is on its way to every shard.
    fn deliver_view(&mut self) {
        let DirectoryHost { directory, round, loads, .. } = &mut self.directory;
        let view = directory.view();
        *round += 1;
        *loads = vec![None; view.map.reached.into()];
        let round = *round;
        self.network.extend((0..usize::from(view.map.reached)).map(|to| Flight::View {
            to,
            view: view.clone(),
            round,
        }));
        self.note(|| format!("  the shards are given {:?}", self.directory.map()));
    }

    /// A shard takes a view, and answers; the last answer is the directory's next input.
    pub(super) fn take_view(&mut self, shard: usize, view: &HubView, round: u32) {
        if !self.calm && self.random.chance(self.faults.relay_lost) {
            return;
        }
        let map = view.map;
        self.note(|| format!("  shard {shard} takes {map:?}"));
        let window = self.shards[shard].config.drain_window;
        if !self.step(shard, ShardInput::Map(map), None, |model, now, _| model.map(now, shard, map, window)) {
            return;
        }
        let load = self.core(shard).load() as u64;
        if self.directory.round != round {
            return;
        }
        self.directory.loads[shard] = Some(load);
        if self.directory.loads.iter().all(Option::is_some) {
            let loads = self.directory.loads.clone();
            self.directory_step(Input::Delivered { version: map.version, since: view.since, loads });
            self.note(|| format!("  the map of the shards is {:?}", self.directory.map()));
        }
    }
}
