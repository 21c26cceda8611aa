//! What clients of this shard publish, on its way to the other shards.
//!
//! One outbox a shard, one batch in flight from each: that keeps every publisher's order, puts many
//! publishes into one request under load, and bounds what waits. A batch is sent again until it is
//! taken; the receiver knows it by its number and takes it once.

use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use webpubsub_protocol::time::Timestamp;

use crate::fan_out::Publish;
use crate::output::Output;
use crate::placement::{Place, ShardNumber};

/// What may wait for one shard, in bytes of encoded messages. Publishes above that are refused.
const MAX_WAITING_BYTES: usize = 16 * 1024 * 1024;
/// What one batch may hold, in bytes of encoded messages; a single message may be larger.
const MAX_BATCH_BYTES: usize = 4 * 1024 * 1024;
/// The pause before a batch that was not taken is sent again; doubled each time.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Publishes from one shard to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The shard that they come from.
    pub from: ShardNumber,
    /// Which batch this is.
    pub number: BatchNumber,
    /// What was published.
    messages: Vec<Message>,
}

/// A message on its way: as its members will read it, and when it expires in milliseconds since the
/// Unix epoch, 0 for never.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Message(u64, Rc<str>);

/// Tells a batch from every other of its sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct BatchNumber {
    /// Drawn at random when the sender's memory began: numbers start again with it.
    pub incarnation: u64,
    /// 1, 2, 3, …
    pub count: u64,
}

/// A text is no batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the batch is malformed")]
pub struct BatchError;

#[derive(Serialize, Deserialize)]
struct Form<'a> {
    from: u16,
    incarnation: u64,
    count: u64,
    #[serde(borrow)]
    messages: Vec<(u64, &'a RawValue)>,
}

impl Message {
    fn len(&self) -> usize {
        self.1.len()
    }
}

impl Batch {
    /// Writes the batch as JSON.
    ///
    /// # Errors
    /// [`BatchError`] if a message is not JSON, which only a bug can cause.
    pub fn encode(&self) -> Result<String, BatchError> {
        let messages =
            self.messages.iter().map(|Message(expires, text)| Ok((*expires, serde_json::from_str(text)?)));
        let form = Form {
            from: self.from.0,
            incarnation: self.number.incarnation,
            count: self.number.count,
            messages: messages.collect::<serde_json::Result<_>>().map_err(|_| BatchError)?,
        };
        serde_json::to_string(&form).map_err(|_| BatchError)
    }

    /// Reads what [`Batch::encode`] wrote.
    ///
    /// # Errors
    /// [`BatchError`] for anything else.
    pub fn decode(text: &str) -> Result<Self, BatchError> {
        let form: Form<'_> = serde_json::from_str(text).map_err(|_| BatchError)?;
        Ok(Self {
            from: ShardNumber(form.from),
            number: BatchNumber { incarnation: form.incarnation, count: form.count },
            messages: form.messages.into_iter().map(|(at, text)| Message(at, text.get().into())).collect(),
        })
    }

    /// The publishes, in the order made. Messages of a kind that this version does not know are
    /// left out.
    pub(crate) fn publishes(&self) -> impl Iterator<Item = Publish> {
        self.messages.iter().filter_map(|Message(expires, text)| {
            Publish::decode(text, Some(*expires).filter(|at| *at > 0).map(Timestamp::from_millis))
        })
    }
}

/// The outboxes of a shard, and what it took from the others.
#[derive(Debug)]
pub(crate) struct Relay {
    place: Place,
    incarnation: u64,
    /// By shard.
    outboxes: Vec<(ShardNumber, Outbox)>,
    /// The last batch taken from each shard.
    taken: HashMap<ShardNumber, BatchNumber>,
}

#[derive(Debug, Default)]
struct Outbox {
    /// Batches made so far.
    count: u64,
    waiting: VecDeque<Message>,
    waiting_bytes: usize,
    in_flight: Option<Batch>,
    failures: u32,
    /// When the batch in flight, not taken the last time, goes out again.
    retry: Option<Timestamp>,
}

impl Relay {
    pub(crate) fn new(place: Place, incarnation: u64) -> Self {
        let outboxes = place.others().map(|shard| (shard, Outbox::default())).collect();
        Self { place, incarnation, outboxes, taken: HashMap::new() }
    }

    /// Whether every outbox can take one more message.
    pub(crate) fn has_room(&self) -> bool {
        self.outboxes.iter().all(|(_, outbox)| outbox.waiting_bytes < MAX_WAITING_BYTES)
    }

    /// Puts a publish into every outbox.
    pub(crate) fn publish(&mut self, publish: &Publish, outputs: &mut Vec<Output>) {
        if self.outboxes.is_empty() {
            return;
        }
        let expires = publish.expires.map_or(0, Timestamp::as_millis);
        let message = Message(expires, publish.json().with(None).into());
        for (to, outbox) in &mut self.outboxes {
            outbox.waiting_bytes += message.len();
            outbox.waiting.push_back(message.clone());
            outbox.send_next(self.place.shard, *to, self.incarnation, outputs);
        }
    }

    /// A batch in flight has ended one way or the other.
    pub(crate) fn relayed(
        &mut self,
        now: Timestamp,
        to: ShardNumber,
        number: BatchNumber,
        taken: bool,
        outputs: &mut Vec<Output>,
    ) {
        let Some((_, outbox)) = self.outboxes.iter_mut().find(|(shard, _)| *shard == to) else { return };
        if outbox.in_flight.as_ref().map(|batch| batch.number) != Some(number) {
            return;
        }
        if taken {
            outbox.in_flight = None;
            outbox.failures = 0;
            outbox.send_next(self.place.shard, to, self.incarnation, outputs);
        } else {
            let pause = FIRST_PAUSE.saturating_mul(1 << outbox.failures.min(6)).min(LONGEST_PAUSE);
            outbox.failures = outbox.failures.saturating_add(1);
            outbox.retry = Some(now.after(pause));
        }
    }

    /// When the next batch that was not taken is due.
    pub(crate) fn next_timeout(&self) -> Option<Timestamp> {
        self.outboxes.iter().filter_map(|(_, outbox)| outbox.retry).min()
    }

    /// Sends again what is due.
    pub(crate) fn timeout(&mut self, now: Timestamp, outputs: &mut Vec<Output>) {
        for (to, outbox) in &mut self.outboxes {
            if outbox.retry.is_some_and(|due| due <= now) {
                outbox.retry = None;
                outputs.extend(outbox.in_flight.clone().map(|batch| Output::Relay { to: *to, batch }));
            }
        }
    }

    /// Whether a batch has not been taken before; from here on it has.
    pub(crate) fn take(&mut self, batch: &Batch) -> bool {
        let last = self.taken.get(&batch.from);
        let again = last.is_some_and(|last| {
            last.incarnation == batch.number.incarnation && batch.number.count <= last.count
        });
        if !again {
            self.taken.insert(batch.from, batch.number);
        }
        !again
    }
}

impl Outbox {
    /// Puts what waits in flight, if nothing is.
    fn send_next(&mut self, from: ShardNumber, to: ShardNumber, incarnation: u64, outputs: &mut Vec<Output>) {
        if self.in_flight.is_some() {
            return;
        }
        let (mut messages, mut bytes) = (Vec::new(), 0);
        while let Some(message) = self.waiting.front() {
            if !messages.is_empty() && bytes + message.len() > MAX_BATCH_BYTES {
                break;
            }
            bytes += message.len();
            messages.extend(self.waiting.pop_front());
        }
        if messages.is_empty() {
            return;
        }
        self.waiting_bytes -= bytes;
        self.count += 1;
        let batch = Batch { from, number: BatchNumber { incarnation, count: self.count }, messages };
        self.in_flight = Some(batch.clone());
        outputs.push(Output::Relay { to, batch });
    }
}
