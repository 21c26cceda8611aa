//! From a frame of the service to what the application receives of it.

use webpubsub_protocol::client::{AckError, UpstreamMessage};
use webpubsub_protocol::id::{AckId, SequenceId};
use webpubsub_protocol::name::{ConnectionId, UserId};
use webpubsub_protocol::time::Timestamp;

use super::Session;
use crate::connection::Connection;
use crate::error::SendError;
use crate::input::{AttemptId, Incoming};
use crate::options::Options;
use crate::output::{Event, Output};
use crate::rejoin::Announcement;
use crate::state::State;

/// What follows from a data message that stays with the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// Whether it is raised: it has not arrived before.
    pub is_new: bool,
    /// How many messages with the sequence ids that come next, without a gap, on the same socket, the host may
    /// raise without showing them, until its timer rings.
    ///
    /// Before it passes anything else to the session it shows the last of them, which stands for all. At most
    /// as many as may stay unacknowledged, so that no ack comes later for it; a sign of life then counts from
    /// the moment of that showing, which is at most 1 s too late.
    pub allowance: u64,
}

impl<P: Clone, D, O: Clone> Session<P, D, O> {
    /// Takes a data message from which nothing follows but that it is raised or not, without the message
    /// itself. What is due then is due at [`Session::next_timeout`], which may be now.
    ///
    /// `None`, and nothing has changed, where more follows: then it is an [`Incoming::Data`], as any message
    /// may be. A host that is flooded needs no list of outputs for each message this way, and need not show
    /// every message: see [`Arrival::allowance`].
    ///
    /// Where something is due after a new message, a host may first take the frames that it received together
    /// with that one: those that are numbered on from it without a gap are new as well, and it shows the last
    /// of them before it says that the time has come. One ack is then for all of them.
    pub fn data(
        &mut self,
        now: Timestamp,
        arrived: AttemptId,
        sequence_id: Option<SequenceId>,
    ) -> Option<Arrival> {
        match &mut self.state {
            State::Connected { attempt, keep_alive, connection, unproven: None } if *attempt == arrived => {
                keep_alive.received(now);
                let is_new = is_new(&self.options, connection, now, sequence_id);
                let is_numbered = self.options.subprotocol.is_reliable() && sequence_id.is_some();
                let allowance = if is_new && is_numbered { connection.sequence.allowance() } else { 0 };
                Some(Arrival { is_new, allowance })
            }
            State::Stopped
            | State::Connecting { .. }
            | State::Connected { .. }
            | State::Recovering { .. }
            | State::WaitingToRetry { .. }
            | State::Stopping { .. } => None,
        }
    }

    pub(super) fn message(&mut self, now: Timestamp, arrived: AttemptId, message: Incoming<D>) {
        match &mut self.state {
            State::Connected { attempt, keep_alive, connection, unproven } if *attempt == arrived => {
                keep_alive.received(now);
                // A service that takes the socket only to say good-bye has recovered nothing.
                if !matches!(message, Incoming::Disconnected { .. })
                    && unproven.take().is_some()
                    && let Some(connection_id) = connection.id.clone()
                {
                    self.event(Event::Recovered { connection_id });
                }
            }
            State::Stopping { attempt, .. } if *attempt == arrived => {}
            State::Stopped
            | State::Connecting { .. }
            | State::Connected { .. }
            | State::Recovering { .. }
            | State::WaitingToRetry { .. }
            | State::Stopping { .. } => return,
        }
        match message {
            Incoming::Connected { connection_id, user_id, reconnection_token } => {
                self.connected(connection_id, user_id, reconnection_token);
            }
            Incoming::Disconnected { message } => {
                if let Some(connection) = self.state.connection_mut() {
                    connection.farewell = Some(message);
                }
            }
            Incoming::Ack { ack_id, result } => self.acknowledged(now, ack_id, result),
            Incoming::InvokeResponse { invocation_id, result } => {
                self.invocation_answered(invocation_id, result);
            }
            Incoming::Data { sequence_id, message } => self.data_arrived(now, sequence_id, message),
            Incoming::Other => {}
        }
    }

    /// The service names the connection. The first time, groups are joined again before the
    /// application receives it; after that it is only a fresh token.
    fn connected(&mut self, id: ConnectionId, user_id: Option<UserId>, token: Option<String>) {
        let State::Connected { connection, .. } = &mut self.state else {
            return;
        };
        connection.id = Some(id);
        connection.token = token;
        if matches!(connection.announcement, Announcement::AwaitingConnected) {
            let mut outstanding = Vec::new();
            if self.options.auto_rejoin_groups {
                for group in self.groups.iter().cloned() {
                    let ack_id = self.operations.next_ack_id();
                    let message = UpstreamMessage::JoinGroup { group: group.clone(), ack_id: Some(ack_id) };
                    self.outputs.push(Output::Send(message));
                    outstanding.push((ack_id, group));
                }
            }
            connection.announcement = Announcement::Rejoining { user_id, outstanding };
            self.announce_if_rejoined();
        }
    }

    /// Sends what was sent to join groups again and is not acknowledged, on a recovered socket.
    pub(super) fn rejoin_again(&mut self, connection: &mut Connection) {
        if let Announcement::Rejoining { outstanding, .. } = &mut connection.announcement {
            for (ack_id, group) in outstanding {
                *ack_id = self.operations.next_ack_id();
                let message = UpstreamMessage::JoinGroup { group: group.clone(), ack_id: Some(*ack_id) };
                self.outputs.push(Output::Send(message));
            }
        }
    }

    fn acknowledged(&mut self, now: Timestamp, ack_id: AckId, result: Result<(), AckError>) {
        if let Some(pending) = self.operations.acknowledged(ack_id) {
            self.operation_acknowledged(now, ack_id, pending, result);
        } else if let State::Connected { connection, .. } = &mut self.state
            && let Some(group) = connection.announcement.acknowledged(ack_id)
        {
            if let Err(error) = result
                && error.name != AckError::DUPLICATE
            {
                self.event(Event::RejoinGroupFailed { group, error: SendError::Refused { ack_id, error } });
            }
            self.announce_if_rejoined();
        }
    }

    fn announce_if_rejoined(&mut self) {
        if let State::Connected { connection, .. } = &mut self.state
            && let Some(connection_id) = &connection.id
            && let Announcement::Rejoining { outstanding, user_id } = &mut connection.announcement
            && outstanding.is_empty()
        {
            let event = Event::Connected { connection_id: connection_id.clone(), user_id: user_id.take() };
            connection.announcement = Announcement::Done;
            self.event(event);
        }
    }

    fn data_arrived(&mut self, now: Timestamp, sequence_id: Option<SequenceId>, message: D) {
        // An application that has stopped its client expects no more events.
        let State::Connected { connection, .. } = &mut self.state else {
            return;
        };
        let is_new = is_new(&self.options, connection, now, sequence_id);
        let ack = connection.sequence.take_due(now);
        if is_new {
            self.event(Event::Data(message));
        }
        if let Some(sequence_id) = ack {
            self.outputs.push(Output::Send(UpstreamMessage::SequenceAck { sequence_id }));
        }
    }
}

/// Whether a data message has not arrived before. On a protocol without recovery none has.
fn is_new(
    options: &Options,
    connection: &mut Connection,
    now: Timestamp,
    sequence_id: Option<SequenceId>,
) -> bool {
    let sequence_id = sequence_id.filter(|_| options.subprotocol.is_reliable());
    sequence_id.is_none_or(|sequence_id| connection.sequence.arrived(now, sequence_id))
}
