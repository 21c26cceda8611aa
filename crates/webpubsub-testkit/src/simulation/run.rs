//! What a run is made from.

use std::cell::RefCell;
use std::rc::Rc;

use crate::disk::DiskKind;

/// One run: everything in it follows from these.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    /// What is drawn is drawn from this.
    pub seed: u64,
    /// How many things happen.
    pub steps: u32,
    /// A mistake that the shards' host makes.
    pub bug: Option<Bug>,
    /// What the shards' disks are.
    pub disk: DiskKind,
}

/// A mistake that the simulated host of the shards can make, to see that it would be noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// Some rows of the log are not written.
    SkippedWrite,
    /// Frames, acks among them, are let out before what was written for them is on disk.
    AckBeforeWrite,
    /// Ack ids that were used are not written.
    NoDedupe,
    /// How far another shard's publishes were taken is not written.
    NoDedupeOfBatches,
    /// Nothing is sent again when a shard wakes.
    NoReplayOnWaking,
    /// A new connection is not distinguished from the one that had its slot before.
    WrongSlotReuse,
    /// Frames are put on a socket after its close frame.
    SendAfterClose,
    /// What other shards are to have is not marked in the log.
    ForgottenOutbox,
    /// What event handlers are owed is not written.
    ForgottenEvent,
    /// What event handlers are owed is struck off when it is sent, not when they have taken it.
    SettledBeforeTaken,
    /// How many events a connection has had is not written.
    ForgottenNumbers,
    /// How far packets of QoS 2 have come is not written.
    ForgottenPackets,
    /// How MQTT sessions subscribe is not written.
    ForgottenSubscriptions,
}

impl Bug {
    /// Every one.
    pub const ALL: [Self; 13] = [
        Self::SkippedWrite,
        Self::AckBeforeWrite,
        Self::NoDedupe,
        Self::NoDedupeOfBatches,
        Self::NoReplayOnWaking,
        Self::WrongSlotReuse,
        Self::SendAfterClose,
        Self::ForgottenOutbox,
        Self::ForgottenEvent,
        Self::SettledBeforeTaken,
        Self::ForgottenNumbers,
        Self::ForgottenPackets,
        Self::ForgottenSubscriptions,
    ];
}

/// What happened, a line each.
pub(super) type Trace = Rc<RefCell<Vec<String>>>;
