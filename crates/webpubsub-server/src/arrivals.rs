//! What has arrived at a shard and is not taken yet, and what is taken next.
//!
//! While turns take all that has come, it is taken as it came. What a turn has left is sorted by connection: the
//! connections then take turns, and calls have a share of their own, so that what one peer sends has no other wait for more
//! than a turn. How much waits of a connection is bounded by its [`Credit`](crate::credit::Credit).

use std::collections::{BTreeMap, VecDeque};

use tokio::sync::oneshot;

use crate::shard_message::{Seat, ShardMessage};

/// How many messages of one connection are taken before those of the next, and how many calls in a turn before messages.
const SHARE: usize = 8;

/// What has arrived at a shard, in the order in which it is taken.
#[derive(Default)]
pub(crate) struct Arrivals {
    /// What has come since everything was taken, oldest first. It is empty while anything is sorted.
    unsorted: VecDeque<ShardMessage>,
    /// What is of no connection: requests, clients that want to have a socket, answers to calls; oldest first.
    calls: VecDeque<ShardMessage>,
    /// How many calls this turn still takes before messages.
    calls_left: usize,
    /// What has come over each socket, by the number of its seat, oldest first; none of them is empty.
    sent: BTreeMap<u64, VecDeque<ShardMessage>>,
    /// The seats over whose sockets something has come, the next one first.
    round: VecDeque<u64>,
    /// The end of the process, which comes after all else that has arrived before it.
    stop: Option<oneshot::Sender<()>>,
}

impl Arrivals {
    /// Something has arrived. What comes after the end of the process is dropped.
    pub(crate) fn push(&mut self, message: ShardMessage) {
        if self.is_sorted() || self.stop.is_some() {
            self.sort(message);
        } else {
            self.unsorted.push_back(message);
        }
    }

    /// A turn begins: calls have their share again.
    pub(crate) fn begin_turn(&mut self) {
        self.calls_left = SHARE;
    }

    /// A turn has ended: what it has left is sorted.
    pub(crate) fn end_turn(&mut self) {
        while let Some(message) = self.unsorted.pop_front() {
            self.sort(message);
        }
    }

    /// Takes what is next.
    pub(crate) fn next(&mut self) -> Option<ShardMessage> {
        if let Some(message) = self.unsorted.pop_front() {
            return Some(message);
        }
        if let Some(left) = self.calls_left.checked_sub(1)
            && let Some(call) = self.calls.pop_front()
        {
            self.calls_left = left;
            return Some(call);
        }
        self.next_of_connections()
            .or_else(|| self.calls.pop_front())
            .or_else(|| self.stop.take().map(ShardMessage::Stop))
    }

    /// How many messages are to be taken of a connection that is next: any number where no other one waits.
    pub(crate) fn share(&self) -> usize {
        if self.round.is_empty() { usize::MAX } else { SHARE }
    }

    /// Puts back what is left of what a connection has sent. The other connections are next.
    pub(crate) fn put_back(&mut self, seat: Seat, rest: ShardMessage) {
        self.end_turn();
        self.of_seat(seat.number).push_front(rest);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.unsorted.is_empty() && !self.is_sorted() && self.stop.is_none()
    }

    fn is_sorted(&self) -> bool {
        !(self.calls.is_empty() && self.round.is_empty())
    }

    fn sort(&mut self, message: ShardMessage) {
        if self.stop.is_some() {
            return;
        }
        match message {
            ShardMessage::Frames { seat, .. }
            | ShardMessage::Closed { seat, .. }
            | ShardMessage::Broken(seat, _) => self.of_seat(seat.number).push_back(message),
            ShardMessage::Stop(done) => self.stop = Some(done),
            ShardMessage::Call(..)
            | ShardMessage::Offer(_)
            | ShardMessage::Command(..)
            | ShardMessage::Ended(..)
            | ShardMessage::KeepDelivery(_) => self.calls.push_back(message),
        }
    }

    /// What has come over the socket of a seat, which something is about to be added to.
    fn of_seat(&mut self, number: u64) -> &mut VecDeque<ShardMessage> {
        self.sent.entry(number).or_insert_with(|| {
            self.round.push_back(number);
            VecDeque::new()
        })
    }

    fn next_of_connections(&mut self) -> Option<ShardMessage> {
        let number = self.round.pop_front()?;
        let sent = self.sent.get_mut(&number)?;
        let message = sent.pop_front();
        if sent.is_empty() {
            self.sent.remove(&number);
        } else {
            self.round.push_back(number);
        }
        message
    }
}

#[cfg(test)]
mod tests {
    use webpubsub_protocol::client::Frame;
    use webpubsub_protocol::close::CloseCode;
    use webpubsub_service::{Holder, ShardCall};
    use webpubsub_shard::Slot;

    use super::*;
    use crate::credit::Credit;

    const fn seat(number: u64) -> Seat {
        Seat { holder: Holder::Client(Slot(0)), number }
    }

    /// So many messages that a connection has sent at once.
    fn messages(number: u64, count: usize) -> ShardMessage {
        let messages = (0..count).map(|n| Frame::Text(n.to_string())).collect::<Vec<_>>();
        let loan = Credit::of(0).lend(count, 0);
        ShardMessage::Frames { seat: seat(number), messages: messages.into_iter(), loan }
    }

    fn closed(number: u64) -> ShardMessage {
        ShardMessage::Closed { seat: seat(number), code: CloseCode(1000), reason: String::new() }
    }

    fn call() -> ShardMessage {
        ShardMessage::Call(ShardCall::Room, oneshot::channel().0)
    }

    fn stop() -> ShardMessage {
        ShardMessage::Stop(oneshot::channel().0)
    }

    fn push<const N: usize>(arrivals: &mut Arrivals, arrived: [ShardMessage; N]) {
        arrived.into_iter().for_each(|message| arrivals.push(message));
    }

    /// Takes one turn of at most so many messages, as a shard's task does: runs of one connection's messages with the
    /// first one's number, `x` for a connection's end, `call` and `stop`.
    fn turn(arrivals: &mut Arrivals, mut most: usize) -> Vec<String> {
        let mut taken = Vec::new();
        arrivals.begin_turn();
        while most > 0
            && let Some(message) = arrivals.next()
        {
            match message {
                ShardMessage::Frames { seat, mut messages, loan } => {
                    let count = arrivals.share().min(most).min(messages.len());
                    let first = messages.as_slice().first().cloned();
                    let Some(Frame::Text(first)) = first else { panic!("no text") };
                    messages.by_ref().take(count).for_each(drop);
                    most -= count;
                    taken.push(format!("{}: {count} from {first}", seat.number));
                    if messages.len() > 0 {
                        arrivals.put_back(seat, ShardMessage::Frames { seat, messages, loan });
                    }
                }
                ShardMessage::Closed { seat, .. } => taken.push(format!("{}: x", seat.number)),
                ShardMessage::Stop(_) => taken.push("stop".to_owned()),
                ShardMessage::Call(..)
                | ShardMessage::Offer(_)
                | ShardMessage::Command(..)
                | ShardMessage::Broken(..)
                | ShardMessage::Ended(..)
                | ShardMessage::KeepDelivery(_) => taken.push("call".to_owned()),
            }
        }
        arrivals.end_turn();
        taken
    }

    #[test]
    fn what_a_turn_takes_at_once_is_taken_as_it_came() {
        let mut arrivals = Arrivals::default();
        push(&mut arrivals, [messages(1, 20), call(), messages(2, 20), messages(1, 1), call()]);
        let taken = ["1: 20 from 0", "call", "2: 20 from 0", "1: 1 from 0", "call"];
        assert_eq!(turn(&mut arrivals, 100), taken);
        assert!(arrivals.is_empty());
    }

    #[test]
    fn connections_with_much_to_take_have_the_same_share() {
        let mut arrivals = Arrivals::default();
        push(&mut arrivals, [messages(1, 1000), messages(2, 1000), messages(3, 3)]);
        assert_eq!(turn(&mut arrivals, 10), ["1: 10 from 0"]);
        // The one that was taken first is the last of the next turns.
        assert_eq!(turn(&mut arrivals, 16), ["2: 8 from 0", "3: 3 from 0", "1: 5 from 10"]);
        assert_eq!(turn(&mut arrivals, 16), ["2: 8 from 8", "1: 8 from 15"]);
    }

    #[test]
    fn a_newcomers_message_waits_for_one_share_of_each() {
        let mut arrivals = Arrivals::default();
        (0..50).for_each(|flooding| arrivals.push(messages(flooding, 900)));
        turn(&mut arrivals, 100);
        arrivals.push(messages(50, 1));
        let mut before = 0;
        while !turn(&mut arrivals, 8).concat().starts_with("50: ") {
            before += 8;
        }
        assert_eq!(before, 50 * SHARE);
    }

    #[test]
    fn a_call_waits_for_no_message_that_came_before_it() {
        let mut arrivals = Arrivals::default();
        (0..50).for_each(|flooding| arrivals.push(messages(flooding, 900)));
        turn(&mut arrivals, 100);
        arrivals.push(call());
        assert_eq!(turn(&mut arrivals, 8), ["call", "1: 8 from 0"]);
    }

    #[test]
    fn calls_leave_connections_their_part_of_each_turn() {
        let mut arrivals = Arrivals::default();
        push(&mut arrivals, [messages(1, 20), messages(2, 20)]);
        turn(&mut arrivals, 4);
        (0..5 * SHARE).for_each(|_| arrivals.push(call()));
        for _ in 0..2 {
            let taken = turn(&mut arrivals, 16);
            assert_eq!(taken.iter().filter(|one| *one == "call").count(), SHARE);
            assert_eq!(taken.len(), SHARE + 2, "{taken:?}");
        }
        // Once no connection has sent any more, a turn takes all calls.
        assert_eq!(turn(&mut arrivals, 16).len(), SHARE + 1 + 2 * SHARE);
        assert!(arrivals.is_empty());
    }

    #[test]
    fn what_came_over_a_socket_stays_in_its_order() {
        let mut arrivals = Arrivals::default();
        push(&mut arrivals, [messages(1, 12), messages(2, 9), messages(1, 2), closed(1)]);
        let mut taken = turn(&mut arrivals, 1);
        while !arrivals.is_empty() {
            taken.extend(turn(&mut arrivals, 30));
        }
        taken.retain(|one| one.starts_with("1:"));
        assert_eq!(taken, ["1: 1 from 0", "1: 8 from 1", "1: 3 from 9", "1: 2 from 0", "1: x"]);
    }

    #[test]
    fn the_end_of_the_process_comes_after_what_came_before() {
        let mut arrivals = Arrivals::default();
        push(&mut arrivals, [messages(1, 20), stop(), messages(2, 1), call()]);
        assert_eq!(turn(&mut arrivals, 15), ["1: 15 from 0"]);
        // What comes later finds no process.
        arrivals.push(messages(3, 1));
        assert_eq!(turn(&mut arrivals, 30), ["1: 5 from 15", "stop"]);
        assert!(arrivals.is_empty());
    }
}
