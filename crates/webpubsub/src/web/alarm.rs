//! The time, and the one timer of a client.

use std::cell::Cell;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use gloo_timers::future::TimeoutFuture;
use js_sys::Date;
use webpubsub_protocol::time::Timestamp;

/// The longest pause that is asked of the page; ringing early is harmless.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// Wall-clock time that never goes back, so that setting the clock back stops no timer.
///
/// A page's monotonic clock may stand still while the machine sleeps; this one does not.
#[derive(Debug)]
pub(crate) struct Clock {
    last: Cell<f64>,
    lag: Cell<f64>,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self { last: Cell::new(Date::now()), lag: Cell::new(0.0) }
    }

    pub(crate) fn now(&self) -> Timestamp {
        let wall = Date::now();
        let gone_back = self.last.replace(wall) - wall;
        if gone_back > 0.0 {
            self.lag.set(self.lag.get() + gone_back);
        }
        Timestamp::from_millis((wall + self.lag.get()) as u64)
    }
}

/// Rings when the session wants it.
#[derive(Debug, Default)]
pub(crate) struct Alarm(Option<(Timestamp, TimeoutFuture)>);

impl Alarm {
    /// Ready when this moment has come, or sometimes a little early.
    pub(crate) fn poll(
        &mut self,
        context: &mut Context<'_>,
        clock: &Clock,
        due: Option<Timestamp>,
    ) -> Poll<()> {
        let Some(due) = due else {
            self.0 = None;
            return Poll::Pending;
        };
        // One that rings earlier stays: most frames then set no timer at all.
        if self.0.as_ref().is_some_and(|(set_for, _)| *set_for > due) {
            self.0 = None;
        }
        let (_, timeout) = self.0.get_or_insert_with(|| {
            let pause = due.since(clock.now()).min(LONGEST).as_millis();
            (due, TimeoutFuture::new(u32::try_from(pause).unwrap_or(u32::MAX)))
        });
        let rung = Pin::new(timeout).poll(context);
        if rung.is_ready() {
            self.0 = None;
        }
        rung
    }
}
