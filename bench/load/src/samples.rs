//! How long each of many things took.

use std::time::Duration;

/// Times in any order.
#[derive(Debug, Default)]
pub(crate) struct Samples(Vec<Duration>);

impl Samples {
    /// Adds one.
    pub(crate) fn add(&mut self, time: Duration) {
        self.0.push(time);
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The least time that so many of a hundred do not exceed, by the nearest rank; `None` if there
    /// are none.
    pub(crate) fn percentile(&self, percent: usize) -> Option<Duration> {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let rank = (sorted.len() * percent).div_ceil(100);
        sorted.get(rank.saturating_sub(1)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(times: impl IntoIterator<Item = u64>) -> Samples {
        Samples(times.into_iter().map(Duration::from_millis).collect())
    }

    #[test]
    fn percentiles_are_times_of_the_nearest_rank() {
        let hundred = samples((1..=100).rev());
        assert_eq!(hundred.percentile(50), Some(Duration::from_millis(50)));
        assert_eq!(hundred.percentile(99), Some(Duration::from_millis(99)));
        assert_eq!(hundred.percentile(100), Some(Duration::from_millis(100)));
        assert_eq!(samples([7, 1, 3]).percentile(50), Some(Duration::from_millis(3)));
        assert_eq!(samples([5]).percentile(0), Some(Duration::from_millis(5)));
    }

    #[test]
    fn without_samples_there_is_no_percentile() {
        assert_eq!(samples([]).percentile(50), None);
        assert_eq!(samples([]).len(), 0);
    }
}
