//! What was published, who has received it, and what of that may not be.

use std::collections::{BTreeMap, BTreeSet};

use webpubsub_mqtt::Qos;

use crate::simulation::check::check;

/// Who has published a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Publisher {
    /// A device, by its number.
    Device(usize),
    /// The service, for a device that was lost.
    Will,
    /// A client of another protocol, by its number and how many connections it has had.
    Member(usize, u32),
    /// A server.
    Server,
}

/// A message, from when it was first sent.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) from: Publisher,
    pub(super) sent: u32,
    pub(super) qos: Qos,
    pub(super) is_acknowledged: bool,
}

/// Every message, by its number.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    messages: Vec<Message>,
    /// Those that may be there twice, since their publishers lost their sessions.
    doubled: BTreeSet<u32>,
    /// Wills of clients that were not lost.
    withheld: BTreeSet<u32>,
    /// How many were acknowledged to their publishers.
    pub(super) acknowledged: u64,
    /// How many wills were published.
    pub(super) wills: u64,
}

impl Ledger {
    /// A message that is to be published. Returns its number.
    pub(super) fn add(&mut self, from: Publisher, sent: u32, qos: Qos) -> u32 {
        self.messages.push(Message { from, sent, qos, is_acknowledged: false });
        self.messages.len() as u32 - 1
    }

    pub(super) fn get(&self, number: u32) -> &Message {
        &self.messages[number as usize]
    }

    /// Its publisher has received that it was taken.
    pub(super) fn acknowledge(&mut self, number: u32) {
        let message = &mut self.messages[number as usize];
        self.acknowledged += u64::from(!message.is_acknowledged);
        message.is_acknowledged = true;
    }

    /// These may be there twice from here on.
    pub(super) fn may_double(&mut self, numbers: impl IntoIterator<Item = u32>) {
        self.doubled.extend(numbers);
    }

    /// A will has to come from here on, to those who were subscribed before `since`, or must not.
    pub(super) fn settle_will(&mut self, number: u32, since: u32, is_published: bool) {
        if is_published {
            self.wills += 1;
            self.messages[number as usize].sent = since;
            self.messages[number as usize].is_acknowledged = true;
        } else {
            self.withheld.insert(number);
        }
    }

    /// Whether a message is owed to those who have received everything since a step.
    fn is_owed(&self, number: u32, since: u32) -> bool {
        let message = self.get(number);
        message.is_acknowledged && message.sent > since && message.qos != Qos::AtMostOnce
    }
}

/// What one application has received.
#[derive(Debug, Default)]
pub(super) struct Account {
    /// How often each message has come.
    seen: BTreeMap<u32, u32>,
    /// The newest of each publisher at each QoS.
    newest: BTreeMap<(Publisher, u8), u32>,
    /// The step from which on it has received everything.
    pub(super) since: Option<u32>,
    /// How many came again.
    pub(super) repeated: u64,
}

impl Account {
    /// A message has come over one of the ways that keep their order.
    pub(super) fn receive(&mut self, ledger: &Ledger, number: u32, qos: Qos, is_exact: bool, name: &str) {
        let message = ledger.get(number);
        let is_doubled = ledger.doubled.contains(&number);
        let times = self.seen.entry(number).or_default();
        *times += 1;
        let times = *times;
        let may_repeat = is_doubled || !is_exact;
        check!(
            times == 1 || may_repeat,
            "message {number} of {:?} came to {name} {times} times",
            message.from
        );
        self.repeated += u64::from(times > 1);
        // What was sent before may be repeated by its publisher, and come for the first time then.
        let is_lossy = qos == Qos::AtMostOnce && !is_exact;
        let is_new = !is_lossy && self.since.is_some_and(|since| message.sent > since);
        if times == 1 && is_new && !is_doubled && message.from != Publisher::Will {
            let newest = self.newest.entry((message.from, qos as u8)).or_default();
            check!(*newest <= number, "message {number} of {:?} came to {name} after {newest}", message.from);
            *newest = number;
        }
    }

    /// Whether a message has come before.
    pub(super) fn has(&self, number: u32) -> bool {
        self.seen.contains_key(&number)
    }

    /// Nothing more will come: everything has that was, if the account `is_complete`, and no will that was not.
    pub(super) fn close(&self, ledger: &Ledger, is_complete: bool, name: &str) {
        let since = self.since.filter(|_| is_complete);
        for number in 0..ledger.messages.len() as u32 {
            let is_owed = since.is_some_and(|since| ledger.is_owed(number, since));
            let from = ledger.get(number).from;
            check!(!is_owed || self.has(number), "message {number} of {from:?} has not come to {name}");
            let is_withheld = ledger.withheld.contains(&number);
            check!(
                !is_withheld || !self.has(number),
                "the will {number} came to {name}, whose client was there"
            );
        }
    }
}
