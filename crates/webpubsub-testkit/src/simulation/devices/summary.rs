//! What happened in runs of MQTT sessions.

use std::fmt;

/// What happened in a run of MQTT sessions, or in many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DeviceSummary {
    /// Messages that were acknowledged to their publishers.
    pub acknowledged: u64,
    /// Messages that applications received.
    pub received: u64,
    /// Those that came again.
    pub repeated: u64,
    /// Sessions that went on over another socket.
    pub resumed: u64,
    /// Sessions that were lost.
    pub lost: u64,
    /// Losses of a shard's memory.
    pub losses_of_memory: u64,
    /// Wills that were published.
    pub wills: u64,
    /// Batches from shard to shard.
    pub relayed: u64,
    /// Changes of the number of shards.
    pub resized: u64,
}

impl DeviceSummary {
    /// Adds what happened in another run.
    pub const fn add(&mut self, other: &Self) {
        self.acknowledged += other.acknowledged;
        self.received += other.received;
        self.repeated += other.repeated;
        self.resumed += other.resumed;
        self.lost += other.lost;
        self.losses_of_memory += other.losses_of_memory;
        self.wills += other.wills;
        self.relayed += other.relayed;
        self.resized += other.resized;
    }
}

impl fmt::Display for DeviceSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            acknowledged,
            received,
            repeated,
            resumed,
            lost,
            losses_of_memory,
            wills,
            relayed,
            resized,
        } = self;
        write!(f, "of devices {acknowledged} acknowledged, {received} received, {repeated} again, ")?;
        write!(
            f,
            "{resumed} sessions resumed, {lost} lost, {losses_of_memory} losses of memory, {wills} wills, "
        )?;
        write!(f, "{relayed} batches relayed, {resized} changes of shards")
    }
}
