//! The time, and the one timer of a client.

use std::pin::Pin;
use std::task::{Context, Poll};

use gloo_timers::future::TimeoutFuture;
use js_sys::Date;
use webpubsub_client_core::{HostTimer, SteadyClock};
use webpubsub_protocol::time::Timestamp;

/// The time, which never goes back.
#[derive(Debug)]
pub(crate) struct Clock(SteadyClock);

impl Clock {
    pub(crate) fn new() -> Self {
        Self(SteadyClock::default())
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.0.at(Date::now())
    }
}

/// Rings when the session wants it.
#[derive(Debug, Default)]
pub(crate) struct Alarm {
    timer: HostTimer,
    timeout: Option<TimeoutFuture>,
}

impl Alarm {
    /// Ready when this moment has come, or sometimes a little early.
    pub(crate) fn poll(
        &mut self,
        context: &mut Context<'_>,
        clock: &Clock,
        due: Option<Timestamp>,
    ) -> Poll<()> {
        if let Some(milliseconds) = self.timer.set(due, || clock.now()) {
            self.timeout = u32::try_from(milliseconds).ok().map(TimeoutFuture::new);
        }
        let Some(timeout) = &mut self.timeout else {
            return Poll::Pending;
        };
        let rung = Pin::new(timeout).poll(context);
        if rung.is_ready() {
            self.timer.rang();
            self.timeout = None;
        }
        rung
    }
}
