//! What an application has not read yet: a queue with bounds, which loses its oldest and says so.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// How much of what an application has not read is kept for it, for each of its streams.
///
/// Where one more would be too much, the oldest go, and the stream says how many they were. The
/// client itself never waits for a stream's reader: acks, pings and other streams go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueLimits {
    /// The most events, 1 at least.
    pub events: usize,
    /// The most bytes of their payloads. One event alone may be larger.
    pub bytes: usize,
}

impl Default for QueueLimits {
    /// 1,024 events and 16 MiB.
    fn default() -> Self {
        Self { events: 1024, bytes: 16 << 20 }
    }
}

/// The application reads a stream too slowly: this many of its oldest messages were let go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{missed} messages were not read in time")]
pub struct Lagged {
    /// How many.
    pub missed: u64,
}

/// One stream's unread items, with what each weighs.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    limits: QueueLimits,
    state: Mutex<State<T>>,
}

#[derive(Debug)]
struct State<T> {
    items: VecDeque<(T, usize)>,
    bytes: usize,
    missed: u64,
    is_closed: bool,
    /// Nothing is read any more.
    is_abandoned: bool,
    waker: Option<Waker>,
}

impl<T> Queue<T> {
    pub(crate) fn new(limits: QueueLimits) -> Self {
        let state = State {
            items: VecDeque::new(),
            bytes: 0,
            missed: 0,
            is_closed: false,
            is_abandoned: false,
            waker: None,
        };
        Self { limits, state: Mutex::new(state) }
    }

    /// Adds an item of this many bytes at the end, and lets go of the oldest where it is too much.
    pub(crate) fn push(&self, item: T, bytes: usize) {
        let mut state = self.state();
        if state.is_abandoned {
            return;
        }
        while state.is_full(self.limits, bytes) {
            let Some((_, oldest)) = state.items.pop_front() else {
                break;
            };
            state.bytes = state.bytes.saturating_sub(oldest);
            state.missed = state.missed.saturating_add(1);
        }
        state.add(item, bytes);
        wake(state);
    }

    /// Adds an item of this many bytes at the end, if it is read and there is room; whether it was added.
    pub(crate) fn try_push(&self, item: T, bytes: usize) -> bool {
        let mut state = self.state();
        if state.is_abandoned || (state.is_full(self.limits, bytes) && !state.items.is_empty()) {
            return false;
        }
        state.add(item, bytes);
        wake(state);
        true
    }

    /// Adds an item at the end, whether there is room or not, and says that nothing will follow it.
    pub(crate) fn push_last(&self, item: T) {
        let mut state = self.state();
        if !state.is_abandoned {
            state.add(item, 0);
        }
        state.is_closed = true;
        wake(state);
    }

    /// Says that nothing is read any more: what is there goes, and what follows is not kept.
    pub(crate) fn abandon(&self) {
        let mut state = self.state();
        state.is_abandoned = true;
        let unread = std::mem::take(&mut state.items);
        state.waker = None;
        drop(state);
        drop(unread);
    }

    pub(crate) fn is_abandoned(&self) -> bool {
        self.state().is_abandoned
    }

    /// Says that nothing will follow what is there.
    pub(crate) fn close(&self) {
        let mut state = self.state();
        state.is_closed = true;
        wake(state);
    }

    /// The next item, or what was let go in front of it; `None` when it is closed and read.
    pub(crate) fn poll_next(&self, context: &mut Context<'_>) -> Poll<Option<Result<T, Lagged>>> {
        let mut state = self.state();
        let missed = std::mem::take(&mut state.missed);
        if missed > 0 {
            return Poll::Ready(Some(Err(Lagged { missed })));
        }
        match state.items.pop_front() {
            Some((item, bytes)) => {
                state.bytes = state.bytes.saturating_sub(bytes);
                Poll::Ready(Some(Ok(item)))
            }
            None if state.is_closed => Poll::Ready(None),
            None => {
                state.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> State<T> {
    /// Whether so many bytes more would be too much.
    fn is_full(&self, limits: QueueLimits, bytes: usize) -> bool {
        self.items.len() >= limits.events.max(1) || self.bytes.saturating_add(bytes) > limits.bytes
    }

    fn add(&mut self, item: T, bytes: usize) {
        self.items.push_back((item, bytes));
        self.bytes = self.bytes.saturating_add(bytes);
    }
}

/// Wakes the reader, once the lock is free.
fn wake<T>(mut state: MutexGuard<'_, State<T>>) {
    let waker = state.waker.take();
    drop(state);
    if let Some(waker) = waker {
        waker.wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(queue: &Queue<u32>) -> Poll<Option<Result<u32, Lagged>>> {
        queue.poll_next(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn the_oldest_go_first_and_the_reader_learns_how_many() {
        let queue = Queue::new(QueueLimits { events: 2, bytes: 100 });
        for item in 1..=5 {
            queue.push(item, 1);
        }
        assert_eq!(next(&queue), Poll::Ready(Some(Err(Lagged { missed: 3 }))));
        assert_eq!(next(&queue), Poll::Ready(Some(Ok(4))));
        assert_eq!(next(&queue), Poll::Ready(Some(Ok(5))));
        assert_eq!(next(&queue), Poll::Pending);
    }

    #[test]
    fn bytes_are_bounded_and_one_large_event_still_arrives() {
        let queue = Queue::new(QueueLimits { events: 100, bytes: 10 });
        queue.push(1, 6);
        queue.push(2, 4);
        queue.push(3, 1000);
        assert_eq!(next(&queue), Poll::Ready(Some(Err(Lagged { missed: 2 }))));
        assert_eq!(next(&queue), Poll::Ready(Some(Ok(3))));
        queue.push(4, 10);
        assert_eq!(next(&queue), Poll::Ready(Some(Ok(4))));
    }

    #[test]
    fn a_closed_queue_is_read_to_its_end() {
        let queue = Queue::new(QueueLimits::default());
        queue.push(1, 1);
        queue.close();
        assert_eq!(next(&queue), Poll::Ready(Some(Ok(1))));
        assert_eq!(next(&queue), Poll::Ready(None));
    }
}
