//! One attempt at delivering an event.

use std::time::Duration;

use webpubsub_protocol::event_handler::{AnswerUse, CallFailure, EventRequest};
use webpubsub_protocol::name::ConnectionId;

use crate::settings::HandlerAuth;

/// Identifies a call among those of one shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallId(pub u64);

/// One attempt at delivering an event to its handler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Which call this is.
    pub id: CallId,
    /// Which connection's event it is.
    pub connection: ConnectionId,
    /// The event's name.
    pub event: String,
    /// Which attempt, from 1.
    pub attempt: u8,
    /// The service's host as the client sees it, or several with commas between.
    pub origin: String,
    /// Where it goes.
    pub url: String,
    /// Where the handshake goes that has to come before it.
    pub validate: String,
    /// Why it may not be made, if it may not: then it has failed with that.
    pub barred: Option<CallFailure>,
    /// What its answer may say.
    pub purpose: AnswerUse,
    /// The handler's own credentials.
    pub auth: Option<HandlerAuth>,
    /// The request, without the signature and the credentials.
    pub request: EventRequest,
    /// How long it may take from when it is sent, the answer's body included.
    pub limit: Duration,
    /// How long it may take with the handshake before it.
    pub left: Duration,
}
