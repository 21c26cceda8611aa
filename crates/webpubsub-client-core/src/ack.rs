//! Operations on their way: waiting for an ack, or for their next try.

use std::collections::VecDeque;

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
    /// Sent and not acknowledged, oldest first. Acks come in that order, so the one looked for is
    /// nearly always at the front.
    sent: VecDeque<(AckId, Pending<P, O>)>,
    /// Failed and to be tried again, with the moment and with what went wrong.
    resting: Vec<(Timestamp, SendError, Pending<P, O>)>,
}

impl<P, O> Default for PendingOperations<P, O> {
    fn default() -> Self {
        Self { last_ack_id: 0, sent: VecDeque::new(), resting: Vec::new() }
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
        self.sent.push_back((ack_id, pending));
    }

    pub(crate) fn rest(&mut self, until: Timestamp, error: SendError, pending: Pending<P, O>) {
        self.resting.push((until, error, pending));
    }

    /// The oldest operation that waits for this ack. The same id may have been chosen twice: each
    /// then gets an ack of its own.
    pub(crate) fn acknowledged(&mut self, ack_id: AckId) -> Option<Pending<P, O>> {
        let index = self.sent.iter().position(|(id, _)| *id == ack_id)?;
        Some(self.sent.remove(index)?.1)
    }

    /// Whatever waits for an ack that will not come.
    pub(crate) fn take_sent(&mut self) -> VecDeque<(AckId, Pending<P, O>)> {
        std::mem::take(&mut self.sent)
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
        if let Some(index) = self.sent.iter().position(|(_, pending)| pending.id == id) {
            let (ack_id, _) = self.sent.remove(index)?;
            return Some(SendError::Aborted { ack_id: Some(ack_id) });
        }
        let (_, error, _) = self.resting.extract_if(.., |(_, _, pending)| pending.id == id).next()?;
        Some(SendError::Aborted { ack_id: error.ack_id() })
    }
}
