//! The time that a connection has for the head of a request.
//!
//! Hyper begins a sleep before each request and drops it when the head is there. A sleep of the runtime would be entered
//! in its list of timers and taken out of it again each time. One of these is only compared with the clock, whenever
//! its connection's task looks at it, which it does every [`LOOK`] at least.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper::rt::{Sleep, Timer};

use crate::long_heads::Head;

/// How late the end of a sleep is seen, at most.
pub(crate) const LOOK: Duration = Duration::from_secs(5);

/// Makes sleeps that wake no task. As long as there is one, a head is read.
#[derive(Debug, Clone)]
pub(crate) struct HeadTimer(pub(crate) Arc<Head>);

struct HeadSleep {
    head: Arc<Head>,
    until: Instant,
}

impl Timer for HeadTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(self.now() + duration)
    }

    fn sleep_until(&self, until: Instant) -> Pin<Box<dyn Sleep>> {
        self.0.begin();
        Box::pin(HeadSleep { head: Arc::clone(&self.0), until })
    }

    fn now(&self) -> Instant {
        now()
    }
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

impl Future for HeadSleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if now() < self.until { Poll::Pending } else { Poll::Ready(()) }
    }
}

impl Sleep for HeadSleep {}

impl Drop for HeadSleep {
    fn drop(&mut self) {
        self.head.end();
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;
    use crate::long_heads::LongHeads;

    #[test]
    fn a_sleep_is_over_when_it_is_looked_at_after_its_end() {
        let mut context = Context::from_waker(Waker::noop());
        let timer = HeadTimer(LongHeads::default().head());
        let mut later = timer.sleep(Duration::from_secs(3600));
        assert!(later.as_mut().poll(&mut context).is_pending());
        let mut over = timer.sleep_until(timer.now());
        assert!(over.as_mut().poll(&mut context).is_ready());
    }
}
