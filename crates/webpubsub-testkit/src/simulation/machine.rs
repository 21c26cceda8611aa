//! Shards with their disks.

use std::collections::{BTreeMap, VecDeque};

use webpubsub_protocol::time::Timestamp;
use webpubsub_shard::{Driver, EventPolicy, Shard, ShardConfig, Slot};

use super::words::Arrival;
use crate::disk::{Disk, DiskKind};

/// A shard with its disk.
#[derive(Debug)]
pub(super) struct Machine {
    /// `None` while its memory is lost, and during a step.
    pub(super) driver: Option<Driver>,
    pub(super) config: ShardConfig,
    pub(super) policy: EventPolicy,
    pub(super) disk: Disk,
    /// The socket in each slot.
    pub(super) sockets: Vec<Option<usize>>,
    /// What came over sockets and waits for a turn, oldest first.
    pub(super) waiting: BTreeMap<Slot, VecDeque<Arrival>>,
    /// When its timer fires.
    pub(super) timer: Option<Timestamp>,
    /// When its alarm fires, which wakes it.
    pub(super) alarm: Option<Timestamp>,
    /// Whether it asked for a turn.
    pub(super) is_turn_due: bool,
    /// How often it has lost its memory.
    pub(super) life: u32,
    /// How many rows its log needed.
    pub(super) outstanding: usize,
    /// The most that it needed since rows were last deleted, in the step that did so too.
    pub(super) needed: usize,
    /// How many rows its log had.
    pub(super) rows: usize,
}

impl Machine {
    pub(super) fn new(config: ShardConfig, policy: EventPolicy, disk: DiskKind) -> Self {
        Self {
            driver: None,
            config,
            policy,
            disk: Disk::new(disk),
            sockets: Vec::new(),
            waiting: BTreeMap::new(),
            timer: None,
            alarm: None,
            is_turn_due: false,
            life: 0,
            outstanding: 0,
            needed: 0,
            rows: 0,
        }
    }

    /// Whether it waits for this time, or one before.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        self.next_timeout().is_some_and(|due| due <= now)
    }

    pub(super) fn next_timeout(&self) -> Option<Timestamp> {
        [self.timer, self.alarm].into_iter().flatten().min()
    }

    pub(super) fn socket(&self, slot: Slot) -> Option<usize> {
        self.sockets.get(slot.0 as usize).copied().flatten()
    }

    /// Whether a turn is scheduled, so that the platform does not let it sleep.
    pub(super) const fn is_busy(&self) -> bool {
        self.is_turn_due
    }

    pub(super) fn core(&self) -> Option<&Shard> {
        self.driver.as_ref().map(|driver| &driver.shard)
    }

    /// Its memory is lost.
    pub(super) fn forget(&mut self) {
        self.driver = None;
        self.timer = None;
        self.is_turn_due = false;
        self.waiting.clear();
        self.life += 1;
    }
}
