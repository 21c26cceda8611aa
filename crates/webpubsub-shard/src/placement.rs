//! Which shard holds a connection, written into the connection's id, and how many a shard holds.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use webpubsub_protocol::name::ConnectionId;

use crate::map::{ShardMap, ShardState};
use crate::pace::Limits;

/// The first byte of every id: the layout of the rest.
const FORMAT: u8 = 1;

/// One of a hub's shards, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShardNumber(pub u16);

impl ShardNumber {
    /// Makes a connection id that carries this shard: base64url of the format byte, the shard's
    /// number in 2 bytes and 128 random bits; 26 characters of `[A-Za-z0-9_-]`.
    #[must_use]
    pub fn connection_id(self, random: [u8; 16]) -> ConnectionId {
        let mut bytes = Vec::with_capacity(19);
        bytes.push(FORMAT);
        bytes.extend(self.0.to_be_bytes());
        bytes.extend(random);
        let text = URL_SAFE_NO_PAD.encode(bytes);
        #[expect(clippy::expect_used, reason = "26 letters and digits are not blank")]
        ConnectionId::parse(text).expect("a made id is an id")
    }

    /// This shard's exact part of the connections that a hub may have; `None` for 0, which stands
    /// for no quota.
    #[must_use]
    pub const fn share(self, quota: u32, shards: u16) -> Option<usize> {
        let (shards, this) = (if shards == 0 { 1 } else { shards as u32 }, self.0 as u32);
        let one_more = this < quota % shards;
        if quota == 0 { None } else { Some((quota / shards) as usize + one_more as usize) }
    }

    /// The shard that a connection id carries; `None` for an id that no shard made.
    #[must_use]
    pub fn of(connection: &ConnectionId) -> Option<Self> {
        let bytes: [u8; 19] = URL_SAFE_NO_PAD.decode(connection.as_str()).ok()?.try_into().ok()?;
        let [FORMAT, high, low, ..] = bytes else { return None };
        Some(Self(u16::from_be_bytes([high, low])))
    }
}

impl fmt::Display for ShardNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Which shard a hub object is, how many there are, and how much it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// This one.
    pub shard: ShardNumber,
    /// How many the hub has, until a [`crate::ShardMap`] says otherwise; at least 1.
    pub shards: u16,
    /// How many connections this one takes at most.
    pub capacity: usize,
    /// How long a reliable connection without a socket can be recovered.
    pub recovery_window: Duration,
    /// How long a shard that is to go keeps its reliable connections; `None` for as long as they stay.
    pub drain_window: Option<Duration>,
    /// How many connections the hub may have, over all its shards; 0 for as many as they take.
    pub connection_quota: u32,
    /// What each connection may ask of it.
    pub limits: Limits,
}

/// Why a shard takes no further connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// It holds as many as a shard may.
    Shard,
    /// It holds its share of those that the hub may have.
    Quota,
}

impl Place {
    /// What a shard takes where nothing else is set: half of what the platform allows.
    pub const DEFAULT_CAPACITY: u32 = 16_000;
    /// What the platform lets one object hold, less some for sockets that are closing.
    pub const MAX_CAPACITY: u32 = 32_000;

    /// How long that is, in seconds, where nothing else is set. Clients try for 30 s, some for 60.
    ///
    /// Source: client spec, section 8.2.
    pub const DEFAULT_RECOVERY_SECONDS: u32 = 60;

    /// The one shard of a hub that has no other.
    #[must_use]
    pub const fn only() -> Self {
        Self {
            shard: ShardNumber(0),
            shards: 1,
            capacity: Self::DEFAULT_CAPACITY as usize,
            recovery_window: Duration::from_secs(Self::DEFAULT_RECOVERY_SECONDS as u64),
            drain_window: None,
            connection_quota: 0,
            limits: Limits::DEFAULT,
        }
    }

    /// Why no further connection is taken beside so many, if none is.
    pub(crate) fn full(self, map: &ShardMap, connections: usize) -> Option<Full> {
        let share = self.shard.share(self.connection_quota, map.accepting);
        if map.state(self.shard) == ShardState::Draining {
            Some(Full::Shard)
        } else if share.is_some_and(|share| connections >= share) {
            Some(Full::Quota)
        } else {
            (connections >= self.capacity).then_some(Full::Shard)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_tells_its_shard() {
        for shard in [0, 1, 255, 256, u16::MAX] {
            let id = ShardNumber(shard).connection_id([0xAB; 16]);
            assert_eq!(id.as_str().len(), 26);
            assert!(id.as_str().chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-'));
            assert_eq!(ShardNumber::of(&id), Some(ShardNumber(shard)));
        }
    }

    #[test]
    fn the_shares_of_a_quota_add_up_to_it() {
        let shares = |quota, shards| (0..shards).map(move |n| ShardNumber(n).share(quota, shards));
        assert_eq!(shares(10, 4).collect::<Vec<_>>(), [Some(3), Some(3), Some(2), Some(2)]);
        assert_eq!(shares(1, 3).collect::<Vec<_>>(), [Some(1), Some(0), Some(0)]);
        assert_eq!(shares(0, 2).collect::<Vec<_>>(), [None, None]);
        for (quota, shards) in [(7, 1), (1000, 7), (u32::MAX, u16::MAX)] {
            assert_eq!(shares(quota, shards).flatten().sum::<usize>(), quota as usize);
        }
        assert_eq!(ShardNumber(0).share(5, 0), Some(5));
    }

    #[test]
    fn foreign_ids_have_no_shard() {
        for foreign in ["x", "LW61bMG2VQLIMYIVBMmyXgb3c418200", "AAAAAAAAAAAAAAAAAAAAAAAAAA", "…"] {
            assert_eq!(ShardNumber::of(&ConnectionId::parse(foreign).unwrap()), None, "{foreign}");
        }
    }
}
