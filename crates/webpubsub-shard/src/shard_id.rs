//! Which shard of a hub, and how a connection's id says so.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use webpubsub_protocol::name::ConnectionId;

/// The first byte of every id: the layout of the rest.
const FORMAT: u8 = 1;

/// One of a hub's shards, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShardId(pub u16);

impl ShardId {
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

impl fmt::Display for ShardId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_carries_its_shard() {
        for shard in [0, 1, 255, 256, u16::MAX] {
            let id = ShardId(shard).connection_id([0xAB; 16]);
            assert_eq!(id.as_str().len(), 26);
            assert!(id.as_str().chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-'));
            assert_eq!(ShardId::of(&id), Some(ShardId(shard)));
        }
    }

    #[test]
    fn the_shares_of_a_quota_add_up_to_it() {
        let shares = |quota, shards| (0..shards).map(move |n| ShardId(n).share(quota, shards));
        assert_eq!(shares(10, 4).collect::<Vec<_>>(), [Some(3), Some(3), Some(2), Some(2)]);
        assert_eq!(shares(1, 3).collect::<Vec<_>>(), [Some(1), Some(0), Some(0)]);
        assert_eq!(shares(0, 2).collect::<Vec<_>>(), [None, None]);
        for (quota, shards) in [(7, 1), (1000, 7), (u32::MAX, u16::MAX)] {
            assert_eq!(shares(quota, shards).flatten().sum::<usize>(), quota as usize);
        }
        assert_eq!(ShardId(0).share(5, 0), Some(5));
    }

    #[test]
    fn foreign_ids_have_no_shard() {
        for foreign in ["x", "LW61bMG2VQLIMYIVBMmyXgb3c418200", "AAAAAAAAAAAAAAAAAAAAAAAAAA", "…"] {
            assert_eq!(ShardId::of(&ConnectionId::parse(foreign).unwrap()), None, "{foreign}");
        }
    }
}
