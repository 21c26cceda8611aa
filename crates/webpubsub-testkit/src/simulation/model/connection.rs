//! A connection that there is or was.

use std::collections::VecDeque;
use std::time::Duration;

use webpubsub_protocol::close::CloseCode;
use webpubsub_protocol::id::AckId;
use webpubsub_protocol::limits::{MAX_BUFFERED_BYTES, MAX_BUFFERED_MESSAGES};
use webpubsub_protocol::name::ConnectionId;
use webpubsub_protocol::role::PermissionType;
use webpubsub_protocol::time::Timestamp;
use webpubsub_shard::Slot;

use super::events::EventHistory;
use super::mqtt::Mqtt;
use crate::simulation::message::{Message, Published};
use crate::simulation::words::{Profile, Received, Word};

/// What a connection has room for after its shard lost its memory, in tenths of what it has room for
/// otherwise: as much as its client may have acknowledged before that is on disk.
const SPARE: usize = 1;
/// How long a connection without a socket is kept.
pub(in crate::simulation) const WINDOW: Duration = Duration::from_secs(60);

/// A connection that there is or was.
#[derive(Debug)]
pub(in crate::simulation) struct Connection {
    pub(in crate::simulation) id: ConnectionId,
    pub(in crate::simulation) shard: usize,
    pub(in crate::simulation) slot: Slot,
    pub(in crate::simulation) profile: Profile,
    /// A bit for each group that it is a member of.
    pub(in crate::simulation) groups: u8,
    /// What servers said of single groups, by kind and group.
    pub(super) verdicts: [[Option<bool>; 8]; 2],
    /// The ack ids of its last thousand operations that were done.
    pub(super) acks: VecDeque<u64>,
    /// What was published to it, in order: the message with sequence id 1, 2, 3, …
    pub(in crate::simulation) expected: Vec<Published>,
    /// How many of these its client has acknowledged to the shard; at most `said`.
    pub(super) acknowledged: usize,
    /// How many of these its client has said that it has; at most `received`.
    pub(super) said: usize,
    /// How many of these its client's application received, or could have.
    pub(in crate::simulation) received: usize,
    /// Bytes of what is not acknowledged.
    pub(super) bytes: usize,
    /// Whether its client may have acknowledged more than its shard knows, which lost its memory.
    pub(super) behind: bool,
    pub(in crate::simulation) link: Link,
    pub(in crate::simulation) end: Option<End>,
    /// The words that the current step owes its socket.
    pub(super) words: VecDeque<Word>,
    /// The messages that the current step owes its socket.
    pub(super) data: VecDeque<Received>,
    /// The close frame that the current step owes its socket after them.
    pub(super) close: Option<CloseCode>,
    /// Whether messages may have been lost on the way to a client that does not count them.
    pub(in crate::simulation) lossy: bool,
    /// What event handlers are to receive of it, and have.
    pub(in crate::simulation) history: EventHistory,
    /// What it is beside, if it speaks MQTT.
    pub(in crate::simulation) mqtt: Option<Mqtt>,
    /// What was sent to it over MQTT at QoS 0.
    pub(super) plain: Vec<Published>,
}

/// Whether a connection has a socket, as far as its shard knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::simulation) enum Link {
    /// It has.
    Open,
    /// It has none, and is kept until then.
    Lost { until: Timestamp },
    /// It has none, but the shard was out of memory when it closed.
    Vanished,
}

/// Why a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::simulation) enum End {
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
    /// It is bare, and published what it may not.
    Forbidden,
}

pub(in crate::simulation) const fn kind_number(kind: PermissionType) -> usize {
    match kind {
        PermissionType::SendToGroup => 0,
        PermissionType::JoinLeaveGroup => 1,
    }
}

/// Bytes of these messages.
pub(in crate::simulation) fn bytes(messages: &[Message], published: &[Published]) -> usize {
    published.iter().map(|published| messages[published.message as usize].bytes).sum()
}

impl Connection {
    /// One in a slot of a shard, with a socket.
    pub(super) fn new(shard: usize, slot: Slot, id: ConnectionId, profile: Profile) -> Self {
        Self {
            id,
            shard,
            slot,
            profile,
            groups: 0,
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
            mqtt: None,
            plain: Vec::new(),
        }
    }

    pub(super) fn may(&self, kind: PermissionType, group: u8) -> bool {
        self.verdicts[kind_number(kind)][usize::from(group)].unwrap_or(self.profile.allowed)
    }

    pub(in crate::simulation) const fn is_reliable(&self) -> bool {
        self.profile.subprotocol.is_reliable()
    }

    /// Whether an operation with this ack id was done.
    pub(in crate::simulation) fn has_done(&self, id: AckId) -> bool {
        self.acks.contains(&id.0)
    }

    pub(super) fn is_full(&self, more: usize) -> bool {
        let spare = if self.behind { SPARE } else { 0 };
        self.expected.len() - self.acknowledged >= MAX_BUFFERED_MESSAGES * (10 + spare) / 10
            || self.bytes + more > MAX_BUFFERED_BYTES * (10 + spare) / 10
    }
}
