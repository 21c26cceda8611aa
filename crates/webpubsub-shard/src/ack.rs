//! Ack ids that a connection has used.

use std::collections::VecDeque;

use webpubsub_protocol::id::AckId;
use webpubsub_protocol::limits::ACK_CACHE_SIZE;

/// The ack ids of a connection's last 1000 successful operations, whatever the operations were.
///
/// Kept as runs of successive numbers, because that is how clients count: usually one run.
///
/// Source: docs/spec/client.md#acks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct AckCache {
    /// Oldest first.
    runs: VecDeque<Run>,
    /// Ids in all runs.
    size: usize,
}

/// `length` successive numbers from `first` on, in the order used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) first: u64,
    /// 1 to 1000.
    pub(crate) length: u16,
}

impl AckCache {
    pub(crate) fn contains(&self, id: AckId) -> bool {
        self.runs.iter().any(|run| id.0.checked_sub(run.first).is_some_and(|at| at < u64::from(run.length)))
    }

    /// Remembers an id that it does not contain, and forgets the oldest above 1000.
    pub(crate) fn insert(&mut self, id: AckId) {
        match self.runs.back_mut() {
            Some(run) if run.first.checked_add(u64::from(run.length)) == Some(id.0) => run.length += 1,
            Some(_) | None => self.runs.push_back(Run { first: id.0, length: 1 }),
        }
        self.size += 1;
        if self.size > ACK_CACHE_SIZE {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some(run) = self.runs.front_mut() {
            self.size -= 1;
            if run.length == 1 {
                self.runs.pop_front();
            } else {
                run.length -= 1;
                run.first += 1;
            }
        }
    }

    /// Remembers ids in the order in which they were used; see [`AckCache::insert`].
    pub(crate) fn extend(&mut self, runs: impl IntoIterator<Item = Run>) {
        for id in runs
            .into_iter()
            .flat_map(|run| (0..u64::from(run.length)).map(move |at| run.first.wrapping_add(at)))
        {
            self.insert(AckId(id));
        }
    }

    /// The last `count` ids.
    fn last(&self, count: usize) -> Vec<Run> {
        let (mut runs, mut missing) = (Vec::new(), count);
        for run in self.runs.iter().rev() {
            let taken = usize::from(run.length).min(missing);
            let length = u16::try_from(taken).unwrap_or(u16::MAX);
            if length == 0 {
                break;
            }
            runs.push(Run { first: run.first + u64::from(run.length - length), length });
            missing -= taken;
        }
        runs.reverse();
        runs
    }

    pub(crate) fn runs(&self) -> impl ExactSizeIterator<Item = Run> {
        self.runs.iter().copied()
    }

    /// Puts runs back that [`AckCache::runs`] gave.
    pub(crate) fn from_runs(runs: impl IntoIterator<Item = Run>) -> Self {
        let mut cache = Self::default();
        for run in runs {
            if run.length > 0 && cache.size + usize::from(run.length) <= ACK_CACHE_SIZE {
                cache.size += usize::from(run.length);
                cache.runs.push_back(run);
            }
        }
        cache
    }
}

/// How much of an [`AckCache`] is on disk: in parts, each what was used since the one before. Once they
/// hold twice what is remembered, one part replaces all.
#[derive(Debug, Default)]
pub(crate) struct WrittenAcks {
    /// The next part's number.
    part: u32,
    /// How many ids the parts before hold.
    written: usize,
    /// How many ids were used since the last part.
    unwritten: usize,
}

impl WrittenAcks {
    /// Counts an id that was used. Returns whether it is the first since they were written.
    pub(crate) const fn add(&mut self) -> bool {
        self.unwritten += 1;
        self.unwritten == 1
    }

    /// Restores a part from the disk, which comes later than all before.
    pub(crate) fn restore(&mut self, part: u32, runs: &[Run]) {
        self.part = part.saturating_add(1);
        self.written += runs.iter().map(|run| usize::from(run.length)).sum::<usize>();
    }

    /// What is to be written, and as which part; `None` if everything is.
    pub(crate) fn take_unwritten(&mut self, acks: &AckCache) -> Option<(u32, Vec<Run>)> {
        let unwritten = std::mem::take(&mut self.unwritten).min(acks.size);
        if unwritten == 0 {
            return None;
        }
        if self.written + unwritten > 2 * ACK_CACHE_SIZE || self.part == u32::MAX {
            *self = Self::default();
        }
        let ids = if self.part == 0 { acks.size } else { unwritten };
        self.written += ids;
        self.part += 1;
        Some((self.part - 1, acks.last(ids)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn zero_and_the_largest_number_are_ack_ids() {
        let mut cache = AckCache::default();
        for id in [u64::MAX, 0, 1, u64::MAX - 1] {
            assert!(!cache.contains(AckId(id)));
            cache.insert(AckId(id));
            assert!(cache.contains(AckId(id)), "{id}");
        }
        assert!(!cache.contains(AckId(2)));
    }

    #[test]
    fn the_thousand_and_first_id_pushes_the_first_one_out() {
        let mut cache = AckCache::default();
        for id in 1..=1000 {
            cache.insert(AckId(id));
        }
        assert!(cache.contains(AckId(1)));
        assert_eq!(cache.runs().len(), 1);
        cache.insert(AckId(5000));
        assert!(!cache.contains(AckId(1)));
        assert!(cache.contains(AckId(2)) && cache.contains(AckId(1000)) && cache.contains(AckId(5000)));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn it_remembers_what_a_plain_queue_would(
            ids in prop::collection::vec(prop_oneof![0..2500_u64, any::<u64>()], 0..3000)
        ) {
            let mut cache = AckCache::default();
            let mut queue: VecDeque<u64> = VecDeque::new();
            for id in ids {
                prop_assert_eq!(cache.contains(AckId(id)), queue.contains(&id));
                if !queue.contains(&id) {
                    cache.insert(AckId(id));
                    queue.push_back(id);
                    if queue.len() > ACK_CACHE_SIZE {
                        queue.pop_front();
                    }
                }
            }
            prop_assert_eq!(&AckCache::from_runs(cache.runs().collect::<Vec<_>>()), &cache);
        }
    }
}
