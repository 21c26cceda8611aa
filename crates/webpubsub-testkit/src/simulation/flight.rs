//! What is on its way to a shard.

use webpubsub_shard::Batch;

use super::directory::SentView;

/// On its way from shard to shard.
#[derive(Debug)]
pub(super) enum Flight {
    Batch {
        from: usize,
        to: usize,
        batch: Batch,
        /// In which of its lives the sender waits for an answer, if it does.
        life: Option<u32>,
    },
    Answer {
        from: usize,
        to: usize,
        life: u32,
        last: u64,
        taken: bool,
    },
    /// From the directory.
    View(SentView),
}
