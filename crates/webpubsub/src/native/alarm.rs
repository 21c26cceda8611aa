//! The time, and the one timer of a client.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};
use webpubsub_protocol::time::Timestamp;

/// The longest pause that is asked of tokio; ringing early is harmless.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// Time since the client's task began, which never goes back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    start: Instant,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self { start: Instant::now() }
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_millis(0).after(self.start.elapsed())
    }
}

/// Rings when the session wants it.
#[derive(Debug, Default)]
pub(crate) struct Alarm(Option<(Timestamp, Pin<Box<Sleep>>)>);

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
        let (set_for, sleep) = self.0.get_or_insert_with(|| (due, Box::pin(sleep_until(moment(clock, due)))));
        if *set_for != due {
            *set_for = due;
            sleep.as_mut().reset(moment(clock, due));
        }
        let rung = sleep.as_mut().poll(context);
        if rung.is_ready() {
            self.0 = None;
        }
        rung
    }
}

fn moment(clock: &Clock, due: Timestamp) -> Instant {
    let now = clock.now();
    let pause = due.since(now).min(LONGEST);
    let wanted = Duration::from_millis(now.as_millis()).saturating_add(pause);
    clock.start.checked_add(wanted).unwrap_or_else(Instant::now)
}
