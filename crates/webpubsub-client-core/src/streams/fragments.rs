//! The fragments of one stream that the service has not acknowledged.

use std::collections::VecDeque;

use webpubsub_protocol::client::StreamError;

use crate::input::CommandId;

/// How many fragments may be on their way without an acknowledgement; later ones wait.
const WINDOW: u64 = 1000;

/// How many bytes of payload may be on their way without an acknowledgement, as far as the host says how
/// many there are. One fragment alone may be larger.
const WINDOW_BYTES: usize = 4 << 20;

/// How many fragments may be kept, on their way and waiting.
const MAX_FRAGMENTS: usize = 16_384;

/// The fragments of one stream that the service has not acknowledged, oldest first.
///
/// Each is numbered by its place: 1, 2, 3, … The stream's end has a number too, which is not sent.
#[derive(Debug)]
pub(super) struct Fragments<P> {
    queue: VecDeque<Fragment<P>>,
    /// The number of the first in the queue.
    oldest: u64,
    /// The number to send next.
    next: u64,
    /// One more than the largest number that was ever sent.
    sent: u64,
    /// The bytes of those that are on their way.
    bytes: usize,
}

#[derive(Debug)]
struct Fragment<P> {
    content: Content<P>,
    /// The bytes of its payload.
    len: usize,
    /// Who waits for it to be sent; `None` once it was.
    call: Option<CommandId>,
}

/// What there is to send.
#[derive(Debug, Clone)]
pub(super) enum Content<P> {
    Data(P),
    End(Option<StreamError>),
}

/// The numbers that an acknowledgement may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Outside {
    pub(super) oldest: u64,
    pub(super) newest: u64,
}

impl<P: Clone> Fragments<P> {
    pub(super) const fn new() -> Self {
        Self { queue: VecDeque::new(), oldest: 1, next: 1, sent: 1, bytes: 0 }
    }

    /// Whether there is no room for one more.
    pub(super) fn is_full(&self) -> bool {
        self.queue.len() >= MAX_FRAGMENTS
    }

    pub(super) fn push(&mut self, content: Content<P>, len: usize, call: CommandId) {
        self.queue.push_back(Fragment { content, len, call: Some(call) });
    }

    /// The next to send, counted as sent: its number, what it says, and who waited for that.
    pub(super) fn take_next(&mut self) -> Option<(u64, Content<P>, Option<CommandId>)> {
        let offset = self.next.saturating_sub(self.oldest);
        if offset >= WINDOW {
            return None;
        }
        let fragment = self.queue.get_mut(usize::try_from(offset).ok()?)?;
        // The service ends a stream that it has not taken all of.
        if offset > 0 && matches!(fragment.content, Content::End(None)) {
            return None;
        }
        let bytes = self.bytes.saturating_add(fragment.len);
        if bytes > WINDOW_BYTES && self.bytes > 0 {
            return None;
        }
        self.bytes = bytes;
        let sequence_id = self.next;
        self.next = sequence_id.saturating_add(1);
        self.sent = self.sent.max(self.next);
        Some((sequence_id, fragment.content.clone(), fragment.call.take()))
    }

    /// The service waits for the fragment `expected`: all before it have arrived. Whether that
    /// acknowledges anything.
    pub(super) fn acknowledged(&mut self, expected: u64) -> Result<bool, Outside> {
        if expected < self.oldest || expected > self.sent {
            return Err(Outside { oldest: self.oldest, newest: self.sent });
        }
        let arrived = usize::try_from(expected.saturating_sub(self.oldest)).unwrap_or(usize::MAX);
        let on_their_way = usize::try_from(self.next.saturating_sub(self.oldest)).unwrap_or(usize::MAX);
        let gone = self.queue.drain(..arrived.min(self.queue.len()));
        let bytes: usize = gone.take(on_their_way).map(|fragment| fragment.len).sum();
        self.bytes = self.bytes.saturating_sub(bytes);
        self.oldest = expected;
        self.next = self.next.max(expected);
        Ok(arrived > 0)
    }

    /// Has everything that is not acknowledged be sent again.
    pub(super) const fn rewind(&mut self) {
        self.next = self.oldest;
        self.bytes = 0;
    }

    /// Takes a call away; whether it waited here. A fragment that was never sent goes with it.
    pub(super) fn abort(&mut self, call: CommandId) -> bool {
        let Some(index) = self.queue.iter().position(|fragment| fragment.call == Some(call)) else {
            return false;
        };
        match self.queue.get_mut(index) {
            // The stream ends all the same.
            Some(end @ Fragment { content: Content::End(_), .. }) => end.call = None,
            Some(_) | None => drop(self.queue.remove(index)),
        }
        true
    }

    /// Whoever waits for something to be sent.
    pub(super) fn take_calls(&mut self) -> impl Iterator<Item = CommandId> + '_ {
        self.queue.iter_mut().filter_map(|fragment| fragment.call.take())
    }
}
