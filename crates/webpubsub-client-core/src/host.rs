//! What hosts on JavaScript have in common: a clock that can be set back, and timers of milliseconds.

use std::cell::Cell;

use webpubsub_protocol::time::{Timestamp, whole_millis};

/// Time that never goes back, from readings of a wall clock that may be set back: that stops no timer.
///
/// A page's monotonic clock may stand still while the machine sleeps; a wall clock does not.
///
/// ```
/// use webpubsub_client_core::SteadyClock;
///
/// let clock = SteadyClock::default();
/// let before = clock.at(1_000.0);
/// assert_eq!(clock.at(400.0), before);
/// assert_eq!(clock.at(401.0).since(before).as_millis(), 1);
/// ```
#[derive(Debug, Default)]
pub struct SteadyClock {
    last: Cell<f64>,
    lag: Cell<f64>,
}

impl SteadyClock {
    /// The time, where the wall clock shows so many milliseconds since 1970.
    #[must_use]
    pub fn at(&self, wall: f64) -> Timestamp {
        let gone_back = self.last.replace(wall) - wall;
        if gone_back > 0.0 {
            self.lag.set(self.lag.get() + gone_back);
        }
        Timestamp::from_millis((wall + self.lag.get()) as u64)
    }
}

/// When a host's one timer rings. One that rings earlier than it has to stays, for ringing early is
/// harmless: most frames then set no timer at all.
///
/// ```
/// use webpubsub_client_core::HostTimer;
/// use webpubsub_protocol::time::Timestamp;
///
/// let at = |millis| Some(Timestamp::from_millis(millis));
/// let now = || Timestamp::from_millis(0);
/// let timer = HostTimer::default();
/// assert_eq!(timer.set(at(20), now), Some(20));
/// assert_eq!(timer.set(at(30), now), None);
/// assert_eq!(timer.set(at(10), now), Some(10));
/// timer.rang();
/// assert_eq!(timer.set(at(30), now), Some(30));
/// assert_eq!(timer.set(None, now), Some(-1));
/// ```
#[derive(Debug, Default)]
pub struct HostTimer {
    set_for: Cell<Option<Timestamp>>,
}

impl HostTimer {
    /// The timer has rung.
    pub fn rang(&self) {
        self.set_for.set(None);
    }

    /// The timer has to ring at this moment, if ever, or earlier: the milliseconds to set it to, at most
    /// [`i32::MAX`], or a negative number to stop it; `None` where it stays as it is.
    #[must_use]
    pub fn set(&self, next: Option<Timestamp>, now: impl FnOnce() -> Timestamp) -> Option<i32> {
        let set_for = self.set_for.get();
        if set_for == next || set_for.is_some_and(|set_for| next.is_some_and(|next| set_for <= next)) {
            return None;
        }
        self.set_for.set(next);
        let pause = next.map(|next| whole_millis(next.since(now())));
        Some(pause.map_or(-1, |pause| i32::try_from(pause).unwrap_or(i32::MAX)))
    }
}
