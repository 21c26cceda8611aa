//! One step of a shard.

use webpubsub_protocol::time::Timestamp;

use crate::output::{Change, Output};

/// What one input or one turn leads to.
#[derive(Debug)]
pub(crate) struct Step {
    /// When it happens.
    pub(crate) now: Timestamp,
    /// What follows from it so far, in order.
    pub(crate) outputs: Vec<Output>,
    /// What they cost, in messages of the smallest kind; see [`Output::cost`].
    pub(crate) cost: usize,
}

impl Step {
    pub(crate) const fn new(now: Timestamp) -> Self {
        Self::of(now, Vec::new())
    }

    /// A step that has led to these outputs so far.
    pub(crate) const fn of(now: Timestamp, outputs: Vec<Output>) -> Self {
        Self { now, outputs, cost: 0 }
    }

    /// Adds an output.
    pub(crate) fn push(&mut self, output: Output) {
        self.cost += output.cost();
        self.outputs.push(output);
    }

    /// Adds a write.
    pub(crate) fn store(&mut self, change: Change) {
        self.push(Output::Store(change));
    }
}
