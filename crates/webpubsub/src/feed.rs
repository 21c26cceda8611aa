//! One queue's two ends, each of which learns when the other is gone.

use std::sync::Arc;
use std::task::{Context, Poll};

use crate::queue::{Lagged, Queue, QueueLimits};

/// The client's end of a queue. When it is dropped, the reader comes to an end behind what is there.
#[derive(Debug)]
pub(crate) struct Feed<T>(Arc<Queue<T>>);

/// The application's end of a queue. When it is dropped, nothing more is kept for it.
#[derive(Debug)]
pub(crate) struct Reader<T>(Arc<Queue<T>>);

/// A queue with these bounds.
pub(crate) fn feed<T>(limits: QueueLimits) -> (Feed<T>, Reader<T>) {
    let queue = Arc::new(Queue::new(limits));
    (Feed(queue.clone()), Reader(queue))
}

impl<T> Feed<T> {
    /// Adds an item of this many bytes, and lets go of the oldest where it is too much. Whether there is a
    /// reader.
    pub(crate) fn push(&self, item: T, bytes: usize) -> bool {
        self.0.push(item, bytes);
        !self.0.is_abandoned()
    }

    /// Adds an item of this many bytes if there is a reader and room for it; whether there is.
    pub(crate) fn try_push(&self, item: T, bytes: usize) -> bool {
        self.0.try_push(item, bytes)
    }

    /// Adds the last item, for which there is always room.
    pub(crate) fn finish(self, item: T) {
        self.0.push_last(item);
    }
}

impl<T> Drop for Feed<T> {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl<T> Reader<T> {
    /// The next item, or what was let go in front of it; `None` at the end.
    pub(crate) fn poll_next(&self, context: &mut Context<'_>) -> Poll<Option<Result<T, Lagged>>> {
        self.0.poll_next(context)
    }
}

impl<T> Drop for Reader<T> {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    const LIMITS: QueueLimits = QueueLimits { events: 2, bytes: 10 };

    fn next(reader: &Reader<u32>) -> Poll<Option<Result<u32, Lagged>>> {
        reader.poll_next(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn a_reader_ends_behind_what_was_fed() {
        let (feed, reader) = feed(LIMITS);
        assert!(feed.try_push(1, 5));
        assert!(!feed.try_push(2, 6));
        assert!(feed.try_push(3, 5));
        assert!(!feed.try_push(4, 0));
        feed.finish(5);
        for item in [1, 3, 5] {
            assert_eq!(next(&reader), Poll::Ready(Some(Ok(item))));
        }
        assert_eq!(next(&reader), Poll::Ready(None));
    }

    #[test]
    fn one_item_alone_may_be_larger_than_the_bound() {
        let (feed, reader) = feed(LIMITS);
        assert!(feed.try_push(1, 100));
        assert!(!feed.try_push(2, 1));
        assert_eq!(next(&reader), Poll::Ready(Some(Ok(1))));
        assert!(feed.try_push(3, 1));
    }

    #[test]
    fn nothing_is_kept_without_a_reader() {
        let (feed, reader) = feed(LIMITS);
        let item = Arc::new(());
        assert!(feed.push(item.clone(), 1));
        drop(reader);
        assert_eq!(Arc::strong_count(&item), 1);
        assert!(!feed.push(item.clone(), 1));
        assert!(!feed.try_push(item.clone(), 1));
        assert_eq!(Arc::strong_count(&item), 1);
    }
}
