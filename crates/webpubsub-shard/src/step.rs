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
}

impl Step {
    pub(crate) const fn new(now: Timestamp) -> Self {
        Self { now, outputs: Vec::new() }
    }

    /// Adds an output to those that are there.
    pub(crate) fn push(&mut self, output: Output) {
        self.outputs.push(output);
    }

    /// Adds a write to the outputs.
    pub(crate) fn store(&mut self, change: Change) {
        self.outputs.push(Output::Store(change));
    }
}
