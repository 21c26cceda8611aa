//! What goes from shard to shard, and how it is lost, or comes twice.

use webpubsub_shard::{Batch, Input as ShardInput, ShardId};

use super::World;
use crate::simulation::check::broken;
use crate::simulation::flight::Flight;
use crate::simulation::summary::Happening;

impl World {
    /// A shard sends rows of its log to another.
    pub(super) fn dispatch(&mut self, from: usize, to: ShardId, batch: Batch) {
        let life = Some(self.shards[from].life);
        self.network.push(Flight::Batch { from, to: usize::from(to.0), batch, life });
    }

    /// Something between two shards arrives, or does not.
    pub(super) fn relay(&mut self) {
        if self.network.is_empty() {
            return;
        }
        let flight = self.network.swap_remove(self.random.below(self.network.len()));
        match flight {
            Flight::Batch { from, to, batch, life } => self.batch(from, to, batch, life),
            Flight::View(sent) => self.take_view(sent),
            Flight::Answer { from, to, life, last, taken } => {
                if self.shards[from].life != life {
                    return;
                }
                self.note(|| format!("  shard {from} learns of shard {to}: {last} taken: {taken}"));
                let to_number = ShardId(to as u16);
                let input = ShardInput::Relayed { to: to_number, last, taken };
                self.step(from, input, None, |model, _, _| {
                    if taken {
                        model.confirmed(from, to, last);
                    }
                });
            }
        }
    }

    fn batch(&mut self, from: usize, to: usize, batch: Batch, life: Option<u32>) {
        let (last, _) = *batch.messages.last().unwrap_or_else(|| broken("a batch is empty"));
        let (lost, again) = if self.calm {
            (false, false)
        } else {
            (self.random.chance(self.faults.relay_lost), self.random.chance(self.faults.relay_again))
        };
        // A batch that its sender gave up can still come, however late.
        if again {
            self.network.push(Flight::Batch { from, to, batch: batch.clone(), life: None });
        }
        let arrives = !lost || self.random.chance(500);
        let mut taken = false;
        if arrives {
            self.count(Happening::Batch);
            let batch = if self.random.chance(100) {
                let text = batch.encode();
                Batch::decode(&text).expect("a batch is read as it was written")
            } else {
                batch
            };
            let rows: Vec<u64> = batch.messages.iter().map(|(row, _)| *row).collect();
            self.note(|| format!("  shard {to} is brought rows {rows:?} of shard {from}"));
            let mut fresh = 0;
            taken = self.step(to, ShardInput::Batch(batch), None, |model, now, _| {
                fresh = model.batch(now, to, from, &rows);
            });
            if taken && fresh < rows.len() {
                self.count(Happening::BatchAgain);
            }
        }
        if let Some(life) = life {
            self.network.push(Flight::Answer { from, to, life, last, taken: taken && !lost });
        }
    }
}
