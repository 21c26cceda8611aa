//! How many shards a hub has, and how that number changes while the hub is in use.

use std::time::Duration;

use webpubsub_protocol::json::{Json, Members, Writer};
use webpubsub_protocol::time::Timestamp;

use crate::shard_id::ShardId;

/// The longest pause between two inquiries to shards while their number changes.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// The shards of a hub, numbered from 0 without a gap.
///
/// What is published reaches at least every shard that may hold a connection, for every map that any
/// host may still hold: a shard is reached before it takes clients, and as long as it has any. A
/// host holds a map for a while, so each step waits that long after the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShardMap {
    /// Grows with every change.
    pub version: u64,
    /// New connections go to the shards below this one. At least 1.
    pub accepting: u16,
    /// What is published goes to the shards below this one. At least [`ShardMap::accepting`].
    pub reached: u16,
    /// The number of shards that both will reach.
    pub target: u16,
    /// When it changed last.
    pub since: Timestamp,
}

/// The state of one shard in a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShardState {
    /// Reached, but without clients yet.
    Warming,
    /// It takes clients.
    Active,
    /// It takes no clients, and is reached until it has none.
    Draining,
    /// It does not belong to the hub.
    Gone,
}

impl ShardState {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Warming => "warming",
            Self::Active => "active",
            Self::Draining => "draining",
            Self::Gone => "gone",
        }
    }
}

impl ShardMap {
    /// The map of a hub whose number of shards never changed.
    #[must_use]
    pub const fn new(shards: u16) -> Self {
        let shards = if shards == 0 { 1 } else { shards };
        let since = Timestamp::from_millis(0);
        Self { version: 0, accepting: shards, reached: shards, target: shards, since }
    }

    /// The state of a shard.
    #[must_use]
    pub const fn state(&self, ShardId(shard): ShardId) -> ShardState {
        if shard >= self.reached {
            ShardState::Gone
        } else if shard >= self.target {
            ShardState::Draining
        } else if shard >= self.accepting {
            ShardState::Warming
        } else {
            ShardState::Active
        }
    }

    /// Every shard but this one that publishes go to.
    pub fn others(self, this: ShardId) -> impl Iterator<Item = ShardId> {
        (0..self.reached).map(ShardId).filter(move |shard| *shard != this)
    }

    /// Whether there is nothing left to do.
    #[must_use]
    pub const fn is_settled(&self) -> bool {
        self.accepting == self.target && self.reached == self.target
    }

    /// Begins to change the number of shards. More of them are reached at once, fewer take clients
    /// at once; the rest is for [`ShardMap::advance`].
    pub fn resize(&mut self, now: Timestamp, shards: u16) {
        self.change(now, |map| {
            map.target = shards.max(1);
            map.reached = map.reached.max(map.target);
            map.accepting = map.accepting.min(map.target);
        });
    }

    /// Takes the next step, if it is time. Every shard that is reached knows this version of the map,
    /// and `loads` is what each of them still has to do there. A host holds a map for `held`.
    pub fn advance(&mut self, now: Timestamp, held: Duration, loads: &[u64]) {
        if now < self.since.after(held) || loads.len() != usize::from(self.reached) {
            return;
        }
        let idle = loads.iter().skip(usize::from(self.target)).all(|load| *load == 0);
        self.change(now, |map| {
            map.accepting = map.target;
            if idle {
                map.reached = map.target;
            }
        });
    }

    /// How long to wait before the shards are asked again for what they have to do: `least`, and longer
    /// the longer nothing has changed, since a shard may be draining for days.
    #[must_use]
    pub fn pause(&self, now: Timestamp, least: Duration) -> Duration {
        let unchanged = now.as_millis().saturating_sub(self.since.as_millis());
        Duration::from_millis(unchanged / 16).min(LONGEST_PAUSE).max(least)
    }

    fn change(&mut self, now: Timestamp, change: impl FnOnce(&mut Self)) {
        let before = *self;
        change(self);
        if *self != before {
            self.version += 1;
            self.since = now;
        }
    }

    /// Writes the map as JSON.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut map = Writer::object();
        map.number("version", self.version)
            .number("accepting", self.accepting.into())
            .number("reached", self.reached.into())
            .number("target", self.target.into())
            .number("since", self.since.as_millis());
        map.finish()
    }

    /// Reads what [`ShardMap::encode`] wrote; `None` for anything else.
    #[must_use]
    pub fn decode(text: &str) -> Option<Self> {
        let map = Members::parse(text)?;
        let number = |name| map.get(name).and_then(Json::unsigned);
        let shards = |name| u16::try_from(number(name)?).ok();
        Some(Self {
            version: number("version")?,
            accepting: shards("accepting")?,
            reached: shards("reached")?,
            target: shards("target")?,
            since: Timestamp::from_millis(number("since")?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELD: Duration = Duration::from_secs(5);

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    fn states(map: &ShardMap, shards: u16) -> Vec<&'static str> {
        (0..shards).map(|shard| map.state(ShardId(shard)).as_str()).collect()
    }

    #[test]
    fn new_shards_are_reached_before_they_take_clients() {
        let mut map = ShardMap::new(1);
        map.resize(at(100), 3);
        assert_eq!(states(&map, 4), ["active", "warming", "warming", "gone"]);
        map.advance(at(104), HELD, &[9, 0, 0]);
        assert_eq!(map.accepting, 1, "a host may still hold the map before");
        map.advance(at(105), HELD, &[9]);
        assert_eq!(map.accepting, 1, "not every shard knows the map");
        map.advance(at(105), HELD, &[9, 0, 0]);
        assert_eq!(states(&map, 4), ["active", "active", "active", "gone"]);
        assert!(map.is_settled());
        assert_eq!(map.version, 2);
    }

    #[test]
    fn a_shard_is_reached_as_long_as_it_has_anything() {
        let mut map = ShardMap::new(4);
        map.resize(at(100), 2);
        assert_eq!(states(&map, 5), ["active", "active", "draining", "draining", "gone"]);
        map.advance(at(104), HELD, &[1, 1, 0, 0]);
        assert_eq!(map.reached, 4, "a host may still bring clients there");
        map.advance(at(200), HELD, &[1, 1, 0, 1]);
        assert_eq!(map.reached, 4);
        map.advance(at(201), HELD, &[1, 1, 0, 0]);
        assert_eq!(states(&map, 4), ["active", "active", "gone", "gone"]);
        assert!(map.is_settled());
    }

    #[test]
    fn the_longer_a_shard_drains_the_more_seldom_it_is_asked() {
        let mut map = ShardMap::new(2);
        map.resize(at(100), 1);
        let pauses = [100, 116, 132, 260, 100 + 86_400].map(|now| map.pause(at(now), Duration::from_secs(1)));
        assert_eq!(pauses, [1, 1, 2, 10, 300].map(Duration::from_secs));
        assert_eq!(
            map.pause(at(0), Duration::from_secs(1)),
            Duration::from_secs(1),
            "the clock was put back"
        );
    }

    #[test]
    fn a_resize_may_follow_before_the_last_has_ended() {
        let mut map = ShardMap::new(4);
        map.resize(at(100), 2);
        map.resize(at(101), 3);
        assert_eq!(states(&map, 4), ["active", "active", "warming", "draining"]);
        map.advance(at(106), HELD, &[1, 1, 1, 5]);
        assert_eq!(states(&map, 4), ["active", "active", "active", "draining"]);
        map.resize(at(107), 3);
        assert_eq!(map.version, 3, "that is what it is to become already");
        map.advance(at(112), HELD, &[1, 1, 1, 0]);
        assert!(map.is_settled());
        map.resize(at(113), 0);
        assert_eq!(map.target, 1, "there is always one");
    }

    #[test]
    fn a_map_survives_its_way() {
        let mut map = ShardMap::new(2);
        map.resize(at(1), 70);
        assert_eq!(ShardMap::decode(&map.encode()), Some(map));
        assert_eq!(ShardMap::decode("{}"), None);
    }
}
