//! The rules of a client session: connecting, acknowledging, retrying, recovering, rejoining.
//!
//! A [`Session`] is a state machine and nothing else. It opens no socket, reads no clock and parses
//! no frame: a host reports what happened as an [`Input`], and carries out the [`Output`]s that
//! follow, in order. Whatever an output asks for carries an id ([`AttemptId`], [`CommandId`]), and
//! the answer, failure included, comes back as an input with that id.
//!
//! The session is generic over what it never looks into: `P`, a payload on its way up, `D`, a data
//! message that came down, and `O`, the message of an [`Operation::Other`]. In a page all of them are
//! JavaScript values that Rust never copies.
//!
//! To drive one:
//!
//! 1. Call [`Session::handle`] with the time and an input, and carry out the list it returns.
//!    Inputs that arise meanwhile wait until the list is done.
//! 2. Set one timer to [`Session::next_timeout`] and pass [`Input::Timeout`] when it rings.
//!    Ringing early or late is harmless.
//!
//! ```
//! use webpubsub_client_core::{AttemptId, CommandId, Input, Options, Output, Session};
//! use webpubsub_protocol::data::MessageData;
//! use webpubsub_protocol::time::Timestamp;
//!
//! let now = Timestamp::from_millis(0);
//! let mut session = Session::<MessageData>::new(Options::default());
//!
//! let outputs = session.handle(now, Input::Start { id: CommandId(1) });
//! assert_eq!(outputs, [Output::FetchUrl { attempt: AttemptId(1) }]);
//!
//! let url = "wss://example.com/client/hubs/chat".to_owned();
//! let outputs = session.handle(now, Input::UrlFetched { attempt: AttemptId(1), url });
//! assert!(matches!(outputs.as_slice(), [Output::Connect { attempt: AttemptId(1), .. }]));
//! ```
//!
//! Beside the session, and independent of it, stand [`OutboundStreams`], [`InboundStreams`] and
//! [`GroupStates`], for clients that use group streams and states. A host drives them alike: it
//! reports what becomes of the link and what the service says, and carries out what they ask for.
//! Their operations go through the session, as [`Operation::Other`].

mod ack;
mod close;
mod connection;
mod error;
mod group_states;
mod host;
mod input;
mod invocation;
mod keep_alive;
mod operation;
mod options;
mod output;
mod recovery;
mod rejoin;
mod retry;
mod sequence;
mod session;
mod sorted_map;
mod state;
mod streams;

pub use close::Close;
pub use error::{ConnectError, InvocationError, SendError, StartError};
pub use group_states::{GroupStateItem, GroupStates, NotSubscribed, Renewal};
pub use host::{HostTimer, SteadyClock};
pub use input::{AttemptId, CommandId, Incoming, Input};
pub use keep_alive::earliest;
pub use operation::{Delivery, Operation};
pub use options::Options;
pub use output::{Event, Next, Output, Receipt};
pub use retry::{Retry, RetryMode};
pub use session::{Arrival, Session};
pub use streams::{
    InboundInput, InboundOptions, InboundOutput, InboundStreamId, InboundStreams, OutboundError,
    OutboundInput, OutboundOutput, OutboundStreams, StreamEnding, SubscriptionId,
};
