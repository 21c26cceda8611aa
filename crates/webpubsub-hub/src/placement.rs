//! Which shard holds a connection, written into the connection's id.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use webpubsub_protocol::name::ConnectionId;

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

    /// The shards to try for a new connection, best first: one drawn by `random`, and its neighbours
    /// in case it is full. At most 4, so that a hub that is full says so soon.
    pub fn candidates(random: u16, shards: u16) -> impl Iterator<Item = Self> {
        let shards = shards.max(1);
        let drawn = random % shards;
        (drawn..shards).chain(0..drawn).take(4).map(Self)
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
    /// How many the hub has, this one among them; at least 1.
    pub shards: u16,
    /// How many connections this one takes at most.
    pub capacity: usize,
    /// How long a reliable connection without a socket can be recovered.
    pub recovery_window: Duration,
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
        }
    }

    /// Every other shard of the hub.
    pub fn others(self) -> impl Iterator<Item = ShardNumber> {
        (0..self.shards).map(ShardNumber).filter(move |shard| *shard != self.shard)
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
    fn a_new_connection_tries_the_shard_drawn_and_then_its_neighbours() {
        let of =
            |random, shards| ShardNumber::candidates(random, shards).map(|shard| shard.0).collect::<Vec<_>>();
        assert_eq!(of(7, 1), [0]);
        assert_eq!(of(6, 4), [2, 3, 0, 1]);
        assert_eq!(of(99, 100), [99, 0, 1, 2]);
        assert_eq!(of(5, 0), [0]);
    }

    #[test]
    fn foreign_ids_have_no_shard() {
        for foreign in ["x", "LW61bMG2VQLIMYIVBMmyXgb3c418200", "AAAAAAAAAAAAAAAAAAAAAAAAAA", "…"] {
            assert_eq!(ShardNumber::of(&ConnectionId::parse(foreign).unwrap()), None, "{foreign}");
        }
    }
}
