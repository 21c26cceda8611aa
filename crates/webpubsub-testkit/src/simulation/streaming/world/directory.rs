//! The hub gets other numbers of shards.

use webpubsub_service::ShardAnswer;
use webpubsub_shard::{Full, Input as ShardInput, ShardMap, Slot};

use super::World;
use crate::placing::place;

impl World {
    /// What some Worker knows of the shards of the hub.
    fn view(&mut self) -> ShardMap {
        let worker = self.random.pick(&[0, 1]);
        self.directory.view(worker, self.now)
    }

    /// A Worker places a new connection: its shard, and its slot there; none if no shard accepts it.
    pub(super) fn place(&mut self, client: usize) -> Option<(usize, Slot)> {
        let accepting = self.view().accepting;
        let mut random = [0; 20];
        random[..2].copy_from_slice(&(self.random.below(accepting.into()) as u16).to_be_bytes());
        let request = &self.clients[client].request;
        place(self.now, random, request.subprotocol, accepting, |shard, _| {
            let shard = usize::from(shard.0);
            let slot = self.shards[shard].connect(request.clone()).ok_or(Full::Shard)?;
            Ok((shard, slot))
        })
    }

    /// The hub is to have another number of shards.
    pub(super) fn resize(&mut self) {
        let shards = self.random.between(1, self.shards.len()) as u16;
        self.directory.resize(shards);
        self.run_directory();
        self.note(&format!("the hub is to have {shards} shards: {:?}", self.directory.map()));
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
        self.views.extend(views);
    }

    /// A view reaches a shard, which answers, if neither is lost.
    pub(super) fn take_view(&mut self) {
        let Some(sent) = self.views.pop_front() else { return };
        let (shard, map, mut answer) = (sent.to, sent.view.map, None);
        if self.calm || self.random.chance(850) {
            self.note(&format!("shard {shard} takes {map:?}"));
            self.shards[shard].input(ShardInput::Map(map));
            answer = Some(ShardAnswer::Load(self.shards[shard].core().load() as u64).encode().body);
            self.collect();
        }
        sent.answer(answer);
        self.run_directory();
    }
}
