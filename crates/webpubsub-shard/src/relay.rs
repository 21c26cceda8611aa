//! Publishes of this shard's clients on their way to the other shards.
//!
//! A publish is relayed from the moment that it is a row of the log until the other shard has acknowledged
//! it. There is one outbox a shard, with one batch in flight: that keeps every publisher's order, puts many
//! publishes into one request under load, and bounds what waits. A batch is sent again until it is taken.
//! The receiver stores the last row that it took in the step that delivers it, and ignores rows up to it.

use std::collections::VecDeque;
use std::time::Duration;

use webpubsub_protocol::json::{Json, Members, Writer};
use webpubsub_protocol::time::Timestamp;

use crate::output::{Change, Output};
use crate::shard_id::ShardId;
use crate::snapshot::{LogRow, StoredMessage};
use crate::step::Step;

/// What may wait for one shard, in bytes of encoded messages. Publishes above that are refused.
const MAX_WAITING_BYTES: usize = 16 * 1024 * 1024;
/// What one batch may hold, in bytes of encoded messages; a single message may be larger.
const MAX_BATCH_BYTES: usize = 4 * 1024 * 1024;
/// The pause before a batch that was not taken is sent again; doubled each time.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How long a batch may be in flight before an alarm wakes the shard for it, if its memory is lost
/// meanwhile.
const WAKE_AFTER: Duration = Duration::from_secs(10);

/// Publishes from one shard to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The shard that they come from.
    pub from: ShardId,
    /// Rows of that shard's log, oldest first.
    pub messages: Vec<(u64, StoredMessage)>,
}

/// A text is no batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the batch is malformed")]
pub struct BatchError;

impl Batch {
    /// Writes the batch as JSON: of every message the row, when it expires in milliseconds since the
    /// Unix epoch (0 for never), and the message itself.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut messages = Writer::list();
        for (row, StoredMessage { message, expires }) in &self.messages {
            let expires = expires.map_or(0, Timestamp::as_millis);
            let mut parts = Writer::list();
            parts.element(&row.to_string()).element(&expires.to_string()).element(message);
            messages.element(&parts.finish());
        }
        let mut form = Writer::object();
        form.number("from", self.from.0.into()).json("messages", &messages.finish());
        form.finish()
    }

    /// Reads what [`Batch::encode`] wrote.
    ///
    /// # Errors
    /// [`BatchError`] for anything else.
    pub fn decode(text: &str) -> Result<Self, BatchError> {
        let form = Members::parse(text).ok_or(BatchError)?;
        let from = form.get("from").and_then(Json::unsigned).and_then(|from| u16::try_from(from).ok());
        let message = |parts: Json<'_>| {
            let [row, expires, message] = *parts.elements()?.as_array()?;
            let expires = Some(expires.unsigned()?).filter(|at| *at > 0).map(Timestamp::from_millis);
            Some((row.unsigned()?, StoredMessage { message: message.as_str().to_owned(), expires }))
        };
        let messages = form.get("messages").and_then(|messages| messages.list(message));
        Ok(Self { from: ShardId(from.ok_or(BatchError)?), messages: messages.ok_or(BatchError)? })
    }
}

/// The outboxes of a shard, and what it took from the others.
#[derive(Debug, Default)]
pub(crate) struct Relay {
    outboxes: Vec<Outbox>,
    /// The last row taken from each shard.
    taken: Vec<(ShardId, u64)>,
    /// When an alarm wakes the shard, if anything waits then.
    wake: Option<Timestamp>,
    /// Shards that nothing was relayed to before.
    new: Vec<ShardId>,
}

#[derive(Debug)]
struct Outbox {
    to: ShardId,
    /// Rows that it has not taken, oldest first.
    rows: VecDeque<Waiting>,
    /// Bytes of those that are not in flight.
    waiting_bytes: usize,
    /// How many of them are in flight.
    in_flight: usize,
    failures: u32,
    /// When the batch in flight is sent again, after it was not taken.
    retry: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy)]
struct Waiting {
    row: u64,
    bytes: usize,
}

impl Relay {
    /// Restores the outboxes with the rows that the others have not taken. A new outbox starts with the next
    /// row.
    pub(crate) fn restore(
        others: impl Iterator<Item = ShardId>,
        taken_by: &[(ShardId, u64)],
        taken: Vec<(ShardId, u64)>,
        log: &[LogRow],
        step: &mut Step,
    ) -> Self {
        let newest = log.last().map_or(0, |row| row.row);
        let mut new = Vec::new();
        let outboxes = others.map(|to| {
            let known = taken_by.iter().find(|(shard, _)| *shard == to).map(|(_, row)| *row);
            if known.is_none() {
                new.push(to);
                step.store(Change::TakenBy { shard: to, row: newest });
            }
            let mut outbox = Outbox::new(to);
            for LogRow { row, bytes, .. } in
                log.iter().filter(|row| row.relayed && row.row > known.unwrap_or(newest))
            {
                outbox.push(*row, *bytes);
            }
            outbox.send_next(step);
            outbox
        });
        let outboxes = outboxes.collect();
        Self { outboxes, taken, wake: None, new }
    }

    /// Keeps an outbox for each of these shards only. A new one starts with
    /// the next row; one that is gone is dropped.
    pub(crate) fn set(&mut self, others: impl Iterator<Item = ShardId>, newest: u64, step: &mut Step) {
        let mut before = std::mem::take(&mut self.outboxes);
        for to in others {
            let known = before.iter().position(|outbox| outbox.to == to);
            self.outboxes.push(match known {
                Some(at) => before.swap_remove(at),
                None => {
                    self.new.push(to);
                    step.store(Change::TakenBy { shard: to, row: newest });
                    Outbox::new(to)
                }
            });
        }
    }

    /// How many rows have not been taken, counted once for each shard that has not.
    pub(crate) fn load(&self) -> usize {
        self.outboxes.iter().map(|outbox| outbox.rows.len()).sum()
    }

    /// Whether there is another shard to relay to.
    pub(crate) const fn is_needed(&self) -> bool {
        !self.outboxes.is_empty()
    }

    /// Whether every outbox can take one more message.
    pub(crate) fn has_room(&self) -> bool {
        self.outboxes.iter().all(|outbox| outbox.waiting_bytes < MAX_WAITING_BYTES)
    }

    /// Puts a row into every outbox.
    pub(crate) fn publish(&mut self, row: u64, bytes: usize) {
        for outbox in &mut self.outboxes {
            outbox.push(row, bytes);
        }
    }

    /// Puts a row into the outbox of one shard.
    pub(crate) fn publish_to(&mut self, to: ShardId, row: u64, bytes: usize) {
        for outbox in self.outboxes.iter_mut().filter(|outbox| outbox.to == to) {
            outbox.push(row, bytes);
        }
    }

    /// Takes the shards that nothing was relayed to before.
    pub(crate) fn take_new(&mut self) -> Vec<ShardId> {
        std::mem::take(&mut self.new)
    }

    /// Sends what waits, in one batch a shard, to those that have taken the batch before.
    pub(crate) fn send(&mut self, step: &mut Step) {
        for outbox in &mut self.outboxes {
            outbox.send_next(step);
        }
    }

    /// The rows that are still needed here.
    pub(crate) fn needed(&self) -> impl Iterator<Item = u64> {
        self.outboxes.iter().flat_map(|outbox| &outbox.rows).map(|waiting| waiting.row)
    }

    /// Takes the result of a batch in flight, known by its last row. Returns what is to be written with the
    /// next commit: without it, the shard sends those rows again after it has lost its memory.
    pub(crate) fn relayed(&mut self, now: Timestamp, to: ShardId, last: u64, taken: bool) -> Option<Change> {
        let outbox = self.outboxes.iter_mut().find(|outbox| outbox.to == to)?;
        let in_flight = outbox.in_flight.checked_sub(1).and_then(|last| outbox.rows.get(last));
        if in_flight.map(|waiting| waiting.row) != Some(last) {
            return None;
        }
        if taken {
            outbox.rows.drain(..outbox.in_flight);
            outbox.in_flight = 0;
            outbox.failures = 0;
            outbox.retry = None;
            // While more follows, a write is not worth it.
            return outbox.rows.is_empty().then_some(Change::TakenBy { shard: to, row: last });
        }
        let pause = FIRST_PAUSE.saturating_mul(1 << outbox.failures.min(6)).min(LONGEST_PAUSE);
        outbox.failures = outbox.failures.saturating_add(1);
        outbox.retry = Some(now.after(pause));
        None
    }

    /// When the next batch that was not taken is due.
    pub(crate) fn next_timeout(&self) -> Option<Timestamp> {
        self.outboxes.iter().filter_map(|outbox| outbox.retry).min()
    }

    /// When an alarm is to wake the shard, even if its memory is lost until then.
    pub(crate) const fn next_deadline(&self) -> Option<Timestamp> {
        self.wake
    }

    /// Sets the alarm for 10 s after a row began to wait.
    pub(crate) fn watch(&mut self, now: Timestamp) {
        if self.wake.is_none() && self.outboxes.iter().any(|outbox| !outbox.rows.is_empty()) {
            self.wake = Some(now.after(WAKE_AFTER));
        }
    }

    /// Sends again what is due.
    pub(crate) fn timeout(&mut self, step: &mut Step) {
        self.wake = self.wake.filter(|due| *due > step.now);
        for outbox in &mut self.outboxes {
            if outbox.retry.is_some_and(|due| due <= step.now) {
                outbox.retry = None;
                outbox.send(step);
            }
        }
    }

    /// Takes a batch: returns the messages that were not taken before.
    pub(crate) fn take(
        &mut self,
        batch: Batch,
        step: &mut Step,
    ) -> impl Iterator<Item = StoredMessage> + use<> {
        let before = self.taken.iter().find(|(from, _)| *from == batch.from).map_or(0, |(_, row)| *row);
        let last = batch.messages.last().map_or(0, |(row, _)| *row);
        if last > before {
            self.taken.retain(|(from, _)| *from != batch.from);
            self.taken.push((batch.from, last));
            step.store(Change::Take { from: batch.from, row: last });
        }
        batch.messages.into_iter().filter(move |(row, _)| *row > before).map(|(_, message)| message)
    }
}

impl Outbox {
    const fn new(to: ShardId) -> Self {
        let rows = VecDeque::new();
        Self { to, rows, waiting_bytes: 0, in_flight: 0, failures: 0, retry: None }
    }

    fn push(&mut self, row: u64, bytes: usize) {
        self.rows.push_back(Waiting { row, bytes });
        self.waiting_bytes += bytes;
    }

    /// Sends the next batch, if none is in flight.
    fn send_next(&mut self, step: &mut Step) {
        if self.in_flight > 0 || self.rows.is_empty() {
            return;
        }
        let mut bytes = 0;
        for waiting in &self.rows {
            if self.in_flight > 0 && bytes + waiting.bytes > MAX_BATCH_BYTES {
                break;
            }
            bytes += waiting.bytes;
            self.in_flight += 1;
        }
        self.waiting_bytes -= bytes;
        self.send(step);
    }

    fn send(&self, step: &mut Step) {
        let rows = self.rows.iter().take(self.in_flight).map(|waiting| waiting.row).collect();
        step.push(Output::Relay { to: self.to, rows });
    }
}
