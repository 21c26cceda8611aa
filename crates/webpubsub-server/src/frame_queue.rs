//! The frames that wait on one socket.

use std::collections::VecDeque;
use std::iter;

use bytes::Bytes;

/// Frames, oldest first. One alone, which is what a socket mostly has, needs no memory beside this.
#[derive(Debug, Default)]
pub(crate) struct FrameQueue {
    first: Option<Bytes>,
    /// Empty unless there is a first.
    more: VecDeque<Bytes>,
}

impl FrameQueue {
    pub(crate) fn push(&mut self, frame: Bytes) {
        if self.first.is_none() {
            self.first = Some(frame);
        } else {
            self.more.push_back(frame);
        }
    }

    pub(crate) const fn first(&self) -> Option<&Bytes> {
        self.first.as_ref()
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Bytes> {
        iter::chain(&self.first, &self.more)
    }

    /// Removes the first. Memory for more stays only while there are more.
    pub(crate) fn pop(&mut self) {
        self.first = self.more.pop_front();
        if self.more.is_empty() {
            self.more = VecDeque::new();
        }
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_leave_in_the_order_in_which_they_came() {
        let mut queue = FrameQueue::default();
        assert!(queue.is_empty() && queue.first().is_none());
        (0..3_u8).for_each(|number| queue.push(Bytes::from(vec![number])));
        assert_eq!(queue.iter().map(|frame| frame[0]).collect::<Vec<_>>(), [0, 1, 2]);
        for number in 0..3_u8 {
            assert_eq!(queue.first().unwrap()[..], [number]);
            queue.pop();
        }
        assert!(queue.is_empty());
        queue.pop();
        queue.push(Bytes::from_static(b"x"));
        assert_eq!(queue.more.capacity(), 0);
        queue.clear();
        assert!(queue.is_empty());
    }
}
