//! Messages of clients that are long and have not come whole. Any client may begin one and take its time, so what has come
//! of all of them together is bounded.
//!
//! Where that is too much, some messages are read on, and the others wait: their bytes stay with the system, and their
//! senders are slowed down. Those that began first are read on, so that very many who send at once are served one after the
//! other; and those that began last, so that a crowd that ends none of its messages keeps no newcomer waiting. One that is
//! read on meanwhile, and does not end within [`PATIENCE`], is given up with its connection.

use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, timeout};

/// From this many bytes on a message is counted. A shorter one costs no more than its connection does.
const SHORT_BYTES: usize = 16 << 10;
/// How many bytes may have come of all those that are counted before some of them wait.
const MAX_BYTES: usize = 64 << 20;
/// How many of those that began first are read on where there is no room, and how many of those that began last.
const READ_ON: usize = 16;
/// How long one may go on where there is no room, before it makes some.
const PATIENCE: Duration = Duration::from_secs(10);
/// There are never more bytes than these: those that began first are given up at once.
const MOST_BYTES: usize = 4 * MAX_BYTES;
/// How long one that waits is left alone at most.
const LOOK: Duration = Duration::from_secs(1);

/// What has come of all messages that are counted, on all threads.
#[derive(Debug, Clone, Default)]
pub(crate) struct LongMessages(Arc<Mutex<Counted>>);

/// The messages that are counted.
#[derive(Debug, Default)]
struct Counted {
    bytes: usize,
    /// The number of the one that began last.
    last: u64,
    /// By their numbers: the one that began first is the first.
    messages: BTreeMap<u64, Message>,
    /// Their numbers, by since when they could go on: thousands of them are looked at no longer than a few.
    by_since: BTreeSet<(Instant, u64)>,
    /// The numbers of those that wait.
    waiting: BTreeSet<u64>,
}

#[derive(Debug)]
struct Message {
    bytes: usize,
    /// Since when it could go on without having to wait.
    since: Instant,
    /// There may be room for it.
    room: Arc<Notify>,
    /// Dropped, the message is given up.
    _kept: oneshot::Sender<()>,
}

/// The long message of one connection, while it is in the middle of one.
#[derive(Debug)]
pub(crate) struct LongMessage {
    all: LongMessages,
    begun: Option<Box<Begun>>,
}

#[derive(Debug)]
struct Begun {
    /// Which message of its connection it is.
    message: u32,
    /// Its number among all.
    number: u64,
    /// There may be room for it.
    room: Arc<Notify>,
    /// Ends when it is given up.
    given_up: oneshot::Receiver<()>,
}

/// What has become of a long message that waits.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// There may be room for it.
    Room,
    /// It is given up, and its connection is to end.
    GivenUp,
}

impl LongMessages {
    /// Those of a connection.
    pub(crate) fn message(&self) -> LongMessage {
        LongMessage { all: self.clone(), begun: None }
    }

    fn counted(&self) -> MutexGuard<'_, Counted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LongMessage {
    /// Something has come, after which so much has come of the message of this number, if one is unfinished.
    pub(crate) fn look(&mut self, unfinished: Option<u32>, bytes: usize) {
        let long = unfinished.filter(|_| bytes >= SHORT_BYTES);
        if self.begun.as_ref().is_some_and(|begun| Some(begun.message) != long) {
            self.end();
        }
        let Some(message) = long else { return };
        let mut counted = self.all.counted();
        match &self.begun {
            Some(begun) => counted.grow(begun.number, bytes),
            None => {
                let (number, room, given_up) = counted.begin(Instant::now(), bytes);
                self.begun = Some(Box::new(Begun { message, number, room, given_up }));
            }
        }
    }

    /// Whether the connection is to be read on.
    pub(crate) fn may_go_on(&self) -> bool {
        self.begun.as_ref().is_none_or(|begun| self.all.counted().may_go_on(Instant::now(), begun.number))
    }

    /// Waits until the message is given up or, unless it may go on, until there may be room for it.
    pub(crate) async fn changed(&mut self, may_go_on: bool) -> Change {
        let Some(begun) = &mut self.begun else { return pending().await };
        if may_go_on {
            let _ = (&mut begun.given_up).await;
            return Change::GivenUp;
        }
        // A socket that does not wait has no memory for it.
        Box::pin(async move {
            tokio::select! {
                biased;
                _ = &mut begun.given_up => Change::GivenUp,
                _ = timeout(LOOK, begun.room.notified()) => Change::Room,
            }
        })
        .await
    }

    /// The message is there, or there will be none.
    fn end(&mut self) {
        let Some(begun) = self.begun.take() else { return };
        let mut counted = self.all.counted();
        counted.remove(begun.number);
        counted.wake();
    }
}

impl Drop for LongMessage {
    fn drop(&mut self) {
        self.end();
    }
}

impl Counted {
    const fn is_full(&self) -> bool {
        self.bytes > MAX_BYTES
    }

    /// One is counted from here on. Returns its number, what says that there may be room for it, and what ends when it is
    /// given up.
    fn begin(&mut self, now: Instant, bytes: usize) -> (u64, Arc<Notify>, oneshot::Receiver<()>) {
        let ((kept, given_up), room) = (oneshot::channel(), Arc::new(Notify::new()));
        self.last += 1;
        let message = Message { bytes: 0, since: now, room: Arc::clone(&room), _kept: kept };
        self.messages.insert(self.last, message);
        self.by_since.insert((now, self.last));
        self.grow(self.last, bytes);
        (self.last, room, given_up)
    }

    /// So much has come of one, unless that is given up.
    fn grow(&mut self, number: u64, bytes: usize) {
        let Some(message) = self.messages.get_mut(&number) else { return };
        self.bytes += bytes - message.bytes;
        message.bytes = bytes;
        while self.bytes > MOST_BYTES
            && let Some((first, _)) = self.messages.first_key_value()
        {
            self.remove(*first);
        }
    }

    /// Whether one goes on. Where there is no room, those make some that could go on for long enough.
    fn may_go_on(&mut self, now: Instant, number: u64) -> bool {
        while self.is_full()
            && let Some((since, slow)) = self.by_since.first().copied()
            && now - since >= PATIENCE
        {
            self.remove(slow);
        }
        let goes_on = !self.is_full() || self.read_on().any(|one| one == number);
        if goes_on {
            self.waiting.remove(&number);
        } else if let Some(message) = self.messages.get_mut(&number) {
            self.by_since.remove(&(message.since, number));
            self.by_since.insert((now, number));
            message.since = now;
            self.waiting.insert(number);
        }
        goes_on
    }

    /// Those that are read on where there is no room.
    fn read_on(&self) -> impl Iterator<Item = u64> {
        let (first, last) = (self.messages.keys(), self.messages.keys().rev());
        first.take(READ_ON).chain(last.take(READ_ON)).copied()
    }

    /// One has ended: wakes those that may go on now, no more than are read on where there is no room. All others look
    /// for themselves within [`LOOK`].
    fn wake(&self) {
        if self.waiting.is_empty() {
            return;
        }
        let wake = |number| {
            if let Some(message) = self.messages.get(&number) {
                message.room.notify_one();
            }
        };
        if self.is_full() {
            self.read_on().filter(|number| self.waiting.contains(number)).for_each(wake);
        } else {
            self.waiting.iter().take(2 * READ_ON).copied().for_each(wake);
        }
    }

    fn remove(&mut self, number: u64) {
        if let Some(message) = self.messages.remove(&number) {
            self.bytes -= message.bytes;
            self.by_since.remove(&(message.since, number));
            self.waiting.remove(&number);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    /// The number of a message that is counted, and what ends when it is given up.
    type Begun = (u64, oneshot::Receiver<()>);

    const LONG: usize = 1 << 20;

    /// Very many messages, of all of which the same has come, until there is no room.
    fn full(counted: &mut Counted, now: Instant) -> Vec<Begun> {
        let mut begun = Vec::new();
        while !counted.is_full() {
            begun.push(begin(counted, now, LONG));
        }
        begun
    }

    fn begin(counted: &mut Counted, now: Instant, bytes: usize) -> Begun {
        let (number, _, given_up) = counted.begin(now, bytes);
        (number, given_up)
    }

    /// Which of them have been woken.
    fn woken(counted: &Counted, begun: &[Begun]) -> Vec<u64> {
        let is_woken = |number: &u64| {
            counted
                .messages
                .get(number)
                .is_some_and(|message| message.room.notified().now_or_never().is_some())
        };
        begun.iter().map(|(number, _)| *number).filter(is_woken).collect()
    }

    fn given_up(begun: &mut [Begun]) -> usize {
        let is_given_up =
            |(_, given_up): &mut Begun| given_up.try_recv() == Err(oneshot::error::TryRecvError::Closed);
        begun.iter_mut().filter_map(|one| is_given_up(one).then_some(())).count()
    }

    #[test]
    fn where_there_is_no_room_the_first_and_last_go_on() {
        let (mut counted, now) = (Counted::default(), Instant::now());
        let mut begun = full(&mut counted, now);
        let goes_on: Vec<_> = begun.iter().map(|(number, _)| counted.may_go_on(now, *number)).collect();
        let waiting = READ_ON..goes_on.len() - READ_ON;
        for (at, goes_on) in goes_on.into_iter().enumerate() {
            assert_eq!(goes_on, !waiting.contains(&at), "{at}");
        }
        // One that ends leaves its room and its turn.
        counted.remove(begun.remove(0).0);
        assert!(begun.iter().all(|(number, _)| counted.may_go_on(now, *number)));
        assert_eq!(given_up(&mut begun), 0);
    }

    #[test]
    fn who_does_not_end_while_others_wait_makes_room() {
        let (mut counted, began) = (Counted::default(), Instant::now());
        let mut idle = full(&mut counted, began);
        let (waiting, _) = idle[READ_ON];
        assert!(!counted.may_go_on(began + PATIENCE / 2, waiting));
        assert_eq!(given_up(&mut idle), 0);
        // No more of them than there have to be.
        assert!(counted.may_go_on(began + PATIENCE, waiting));
        assert_eq!(given_up(&mut idle), 1);
    }

    #[test]
    fn who_waits_is_not_given_up_for_it() {
        let (mut counted, began) = (Counted::default(), Instant::now());
        let mut begun = full(&mut counted, began);
        for look in 1..50 {
            let now = began + LOOK * look;
            for (number, _) in &begun[READ_ON..] {
                counted.may_go_on(now, *number);
            }
        }
        // One that could go on has made room for them.
        assert_eq!((given_up(&mut begun[READ_ON..]), given_up(&mut begun)), (0, 1));
    }

    #[test]
    fn who_has_time_as_long_as_there_is_room_is_not_given_up() {
        let (mut counted, began) = (Counted::default(), Instant::now());
        let (slow, mut kept) = begin(&mut counted, began, SHORT_BYTES);
        assert!(counted.may_go_on(began + 20 * PATIENCE, slow));
        assert!(kept.try_recv() == Err(oneshot::error::TryRecvError::Empty));
    }

    #[test]
    fn there_is_a_most_that_no_time_passes() {
        let (mut counted, now) = (Counted::default(), Instant::now());
        let mut begun: Vec<_> = (0..1000).map(|_| begin(&mut counted, now, LONG)).collect();
        assert!(counted.bytes <= MOST_BYTES);
        assert_eq!(given_up(&mut begun), 1000 - MOST_BYTES / LONG);
        assert_eq!(given_up(&mut begun[1000 - MOST_BYTES / LONG..]), 0, "the first ones");
    }

    #[test]
    fn one_that_ends_wakes_whose_turn_it_is_and_no_crowd() {
        let (mut counted, now) = (Counted::default(), Instant::now());
        let mut begun = full(&mut counted, now);
        begun.extend((0..1000).map(|_| begin(&mut counted, now, SHORT_BYTES)));
        for (number, _) in &begun {
            counted.may_go_on(now, *number);
        }
        let mut end = |begun: &mut Vec<Begun>| {
            counted.remove(begun.remove(0).0);
            counted.wake();
            let woken = woken(&counted, begun);
            (woken, counted.is_full())
        };
        // The sixteenth of those that began first is another one now.
        let next = begun[READ_ON].0;
        assert_eq!(end(&mut begun), (vec![next], true));
        while end(&mut begun).1 {}
        // There is room for a while.
        assert_eq!(end(&mut begun).0.len(), 2 * READ_ON);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_short_or_has_ended_is_not_counted() {
        let all = LongMessages::default();
        let mut one = all.message();
        one.look(Some(1), SHORT_BYTES - 1);
        assert_eq!(all.counted().bytes, 0);
        one.look(Some(1), LONG);
        assert_eq!(all.counted().bytes, LONG);
        // The next one has begun with the same bytes.
        one.look(Some(2), SHORT_BYTES);
        assert_eq!(all.counted().bytes, SHORT_BYTES);
        one.look(None, 0);
        assert_eq!(all.counted().bytes, 0);
        one.look(Some(3), LONG);
        drop(one);
        assert!(all.counted().messages.is_empty());
        assert_eq!(all.counted().bytes, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_waits_goes_on_as_soon_as_there_is_room() {
        let all = LongMessages::default();
        let mut messages: Vec<_> = (0..=MAX_BYTES / LONG).map(|_| all.message()).collect();
        messages.iter_mut().for_each(|message| message.look(Some(1), LONG));
        let mut one = messages.remove(messages.len() / 2);
        assert!(!one.may_go_on());
        let began = Instant::now();
        let (change, ()) = tokio::join!(one.changed(false), async { messages.truncate(1) });
        assert_eq!((change, began.elapsed()), (Change::Room, Duration::ZERO));
        assert!(one.may_go_on());
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_is_given_up_learns_it() {
        let all = LongMessages::default();
        let mut one = all.message();
        one.look(Some(1), LONG);
        let wait = timeout(LOOK, one.changed(true)).await;
        assert!(wait.is_err());
        all.counted().remove(1);
        assert_eq!(one.changed(true).await, Change::GivenUp);
    }
}
