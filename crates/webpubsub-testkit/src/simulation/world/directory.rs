//! The directory of the hub, its alarm, and what it delivers to the shards.

use webpubsub_service::ShardAnswer;
use webpubsub_shard::{Input as ShardInput, ShardMap};

use super::World;
use crate::simulation::directory::SentView;
use crate::simulation::flight::Flight;
use crate::simulation::summary::Happening;

impl World {
    /// What some Worker knows of the shards of the hub.
    pub(super) fn view(&mut self) -> ShardMap {
        let worker = self.random.pick(&[0, 1]);
        self.directory.view(worker, self.now)
    }

    /// The hub is to have another number of shards.
    pub(super) fn resize(&mut self) {
        self.count(Happening::Resize);
        let shards = self.random.between(1, self.shards.len()) as u16;
        self.directory.resize(shards);
        self.run_directory();
        self.note(|| format!("  the hub is to have {shards} shards: {:?}", self.directory.map()));
    }

    /// The directory delivers its view again.
    pub(super) fn wake_directory(&mut self) {
        self.directory.wake();
        self.run_directory();
    }

    /// The directory goes on. What it delivers is on its way to shards.
    fn run_directory(&mut self) {
        let (views, is_done) = self.directory.run(self.now);
        if is_done {
            self.count(Happening::Resized);
        }
        for sent in views {
            self.note(|| format!("  shard {} is sent {:?}", sent.to, sent.view.map));
            self.network.push(Flight::View(sent));
        }
    }

    /// A shard takes a view, and answers, if neither is lost; after the last answer the directory goes on.
    pub(super) fn take_view(&mut self, sent: SentView) {
        let (shard, mut answer) = (sent.to, None);
        if self.calm || !self.random.chance(self.faults.relay_lost) {
            let map = sent.view.map;
            self.note(|| format!("  shard {shard} takes {map:?}"));
            let window = self.shards[shard].config.drain_window;
            let input = ShardInput::Map(map);
            if self.step(shard, input, None, |model, now, _| model.map(now, shard, map, window)) {
                answer = Some(ShardAnswer::Load(self.core(shard).load() as u64).encode().body);
            }
        }
        sent.answer(answer);
        self.run_directory();
    }
}
