//! From an open socket to what follows its end.

use std::mem;
use std::time::Duration;

use webpubsub_protocol::close::CloseCode;
use webpubsub_protocol::time::Timestamp;

use super::Session;
use crate::close::Close;
use crate::connection::Connection;
use crate::error::{ConnectError, SendError, StartError};
use crate::input::AttemptId;
use crate::output::{Event, Next, Output};
use crate::recovery;
use crate::state::{RecoveryPhase, State};

/// How long a stopping session waits for its socket to close. Browsers wait far longer for a
/// service that has gone silent.
const STOP_PATIENCE: Duration = Duration::from_secs(5);

impl<P: Clone, D, O: Clone> Session<P, D, O> {
    pub(super) fn closed(&mut self, now: Timestamp, closed: AttemptId, close: Close) {
        match mem::take(&mut self.state) {
            State::Connected { attempt, connection, unproven, .. } if attempt == closed => {
                self.lost(now, connection, close, unproven);
            }
            State::Stopping { attempt, connection, .. } if attempt == closed => {
                self.stopped_connection(*connection, close);
            }
            other @ (State::Stopped
            | State::Connecting { .. }
            | State::Connected { .. }
            | State::Recovering { .. }
            | State::WaitingToRetry { .. }
            | State::Stopping { .. }) => {
                self.state = other;
                self.connect_failed(now, closed, ConnectError::Closed { code: close.code });
            }
        }
    }

    /// Decides what becomes of a connection whose socket is gone.
    ///
    /// A recovery is tried at once, unless the service took its leave with `disconnected` or 1008.
    /// After one that led to a socket on which nothing arrived within its window, that window goes
    /// on, with its pauses: a service that takes sockets and drops them is not stormed.
    ///
    /// Source: docs/spec/sdk.md#lost-sockets.
    pub(super) fn lost(
        &mut self,
        now: Timestamp,
        connection: Box<Connection>,
        close: Close,
        unproven: Option<Timestamp>,
    ) {
        self.fail_unacknowledged(now);
        let recoverable = self.options.subprotocol.is_reliable()
            && close.code != CloseCode::POLICY_VIOLATION
            && connection.farewell.is_none();
        match recovery::address(&connection) {
            Some((connection_id, _)) if recoverable => {
                // A link that was lost before it was proven is still being recovered.
                if unproven.is_none() {
                    self.event(Event::Recovering { connection_id });
                }
                match unproven {
                    Some(window_ends) if now < window_ends => {
                        let phase = RecoveryPhase::Pausing { until: now.after(recovery::PAUSE) };
                        self.state = State::Recovering { connection, close, window_ends, phase };
                    }
                    Some(_) | None => self.recover(now, connection, close, now.after(recovery::WINDOW)),
                }
            }
            Some(_) | None => self.lost_for_good(now, *connection, close),
        }
    }

    /// Says good-bye to a connection and sets out for a new one, if that is wanted: at once, or
    /// after a pause where the connection never got as far as `connected`.
    pub(super) fn lost_for_good(&mut self, now: Timestamp, connection: Connection, close: Close) {
        let failures = if connection.is_proven() { 0 } else { connection.failures.saturating_add(1) };
        let pause = match failures {
            0 => Some(Duration::ZERO),
            failures => self.options.reconnect_retry.delay_after(failures),
        };
        let pause = pause.filter(|_| self.options.auto_reconnect);
        let next = if pause.is_some() { Next::Reconnect } else { Next::Stop };
        self.disconnected(connection, close, next);
        match pause {
            None => self.stopped(),
            Some(Duration::ZERO) => self.connect(now, None, failures),
            Some(pause) => self.state = State::WaitingToRetry { until: now.after(pause), failures },
        }
    }

    pub(super) fn stop(&mut self, now: Timestamp) {
        match mem::take(&mut self.state) {
            State::Stopped => {}
            State::Connecting { attempt, start, .. } => {
                self.outputs.push(Output::Close { attempt });
                if let Some(id) = start {
                    self.outputs.push(Output::Started { id, result: Err(StartError::Stopped) });
                }
                self.stopped();
            }
            State::Connected { attempt, connection, .. } => {
                self.outputs.push(Output::Close { attempt });
                let until = now.after(STOP_PATIENCE);
                self.state = State::Stopping { attempt, connection, until };
            }
            State::Recovering { connection, close, phase, .. } => {
                if let RecoveryPhase::Opening { attempt, .. } = phase {
                    self.outputs.push(Output::Close { attempt });
                }
                self.stopped_connection(*connection, close);
            }
            State::WaitingToRetry { .. } => self.stopped(),
            stopping @ State::Stopping { .. } => self.state = stopping,
        }
    }

    /// The end of a connection that the application stopped.
    pub(super) fn stopped_connection(&mut self, connection: Connection, close: Close) {
        self.disconnected(connection, close, Next::Stop);
        self.stopped();
    }

    /// The end of a session: whatever still waits for something gets its answer.
    pub(super) fn stopped(&mut self) {
        self.state = State::Stopped;
        self.fail_invocations();
        for (ack_id, pending) in self.operations.take_sent() {
            let result = Err(SendError::Disconnected { ack_id });
            self.outputs.push(Output::Settle { id: pending.id, result });
        }
        for (error, pending) in self.operations.take_resting() {
            self.outputs.push(Output::Settle { id: pending.id, result: Err(error) });
        }
        let close = self.last_close.take();
        self.event(Event::Stopped { close });
    }

    fn disconnected(&mut self, connection: Connection, close: Close, next: Next) {
        self.last_close = Some(close.clone());
        self.event(Event::Disconnected {
            connection_id: connection.id,
            message: connection.farewell,
            close,
            next,
        });
    }
}
