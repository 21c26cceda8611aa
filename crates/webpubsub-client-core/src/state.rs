//! Where a session stands.

use webpubsub_protocol::time::Timestamp;

use crate::close::Close;
use crate::connection::Connection;
use crate::input::{AttemptId, CommandId};
use crate::keep_alive::{KeepAlive, earliest};

/// Where a session stands.
#[derive(Debug, Default)]
pub(crate) enum State {
    /// Nothing happens until the application starts it.
    #[default]
    Stopped,
    /// A new connection is on its way.
    Connecting {
        attempt: AttemptId,
        /// `None` until the credential has answered.
        url: Option<String>,
        /// The start that waits for it; `None` after a loss.
        start: Option<CommandId>,
        /// Attempts in a row that have failed before this one.
        failures: u32,
        /// When to give the attempt up.
        until: Timestamp,
    },
    /// There is an open socket.
    Connected {
        attempt: AttemptId,
        connection: Box<Connection>,
        keep_alive: KeepAlive,
        /// The end of the recovery's window, until the service has shown that it recovered the
        /// connection and did not just take the socket.
        unproven: Option<Timestamp>,
    },
    /// The socket is lost and the connection is not given up.
    Recovering {
        connection: Box<Connection>,
        /// How the socket was lost.
        close: Close,
        /// When to give up.
        window_ends: Timestamp,
        phase: RecoveryPhase,
    },
    /// The connection is lost, and the next attempt's time has not come.
    WaitingToRetry { until: Timestamp, failures: u32 },
    /// The application stopped the session, and the socket is closing.
    Stopping {
        attempt: AttemptId,
        connection: Box<Connection>,
        /// When to wait no longer.
        until: Timestamp,
    },
}

/// What a recovery is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RecoveryPhase {
    /// A socket is on its way; past `until` it is given up.
    Opening { attempt: AttemptId, until: Timestamp },
    /// The last attempt failed, and the next is due at `until`.
    Pausing { until: Timestamp },
}

impl State {
    /// The connection that has an open or closing socket.
    pub(crate) const fn connection_mut(&mut self) -> Option<&mut Connection> {
        match self {
            Self::Connected { connection, .. } | Self::Stopping { connection, .. } => Some(connection),
            Self::Stopped
            | Self::Connecting { .. }
            | Self::Recovering { .. }
            | Self::WaitingToRetry { .. } => None,
        }
    }

    /// When time alone next changes something.
    pub(crate) fn next_timeout(&self) -> Option<Timestamp> {
        match self {
            Self::Stopped => None,
            Self::Connected { connection, keep_alive, .. } => {
                earliest(keep_alive.next_timeout(), connection.sequence.next_timeout())
            }
            Self::Recovering {
                window_ends,
                phase: RecoveryPhase::Opening { until, .. } | RecoveryPhase::Pausing { until },
                ..
            } => Some(*window_ends.min(until)),
            Self::Connecting { until, .. }
            | Self::WaitingToRetry { until, .. }
            | Self::Stopping { until, .. } => Some(*until),
        }
    }
}
