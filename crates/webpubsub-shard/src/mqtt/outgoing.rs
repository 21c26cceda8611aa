//! How far the messages have come that an MQTT session is owed at QoS 1 and 2.

use std::collections::VecDeque;

use webpubsub_protocol::id::SequenceId;

/// How far one message has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// It is to be sent, now or again.
    Waiting,
    /// It was sent over this socket.
    Sent,
    /// The client has received it, at QoS 2, and its identifier is released.
    Released,
    /// The client has acknowledged it, and one before it is not done.
    Done,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    state: State,
    /// Whether it was sent before, over this socket or another.
    was_sent: bool,
}

/// The messages in a session's buffer, oldest first, and how many the client takes at once.
#[derive(Debug)]
pub(crate) struct Outgoing {
    entries: VecDeque<Entry>,
    /// How many are sent and not done.
    in_flight: usize,
    /// How many may be.
    maximum: usize,
    /// The first that may be waiting: all before it are not.
    next: usize,
}

/// What a socket carries of it, beside the cursor: everything else was sent, and is not done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Progress {
    /// The sequence id of the first message that waits; 0 if none does.
    pub(crate) waiting: u64,
    /// Whether that one was sent over another socket.
    pub(crate) was_sent: bool,
    /// How far after the cursor those are that are done.
    pub(crate) done: Vec<u16>,
}

impl Progress {
    pub(crate) const fn is_empty(&self) -> bool {
        self.waiting == 0 && self.done.is_empty()
    }
}

impl Outgoing {
    pub(crate) const fn new(maximum: u16) -> Self {
        Self { entries: VecDeque::new(), in_flight: 0, maximum: maximum as usize, next: 0 }
    }

    /// Adds the message that was added to the buffer. Returns whether it is to be sent now.
    pub(crate) fn push(&mut self, is_attached: bool) -> bool {
        let is_next = self.next == self.entries.len();
        let sends = is_attached && is_next && self.in_flight < self.maximum;
        let state = if sends { State::Sent } else { State::Waiting };
        self.entries.push_back(Entry { state, was_sent: sends });
        if sends {
            self.in_flight += 1;
            self.next += 1;
        }
        sends
    }

    /// Adds a message that was in the buffer before the memory was lost: it may have been sent.
    pub(crate) fn push_restored(&mut self) {
        self.entries.push_back(Entry { state: State::Waiting, was_sent: true });
    }

    /// The client has received this message, at QoS 2. Returns whether it was sent.
    pub(crate) fn release(&mut self, at: usize) -> bool {
        match self.entries.get_mut(at) {
            Some(entry) if entry.state == State::Sent => {
                entry.state = State::Released;
                true
            }
            Some(_) | None => false,
        }
    }

    /// The same as it stands on disk, of a session that was restored.
    pub(crate) fn restore_released(&mut self, at: usize) {
        if let Some(entry) = self.entries.get_mut(at) {
            entry.state = State::Released;
        }
    }

    pub(crate) fn is_released(&self, at: usize) -> bool {
        self.entries.get(at).is_some_and(|entry| entry.state == State::Released)
    }

    pub(crate) fn is_sent(&self, at: usize) -> bool {
        self.entries.get(at).is_some_and(|entry| entry.state == State::Sent)
    }

    /// Ends this message. Returns how many of the oldest are done now and leave.
    pub(crate) fn finish(&mut self, at: usize) -> usize {
        let Some(entry) = self.entries.get_mut(at) else { return 0 };
        if matches!(entry.state, State::Sent | State::Released) {
            self.in_flight = self.in_flight.saturating_sub(1);
        }
        entry.state = State::Done;
        let done = self.entries.iter().take_while(|entry| entry.state == State::Done).count();
        self.entries.drain(..done);
        self.next = self.next.saturating_sub(done);
        done
    }

    /// A new socket: what is not done is to be sent again, oldest first. Returns which are released.
    pub(crate) fn begin_again(&mut self, maximum: u16) -> Vec<usize> {
        self.maximum = maximum.into();
        (self.in_flight, self.next) = (0, 0);
        let mut released = Vec::new();
        for (at, entry) in self.entries.iter_mut().enumerate() {
            match entry.state {
                State::Sent => entry.state = State::Waiting,
                State::Released => {
                    self.in_flight += 1;
                    released.push(at);
                }
                State::Waiting | State::Done => {}
            }
        }
        released
    }

    /// The next message that is to be sent and may be, which counts as sent from here on.
    pub(crate) fn take_next(&mut self) -> Option<usize> {
        if self.in_flight >= self.maximum {
            return None;
        }
        while let Some(entry) = self.entries.get_mut(self.next) {
            let at = self.next;
            self.next += 1;
            if entry.state == State::Waiting {
                entry.state = State::Sent;
                self.in_flight += 1;
                return Some(at);
            }
        }
        None
    }

    /// Whether this message was sent before; from here on it was.
    pub(crate) fn mark_sent(&mut self, at: usize) -> bool {
        self.entries.get_mut(at).is_some_and(|entry| std::mem::replace(&mut entry.was_sent, true))
    }

    /// What a socket is to carry, where the message of `acknowledged` is the one before the oldest.
    pub(crate) fn progress(&self, acknowledged: SequenceId) -> Progress {
        let at = |index: usize| acknowledged.0 + 1 + index as u64;
        let waiting = (self.next..self.entries.len())
            .find(|index| self.entries.get(*index).is_some_and(|entry| entry.state == State::Waiting));
        let done = self.entries.iter().enumerate().filter(|(_, entry)| entry.state == State::Done);
        Progress {
            waiting: waiting.map_or(0, at),
            was_sent: waiting.and_then(|index| self.entries.get(index)).is_some_and(|entry| entry.was_sent),
            done: done.map(|(index, _)| u16::try_from(index).unwrap_or(u16::MAX)).collect(),
        }
    }

    /// Goes on over the socket that carried this: what it does not mention was sent.
    pub(crate) fn resume(&mut self, progress: &Progress, acknowledged: SequenceId) {
        let waiting = match progress.waiting {
            0 => self.entries.len(),
            first => usize::try_from(first.saturating_sub(acknowledged.0 + 1)).unwrap_or(usize::MAX),
        };
        for (at, entry) in self.entries.iter_mut().enumerate() {
            if entry.state == State::Waiting && at < waiting {
                entry.state = State::Sent;
            } else if entry.state == State::Waiting {
                entry.was_sent = progress.was_sent;
            }
        }
        for at in &progress.done {
            if let Some(entry) = self.entries.get_mut(usize::from(*at)) {
                entry.state = State::Done;
            }
        }
        let is_in_flight = |entry: &&Entry| matches!(entry.state, State::Sent | State::Released);
        self.in_flight = self.entries.iter().filter(is_in_flight).count();
        self.next = waiting.min(self.entries.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_are_in_flight_than_the_client_takes() {
        let mut outgoing = Outgoing::new(2);
        assert_eq!([(); 4].map(|()| outgoing.push(true)), [true, true, false, false]);
        assert_eq!(outgoing.take_next(), None);
        assert_eq!(outgoing.finish(1), 0, "the first is not done");
        assert_eq!(outgoing.take_next(), Some(2));
        assert_eq!(outgoing.take_next(), None);
        assert_eq!(outgoing.finish(0), 2, "the first and the second leave");
        assert_eq!(outgoing.take_next(), Some(1));
        assert_eq!(outgoing.finish(0), 1);
        assert_eq!(outgoing.finish(0), 1);
        assert!(outgoing.push(true));
    }

    #[test]
    fn a_new_socket_begins_with_what_is_not_done() {
        let mut outgoing = Outgoing::new(10);
        assert_eq!([(); 3].map(|()| outgoing.push(true)), [true; 3]);
        assert!(!outgoing.push(false));
        assert!(outgoing.release(1) && !outgoing.release(3));
        assert_eq!(outgoing.begin_again(2), [1]);
        assert_eq!((outgoing.take_next(), outgoing.take_next()), (Some(0), None));
        assert!(outgoing.mark_sent(0));
        assert_eq!(outgoing.finish(1), 0);
        assert_eq!((outgoing.take_next(), outgoing.take_next()), (Some(2), None));
        assert_eq!(outgoing.finish(0), 2);
        assert_eq!(outgoing.take_next(), Some(1));
        assert!(!outgoing.mark_sent(1), "it waited all the time");
    }

    #[test]
    fn a_socket_carries_what_the_disk_does_not_say() {
        let mut outgoing = Outgoing::new(3);
        for _ in 0..5 {
            outgoing.push(true);
        }
        outgoing.finish(1);
        let progress = outgoing.progress(SequenceId(7));
        assert_eq!(progress, Progress { waiting: 11, was_sent: false, done: vec![1] });
        let mut restored = Outgoing::new(3);
        for _ in 0..5 {
            restored.push_restored();
        }
        restored.resume(&progress, SequenceId(7));
        assert_eq!((restored.take_next(), restored.take_next()), (Some(3), None));
        assert!(!restored.mark_sent(3));
        assert_eq!(restored.finish(0), 2);
        assert_eq!(restored.take_next(), Some(2));
        restored.begin_again(1);
        assert_eq!(restored.take_next(), Some(0));
        let progress = restored.progress(SequenceId(9));
        assert_eq!(progress, Progress { waiting: 11, was_sent: true, done: vec![] });
        restored = Outgoing::new(1);
        for _ in 0..3 {
            restored.push_restored();
        }
        restored.resume(&progress, SequenceId(9));
        assert_eq!(restored.finish(0), 1);
        assert_eq!(restored.take_next(), Some(0));
        assert!(restored.mark_sent(0), "over the socket before this one");
    }
}
