//! From a call of the application to its answer.

use webpubsub_protocol::client::AckError;
use webpubsub_protocol::id::AckId;
use webpubsub_protocol::time::Timestamp;

use super::Session;
use crate::ack::Pending;
use crate::error::{SendError, StartError};
use crate::input::CommandId;
use crate::operation::{Delivery, Operation, Request};
use crate::output::{Output, Receipt};
use crate::state::State;

impl<P: Clone, D, O: Clone> Session<P, D, O> {
    /// Tries an operation, for the first time or again.
    pub(super) fn operate(&mut self, now: Timestamp, pending: Pending<P, O>) {
        let ack_id = match pending.operation.delivery() {
            Delivery::Acknowledged { ack_id: Some(ack_id) } => Some(ack_id),
            Delivery::Acknowledged { ack_id: None } => Some(self.operations.next_ack_id()),
            Delivery::FireAndForget => None,
        };
        if !matches!(self.state, State::Connected { .. }) {
            return self.operation_failed(now, pending, SendError::NotConnected { ack_id });
        }
        self.outputs.push(match pending.operation.request(ack_id) {
            Request::Known(message) => Output::Send(message),
            Request::Other(message) => Output::SendOther { message, ack_id },
        });
        match ack_id {
            Some(ack_id) => self.operations.sent(ack_id, pending),
            None => self.done(&pending, Receipt { ack_id, is_duplicated: false }),
        }
    }

    /// An ack for an operation of the application.
    pub(super) fn operation_acknowledged(
        &mut self,
        now: Timestamp,
        ack_id: AckId,
        pending: Pending<P, O>,
        result: Result<(), AckError>,
    ) {
        match result {
            Ok(()) => self.done(&pending, Receipt { ack_id: Some(ack_id), is_duplicated: false }),
            Err(error) if error.name == AckError::DUPLICATE => {
                self.done(&pending, Receipt { ack_id: Some(ack_id), is_duplicated: true });
            }
            Err(error) => self.operation_failed(now, pending, SendError::Refused { ack_id, error }),
        }
    }

    /// No ack will come for what was sent on a socket that is gone.
    pub(super) fn fail_unacknowledged(&mut self, now: Timestamp) {
        self.fail_invocations();
        for (ack_id, pending) in self.operations.take_sent() {
            self.operation_failed(now, pending, SendError::Disconnected { ack_id });
        }
    }

    pub(super) fn abort(&mut self, id: CommandId) {
        if let Some(error) = self.operations.abort(id) {
            self.outputs.push(Output::Settle { id, result: Err(error) });
        } else if let Some(invocation_id) = self.invocations.abort(id) {
            self.invocation_aborted(id, invocation_id);
        } else if let State::Connecting { attempt, start: Some(start), .. } = &self.state
            && *start == id
        {
            self.outputs.push(Output::Close { attempt: *attempt });
            self.outputs.push(Output::Started { id, result: Err(StartError::Aborted) });
            self.state = State::Stopped;
        }
    }

    fn done(&mut self, pending: &Pending<P, O>, receipt: Receipt) {
        match &pending.operation {
            Operation::JoinGroup { group, .. } => self.groups.joined(group),
            Operation::LeaveGroup { group, .. } => self.groups.left(group),
            Operation::SendToGroup { .. } | Operation::SendEvent { .. } | Operation::Other { .. } => {}
        }
        self.outputs.push(Output::Settle { id: pending.id, result: Ok(receipt) });
    }

    /// Any failure is tried again, refusals included, until the retries are used up.
    ///
    /// Source: docs/spec/sdk.md#retries.
    fn operation_failed(&mut self, now: Timestamp, mut pending: Pending<P, O>, error: SendError) {
        pending.failures = pending.failures.saturating_add(1);
        match self.options.message_retry.delay_after(pending.failures) {
            Some(pause) => self.operations.rest(now.after(pause), error, pending),
            None => self.outputs.push(Output::Settle { id: pending.id, result: Err(error) }),
        }
    }
}
