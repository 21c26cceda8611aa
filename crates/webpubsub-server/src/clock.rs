//! The process's clocks: the time of day, and the one that objects go by.

use std::cell::Cell;
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::time::Instant;
use webpubsub_protocol::time::{Timestamp, whole_millis};

thread_local! {
    static STEADY: Cell<Steady> = Cell::new(Steady { day: Timestamp::from_millis(0), since: Instant::now() });
}

/// The time of day, which may be put forward and back. What comes from outside is judged by it: tokens, above all.
#[expect(clippy::disallowed_methods, reason = "the pure crates are given the time from here")]
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(whole_millis(since))
}

/// The time of day, but for a clock that is put back: then it goes on from where it was. What objects are to do
/// later is compared with it, and would else wait until the clock is where it was before.
pub(crate) fn steady() -> Timestamp {
    let mut clock = STEADY.get();
    let now = clock.at(Instant::now(), now());
    STEADY.set(clock);
    now
}

/// A clock that is never put back.
#[derive(Debug, Clone, Copy)]
struct Steady {
    /// What it was when the time of day was last ahead of it.
    day: Timestamp,
    since: Instant,
}

impl Steady {
    fn at(&mut self, instant: Instant, day: Timestamp) -> Timestamp {
        let steady = self.day.after(instant.duration_since(self.since));
        if day >= steady {
            *self = Self { day, since: instant };
        }
        day.max(steady)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const DAY: u64 = 1_700_000_000_000;

    /// What a steady clock shows, after microseconds of which each has a time of day in milliseconds.
    fn shown<const N: usize>(times: [(u64, u64); N]) -> [u64; N] {
        let since = Instant::now();
        let mut clock = Steady { day: Timestamp::from_millis(0), since };
        times.map(|(micros, day)| {
            let shown = clock.at(since + Duration::from_micros(micros), Timestamp::from_millis(DAY + day));
            shown.as_millis() - DAY
        })
    }

    #[test]
    fn a_clock_that_is_put_forward_is_followed() {
        assert_eq!(shown([(0, 0), (1_000, 1), (2_000, 3_600_002)]), [0, 1, 3_600_002]);
    }

    #[test]
    fn a_clock_that_is_put_back_goes_on_from_where_it_was() {
        let times = [(0, 3_600_000), (1_000, 1), (1_400, 1), (1_800, 1), (2_200, 2), (9_000_000, 9_000)];
        assert_eq!(shown(times), [3_600_000, 3_600_001, 3_600_001, 3_600_001, 3_600_002, 3_609_000]);
        // The time of day has come as far again.
        assert_eq!(shown([(0, 10), (1_000, 5), (7_000, 11), (20_000, 30)]), [10, 11, 17, 30]);
    }
}
