//! MQTT clients of a shard that wait for something, or that something waits for.

use std::collections::VecDeque;

use webpubsub_protocol::sorted::SortedSet;
use webpubsub_protocol::time::Timestamp;

use crate::event_queue::CallId;
use crate::mqtt::{Pending, Stage};
use crate::slot::Slot;

/// How many bytes of a client may always be kept until it is let in.
const SMALL_BYTES: usize = 64 << 10;
/// How many bytes of all of them may be kept, as far as one has more than that.
const MAX_HELD_BYTES: usize = 16 << 20;

/// What concerns MQTT clients of a shard, but for their sessions.
#[derive(Debug, Default)]
pub(crate) struct MqttClients {
    /// Sockets whose session is not known yet, by their slots.
    pending: Vec<Option<Box<Pending>>>,
    /// How many these are.
    pub(crate) unknown: usize,
    /// How many bytes have come of them all.
    held: usize,
    /// Those of them about whom a handler is to be asked, the next one first.
    pub(crate) asking: VecDeque<Slot>,
    /// Sessions of which packets have come that are yet to be read.
    pub(crate) behind: Vec<Slot>,
    /// How many sessions there are.
    pub(crate) sessions: usize,
    /// When a slot is to be looked at, even if the memory is lost until then; soonest first.
    pub(crate) deadlines: SortedSet<(Timestamp, Slot)>,
    /// The same for what is lost with the memory.
    pub(crate) timeouts: SortedSet<(Timestamp, Slot)>,
}

impl MqttClients {
    pub(crate) fn put(&mut self, slot: Slot, pending: Pending) {
        if self.pending.len() <= slot.index() {
            self.pending.resize_with(slot.index() + 1, || None);
        }
        if let Some(place) = self.pending.get_mut(slot.index()) {
            *place = Some(Box::new(pending));
            self.unknown += 1;
        }
    }

    pub(crate) fn get(&self, slot: Slot) -> Option<&Pending> {
        self.pending.get(slot.index())?.as_deref()
    }

    pub(crate) fn get_mut(&mut self, slot: Slot) -> Option<&mut Pending> {
        self.pending.get_mut(slot.index())?.as_deref_mut()
    }

    /// Notes that so many bytes more have come of a client. Returns whether they may be kept until it is let in: each may
    /// have a little, and more as long as all have not much.
    pub(crate) fn hold(&mut self, slot: Slot, bytes: usize) -> bool {
        let Some(pending) = self.pending.get_mut(slot.index()).and_then(Option::as_mut) else { return true };
        pending.held += bytes;
        self.held += bytes;
        pending.held <= SMALL_BYTES || self.held <= MAX_HELD_BYTES
    }

    pub(crate) fn take(&mut self, slot: Slot) -> Option<Box<Pending>> {
        let taken = self.pending.get_mut(slot.index())?.take();
        if let Some(pending) = &taken {
            self.unknown -= 1;
            self.held -= pending.held;
            self.timeouts.remove(&(pending.due, slot));
        }
        taken
    }

    /// The client about whom this call asks, if it is still there.
    pub(crate) fn of_call(&self, call: CallId) -> Option<Slot> {
        let is_its =
            |pending: &Pending| matches!(pending.stage, Stage::Answer { call: Some(of), .. } if of == call);
        let place = self.pending.iter().position(|pending| pending.as_deref().is_some_and(is_its));
        place.and_then(|at| u32::try_from(at).ok()).map(Slot)
    }

    /// The slots of all that are pending.
    pub(crate) fn slots(&self) -> Vec<Slot> {
        let known = (0..).map(Slot).zip(&self.pending).filter(|(_, pending)| pending.is_some());
        known.map(|(slot, _)| slot).collect()
    }

    /// The slots of which the time has come, and their times.
    pub(crate) fn take_due(&mut self, now: Timestamp) -> Vec<Slot> {
        let mut due = Vec::new();
        for waits in [&mut self.deadlines, &mut self.timeouts] {
            let before = due.len();
            due.extend(waits.as_slice().iter().take_while(|(at, _)| *at <= now).map(|(_, slot)| *slot));
            if due.len() > before {
                waits.retain(|(at, _)| *at > now);
            }
        }
        due
    }

    pub(crate) fn next_deadline(&self) -> Option<Timestamp> {
        self.deadlines.as_slice().first().map(|(due, _)| *due)
    }

    pub(crate) fn next_timeout(&self) -> Option<Timestamp> {
        self.timeouts.as_slice().first().map(|(due, _)| *due)
    }
}
