//! What a shard is and how much it takes, as its host says when it starts.

use std::time::Duration;

use webpubsub_protocol::limits::{
    DEFAULT_CLIENT_GROUPS, DEFAULT_CLIENT_MESSAGE_BURST, DEFAULT_CLIENT_MESSAGES_PER_SECOND,
    DEFAULT_OUTBOUND_LIMIT_BYTES,
};

use crate::shard_id::ShardId;
use crate::shard_map::{ShardMap, ShardState};

/// Which shard this is, how many there are, and how much it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShardConfig {
    /// This shard.
    pub shard: ShardId,
    /// How many shards the hub has, until there is a [`crate::ShardMap`]; at least 1.
    pub shards: u16,
    /// How many connections this one takes at most.
    pub capacity: usize,
    /// How long a reliable connection without a socket can be recovered.
    pub recovery_window: Duration,
    /// How long a draining shard keeps its reliable connections; `None` for as long as they stay.
    pub drain_window: Option<Duration>,
    /// How many connections the hub may have, over all its shards; 0 for no limit.
    pub connection_quota: u32,
    /// The limits of each connection.
    pub limits: Limits,
    /// What becomes of sockets when the memory is lost.
    pub sockets: Sockets,
}

/// What becomes of a shard's sockets when its memory is lost, as it is by a crash and on some platforms at rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sockets {
    /// They stay open, and carry what [`crate::Output::Attach`] says.
    OutliveMemory,
    /// They are lost as well, and carry nothing.
    EndWithMemory,
}

impl Sockets {
    /// How many calls of event handlers a shard with such sockets may have under way at once. The platform on which they
    /// outlive the memory lets an object wait for six answers at once, by its
    /// [limits](https://developers.cloudflare.com/workers/platform/limits/#simultaneous-open-connections); in a process of
    /// its own each takes an open file.
    #[must_use]
    pub const fn most_calls(self) -> usize {
        match self {
            Self::OutliveMemory => 6,
            Self::EndWithMemory => 100,
        }
    }
}

/// Why a shard takes no further connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// It holds as many as a shard may.
    Shard,
    /// It holds its share of those that the hub may have.
    Quota,
}

impl ShardConfig {
    /// The default of [`ShardConfig::capacity`]: half of what the platform allows.
    pub const DEFAULT_CAPACITY: u32 = 16_000;
    /// What the platform lets one object hold, less some for sockets that are closing.
    pub const MAX_CAPACITY: u32 = 32_000;

    /// The default of [`ShardConfig::recovery_window`], in seconds. Clients try for 30 s, some for 60.
    ///
    /// Source: docs/spec/client.md#detached-connections.
    pub const DEFAULT_RECOVERY_SECONDS: u32 = 60;

    /// The one shard of a hub that has no other.
    #[must_use]
    pub const fn only() -> Self {
        Self {
            shard: ShardId(0),
            shards: 1,
            capacity: Self::DEFAULT_CAPACITY as usize,
            recovery_window: Duration::from_secs(Self::DEFAULT_RECOVERY_SECONDS as u64),
            drain_window: None,
            connection_quota: 0,
            limits: Limits::DEFAULT,
            sockets: Sockets::OutliveMemory,
        }
    }

    /// This shard's part of the connections that its hub may have; `None` where there is no quota.
    pub(crate) fn share(self, map: &ShardMap) -> Option<usize> {
        self.shard.share(self.connection_quota, map.accepting)
    }

    /// Why no further connection is taken beside `connections`, if none is.
    pub(crate) fn full(self, map: &ShardMap, connections: usize) -> Option<Full> {
        if map.state(self.shard) == ShardState::Draining {
            Some(Full::Shard)
        } else if self.share(map).is_some_and(|share| connections >= share) {
            Some(Full::Quota)
        } else {
            (connections >= self.capacity).then_some(Full::Shard)
        }
    }
}

/// The limits of one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Messages that a client may send a second, in the long run; 0 for no limit.
    pub messages_per_second: u32,
    /// Messages that it may send at once; 0 for no limit.
    pub message_burst: u32,
    /// Bytes that may wait on a socket for its client to read, beside those that a reliable client has not
    /// acknowledged; 0 for no limit. On all sockets of a shard together 16 times as many may.
    pub outbound_bytes: u32,
    /// Groups that it may be in; 0 for no limit.
    pub groups: u32,
}

impl Limits {
    /// The defaults.
    pub const DEFAULT: Self = Self {
        messages_per_second: DEFAULT_CLIENT_MESSAGES_PER_SECOND,
        message_burst: DEFAULT_CLIENT_MESSAGE_BURST,
        outbound_bytes: DEFAULT_OUTBOUND_LIMIT_BYTES,
        groups: DEFAULT_CLIENT_GROUPS,
    };

    /// Whether a connection may be in this many groups.
    #[must_use]
    pub const fn allows_groups(&self, groups: usize) -> bool {
        self.groups == 0 || groups <= self.groups as usize
    }
}
