//! Which shards a task goes to, how it reaches them, and which of their answers is the answer of all.
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

/// When a task that goes to several shards has succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Success {
    /// When one shard has.
    OfOne,
    /// When all shards have.
    OfAll,
}

/// What a shard made of its part of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// It is done.
    Done,
    /// What it is about is not on that shard.
    NotFound,
    /// It was refused, or what became of it is unknown.
    Failed,
}

impl Part {
    /// What a shard made of its part, by the status of its answer.
    #[must_use]
    pub const fn of_status(status: u16) -> Self {
        match status {
            200..300 => Self::Done,
            404 => Self::NotFound,
            _ => Self::Failed,
        }
    }
}

impl Success {
    /// Which of the answers of the shards is the answer of all; `None` where there is none.
    ///
    /// It is the first that failed, since the outcome of the operation is unknown there. Where one success is
    /// enough, a part that is not found is no failure.
    pub fn decisive(self, parts: impl Iterator<Item = Part>) -> Option<usize> {
        let (mut first, mut done) = (None, None);
        for (answer, part) in parts.enumerate() {
            match part {
                Part::Failed => return Some(answer),
                Part::NotFound if self == Self::OfAll => return Some(answer),
                Part::NotFound => {}
                Part::Done => done = done.or(Some(answer)),
            }
            first = first.or(Some(answer));
        }
        done.or(first)
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

    /// Whether a shard is one of these.
    #[must_use]
    pub const fn has(self, ShardId(shard): ShardId) -> bool {
        self.first <= shard && shard < self.end
    }

    /// The one shard of these that a task goes to, if it is one.
    ///
    /// Any shard can answer that it does not know a connection id which none of them made.
    #[must_use]
    pub fn only(self, place: &Destination) -> Option<ShardId> {
        match place {
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

    /// The shards that one of those that are asked asks in turn.
    #[must_use]
    pub fn behind(self, ShardId(asked): ShardId) -> Self {
        Self { first: asked.saturating_add(1), end: self.end.min(asked.saturating_add(self.stride())) }
    }

    const fn stride(self) -> u16 {
        let shards = self.end.saturating_sub(self.first);
        if shards <= Self::FLAT { 1 } else { shards.div_ceil(Self::BRANCHES) }
    }

    /// The path of a request with this range in front, if those that are asked have to ask others.
    #[must_use]
    pub fn address(self, path: String) -> String {
        if self.stride() == 1 {
            return path;
        }
        let range = (u32::from(self.first) << 16) | u32::from(self.end);
        format!("{}{range}{path}", Self::MARK)
    }

    /// Takes apart what [`ShardRange::address`] put together; `None` for a path as it was.
    #[must_use]
    pub fn of_address(address: &str) -> Option<(Self, &str)> {
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
            let behind = match ShardRange::of_address(&range.address("/api".to_owned())) {
                Some((range, "/api")) => range.behind(shard),
                range => {
                    assert_eq!(range, None);
                    continue;
                }
            };
            let (deeper, wider) = carry_out(behind, done);
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
        let (few, many) = (ShardRange::below(32), ShardRange::below(40));
        let path = "/api/hubs/h/:send?a=/b".to_owned();
        assert_eq!(few.address(path.clone()), path);
        assert_eq!(many.address(path.clone()), format!("/among/40{path}"));
        assert_eq!(ShardRange::of_address(&many.address(path.clone())), Some((many, path.as_str())));
        for other in [path.as_str(), "/among", "/among/", "/among/40", "/among/x/api", "/among/-1/api"] {
            assert_eq!(ShardRange::of_address(other), None, "{other}");
        }
    }

    #[test]
    fn a_range_without_shards_asks_none() {
        for range in
            [ShardRange { first: 9, end: 1 }, ShardRange { first: 70, end: 70 }, ShardRange::below(0)]
        {
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

    #[test]
    fn a_check_needs_one_shard_and_a_change_all_of_them() {
        for (statuses, of_one, of_all) in [
            (&[404, 404, 404][..], 0, 0),
            (&[404, 200, 200], 1, 0),
            (&[200, 404, 200], 0, 1),
            (&[404, 200, 500], 2, 0),
            (&[404, 500, 404], 1, 0),
            (&[200, 409, 404], 1, 1),
            (&[202, 204, 299], 0, 0),
            (&[202, 500, 404], 1, 1),
            (&[400, 400], 0, 0),
        ] {
            let parts = || statuses.iter().copied().map(Part::of_status);
            assert_eq!(Success::OfOne.decisive(parts()), Some(of_one), "{statuses:?}");
            assert_eq!(Success::OfAll.decisive(parts()), Some(of_all), "{statuses:?}");
        }
        assert_eq!(Success::OfAll.decisive([].into_iter()), None);
    }

    #[test]
    fn one_failed_shard_of_many_fails_the_whole() {
        for failed in 0..40 {
            let parts = || (0..40).map(|shard| if shard == failed { Part::Failed } else { Part::Done });
            assert_eq!(Success::OfOne.decisive(parts()), Some(failed));
            assert_eq!(Success::OfAll.decisive(parts()), Some(failed));
        }
    }
}
