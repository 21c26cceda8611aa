//! The hub gets other numbers of shards.

use webpubsub_service::ShardAnswer;
use webpubsub_shard::{Input as ShardInput, ShardMap, Slot};

use super::World;
use crate::simulation::directory::Answers;

impl World {
    /// What some Worker knows of the shards of the hub.
    fn view(&mut self) -> ShardMap {
        let worker = self.random.pick(&[0, 1]);
        self.directory.view(worker, self.now)
    }

    /// A Worker places a new connection: its shard, and its slot there; none if no shard accepts it.
    pub(super) fn place(&mut self, client: usize) -> Option<(usize, Slot)> {
        let accepting = usize::from(self.view().accepting);
        let first = self.random.below(accepting);
        (0..accepting).find_map(|offset| {
            let shard = (first + offset) % accepting;
            Some((shard, self.shards[shard].connect(self.clients[client].request.clone())?))
        })
    }

    /// The hub is to have another number of shards.
    pub(super) fn resize(&mut self) {
        let shards = self.random.between(1, self.shards.len()) as u16;
        self.directory.resize(shards);
        self.run_directory();
        self.note(format!("the hub is to have {shards} shards: {:?}", self.directory.map()));
    }

    /// The directory's alarm fires, if it is due.
    pub(super) fn wake_directory(&mut self) {
        if self.directory.alarm().is_some_and(|due| due <= self.now) {
            self.directory.wake();
            self.run_directory();
        }
    }

    fn run_directory(&mut self) {
        let (views, is_done) = self.directory.run(self.now);
        self.summary.resizes += u64::from(is_done);
        for (view, answers) in views {
            let all =
                (0..usize::from(view.map.reached)).map(|to| (to, view.clone(), Answers::clone(&answers)));
            self.views.extend(all);
        }
    }

    /// A view reaches a shard, which answers, if neither is lost.
    pub(super) fn take_view(&mut self) {
        let Some((shard, view, answers)) = self.views.pop_front() else { return };
        let mut answer = None;
        if self.calm || self.random.chance(850) {
            self.note(format!("shard {shard} takes {:?}", view.map));
            self.shards[shard].input(ShardInput::Map(view.map));
            answer = Some(ShardAnswer::Load(self.shards[shard].core().load() as u64).encode().body);
            self.collect();
        }
        answers.borrow_mut()[shard] = Some(answer);
        self.run_directory();
    }
}
