//! What a host gives to a session.

use webpubsub_protocol::client::{AckError, DownstreamMessage};
use webpubsub_protocol::id::{AckId, SequenceId};
use webpubsub_protocol::name::{ConnectionId, EventName, UserId};

use crate::close::Close;
use crate::error::{ConnectError, InvocationError};
use crate::operation::Operation;

/// One call of the application, numbered by the host; no number is used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommandId(pub u32);

/// One try to get a socket, numbered by the session: 1, 2, 3, …
///
/// Only the newest attempt counts: what a host reports of an older one is ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttemptId(pub u32);

/// What a host gives to a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input<P, D = DownstreamMessage<P>, O = P> {
    /// The application starts the client; answered by [`Output::Started`](crate::Output::Started).
    Start {
        /// The call.
        id: CommandId,
    },
    /// The application wants something done; answered by [`Output::Settle`](crate::Output::Settle).
    Operate {
        /// The call.
        id: CommandId,
        /// What to do.
        operation: Operation<P, O>,
    },
    /// The application sends an event and wants its answer; answered by
    /// [`Output::Invoked`](crate::Output::Invoked).
    ///
    /// Source: docs/spec/client.md#invocations.
    Invoke {
        /// The call.
        id: CommandId,
        /// What the answer is known by, if the application chooses; not empty, and not in use.
        invocation_id: Option<String>,
        /// The event's name.
        event: EventName,
        /// Its payload.
        data: P,
    },
    /// The application is no longer interested in a call; one that is answered already stays so.
    Abort {
        /// The call.
        id: CommandId,
    },
    /// The application stops the client.
    Stop,
    /// The credential gave a client access URL: the answer to
    /// [`Output::FetchUrl`](crate::Output::FetchUrl).
    UrlFetched {
        /// Which attempt asked.
        attempt: AttemptId,
        /// The URL.
        url: String,
    },
    /// The socket is open: the answer to [`Output::Connect`](crate::Output::Connect).
    Opened {
        /// Which attempt's socket.
        attempt: AttemptId,
    },
    /// There will be no open socket: the other answer to [`Output::FetchUrl`](crate::Output::FetchUrl)
    /// and [`Output::Connect`](crate::Output::Connect).
    ConnectFailed {
        /// Which attempt.
        attempt: AttemptId,
        /// What the platform knows.
        error: ConnectError,
    },
    /// A frame arrived.
    Message {
        /// On which attempt's socket.
        attempt: AttemptId,
        /// What it says.
        message: Incoming<D>,
    },
    /// The socket closed, whether it was open before or not.
    Closed {
        /// Which attempt's socket.
        attempt: AttemptId,
        /// How.
        close: Close,
    },
    /// Something suggests that this is a good moment to look at the link: the network came back,
    /// the page became visible, the machine woke up.
    Wake,
    /// The moment that [`Session::next_timeout`](crate::Session::next_timeout) named has come.
    Timeout,
}

/// A message of the service, as far as a session looks into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incoming<D> {
    /// The first message of a connection; a later one renews the token.
    Connected {
        /// The connection's id.
        connection_id: ConnectionId,
        /// Who it acts for; `None` for an anonymous user.
        user_id: Option<UserId>,
        /// What recovers the connection; only on reliable subprotocols.
        reconnection_token: Option<String>,
    },
    /// The service is about to close the connection.
    Disconnected {
        /// Why.
        message: String,
    },
    /// The answer to an operation.
    Ack {
        /// The operation's ack id.
        ack_id: AckId,
        /// Whether it was done, and if not why.
        result: Result<(), AckError>,
    },
    /// Something published.
    Data {
        /// Its place in what the connection receives; only on reliable subprotocols.
        sequence_id: Option<SequenceId>,
        /// The message, passed through as it is.
        message: D,
    },
    /// The answer to an invocation.
    InvokeResponse {
        /// Which.
        invocation_id: String,
        /// The message, passed through as it is, or what is wrong.
        result: Result<D, InvocationError>,
    },
    /// A pong, or something that this client does not know: a sign of life and nothing more.
    Other,
}

/// What a JSON codec read: `None` is a message that it does not know.
impl<P> From<Option<DownstreamMessage<P>>> for Incoming<DownstreamMessage<P>> {
    fn from(message: Option<DownstreamMessage<P>>) -> Self {
        match message {
            Some(DownstreamMessage::Connected { connection_id, user_id, reconnection_token }) => {
                Self::Connected { connection_id, user_id, reconnection_token }
            }
            Some(DownstreamMessage::Disconnected { message }) => Self::Disconnected { message },
            Some(DownstreamMessage::Ack { ack_id, result }) => Self::Ack { ack_id, result },
            Some(
                message @ (DownstreamMessage::Data { sequence_id, .. }
                | DownstreamMessage::GroupStates { sequence_id, .. }),
            ) => Self::Data { sequence_id, message },
            Some(DownstreamMessage::InvokeResponse { invocation_id, result: Err(error) }) => {
                Self::InvokeResponse { invocation_id, result: Err(InvocationError::Refused(Some(error))) }
            }
            Some(DownstreamMessage::InvokeResponse { invocation_id, result }) => {
                let message =
                    DownstreamMessage::InvokeResponse { invocation_id: invocation_id.clone(), result };
                Self::InvokeResponse { invocation_id, result: Ok(message) }
            }
            Some(DownstreamMessage::Stream { .. } | DownstreamMessage::Pong) | None => Self::Other,
        }
    }
}
