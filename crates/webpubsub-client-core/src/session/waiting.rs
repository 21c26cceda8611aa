//! What time alone brings about.

use std::mem;

use webpubsub_protocol::client::UpstreamMessage;
use webpubsub_protocol::time::Timestamp;

use super::Session;
use crate::close::Close;
use crate::error::ConnectError;
use crate::keep_alive::Due;
use crate::output::Output;
use crate::state::{RecoveryPhase, State};

impl<P: Clone, D, O: Clone> Session<P, D, O> {
    pub(super) fn timeout(&mut self, now: Timestamp) {
        match mem::take(&mut self.state) {
            State::Connected { attempt, mut connection, mut keep_alive, unproven } => {
                let due = keep_alive.take_due(now);
                if due == Due::GiveUp {
                    self.outputs.push(Output::Close { attempt });
                    self.lost(now, connection, Close::silence(), unproven);
                } else {
                    if due == Due::Ping {
                        self.outputs.push(Output::Send(UpstreamMessage::Ping));
                    }
                    if let Some(sequence_id) = connection.sequence.take_due(now) {
                        self.outputs.push(Output::Send(UpstreamMessage::SequenceAck { sequence_id }));
                    }
                    self.state = State::Connected { attempt, connection, keep_alive, unproven };
                }
            }
            State::Recovering { connection, close, window_ends, phase } if window_ends <= now => {
                if let RecoveryPhase::Opening { attempt, .. } = phase {
                    self.outputs.push(Output::Close { attempt });
                }
                self.lost_for_good(now, *connection, close);
            }
            State::Recovering { connection, close, window_ends, phase: RecoveryPhase::Pausing { until } }
                if until <= now =>
            {
                self.recover(now, connection, close, window_ends);
            }
            state @ (State::Connecting { attempt, until, .. }
            | State::Recovering { phase: RecoveryPhase::Opening { attempt, until }, .. })
                if until <= now =>
            {
                self.state = state;
                self.outputs.push(Output::Close { attempt });
                self.connect_failed(now, attempt, ConnectError::TimedOut);
            }
            State::WaitingToRetry { until, failures } if until <= now => self.connect(now, None, failures),
            State::Stopping { connection, until, .. } if until <= now => {
                self.stopped_connection(*connection, Close::silence());
            }
            other @ (State::Stopped
            | State::Connecting { .. }
            | State::Recovering { .. }
            | State::WaitingToRetry { .. }
            | State::Stopping { .. }) => self.state = other,
        }
        for pending in self.operations.take_due(now) {
            self.operate(now, pending);
        }
    }

    /// A moment to look at the link: an open one has to show a sign of life soon, and a pause
    /// between attempts ends at once.
    pub(super) fn wake(&mut self, now: Timestamp) {
        match &mut self.state {
            State::Connected { keep_alive, .. } => keep_alive.doubt(now),
            State::Recovering { phase: RecoveryPhase::Pausing { until }, .. }
            | State::WaitingToRetry { until, .. } => *until = now,
            State::Stopped
            | State::Connecting { .. }
            | State::Recovering { phase: RecoveryPhase::Opening { .. }, .. }
            | State::Stopping { .. } => return,
        }
        self.timeout(now);
    }
}
