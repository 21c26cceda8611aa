//! What is true: a slow, obvious account of who is connected, who may do what, and who is owed what.
//!
//! It follows every input that a shard takes, and says beforehand what the shard has to put on which
//! socket. Nothing ever crashes here.

use std::collections::VecDeque;
use std::time::Duration;

use webpubsub_protocol::close::{CloseCause, CloseCode};
use webpubsub_protocol::id::AckId;
use webpubsub_protocol::limits::{MAX_BUFFERED_BYTES, MAX_BUFFERED_MESSAGES};
use webpubsub_protocol::name::ConnectionId;
use webpubsub_protocol::role::PermissionType;
use webpubsub_protocol::time::Timestamp;
use webpubsub_shard::{ShardId, ShardMap, ShardState, Slot, Snapshot};

use super::check::{broken, check};
use super::words::{Message, Profile, Published, Word};

mod delivery;
mod events;
mod owed;
mod requests;

pub(super) use events::{Asks, DurableEvent, EventHistory};

/// What a connection has room for after its shard lost its memory, in tenths of what it has room for
/// otherwise: as much as its client may have acknowledged before that is on disk.
const SPARE: usize = 1;
/// How long a connection without a socket is kept.
pub(super) const WINDOW: Duration = Duration::from_secs(60);

/// A connection that there is or was.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) id: ConnectionId,
    pub(super) shard: usize,
    pub(super) slot: Slot,
    pub(super) profile: Profile,
    /// A bit for each group that it is a member of.
    pub(super) groups: u8,
    /// What servers said of single groups, by kind and group.
    verdicts: [[Option<bool>; 8]; 2],
    /// The ack ids of its last thousand operations that were done.
    acks: VecDeque<u64>,
    /// What was published to it, in order: the message with sequence id 1, 2, 3, …
    pub(super) expected: Vec<Published>,
    /// How many of these its client has acknowledged to the shard; at most `said`.
    acknowledged: usize,
    /// How many of these its client has said that it has; at most `received`.
    said: usize,
    /// How many of these its client's application received, or could have.
    pub(super) received: usize,
    /// Bytes of what is not acknowledged.
    bytes: usize,
    /// Whether its client may have acknowledged more than its shard knows, which lost its memory.
    behind: bool,
    pub(super) link: Link,
    pub(super) end: Option<End>,
    /// The words that the current step owes its socket.
    words: VecDeque<Word>,
    /// The messages, with their sequence ids, that the current step owes its socket.
    data: VecDeque<(u32, Option<u64>)>,
    /// The close frame that the current step owes its socket after them.
    close: Option<CloseCode>,
    /// Whether messages may have been lost on the way to a client that does not count them.
    pub(super) lossy: bool,
    /// What event handlers are to receive of it, and have.
    pub(super) history: EventHistory,
}

/// Whether a connection has a socket, as far as its shard knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Link {
    /// It has.
    Open,
    /// It has none, and is kept until then.
    Lost { until: Timestamp },
    /// It has none, but the shard was out of memory when it closed.
    Vanished,
}

/// Why a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Its client closed it.
    Client,
    /// It is not reliable, and its socket was lost.
    Lost,
    /// It was not recovered in time.
    Expired,
    /// A server closed it.
    Server,
    /// It had too much outstanding.
    Full,
    /// Its client sent what is no WebSocket traffic.
    Broken,
    /// Its shard is to go.
    Drained,
    /// The service is about to stop, and it is not reliable.
    Away,
}

/// What one shard is to know.
#[derive(Debug)]
struct Known {
    alive: Vec<usize>,
    /// Who has which slot, on disk.
    holders: Vec<Option<usize>>,
    /// What it knows of the hub's shards.
    map: ShardMap,
    /// What its clients published that others are to have, for each of these.
    relayed: Vec<Vec<Relayed>>,
    /// How many of these each has taken, as far as it knows.
    confirmed: Vec<usize>,
    /// How many publishes of each other it has taken, or has been spared.
    taken: Vec<usize>,
}

/// A publish that another shard is to have.
#[derive(Debug, Clone, Copy)]
struct Relayed {
    /// Where it stands in the log.
    row: u64,
    published: Published,
    /// Whether it is still to have it: what is no part of the hub is spared.
    owed: bool,
}

#[derive(Debug)]
pub(super) struct Model {
    pub(super) messages: Vec<Message>,
    pub(super) connections: Vec<Connection>,
    shards: Vec<Known>,
    /// Connections to which the step at hand owes something.
    owed: Vec<usize>,
    /// Copies that were not sent again because their time was over, so far.
    pub(super) expired: u64,
    /// What event handlers ask for.
    pub(super) asks: Asks,
}

const fn kind_number(kind: PermissionType) -> usize {
    match kind {
        PermissionType::SendToGroup => 0,
        PermissionType::JoinLeaveGroup => 1,
    }
}

/// Bytes of these messages.
fn bytes(messages: &[Message], published: &[Published]) -> usize {
    published.iter().map(|published| messages[published.message as usize].bytes).sum()
}

impl Connection {
    fn may(&self, kind: PermissionType, group: u8) -> bool {
        self.verdicts[kind_number(kind)][usize::from(group)].unwrap_or(self.profile.allowed)
    }

    pub(super) const fn is_reliable(&self) -> bool {
        self.profile.subprotocol.is_reliable()
    }

    /// Whether an operation with this ack id was done.
    pub(super) fn has_done(&self, id: AckId) -> bool {
        self.acks.contains(&id.0)
    }

    fn is_full(&self, more: usize) -> bool {
        let spare = if self.behind { SPARE } else { 0 };
        self.expected.len() - self.acknowledged >= MAX_BUFFERED_MESSAGES * (10 + spare) / 10
            || self.bytes + more > MAX_BUFFERED_BYTES * (10 + spare) / 10
    }
}

impl Model {
    /// So many shards, which know this of each other.
    pub(super) fn new(shards: usize, map: ShardMap, asks: Asks) -> Self {
        let known = |_| Known {
            alive: Vec::new(),
            holders: Vec::new(),
            map,
            relayed: vec![Vec::new(); shards],
            confirmed: vec![0; shards],
            taken: vec![0; shards],
        };
        Self {
            messages: Vec::new(),
            connections: Vec::new(),
            shards: (0..shards).map(known).collect(),
            owed: Vec::new(),
            expired: 0,
            asks,
        }
    }

    /// The connections that a shard has, with a socket or without.
    pub(super) fn alive(&self, shard: usize) -> &[usize] {
        &self.shards[shard].alive
    }

    /// Who has a slot.
    pub(super) fn holder(&self, shard: usize, slot: Slot) -> usize {
        let holder = self.shards[shard].holders.get(slot.0 as usize).copied().flatten();
        holder.unwrap_or_else(|| broken(format!("{slot:?} of shard {shard} belongs to no connection")))
    }

    /// How many rows the log of a shard needs at most.
    pub(super) fn outstanding(&self, shard: usize) -> usize {
        let known = &self.shards[shard];
        let unacknowledged = known.alive.iter().map(|at| &self.connections[*at]).map(|connection| {
            if connection.is_reliable() { connection.expected.len() - connection.acknowledged } else { 0 }
        });
        let waiting =
            known.relayed.iter().zip(&known.confirmed).map(|(relayed, confirmed)| {
                relayed[*confirmed..].iter().filter(|relayed| relayed.owed).count()
            });
        unacknowledged.sum::<usize>() + waiting.sum::<usize>()
    }

    /// A shard that has publishes which another has not taken, and that other.
    pub(super) fn untaken(&self) -> Option<(usize, usize)> {
        let count = self.shards.len();
        (0..count).flat_map(|from| (0..count).map(move |to| (from, to))).find(|(from, to)| {
            let taken = self.shards[*to].taken[*from];
            self.shards[*from].relayed[*to][taken..].iter().any(|relayed| relayed.owed)
        })
    }

    /// Whether a shard takes no clients, because it is to go.
    pub(super) fn is_draining(&self, shard: usize) -> bool {
        self.shards[shard].map.state(ShardId(shard as u16)) == ShardState::Draining
    }

    /// What goes to the shards below this number reaches every connection but those of `from`.
    pub(super) fn check_reach(&self, reached: u16, from: Option<usize>) {
        for (shard, known) in self.shards.iter().enumerate().skip(reached.into()) {
            check!(
                known.alive.is_empty() || from == Some(shard),
                "shard {shard} has connections and is not reached: {reached} shards are"
            );
        }
    }

    /// A shard is given the hub's shard map. One that is to go keeps reliable connections for as long
    /// as `window` says, or as they stay.
    pub(super) fn map(&mut self, now: Timestamp, shard: usize, map: ShardMap, window: Option<Duration>) {
        let number = ShardId(shard as u16);
        let known = &mut self.shards[shard];
        if map.version > known.map.version {
            known.map = map;
            for (to, relayed) in known.relayed.iter_mut().enumerate() {
                if !map.others(number).any(|other| usize::from(other.0) == to) {
                    relayed.iter_mut().for_each(|relayed| relayed.owed = false);
                    known.confirmed[to] = relayed.len();
                }
            }
        }
        if self.is_draining(shard) {
            let since = self.shards[shard].map.since;
            let keeps = window.is_none_or(|window| now < since.after(window));
            for at in self.shards[shard].alive.clone() {
                let connection = &self.connections[at];
                if connection.link == Link::Open && !(keeps && connection.is_reliable()) {
                    self.owe_close(at, CloseCause::ShardDrained);
                    self.end(at, End::Drained);
                }
            }
        }
    }

    pub(super) fn connect(&mut self, shard: usize, slot: Slot, id: ConnectionId, profile: Profile) {
        let at = self.connections.len();
        self.connections.push(Connection {
            id,
            shard,
            slot,
            profile,
            groups: profile.groups,
            verdicts: [[None; 8]; 2],
            acks: VecDeque::new(),
            expected: Vec::new(),
            acknowledged: 0,
            said: 0,
            received: 0,
            bytes: 0,
            behind: false,
            link: Link::Open,
            end: None,
            words: VecDeque::new(),
            data: VecDeque::new(),
            close: None,
            lossy: false,
            history: EventHistory::default(),
        });
        let known = &mut self.shards[shard];
        known.alive.push(at);
        if known.holders.len() <= slot.0 as usize {
            known.holders.resize(slot.0 as usize + 1, None);
        }
        check!(known.holders[slot.0 as usize].is_none(), "{slot:?} of shard {shard} is given out twice");
        known.holders[slot.0 as usize] = Some(at);
        self.owe_word(at, Word::Connected);
        self.owe_event(at, DurableEvent::Connected);
        for group in (0..8).filter(|group| profile.groups & (1 << group) != 0) {
            self.owe_event(at, DurableEvent::Joined(group));
        }
    }

    /// Whether a connection can be recovered; if so, it is.
    pub(super) fn recover(&mut self, now: Timestamp, shard: usize, id: &ConnectionId) -> bool {
        self.give_up(now, shard);
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

    fn closed(&mut self, now: Timestamp, at: usize, code: CloseCode) {
        let connection = &mut self.connections[at];
        if connection.is_reliable() && code != CloseCode::NORMAL {
            connection.link = Link::Lost { until: now.after(WINDOW) };
            connection.history.is_away();
        } else {
            self.end(at, if code == CloseCode::ABNORMAL { End::Lost } else { End::Client });
        }
    }

    /// The service is about to stop.
    pub(super) fn go_away(&mut self, now: Timestamp, shard: usize) {
        for at in self.shards[shard].alive.clone() {
            let connection = &mut self.connections[at];
            if connection.link != Link::Open {
                continue;
            }
            if connection.is_reliable() {
                connection.close = Some(CloseCause::ServiceStops.code());
                connection.link = Link::Lost { until: now.after(WINDOW) };
                connection.history.is_away();
            } else {
                self.owe_close(at, CloseCause::ServiceStops);
                self.end(at, End::Away);
            }
        }
    }

    /// The connections of a shard that were not recovered in time are given up.
    pub(super) fn give_up(&mut self, now: Timestamp, shard: usize) {
        for at in self.shards[shard].alive.clone() {
            if matches!(self.connections[at].link, Link::Lost { until } if until <= now) {
                self.end(at, End::Expired);
            }
        }
    }

    /// A shard has lost its memory and some of its sockets.
    pub(super) fn vanish(&mut self, at: usize) {
        self.connections[at].link = Link::Vanished;
        self.connections[at].history.is_away();
    }

    /// A shard has its memory back.
    pub(super) fn restore(&mut self, now: Timestamp, shard: usize, disk: &Snapshot) {
        for at in self.shards[shard].alive.clone() {
            let connection = &mut self.connections[at];
            match connection.link {
                Link::Vanished if connection.is_reliable() => {
                    connection.link = Link::Lost { until: now.after(WINDOW) };
                    // What it has acknowledged since that was written was on its socket.
                    let record = disk.connections.iter().find(|record| record.slot == connection.slot);
                    let stored = record.map_or(0, |record| record.acknowledged.sequence_id.0 as usize);
                    check!(
                        stored <= connection.acknowledged,
                        "the disk has {stored} messages acknowledged, and the client only {}",
                        connection.acknowledged
                    );
                    connection.acknowledged = stored;
                    connection.bytes = bytes(&self.messages, &connection.expected[stored..]);
                }
                Link::Vanished => {
                    let slot = connection.slot;
                    self.end(at, End::Lost);
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
}
