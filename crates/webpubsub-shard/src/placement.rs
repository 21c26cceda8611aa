//! Which shard a new connection goes to, by what a host knows of their loads.

use std::time::Duration;

use webpubsub_protocol::time::Timestamp;

use crate::config::Full;
use crate::shard_id::ShardId;

/// How many connections each shard of a hub held when it last answered a connect.
#[derive(Debug, Default)]
pub struct Loads(Vec<Load>);

#[derive(Debug, Clone, Copy, Default)]
struct Load {
    connections: usize,
    until: Timestamp,
}

impl Loads {
    /// How long a recorded load counts. A shard that was full may be empty by then.
    const KNOWN_FOR: Duration = Duration::from_secs(60);

    /// Records how many connections a shard holds.
    pub fn record(&mut self, now: Timestamp, ShardId(shard): ShardId, connections: usize) {
        let shard = usize::from(shard);
        if shard >= self.0.len() {
            self.0.resize(shard + 1, Load::default());
        }
        if let Some(load) = self.0.get_mut(shard) {
            *load = Load { connections, until: now.after(Self::KNOWN_FOR) };
        }
    }

    /// What is known; a shard of which nothing is known counts as empty.
    fn of(&self, now: Timestamp, shard: u16) -> usize {
        let known = self.0.get(usize::from(shard)).filter(|load| now < load.until);
        known.map_or(0, |load| load.connections)
    }
}

/// The order in which shards are asked to take a new connection, until one does: the less loaded of two that
/// are drawn at random, and then the others by their numbers. Shards known to be at the soft limit follow
/// once all others have refused, and shards known to be full come last.
///
/// A few full shards stand for all that are known to be full, so that a full hub refuses
/// soon. That a hub's quota is used up takes the answers of all shards, since each knows only its share.
#[derive(Debug)]
pub struct Placement {
    first: u16,
    /// Whether each shard was asked.
    asked: Vec<bool>,
    /// How many shards were looked at, in all rounds.
    looks: usize,
    /// The load up to which a shard is asked in the first round, and in the second.
    limits: [usize; 2],
    full: u8,
}

impl Placement {
    /// The default of the soft limit, in connections.
    pub const DEFAULT_SOFT_LIMIT: u32 = 5000;

    /// How many full shards stand for all.
    const ENOUGH_FULL: u8 = 4;

    /// The placement of a client on one of `shards` shards, of which two are `drawn`; `limits` are the soft
    /// and the hard one.
    #[must_use]
    pub fn new(now: Timestamp, loads: &Loads, drawn: [u16; 2], shards: u16, limits: [usize; 2]) -> Self {
        let shards = shards.max(1);
        let [one, step] = drawn;
        let one = one % shards;
        // Another one, if there is another.
        let other = step.checked_rem(shards - 1).map_or(one, |step| Self::after(one, step + 1, shards));
        let first = if loads.of(now, other) < loads.of(now, one) { other } else { one };
        Self { first, asked: vec![false; usize::from(shards)], looks: 0, limits, full: 0 }
    }

    /// The next shard to ask, which is taken to accept.
    pub fn next(&mut self, now: Timestamp, loads: &mut Loads) -> Option<ShardId> {
        let [soft, hard] = self.limits;
        let shards = self.asked.len();
        loop {
            let below = match self.looks / shards {
                0 => soft,
                1 => hard,
                2 if self.full < Self::ENOUGH_FULL => usize::MAX,
                _ => return None,
            };
            let step = (self.looks % shards) as u16;
            let shard = Self::after(self.first, step, shards as u16);
            self.looks += 1;
            let load = loads.of(now, shard);
            if let Some(asked) = self.asked.get_mut(usize::from(shard))
                && !*asked
                && load < below
            {
                *asked = true;
                let shard = ShardId(shard);
                loads.record(now, shard, load + 1);
                return Some(shard);
            }
        }
    }

    /// Records why the shard that was asked last refused.
    pub const fn refused(&mut self, why: Full) {
        match why {
            Full::Shard => self.full = self.full.saturating_add(1),
            Full::Quota => {}
        }
    }

    /// Why the hub has no room, when all shards refused.
    #[must_use]
    pub const fn outcome(&self) -> Full {
        if self.full > 0 { Full::Shard } else { Full::Quota }
    }

    /// The shard `step` numbers after another one, wrapping around.
    const fn after(shard: u16, step: u16, shards: u16) -> u16 {
        ((shard as u32 + step as u32) % shards as u32) as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);
    const LIMITS: [usize; 2] = [10, 20];

    fn loads(known: &[(u16, usize)]) -> Loads {
        let mut loads = Loads::default();
        known.iter().for_each(|(shard, connections)| loads.record(NOW, ShardId(*shard), *connections));
        loads
    }

    /// The shards that a connection is offered to while they refuse it, and what that comes to.
    fn offered(
        drawn: [u16; 2],
        shards: u16,
        known: &[(u16, usize)],
        refusal: impl Fn(u16) -> Full,
    ) -> (Vec<u16>, Full) {
        let mut loads = loads(known);
        let mut offers = Placement::new(NOW, &loads, drawn, shards, LIMITS);
        let mut asked = Vec::new();
        while let Some(ShardId(shard)) = offers.next(NOW, &mut loads) {
            asked.push(shard);
            offers.refused(refusal(shard));
        }
        (asked, offers.outcome())
    }

    /// The same where every shard is full.
    fn full(drawn: [u16; 2], shards: u16, known: &[(u16, usize)]) -> Vec<u16> {
        let (asked, outcome) = offered(drawn, shards, known, |_| Full::Shard);
        assert_eq!(outcome, Full::Shard);
        asked
    }

    #[test]
    fn the_only_shard_is_asked_once_whatever_is_known_of_it() {
        for known in [0, 5, 10, 20, 1000] {
            for drawn in [[0, 0], [7, 9], [u16::MAX, u16::MAX]] {
                assert_eq!(full(drawn, 1, &[(0, known)]), [0]);
                assert_eq!(full(drawn, 0, &[(0, known)]), [0]);
            }
        }
    }

    #[test]
    fn the_less_loaded_of_two_drawn_shards_is_asked_first() {
        assert_eq!(full([6, 0], 4, &[(2, 5), (3, 4)]), [3, 0, 1, 2]);
        assert_eq!(full([6, 0], 4, &[(2, 4), (3, 5)]), [2, 3, 0, 1]);
        assert_eq!(full([6, 1], 4, &[(2, 5), (3, 4), (0, 4)]), [0, 1, 2, 3], "2 and 0 were drawn");
        assert_eq!(full([6, 0], 4, &[(2, 4), (3, 4)]), [2, 3, 0, 1], "the first of two that are equal");
    }

    #[test]
    fn the_two_that_are_drawn_are_two() {
        for step in 0..10 {
            let known: Vec<_> = (0..5).map(|shard| (shard, usize::from(shard == 3))).collect();
            assert_ne!(full([3, step], 5, &known)[0], 3);
        }
        assert_eq!(full([u16::MAX, u16::MAX], u16::MAX, &[(0, 1)])[0], 2);
    }

    #[test]
    fn a_shard_of_which_nothing_is_known_counts_as_empty() {
        assert_eq!(full([0, 0], 2, &[(0, 1)]), [1, 0]);
        assert_eq!(full([0, 0], 2, &[(0, 1), (1, 0)]), [1, 0]);
        assert_eq!(full([0, 0], 2, &[]), [0, 1]);
    }

    #[test]
    fn what_a_shard_said_counts_for_a_while() {
        let said = loads(&[(0, 1)]);
        let first = |after: u64| {
            let now = NOW.after(Duration::from_millis(after));
            Placement::new(now, &said, [0, 0], 2, LIMITS).first
        };
        assert_eq!((first(0), first(59_999), first(60_000)), (1, 1, 0));
    }

    #[test]
    fn an_offer_counts_as_taken_until_the_shard_has_answered() {
        let mut loads = Loads::default();
        let offer = |loads: &mut Loads| {
            Placement::new(NOW, loads, [0, 0], 2, LIMITS).next(NOW, loads).map(|shard| shard.0)
        };
        assert_eq!([offer(&mut loads), offer(&mut loads), offer(&mut loads)], [Some(0), Some(1), Some(0)]);
        loads.record(NOW, ShardId(0), 0);
        assert_eq!(offer(&mut loads), Some(0));
    }

    #[test]
    fn shards_below_the_soft_limit_come_before_those_above() {
        let known = [(0, 10), (1, 20), (2, 9), (3, 19), (4, 0)];
        assert_eq!(full([0, 0], 6, &known), [2, 4, 5, 0, 3], "four full ones speak for a fifth");
        let (asked, _) = offered([0, 0], 6, &known, |_| Full::Quota);
        assert_eq!(asked, [2, 4, 5, 0, 3, 1]);
        assert_eq!(full([0, 0], 3, &[(0, 12), (1, 11), (2, 12)]), [1, 2, 0], "all are at it");
    }

    #[test]
    fn four_full_shards_speak_for_those_that_are_known_to_be_full() {
        let known: Vec<_> = (0..100).map(|shard| (shard, 20)).collect();
        assert_eq!(full([99, 0], 100, &known), [99, 0, 1, 2]);
        let in_order: Vec<_> = (0..100).collect();
        assert_eq!(full([0, 0], 100, &[]), in_order, "any other may have room");
        assert_eq!(full([0, 0], 100, &known[..50]), in_order[50..]);
    }

    #[test]
    fn only_all_shards_together_have_reached_a_quota() {
        let (asked, outcome) = offered([2, 0], 9, &[], |_| Full::Quota);
        assert_eq!((asked, outcome), (vec![2, 3, 4, 5, 6, 7, 8, 0, 1], Full::Quota));
        let one_is_full = |shard| if shard == 7 { Full::Shard } else { Full::Quota };
        let (asked, outcome) = offered([0, 0], 9, &[], one_is_full);
        assert_eq!((asked.len(), outcome), (9, Full::Shard), "one with more room would have taken it");
        let known: Vec<_> = (0..1000).map(|shard| (shard, usize::from(shard % 30))).collect();
        let (mut asked, _) = offered([0, 0], u16::MAX, &known, |_| Full::Quota);
        asked.sort_unstable();
        assert!(asked.into_iter().eq(0..u16::MAX), "each once");
    }

    #[test]
    fn shards_stay_balanced_also_where_one_was_empty() {
        let mut held = [60, 60, 0, 60];
        let mut loads = Loads::default();
        let mut random: u32 = 1;
        for _ in 0..600 {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let drawn = [(random >> 16) as u16, (random >> 8) as u16];
            let shard = Placement::new(NOW, &loads, drawn, 4, [1000; 2]).next(NOW, &mut loads).unwrap();
            held[usize::from(shard.0)] += 1;
            loads.record(NOW, shard, held[usize::from(shard.0)]);
        }
        let (least, most) = (held.iter().min().unwrap(), held.iter().max().unwrap());
        assert!(most * 20 <= least * 21, "{held:?}");
    }
}
