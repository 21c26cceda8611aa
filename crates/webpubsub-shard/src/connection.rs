use std::collections::VecDeque;

use webpubsub_protocol::client::endpoint::SimpleMode;
use webpubsub_protocol::client::{Encoding, Subprotocol};
use webpubsub_protocol::filter::{Filter, FilterSubject};
use webpubsub_protocol::name::{ConnectionId, GroupName, UserId};
use webpubsub_protocol::sorted::SortedSet;
use webpubsub_protocol::time::Timestamp;

use crate::ack::AckCache;
use crate::pace::Pace;
use crate::permission::Permissions;
use crate::reliable::{Buffer, Link};
use crate::snapshot::ToldRecord;
use crate::turn::Queue;

/// A connection's place in its shard: small, dense, and reused once the connection is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(pub u32);

impl Slot {
    pub(crate) const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Adds a slot to those that wait for a time, the soonest first and the oldest first of one time. It is
/// mostly the last of them.
pub(crate) fn insert_by_time(waiting: &mut VecDeque<(Timestamp, Slot)>, due: Timestamp, slot: Slot) {
    waiting.push_back((due, slot));
    for place in (1..waiting.len()).rev() {
        if waiting.get(place - 1).is_some_and(|(other, _)| *other <= due) {
            return;
        }
        waiting.swap(place, place - 1);
    }
}

/// One client, as long as its connection lasts.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) id: ConnectionId,
    pub(crate) user: Option<UserId>,
    pub(crate) permissions: Permissions,
    pub(crate) subprotocol: Subprotocol,
    pub(crate) speech: Speech,
    /// What it was sent and has not acknowledged; only on reliable subprotocols.
    pub(crate) buffer: Option<Buffer>,
    /// Groups that it is a member of; the directory has the same the other way round.
    pub(crate) groups: SortedSet<GroupName>,
    pub(crate) acks: AckCache,
    pub(crate) pace: Pace,
    /// What it sent and is yet to be carried out.
    pub(crate) queue: Queue,
    pub(crate) told: ToldRecord,
    /// Where its event handlers' lane is, if anything waits in it.
    pub(crate) lane: Option<Slot>,
}

impl Connection {
    /// Whether it has a socket.
    pub(crate) fn is_attached(&self) -> bool {
        self.buffer.as_ref().is_none_or(|buffer| buffer.link == Link::Attached)
    }

    /// Whether a server's filter picks it.
    pub(crate) fn matches(&self, filter: &Filter) -> bool {
        filter.matches(&FilterSubject {
            user_id: self.user.as_ref().map(UserId::as_str),
            connection_id: self.id.as_str(),
            groups: &self.groups,
            protocol: self.subprotocol.name(),
        })
    }
}

/// How a connection speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Speech {
    /// Raw payloads.
    Simple(SimpleMode),
    /// Messages, written like this.
    Messages(Encoding),
}

impl Speech {
    pub(crate) fn new(subprotocol: Subprotocol, mode: SimpleMode) -> Self {
        subprotocol.encoding().map_or(Self::Simple(mode), Self::Messages)
    }
}
