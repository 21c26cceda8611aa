//! What clients of this shard publish, on its way to the other shards.
//!
//! One outbox a shard, one batch in flight from each: that keeps every publisher's order, puts many
//! publishes into one request under load, and bounds what waits. A batch is sent again until it is
//! taken; the receiver knows it by its number and takes it once.

use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use webpubsub_protocol::client::DownstreamMessage;
use webpubsub_protocol::client::json::{DataFrame, decode_downstream};
use webpubsub_protocol::json::{Json, Members, Writer};
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
    /// The messages, encoded as their members will read them.
    messages: Vec<Rc<str>>,
}

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

impl Batch {
    /// Writes the batch as JSON.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut messages = Writer::list();
        for message in &self.messages {
            messages.element(message);
        }
        let mut form = Writer::object();
        form.number("from", self.from.0.into());
        form.number("incarnation", self.number.incarnation).number("count", self.number.count);
        form.json("messages", &messages.finish());
        form.finish()
    }

    /// Reads what [`Batch::encode`] wrote.
    ///
    /// # Errors
    /// [`BatchError`] for anything else.
    pub fn decode(text: &str) -> Result<Self, BatchError> {
        let form = Members::parse(text).ok_or(BatchError)?;
        let number = |name| form.get(name).and_then(Json::unsigned).ok_or(BatchError);
        let messages = form.get("messages").and_then(Json::elements).ok_or(BatchError)?;
        Ok(Self {
            from: ShardNumber(u16::try_from(number("from")?).map_err(|_| BatchError)?),
            number: BatchNumber { incarnation: number("incarnation")?, count: number("count")? },
            messages: messages.into_iter().map(|message| message.as_str().into()).collect(),
        })
    }

    /// The publishes, in the order made. Messages of a kind that this version does not know are
    /// left out.
    pub(crate) fn publishes(&self) -> impl Iterator<Item = Publish> {
        self.messages.iter().filter_map(|message| match decode_downstream(message) {
            Ok(Some(DownstreamMessage::Data { from, data, metadata, .. })) => {
                Some(Publish { from, data, metadata })
            }
            Ok(Some(
                DownstreamMessage::Connected { .. }
                | DownstreamMessage::Disconnected { .. }
                | DownstreamMessage::Ack { .. }
                | DownstreamMessage::Pong,
            ))
            | Ok(None)
            | Err(_) => None,
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
    waiting: VecDeque<Rc<str>>,
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
        let frame = DataFrame::new(&publish.from, &publish.data, &publish.metadata);
        let message: Rc<str> = frame.with(None).into();
        for (to, outbox) in &mut self.outboxes {
            outbox.waiting_bytes += message.len();
            outbox.waiting.push_back(Rc::clone(&message));
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
