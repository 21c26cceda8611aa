//! What a session asks of its host.

use webpubsub_protocol::client::{DownstreamMessage, Subprotocol, UpstreamMessage};
use webpubsub_protocol::id::AckId;
use webpubsub_protocol::name::{ConnectionId, GroupName, UserId};

use crate::close::Close;
use crate::error::{InvocationError, SendError, StartError};
use crate::input::{AttemptId, CommandId};

/// What a session asks of its host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output<P, D = DownstreamMessage<P>, O = P> {
    /// Ask the credential for a client access URL, a fresh one if it can make one.
    ///
    /// Answered by [`Input::UrlFetched`](crate::Input::UrlFetched) or
    /// [`Input::ConnectFailed`](crate::Input::ConnectFailed).
    FetchUrl {
        /// Which attempt asks.
        attempt: AttemptId,
    },
    /// Open a socket, offering exactly one subprotocol, and let go of the one before.
    ///
    /// Answered by [`Input::Opened`](crate::Input::Opened), or by
    /// [`Input::ConnectFailed`](crate::Input::ConnectFailed) or [`Input::Closed`](crate::Input::Closed).
    Connect {
        /// Which attempt asks.
        attempt: AttemptId,
        /// Where to.
        url: String,
        /// What to offer.
        subprotocol: Subprotocol,
    },
    /// Send a message on the open socket.
    ///
    /// Needs no answer: a socket that cannot take it is about to report that it closed, and that
    /// answers for everything sent on it.
    Send(UpstreamMessage<P>),
    /// Send the message of an [`Operation::Other`](crate::Operation::Other) on the open socket, with
    /// this ack id. As [`Output::Send`] otherwise.
    SendOther {
        /// The message, but for its ack id.
        message: O,
        /// The ack id; `None` for fire-and-forget.
        ack_id: Option<AckId>,
    },
    /// Close an attempt's socket without a code, or give up what has come of the attempt so far.
    Close {
        /// Which attempt's.
        attempt: AttemptId,
    },
    /// The answer to [`Input::Start`](crate::Input::Start).
    Started {
        /// The call.
        id: CommandId,
        /// Whether there is an open socket.
        result: Result<(), StartError>,
    },
    /// The answer to [`Input::Operate`](crate::Input::Operate).
    Settle {
        /// The call.
        id: CommandId,
        /// Whether it was done.
        result: Result<Receipt, SendError>,
    },
    /// The answer to [`Input::Invoke`](crate::Input::Invoke).
    Invoked {
        /// The call.
        id: CommandId,
        /// What the invocation is known by.
        invocation_id: String,
        /// The service's answer, if it is a good one.
        result: Result<D, InvocationError>,
    },
    /// Something that the application may listen to.
    Event(Event<D>),
}

/// That an operation was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// The ack id that it was done under; `None` for fire-and-forget.
    pub ack_id: Option<AckId>,
    /// Whether the service had done it already, under the same ack id.
    pub is_duplicated: bool,
}

/// What happens after a connection is lost for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// The session makes a new connection.
    Reconnect,
    /// The session stops.
    Stop,
}

/// Something that the application may listen to.
///
/// Source: docs/spec/sdk.md#events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event<D> {
    /// A connection is there and its groups have been joined again as far as they could be.
    /// Not raised after a recovery.
    Connected {
        /// The connection's id.
        connection_id: ConnectionId,
        /// Who it acts for; `None` for an anonymous user.
        user_id: Option<UserId>,
    },
    /// A connection is lost for good.
    Disconnected {
        /// The connection's id, if it came to have one.
        connection_id: Option<ConnectionId>,
        /// What the service said before it closed the connection.
        message: Option<String>,
        /// How the connection's last socket ended.
        close: Close,
        /// What follows.
        next: Next,
    },
    /// The session is stopped, and nothing but another start changes that.
    Stopped {
        /// How the last socket ended; `None` if none was ever open.
        close: Option<Close>,
    },
    /// The link is lost and the session tries to get it back without losing a message.
    Recovering {
        /// The connection's id.
        connection_id: ConnectionId,
    },
    /// The connection goes on over a new socket, on which the service has said something other than
    /// good-bye.
    Recovered {
        /// The connection's id.
        connection_id: ConnectionId,
    },
    /// A data message, each sequence id at most once.
    Data(D),
    /// A group could not be joined again on a new connection.
    RejoinGroupFailed {
        /// The group.
        group: GroupName,
        /// Why.
        error: SendError,
    },
}
