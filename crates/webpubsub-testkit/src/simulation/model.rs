//! What is true: a slow, obvious account of who is connected, who may do what, and who is owed what.
//!
//! It follows every input that a shard takes, and says beforehand what the shard has to put on which
//! socket. Nothing ever crashes here.

use std::collections::VecDeque;
use std::time::Duration;

use webpubsub_protocol::close::CloseCause;
use webpubsub_protocol::time::Timestamp;
use webpubsub_shard::{Change, Output, ShardId, ShardMap, ShardState, Slot};

use super::check::{broken, check};
use super::message::{Message, Published};

mod connection;
mod delivery;
mod events;
mod lifecycle;
mod mqtt;
mod owed;
mod requests;

pub(super) use connection::{Connection, End, Link, WINDOW, bytes, kind_number};
pub(super) use events::{Asks, DurableEvent};

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
    /// In which rows of its log the shard keeps for the others what the step at hand publishes.
    rows: VecDeque<u64>,
    /// Messages that an MQTT session has waiting, which turn out to have expired when the step at hand reads them.
    skips: Vec<(usize, usize)>,
    /// How many wills were published.
    pub(super) wills: u64,
    /// How many MQTT clients were given up for being silent.
    pub(super) silent: u64,
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
            rows: VecDeque::new(),
            skips: Vec::new(),
            wills: 0,
            silent: 0,
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
            if connection.window().is_some() {
                connection.expected.len() - connection.acknowledged
            } else {
                0
            }
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
                    self.end(now, at, End::Drained);
                }
            }
        }
    }

    /// A step begins that has led to this.
    pub(super) fn follow(&mut self, outputs: &[Output]) {
        let rows = outputs.iter().filter_map(|output| {
            if let Output::Store(Change::Log { row, relayed: true, .. }) = output { Some(*row) } else { None }
        });
        self.rows = rows.collect();
    }
}
