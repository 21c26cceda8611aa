//! What happened in runs of streams and states.

use std::fmt;

/// What happened in a run of streams and states, or in many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StreamSummary {
    /// Pieces of streams that applications received.
    pub pieces: u64,
    /// Streams that ended well for their senders.
    pub completed: u64,
    /// Streams that failed, were aborted, or were never accepted.
    pub failed: u64,
    /// Connections that were recovered.
    pub recoveries: u64,
    /// Connections that were lost for good.
    pub losses: u64,
    /// Changes of a group's states that applications could see.
    pub changes: u64,
    /// Changes of the hub's number of shards that were carried through.
    pub resizes: u64,
}

impl StreamSummary {
    /// Adds what happened in another run.
    pub const fn add(&mut self, other: &Self) {
        self.pieces += other.pieces;
        self.completed += other.completed;
        self.failed += other.failed;
        self.recoveries += other.recoveries;
        self.losses += other.losses;
        self.changes += other.changes;
        self.resizes += other.resizes;
    }
}

impl fmt::Display for StreamSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pieces, completed, failed, recoveries, losses, changes, resizes } = self;
        write!(f, "of streams {pieces} pieces, {completed} completed, {failed} failed, ")?;
        write!(
            f,
            "{recoveries} recoveries, {losses} losses, {changes} changes of states, {resizes} of shards"
        )
    }
}
