//! Connections begin, lose their sockets, come back and are given up.

use webpubsub_protocol::close::{CloseCause, CloseCode};
use webpubsub_protocol::name::ConnectionId;
use webpubsub_protocol::time::Timestamp;
use webpubsub_shard::{Change, Output, Slot, Snapshot};

use super::{Connection, DurableEvent, End, Link, Model, WINDOW, bytes};
use crate::simulation::check::check;
use crate::simulation::words::{Profile, Word};

impl Model {
    /// Adds a socket that is in a slot, and what it may become.
    pub(super) fn add(&mut self, shard: usize, slot: Slot, id: ConnectionId, profile: Profile) -> usize {
        self.connections.push(Connection::new(shard, slot, id, profile));
        let at = self.connections.len() - 1;
        let known = &mut self.shards[shard];
        if known.holders.len() <= slot.0 as usize {
            known.holders.resize(slot.0 as usize + 1, None);
        }
        check!(known.holders[slot.0 as usize].is_none(), "{slot:?} of shard {shard} is given out twice");
        known.holders[slot.0 as usize] = Some(at);
        at
    }

    /// What is in a slot becomes a connection.
    pub(super) fn begin(&mut self, at: usize) {
        let Connection { shard, profile, .. } = self.connections[at];
        self.shards[shard].alive.push(at);
        self.owe_event(at, DurableEvent::Connected);
        self.set_groups(at, profile.groups);
    }

    pub(in crate::simulation) fn connect(
        &mut self,
        shard: usize,
        slot: Slot,
        id: ConnectionId,
        profile: Profile,
    ) {
        let at = self.add(shard, slot, id, profile);
        self.begin(at);
        if profile.subprotocol.encoding().is_some() {
            self.owe_word(at, Word::Connected);
        }
    }

    /// All that are connections, or were.
    pub(in crate::simulation) fn begun(&self) -> impl Iterator<Item = usize> {
        let all = (0..).zip(&self.connections);
        all.filter(|(_, connection)| connection.was_begun()).map(|(at, _)| at)
    }

    /// Who has slots of a shard, in their order.
    pub(super) fn holders(&self, shard: usize) -> Vec<usize> {
        self.shards[shard].holders.iter().copied().flatten().collect()
    }

    /// Whether a connection can be recovered; if so, it is.
    pub(in crate::simulation) fn recover(
        &mut self,
        now: Timestamp,
        shard: usize,
        id: &ConnectionId,
        outputs: &[Output],
    ) -> bool {
        self.give_up(now, shard, outputs);
        let alive = &self.shards[shard].alive;
        let Some(at) = alive.iter().copied().find(|at| self.connections[*at].id == *id) else { return false };
        let connection = &mut self.connections[at];
        if !connection.is_reliable() {
            return false;
        }
        if connection.link == Link::Open {
            connection.close = Some(CloseCause::TakenOver.code());
        }
        connection.link = Link::Open;
        self.owe_again(now, at);
        true
    }

    pub(super) fn closed(&mut self, now: Timestamp, at: usize, code: CloseCode) {
        let connection = &mut self.connections[at];
        if connection.is_pending() {
            return self.forget_pending(at);
        }
        if connection.mqtt.is_some() {
            return self.lose_socket(now, at);
        }
        if connection.is_reliable() && code != CloseCode::NORMAL {
            connection.link = Link::Lost { until: now.after(WINDOW) };
            connection.history.is_away();
        } else {
            self.end(now, at, if code == CloseCode::ABNORMAL { End::Lost } else { End::Client });
        }
    }

    /// The service is about to stop.
    pub(in crate::simulation) fn go_away(&mut self, now: Timestamp, shard: usize) {
        let holders = self.holders(shard);
        for at in holders.iter().filter(|at| self.connections[**at].is_pending()).copied().collect::<Vec<_>>()
        {
            self.owe_only_close(at, CloseCause::ServiceStops);
            self.forget_pending(at);
        }
        for at in holders {
            let connection = &mut self.connections[at];
            if connection.link != Link::Open || connection.end.is_some() {
                continue;
            }
            if connection.mqtt.is_some() {
                self.owe_close(at, CloseCause::ServiceStops);
                self.lose_socket(now, at);
            } else if connection.is_reliable() {
                connection.close = Some(CloseCause::ServiceStops.code());
                connection.link = Link::Lost { until: now.after(WINDOW) };
                connection.history.is_away();
            } else {
                self.owe_close(at, CloseCause::ServiceStops);
                self.end(now, at, End::Away);
            }
        }
    }

    /// The connections of a shard that were not recovered in time are given up, in the order in which it does.
    pub(in crate::simulation) fn give_up(&mut self, now: Timestamp, shard: usize, outputs: &[Output]) {
        let is_over = |at: &usize| matches!(self.connections[*at].link, Link::Lost { until } if until <= now);
        let mut over: Vec<usize> = self.shards[shard].alive.iter().copied().filter(is_over).collect();
        over.sort_by_key(|at| {
            let removal = Output::Store(Change::RemoveConnection(self.connections[*at].slot));
            outputs.iter().position(|output| *output == removal)
        });
        for at in over {
            self.end(now, at, End::Expired);
        }
    }

    /// A shard has lost its memory and some of its sockets.
    pub(in crate::simulation) fn vanish(&mut self, at: usize) {
        let Connection { shard, slot, .. } = self.connections[at];
        if self.connections[at].is_pending() {
            self.forget_pending(at);
            self.shards[shard].holders[slot.0 as usize] = None;
        }
        self.connections[at].link = Link::Vanished;
        self.connections[at].history.is_away();
    }

    /// A shard has its memory back.
    pub(in crate::simulation) fn restore(&mut self, now: Timestamp, shard: usize, disk: &Snapshot) {
        for at in self.shards[shard].alive.clone() {
            if self.connections[at].mqtt.is_some() {
                self.restore_session(now, at, disk);
                continue;
            }
            let connection = &mut self.connections[at];
            match connection.link {
                Link::Vanished if connection.is_reliable() => {
                    connection.link = Link::Lost { until: now.after(WINDOW) };
                    self.forget_acknowledged(at, disk);
                }
                Link::Vanished => {
                    let slot = connection.slot;
                    self.end(now, at, End::Lost);
                    // It may have lasted no longer than until it would have been written.
                    if disk.connections.iter().all(|record| record.slot != slot) {
                        self.shards[shard].holders[slot.0 as usize] = None;
                    }
                }
                Link::Open => {
                    self.owe_again(now, at);
                    // Its socket says how far it is.
                    continue;
                }
                Link::Lost { .. } => {}
            }
            self.connections[at].behind = true;
        }
        self.forget_events(shard);
        let known = &mut self.shards[shard];
        for (to, row) in &disk.taken_by {
            let to = usize::from(to.0);
            known.confirmed[to] = known.relayed[to].partition_point(|relayed| relayed.row <= *row);
        }
    }

    /// What was acknowledged and is not on disk is not acknowledged any more: it was on its socket. Returns how many
    /// messages the disk has acknowledged.
    pub(super) fn forget_acknowledged(&mut self, at: usize, disk: &Snapshot) -> usize {
        let connection = &mut self.connections[at];
        let record = disk.connections.iter().find(|record| record.slot == connection.slot);
        let stored = record.map_or(0, |record| record.acknowledged.sequence_id.0 as usize);
        check!(
            stored <= connection.acknowledged,
            "the disk has {stored} messages of connection {at} acknowledged, and the client only {}",
            connection.acknowledged
        );
        connection.acknowledged = stored;
        connection.bytes = bytes(&self.messages, &connection.expected[stored..]);
        stored
    }
}
