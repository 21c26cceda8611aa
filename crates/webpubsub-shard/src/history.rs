//! What the metrics of a shard were, minute by minute, for the last hour.

use webpubsub_protocol::time::Timestamp;

use crate::metrics::METRICS;

/// How many minutes a history has at most, with the one that is not over.
pub const HISTORY_MINUTES: u64 = 60;

/// The values of [`METRICS`], in their order.
pub type MetricValues = [u64; METRICS.len()];

/// What [`METRICS`] were in the last minutes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricHistory {
    /// How many minutes are known; [`HISTORY_MINUTES`] at most.
    pub minutes: u64,
    /// For each metric, in their order, a value for each of [`HISTORY_MINUTES`], the newest last, 0 for those that are
    /// not known. Of a counter, by how much it grew in the minute; of a gauge, its value at the end.
    pub metrics: Vec<Vec<u64>>,
}

/// The values that metrics had at the ends of minutes, as long as the memory lasts.
///
/// Nothing waits for a minute to be over: as long as nothing happens, the values are what they are. So a minute is
/// closed by the first thing that happens after it, before that changes anything, and an idle shard does no work.
#[derive(Debug)]
pub(crate) struct History {
    /// The first minute.
    since: u64,
    /// The minute that was not over when something happened last.
    open: u64,
    /// Minutes that were closed, at most [`HISTORY_MINUTES`], with the values at their ends, oldest first. The
    /// values hold up to the next of them, or the open one.
    closed: Vec<(u64, MetricValues)>,
}

impl History {
    /// The history of a shard whose memory begins.
    pub(crate) const fn new(now: Timestamp) -> Self {
        Self { since: minute_of(now), open: minute_of(now), closed: Vec::new() }
    }

    /// Whether the open minute is to be closed.
    pub(crate) const fn is_due(&self, now: Timestamp) -> bool {
        minute_of(now) > self.open
    }

    /// Closes the open minute, at whose end the values were these, and opens that of the present.
    pub(crate) fn close(&mut self, now: Timestamp, values: MetricValues) {
        self.closed.push((self.open, values));
        self.open = minute_of(now);
        // Of those before the hour the last one stays, from which the growth in its first minute is counted.
        let from = self.open.saturating_sub(HISTORY_MINUTES);
        let old = self.closed.iter().take_while(|(minute, _)| *minute <= from).count();
        self.closed.drain(..old.saturating_sub(1));
    }

    /// The history up to the minute of `until`; `values` are the present ones.
    pub(crate) fn read(&self, until: Timestamp, values: &MetricValues) -> MetricHistory {
        let last = minute_of(until);
        let minutes = HISTORY_MINUTES.min((last + 1).saturating_sub(self.since));
        let at = |minute: u64, metric: usize| {
            let closed = || self.closed.iter().rev().find(|(closed, _)| *closed <= minute);
            let values = if minute < self.open { closed().map(|(_, values)| values) } else { Some(values) };
            values.and_then(|values| values.get(metric)).copied().unwrap_or(0)
        };
        let mut metrics = Vec::new();
        for (index, metric) in METRICS.iter().enumerate() {
            let value = |ago| {
                if ago >= minutes {
                    return 0;
                }
                let minute = last - ago;
                let before = if metric.is_counter() && minute > 0 { at(minute - 1, index) } else { 0 };
                at(minute, index).saturating_sub(before)
            };
            metrics.push((0..HISTORY_MINUTES).rev().map(value).collect());
        }
        MetricHistory { minutes, metrics }
    }
}

/// The number of a moment's minute, counted from the Unix epoch.
const fn minute_of(time: Timestamp) -> u64 {
    time.as_seconds() / 60
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONNECTIONS: usize = 0;
    const OPENED: usize = 9;

    fn minute(number: u64) -> Timestamp {
        Timestamp::from_millis(number * 60_000)
    }

    /// Values of so many connections, all of which were opened.
    fn connections(count: u64) -> MetricValues {
        let mut values = MetricValues::default();
        values[CONNECTIONS] = count;
        values[OPENED] = count;
        values
    }

    /// A history that began in minute 100, in whose minutes happened what brings the connections to these numbers.
    fn history(numbers: &[(u64, u64)]) -> (History, MetricValues) {
        let (mut history, mut values) = (History::new(minute(100)), connections(0));
        for (number, count) in numbers {
            if history.is_due(minute(*number)) {
                history.close(minute(*number), values);
            }
            values = connections(*count);
        }
        (history, values)
    }

    /// The known minutes of a metric, before which there are none but zeros.
    fn known(history: &MetricHistory, metric: usize) -> Vec<u64> {
        let minutes = &history.metrics[metric];
        let (before, known) = minutes.split_at(minutes.len() - usize::try_from(history.minutes).unwrap());
        assert!(before.iter().all(|value| *value == 0), "{minutes:?}");
        known.to_vec()
    }

    fn read((history, values): &(History, MetricValues), until: u64, metric: usize) -> Vec<u64> {
        known(&history.read(minute(until), values), metric)
    }

    #[test]
    fn a_history_begins_with_the_memory() {
        let new = history(&[]);
        assert_eq!(read(&new, 100, CONNECTIONS), [0]);
        assert_eq!(read(&new, 102, CONNECTIONS), [0, 0, 0]);
        assert_eq!(read(&new, 99, CONNECTIONS), [0; 0], "a clock that is behind");
    }

    #[test]
    fn a_minute_in_which_nothing_happened_is_like_its_past() {
        let quiet = history(&[(100, 2), (103, 5)]);
        assert_eq!(read(&quiet, 104, CONNECTIONS), [2, 2, 2, 5, 5]);
        assert_eq!(read(&quiet, 104, OPENED), [2, 0, 0, 3, 0]);
    }

    #[test]
    fn a_minute_is_over_with_its_last_millisecond() {
        let (mut history, values) = history(&[(100, 2)]);
        let last = Timestamp::from_millis(101 * 60_000 - 1);
        assert_eq!([last, minute(101)].map(|now| history.is_due(now)), [false, true]);
        history.close(minute(101), values);
        assert!(!history.is_due(minute(100)), "a clock that goes back");
        assert_eq!(known(&history.read(minute(101), &connections(3)), OPENED), [2, 1]);
    }

    #[test]
    fn what_is_read_ends_with_the_readers_minute() {
        let busy = history(&[(100, 1), (101, 2), (102, 4)]);
        assert_eq!(read(&busy, 102, OPENED), [1, 1, 2]);
        assert_eq!(read(&busy, 101, OPENED), [1, 1], "a clock that is behind");
        assert_eq!(read(&busy, 103, OPENED), [1, 1, 2, 0]);
    }

    #[test]
    fn an_hour_is_kept_and_no_more() {
        let counts: Vec<(u64, u64)> = (0..200).map(|number| (100 + number, 2 * number)).collect();
        let busy = history(&counts);
        assert_eq!(busy.0.closed.len() as u64, HISTORY_MINUTES);
        let expected: Vec<u64> = (140..200).map(|number| 2 * number).collect();
        assert_eq!(read(&busy, 299, CONNECTIONS), expected);
        assert_eq!(read(&busy, 299, OPENED), [2; 60]);
    }

    #[test]
    fn what_happened_before_the_hour_does_not_count() {
        let woken = history(&[(100, 7), (101, 8), (500, 9)]);
        let mut expected = vec![0; 60];
        expected[59] = 1;
        assert_eq!(read(&woken, 500, OPENED), expected);
        expected.fill(8);
        expected[59] = 9;
        assert_eq!(read(&woken, 500, CONNECTIONS), expected);
        assert_eq!(woken.0.closed.len(), 1);
    }
}
