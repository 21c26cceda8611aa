//! Operations on their way: waiting for an ack, or for their next try.

use webpubsub_protocol::id::AckId;
use webpubsub_protocol::time::Timestamp;

use crate::error::SendError;
use crate::input::CommandId;
use crate::operation::Operation;

/// An operation that the application waits for.
#[derive(Debug)]
pub(crate) struct Pending<P, O> {
    pub(crate) id: CommandId,
    pub(crate) operation: Operation<P, O>,
    /// How often it has failed so far.
    pub(crate) failures: u32,
}

/// Operations on their way, and the counter that gives ack ids.
#[derive(Debug)]
pub(crate) struct PendingOperations<P, O> {
    last_ack_id: u64,
    /// Sent, oldest first, and `None` once acknowledged. Acks come in that order, so the one looked for
    /// is nearly always the first of those that wait.
    sent: Vec<Option<(AckId, Pending<P, O>)>>,
    /// How many at the beginning of `sent` are acknowledged.
    settled: usize,
    /// Failed and to be tried again, with the moment and with what went wrong.
    resting: Vec<(Timestamp, SendError, Pending<P, O>)>,
}

impl<P, O> Default for PendingOperations<P, O> {
    fn default() -> Self {
        Self { last_ack_id: 0, sent: Vec::new(), settled: 0, resting: Vec::new() }
    }
}

impl<P, O> PendingOperations<P, O> {
    /// The next ack id: 1, 2, 3, … for as long as the session lives, whatever its connections do.
    ///
    /// Source: docs/spec/sdk.md#ack-ids.
    pub(crate) const fn next_ack_id(&mut self) -> AckId {
        self.last_ack_id = self.last_ack_id.saturating_add(1);
        AckId(self.last_ack_id)
    }

    pub(crate) fn sent(&mut self, ack_id: AckId, pending: Pending<P, O>) {
        self.sent.push(Some((ack_id, pending)));
    }

    /// The oldest operation that waits for this ack. The same id may have been chosen twice: each
    /// then gets an ack of its own.
    pub(crate) fn acknowledged(&mut self, ack_id: AckId) -> Option<Pending<P, O>> {
        self.take_first(|id, _| id == ack_id).map(|(_, pending)| pending)
    }

    fn take_first(
        &mut self,
        is_it: impl Fn(AckId, &Pending<P, O>) -> bool,
    ) -> Option<(AckId, Pending<P, O>)> {
        let mut waiting = self.sent.iter_mut().skip(self.settled);
        let found = waiting.find_map(|sent| sent.take_if(|(ack_id, pending)| is_it(*ack_id, pending)))?;
        while let Some(None) = self.sent.get(self.settled) {
            self.settled += 1;
        }
        // Half of it at a time, so that each is moved a bounded number of times.
        if self.settled * 2 > self.sent.len() {
            self.sent.retain(Option::is_some);
            self.settled = 0;
        }
        Some(found)
    }

    /// Whatever waits for an ack that will not come.
    pub(crate) fn take_sent(&mut self) -> impl Iterator<Item = (AckId, Pending<P, O>)> + use<P, O> {
        self.settled = 0;
        std::mem::take(&mut self.sent).into_iter().flatten()
    }

    pub(crate) fn rest(&mut self, until: Timestamp, error: SendError, pending: Pending<P, O>) {
        self.resting.push((until, error, pending));
    }

    /// Whatever rests, with what went wrong.
    pub(crate) fn take_resting(&mut self) -> impl Iterator<Item = (SendError, Pending<P, O>)> + use<P, O> {
        std::mem::take(&mut self.resting).into_iter().map(|(_, error, pending)| (error, pending))
    }

    /// When the next try is due.
    pub(crate) fn next_timeout(&self) -> Option<Timestamp> {
        self.resting.iter().map(|(until, ..)| *until).min()
    }

    /// The operations to try again, in the order that they failed in.
    pub(crate) fn take_due(&mut self, now: Timestamp) -> Vec<Pending<P, O>> {
        self.resting.extract_if(.., |(until, ..)| *until <= now).map(|(_, _, pending)| pending).collect()
    }

    /// Forgets an operation; its error if there was one to forget.
    pub(crate) fn abort(&mut self, id: CommandId) -> Option<SendError> {
        if let Some((ack_id, _)) = self.take_first(|_, pending| pending.id == id) {
            return Some(SendError::Aborted { ack_id: Some(ack_id) });
        }
        let (_, error, _) = self.resting.extract_if(.., |(_, _, pending)| pending.id == id).next()?;
        Some(SendError::Aborted { ack_id: error.ack_id() })
    }
}
