//! The time that a client has for the rest of a message. Who begins one and never ends it would else have the memory for
//! what has come of it, up to some megabytes, for ever.

use std::future::pending;
use std::pin::Pin;
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep};

/// How long a message, or the body of a request, may take from its first byte to its last. Who is slow has enough of it: a
/// message of 1 MiB that comes with 3.5 KB a second.
pub(crate) const MESSAGE_TIME: Duration = Duration::from_secs(300);

/// The end of the time for a message, while one has begun. Where none has, as on an idle socket, there is no timer.
#[derive(Debug, Default)]
pub(crate) struct MessageTimer {
    end: Option<Pin<Box<Sleep>>>,
    /// Which message it is for.
    message: u32,
}

impl MessageTimer {
    /// Something has come, after which the message of this number is unfinished, if one is.
    pub(crate) fn look(&mut self, unfinished: Option<u32>) {
        let Some(message) = unfinished else {
            self.end = None;
            return;
        };
        if self.end.is_none() {
            self.end = Some(Box::pin(sleep(MESSAGE_TIME)));
        } else if self.message != message {
            self.restart();
        }
        self.message = message;
    }

    /// Begins the time again: the service was to blame that nothing was read.
    pub(crate) fn restart(&mut self) {
        if let Some(end) = &mut self.end {
            end.as_mut().reset(Instant::now() + MESSAGE_TIME);
        }
    }

    /// Waits until a message has taken too long.
    pub(crate) async fn over(&mut self) {
        match &mut self.end {
            Some(end) => end.as_mut().await,
            None => pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{advance, timeout};

    use super::*;

    const PART: Duration = MESSAGE_TIME.checked_div(3).unwrap();

    /// Whether the time is over.
    async fn is_over(timer: &mut MessageTimer) -> bool {
        timeout(Duration::ZERO, timer.over()).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_is_from_a_messages_first_byte_on() {
        let mut timer = MessageTimer::default();
        for _ in 0..3 {
            timer.look(Some(1));
            assert!(!is_over(&mut timer).await);
            advance(PART).await;
        }
        assert!(is_over(&mut timer).await);
    }

    #[tokio::test(start_paused = true)]
    async fn each_message_has_its_own_time() {
        let mut timer = MessageTimer::default();
        for message in 0..9 {
            timer.look(Some(message));
            advance(2 * PART).await;
            assert!(!is_over(&mut timer).await, "message {message}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn between_messages_there_is_no_timer() {
        let mut timer = MessageTimer::default();
        timer.look(None);
        assert!(timer.end.is_none());
        timer.look(Some(1));
        timer.look(None);
        assert!(timer.end.is_none());
        advance(10 * MESSAGE_TIME).await;
        assert!(!is_over(&mut timer).await);
    }
}
