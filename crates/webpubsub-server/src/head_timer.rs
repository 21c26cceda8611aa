//! The time that a connection has for the head of a request.
//!
//! Hyper begins a sleep before each request and drops it when the head is there. A sleep of the runtime would be entered
//! in its list of timers and taken out of it again each time. One of these is only compared with the clock, whenever
//! its connection's task looks at it, which it does every [`LOOK`] at least.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper::rt::{Sleep, Timer};

/// How late the end of a sleep is seen, at most.
pub(crate) const LOOK: Duration = Duration::from_secs(5);

/// Makes sleeps that wake no task.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HeadTimer;

struct HeadSleep {
    until: Instant,
}

impl Timer for HeadTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(self.now() + duration)
    }

    fn sleep_until(&self, until: Instant) -> Pin<Box<dyn Sleep>> {
        Box::pin(HeadSleep { until })
    }

    fn now(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }
}

impl Future for HeadSleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if HeadTimer.now() < self.until { Poll::Pending } else { Poll::Ready(()) }
    }
}

impl Sleep for HeadSleep {}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    #[test]
    fn a_sleep_is_over_when_it_is_looked_at_after_its_end() {
        let mut context = Context::from_waker(Waker::noop());
        let mut later = HeadTimer.sleep(Duration::from_secs(3600));
        assert!(later.as_mut().poll(&mut context).is_pending());
        let mut over = HeadTimer.sleep_until(HeadTimer.now());
        assert!(over.as_mut().poll(&mut context).is_ready());
    }
}
