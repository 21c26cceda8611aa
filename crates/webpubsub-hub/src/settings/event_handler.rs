//! Which event handler is told what.

use webpubsub_protocol::event_handler::{Event, UrlTemplate};

/// One of a hub's event handlers.
///
/// Source: `CloudEvents` spec, section 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventHandler {
    /// Where it is.
    pub url: UrlTemplate,
    /// `userEventPattern` as given; empty for no user event.
    pub user_events: String,
    /// Which system events it is told.
    pub system_events: SystemEvents,
    /// Which changes of memberships it is told.
    pub presence: Option<GroupPresence>,
    /// How it knows that the service calls, beside the signature.
    pub auth: Option<HandlerAuth>,
}

/// A set of system events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SystemEvents {
    /// `connect`.
    pub connect: bool,
    /// `connected`.
    pub connected: bool,
    /// `disconnected`.
    pub disconnected: bool,
}

/// Which changes of memberships a handler is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupPresence {
    /// `joined`.
    pub joined: bool,
    /// `left`.
    pub left: bool,
    /// Patterns of the groups' names.
    pub filters: Vec<String>,
}

/// A header that every request to a handler carries.
#[derive(Clone, PartialEq, Eq)]
pub struct HandlerAuth {
    /// The header's name: `Authorization` for a bearer token.
    pub header: String,
    /// What stands before the secret in the header's value: `Bearer ` or nothing.
    pub scheme: &'static str,
    /// The secret.
    pub secret: HandlerSecret,
}

/// A secret, or where it is.
#[derive(Clone, PartialEq, Eq)]
pub enum HandlerSecret {
    /// This text.
    Text(String),
    /// The worker's secret with this name.
    Named(String),
}

impl std::fmt::Debug for HandlerAuth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HandlerAuth").field("header", &self.header).finish_non_exhaustive()
    }
}

impl EventHandler {
    /// Whether it is told of an event.
    #[must_use]
    pub fn takes(&self, _event: &Event) -> bool {
        todo!()
    }
}
