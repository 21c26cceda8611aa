//! From a start, a loss or a pause to an open socket.

use std::mem;
use std::time::Duration;

use webpubsub_protocol::time::Timestamp;

use super::Session;
use crate::close::Close;
use crate::connection::Connection;
use crate::error::{ConnectError, StartError};
use crate::input::{AttemptId, CommandId};
use crate::keep_alive::KeepAlive;
use crate::output::Output;
use crate::recovery;
use crate::state::{RecoveryPhase, State};

/// How long the credential has for its answer, and then a new connection for its open socket.
///
/// Platforms wait between 10 s and for ever. The service answers an upgrade when the application's
/// `connect` handler has, which may take all of `EVENT_TIMEOUT_SECONDS` (100 s by default).
const CONNECT_PATIENCE: Duration = Duration::from_secs(120);

impl<P: Clone, D, O: Clone> Session<P, D, O> {
    pub(super) fn start(&mut self, now: Timestamp, id: CommandId) {
        let error = match &self.state {
            State::Stopped => return self.connect(now, Some(id), 0),
            State::Stopping { .. } => StartError::Stopping,
            State::Connecting { .. }
            | State::Connected { .. }
            | State::Recovering { .. }
            | State::WaitingToRetry { .. } => StartError::NotStopped,
        };
        self.outputs.push(Output::Started { id, result: Err(error) });
    }

    /// Sets out for a new connection, with a URL that is fetched for it.
    pub(super) fn connect(&mut self, now: Timestamp, start: Option<CommandId>, failures: u32) {
        let attempt = self.next_attempt();
        let until = now.after(CONNECT_PATIENCE);
        self.state = State::Connecting { attempt, url: None, start, failures, until };
        self.outputs.push(Output::FetchUrl { attempt });
    }

    /// Tries to get a new socket for the connection that there is; gives the connection up if the
    /// service never said how to recover it.
    pub(super) fn recover(
        &mut self,
        now: Timestamp,
        connection: Box<Connection>,
        close: Close,
        window_ends: Timestamp,
    ) {
        let Some((_, url)) = recovery::address(&connection) else {
            return self.lost_for_good(now, *connection, close);
        };
        let attempt = self.next_attempt();
        let phase = RecoveryPhase::Opening { attempt, until: now.after(recovery::ATTEMPT_PATIENCE) };
        self.state = State::Recovering { connection, close, window_ends, phase };
        self.outputs.push(Output::Connect { attempt, url, subprotocol: self.options.subprotocol });
    }

    pub(super) fn url_fetched(&mut self, now: Timestamp, answered: AttemptId, fetched: String) {
        if let State::Connecting { attempt, url: url @ None, until, .. } = &mut self.state
            && *attempt == answered
        {
            *until = now.after(CONNECT_PATIENCE);
            *url = Some(fetched.clone());
            let subprotocol = self.options.subprotocol;
            self.outputs.push(Output::Connect { attempt: answered, url: fetched, subprotocol });
        }
    }

    pub(super) fn opened(&mut self, now: Timestamp, opened: AttemptId) {
        let keep_alive = KeepAlive::new(now, &self.options);
        match mem::take(&mut self.state) {
            State::Connecting { attempt, url: Some(url), start, failures, .. } if attempt == opened => {
                let connection = Box::new(Connection::new(url, failures));
                self.state = State::Connected { attempt, connection, keep_alive, unproven: None };
                if let Some(id) = start {
                    self.outputs.push(Output::Started { id, result: Ok(()) });
                }
            }
            State::Recovering {
                mut connection,
                window_ends,
                phase: RecoveryPhase::Opening { attempt, .. },
                ..
            } if attempt == opened => {
                connection.sequence.hurry(now);
                self.rejoin_again(&mut connection);
                let unproven = Some(window_ends);
                self.state = State::Connected { attempt, connection, keep_alive, unproven };
            }
            other @ (State::Stopped
            | State::Connecting { .. }
            | State::Connected { .. }
            | State::Recovering { .. }
            | State::WaitingToRetry { .. }
            | State::Stopping { .. }) => self.state = other,
        }
        // The first ping is due with the open socket.
        self.timeout(now);
    }

    pub(super) fn connect_failed(&mut self, now: Timestamp, failed: AttemptId, error: ConnectError) {
        match mem::take(&mut self.state) {
            State::Connecting { attempt, start: Some(id), .. } if attempt == failed => {
                self.outputs.push(Output::Started { id, result: Err(error.into()) });
            }
            State::Connecting { attempt, start: None, failures, .. } if attempt == failed => {
                self.retry_or_stop(now, failures);
            }
            State::Recovering {
                connection,
                close,
                window_ends,
                phase: RecoveryPhase::Opening { attempt, .. },
            } if attempt == failed => {
                let phase = RecoveryPhase::Pausing { until: now.after(recovery::PAUSE) };
                self.state = State::Recovering { connection, close, window_ends, phase };
            }
            other @ (State::Stopped
            | State::Connecting { .. }
            | State::Connected { .. }
            | State::Recovering { .. }
            | State::WaitingToRetry { .. }
            | State::Stopping { .. }) => self.state = other,
        }
    }

    fn retry_or_stop(&mut self, now: Timestamp, failures: u32) {
        let failures = failures.saturating_add(1);
        match self.options.reconnect_retry.delay_after(failures) {
            Some(pause) => self.state = State::WaitingToRetry { until: now.after(pause), failures },
            None => self.stopped(),
        }
    }

    fn next_attempt(&mut self) -> AttemptId {
        self.last_attempt = AttemptId(self.last_attempt.0.wrapping_add(1));
        self.last_attempt
    }
}
