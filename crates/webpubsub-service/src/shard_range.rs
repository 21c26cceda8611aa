//! Which shards a task goes to, and how it reaches them.
//!
//! What concerns every shard of a hub reaches them at once as long as they are few, above that from shard to
//! shard.

use webpubsub_protocol::name::ConnectionId;
use webpubsub_shard::{ShardId, Target};

/// Which shards a task goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// To the shard that holds this connection.
    OwnerOf(ConnectionId),
    /// To every shard.
    AllShards,
}

impl Destination {
    /// Where those that a command is about may be.
    #[must_use]
    pub fn of(target: &Target) -> Self {
        match target {
            Target::Connection(connection) => Self::OwnerOf(connection.clone()),
            Target::All | Target::Group(_) | Target::User(_) => Self::AllShards,
        }
    }
}

/// A range of shards: all of a hub's, or those that one of them has to ask.
///
/// Of many shards only some are asked directly. Each of those carries the request out, and asks the shards
/// between itself and the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShardRange {
    first: u16,
    end: u16,
}

impl ShardRange {
    /// How many shards are asked at once, each for itself.
    const FLAT: u16 = 32;
    /// How many are asked where there are more.
    const BRANCHES: u16 = 16;
    /// The start of a request's path with a range of shards. No path from outside begins like this.
    const MARK: &str = "/among/";

    /// The shards below this number.
    #[must_use]
    pub const fn below(end: u16) -> Self {
        Self { first: 0, end }
    }

    /// One shard.
    #[must_use]
    pub const fn of(ShardId(shard): ShardId) -> Self {
        Self { first: shard, end: shard.saturating_add(1) }
    }

    /// Whether a shard is one of these.
    #[must_use]
    pub const fn has(self, ShardId(shard): ShardId) -> bool {
        self.first <= shard && shard < self.end
    }

    /// The one shard of these that a task goes to, if it is one.
    ///
    /// Any shard can answer that it does not know a connection id which none of them made.
    #[must_use]
    pub fn only(self, destination: &Destination) -> Option<ShardId> {
        match destination {
            Destination::OwnerOf(connection) => {
                let shard = ShardId::of(connection).filter(|shard| self.has(*shard));
                Some(shard.unwrap_or(ShardId(0)))
            }
            Destination::AllShards => (!self.has(ShardId(1))).then_some(ShardId(0)),
        }
    }

    /// The shards that are asked.
    pub fn asked(self) -> impl Iterator<Item = ShardId> {
        (self.first..self.end).step_by(usize::from(self.stride())).map(ShardId)
    }

    /// All of these shards, for a host that reaches each of them at no cost.
    pub fn all(self) -> impl Iterator<Item = ShardId> {
        (self.first..self.end).map(ShardId)
    }

    /// The shards that one of those that are asked asks in turn.
    #[must_use]
    pub fn behind(self, ShardId(asked): ShardId) -> Self {
        Self { first: asked.saturating_add(1), end: self.end.min(asked.saturating_add(self.stride())) }
    }

    const fn stride(self) -> u16 {
        let shards = self.end.saturating_sub(self.first);
        if shards <= Self::FLAT { 1 } else { shards.div_ceil(Self::BRANCHES) }
    }

    /// The path of a request with this range in front: what the shards that are asked do is part of a whole,
    /// and each of them asks those behind it.
    #[must_use]
    pub fn address(self, path: &str) -> String {
        let range = (u32::from(self.first) << 16) | u32::from(self.end);
        format!("{}{range}{path}", Self::MARK)
    }

    /// Whether there is no shard in it.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.first >= self.end
    }

    /// Takes apart what [`ShardRange::address`] put together; `None` for a path as it was.
    #[must_use]
    pub(crate) fn of_address(address: &str) -> Option<(Self, &str)> {
        let rest = address.strip_prefix(Self::MARK)?;
        let (range, path) = rest.split_at_checked(rest.find('/')?)?;
        let range: u32 = range.parse().ok()?;
        Some((Self { first: (range >> 16) as u16, end: range as u16 }, path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Has every shard of the range do its part, and those behind it; how deep that went, and how many
    /// were asked at most by one.
    fn carry_out(range: ShardRange, done: &mut Vec<u16>) -> (usize, usize) {
        let asked: Vec<_> = range.asked().collect();
        let (mut depth, mut breadth) = (0, asked.len());
        for shard in asked {
            done.push(shard.0);
            let address = range.address("/api");
            let (range, _) = ShardRange::of_address(&address).unwrap();
            let (deeper, wider) = carry_out(range.behind(shard), done);
            (depth, breadth) = (depth.max(deeper), breadth.max(wider));
        }
        (depth + usize::from(breadth > 0), breadth)
    }

    #[test]
    fn every_shard_is_asked_once_and_none_asks_many() {
        for shards in 1..=1024 {
            let mut done = Vec::new();
            let (depth, breadth) = carry_out(ShardRange::below(shards), &mut done);
            done.sort_unstable();
            assert!(done.into_iter().eq(0..shards), "{shards}");
            assert!(breadth <= 32, "{shards}: {breadth}");
            let deepest = if shards <= 32 {
                1
            } else if shards <= 512 {
                2
            } else {
                3
            };
            assert!(depth <= deepest, "{shards}: {depth}");
        }
        let mut done = Vec::new();
        let (depth, breadth) = carry_out(ShardRange::below(u16::MAX), &mut done);
        assert_eq!((done.len(), depth), (usize::from(u16::MAX), 4));
        assert!(breadth <= 32);
    }

    #[test]
    fn a_worker_asks_at_most_sixteen_of_many_shards() {
        let asked = |shards| ShardRange::below(shards).asked().map(|shard| shard.0).collect::<Vec<_>>();
        assert_eq!(asked(32), (0..32).collect::<Vec<_>>());
        assert_eq!(asked(33), [0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30]);
        for shards in 33..=1024 {
            assert!(asked(shards).len() <= 16, "{shards}");
        }
    }

    #[test]
    fn a_path_says_for_which_shards_it_asks() {
        let path = "/api/hubs/h/:send?a=/b";
        for (range, address) in [
            (ShardRange::below(40), format!("/among/40{path}")),
            (ShardRange { first: 1, end: 2 }, format!("/among/65538{path}")),
        ] {
            assert_eq!(range.address(path), address);
            assert_eq!(ShardRange::of_address(&address), Some((range, path)));
        }
        for other in [path, "/among", "/among/", "/among/40", "/among/x/api", "/among/-1/api"] {
            assert_eq!(ShardRange::of_address(other), None, "{other}");
        }
    }

    #[test]
    fn a_range_without_shards_asks_none() {
        for range in
            [ShardRange { first: 9, end: 1 }, ShardRange { first: 70, end: 70 }, ShardRange::below(0)]
        {
            assert!(range.is_empty());
            assert_eq!(range.asked().count(), 0);
            assert_eq!(range.behind(ShardId(u16::MAX)).asked().count(), 0);
        }
    }

    #[test]
    fn a_connection_is_looked_for_on_the_shard_that_made_it() {
        let hub = ShardRange::below(3);
        let of = |connection| hub.only(&Destination::of(&Target::Connection(connection)));
        assert_eq!(of(ShardId(2).connection_id([7; 16])), Some(ShardId(2)));
        assert_eq!(of(ShardId(3).connection_id([7; 16])), Some(ShardId(0)), "a shard that is gone");
        assert_eq!(of(ConnectionId::parse("made-elsewhere").unwrap()), Some(ShardId(0)));
    }

    #[test]
    fn what_concerns_all_goes_to_one_only_where_it_is_all() {
        assert_eq!(ShardRange::below(1).only(&Destination::of(&Target::All)), Some(ShardId(0)));
        assert_eq!(ShardRange::below(2).only(&Destination::of(&Target::All)), None);
    }
}
