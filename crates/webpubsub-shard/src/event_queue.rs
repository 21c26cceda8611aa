//! Telling event handlers what happens: which events wait, which calls are under way, what becomes of
//! their answers.

mod answer;
mod circuit_breaker;
mod delivery;
mod durable;
mod queue;
mod retry_policy;

use std::time::Duration;

use webpubsub_protocol::event_handler::{AnswerUse, CallFailure, EventRequest, is_public};
use webpubsub_protocol::name::{ConnectionId, HubName};

pub use circuit_breaker::CircuitBreakers;
pub(crate) use delivery::AFTER_CONNECTED;
pub(crate) use queue::{EventQueues, ReplyTarget};
pub use retry_policy::Attempts;

use crate::settings::{HandlerAuth, HubSettings};

/// How a hub tells its event handlers of events.
#[derive(Debug, Clone)]
pub struct EventPolicy {
    /// Which hub.
    pub hub: HubName,
    /// The hub's settings, until [`crate::Input::Settings`] says otherwise.
    pub settings: HubSettings,
    /// How long telling of one event may take, with every attempt.
    pub timeout: Duration,
    /// The pauses between attempts; one attempt more than pauses.
    pub retries: Vec<Duration>,
    /// Whether handlers may be at private addresses, and without TLS.
    pub private_allowed: bool,
}

impl EventPolicy {
    /// How long that is, in seconds, where nothing else is set.
    ///
    /// Source: `CloudEvents` spec, section 6.5.
    pub const DEFAULT_TIMEOUT_SECONDS: u32 = 100;
    /// The pauses, in seconds, where nothing else is set.
    ///
    /// Source: `CloudEvents` spec, section 6.5.
    pub const DEFAULT_RETRY_SECONDS: [u32; 3] = [1, 3, 5];

    /// What holds where nothing else is set: nobody is told anything.
    #[must_use]
    pub fn new(hub: HubName) -> Self {
        let seconds = |seconds: u32| Duration::from_secs(seconds.into());
        Self {
            hub,
            settings: HubSettings::default(),
            timeout: seconds(Self::DEFAULT_TIMEOUT_SECONDS),
            retries: Self::DEFAULT_RETRY_SECONDS.map(seconds).to_vec(),
            private_allowed: false,
        }
    }

    /// Why a URL may not be called, if it may not.
    #[must_use]
    pub fn barred(&self, url: &str) -> Option<CallFailure> {
        (!self.private_allowed && !is_public(url)).then_some(CallFailure::NotPublic)
    }
}

/// Tells the calls of one shard apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallId(pub u64);

/// One attempt at telling an event handler of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Which call this is.
    pub id: CallId,
    /// Whose event it is.
    pub connection: ConnectionId,
    /// The event's name.
    pub event: String,
    /// Which attempt at it, from 1.
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
    /// What is said, but for the signature and the credentials.
    pub request: EventRequest,
    /// How long it may take from when it is sent, the answer's body included.
    pub limit: Duration,
    /// How long it may take with the handshake before it.
    pub left: Duration,
}
