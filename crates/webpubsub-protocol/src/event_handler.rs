//! How the service calls the application's event handler: CloudEvents over HTTP, both directions.
//!
//! Source: `CloudEvents` spec.

pub mod connect;
mod cookie;
mod request;
mod url;
pub mod validation;

pub use cookie::Cookies;
pub use request::EventRequest;
pub use url::{UrlTemplate, UrlTemplateError, is_public};

use crate::client::protobuf::any;
use crate::data::{JsonText, MessageData, Metadata, last_header_value};
use crate::json::Json;
use crate::limits::MAX_CONNECTION_STATE_BYTES;
use crate::name::{ConnectionId, EventName, GroupName, UserId};

/// What happened to a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A client wants to connect; the body is a [`connect::ConnectBody`].
    Connect {
        /// What the handler is told, as JSON.
        body: String,
    },
    /// A client has connected.
    Connected,
    /// A connection is gone for good.
    Disconnected {
        /// Why, in words; may be empty.
        reason: String,
    },
    /// A connection became a member of a group.
    Joined {
        /// Of which.
        group: GroupName,
    },
    /// A connection is no member of a group any more.
    Left {
        /// Of which.
        group: GroupName,
    },
    /// A client sent an event.
    User {
        /// Its name.
        name: EventName,
        /// Its payload.
        data: MessageData,
        /// What rides beside it.
        metadata: Metadata,
    },
}

impl Event {
    /// The event's own name, as `ce-eventName` has it.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Connect { .. } => "connect",
            Self::Connected => "connected",
            Self::Disconnected { .. } => "disconnected",
            Self::Joined { .. } => "joined",
            Self::Left { .. } => "left",
            Self::User { name, .. } => name.as_str(),
        }
    }
}

/// The connection that an event is about, as its handler is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The connection.
    pub connection: ConnectionId,
    /// Who it acts for.
    pub user: Option<UserId>,
    /// The name of its subprotocol, if one was selected.
    pub subprotocol: Option<String>,
    /// The service's host as the client sees it, with the port if it is not the scheme's own; for a client
    /// without a token perhaps several, with commas between.
    pub origin: String,
    /// What the handler said last in `ce-connectionState`.
    pub state: Option<String>,
    /// What the handler said in `Set-Cookie`.
    pub cookies: Cookies,
}

/// What a handler answered, whatever its status. The body's text is UTF-8: who read it has decoded
/// other charsets.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HandlerAnswer {
    /// The HTTP status.
    pub status: u16,
    /// `Content-Type`, if there was one.
    pub content_type: Option<String>,
    /// `ce-connectionState`, the last one if there were several.
    pub state: Option<String>,
    /// Every `Set-Cookie`.
    pub cookies: Vec<String>,
    /// Names (in lower case, without their prefix) and values of `x-webpubsub-metadata-…`.
    pub metadata: Vec<(String, String)>,
    /// The body; at most [`crate::limits::MAX_HANDLER_ANSWER_BYTES`].
    pub body: Vec<u8>,
}

/// What a successful answer to a user event has for its client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The payload; `None` for an answer without one.
    pub data: Option<MessageData>,
    /// What rides beside it.
    pub metadata: Metadata,
}

impl HandlerAnswer {
    /// Whether the handler took the event.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        self.status >= 200 && self.status < 300
    }

    /// What the answer to a user event has for its client.
    ///
    /// # Errors
    /// The [`CallFailure`] that the answer amounts to: a status that is no success, a content type
    /// that no payload has, a body that is not what its content type says.
    ///
    /// Source: `CloudEvents` spec, section 6.3.
    pub fn reply(&self) -> Result<Reply, CallFailure> {
        if !self.is_success() {
            return Err(CallFailure::Status(self.status));
        }
        if self.has_too_long_state() {
            return Err(CallFailure::Unreadable);
        }
        let mut metadata: Vec<(String, String)> = Vec::new();
        for (key, value) in &self.metadata {
            let key = key.to_ascii_lowercase();
            metadata.retain(|(known, _)| *known != key);
            metadata.push((key, last_header_value(value).to_owned()));
        }
        let metadata = Metadata::parse(metadata).map_err(|_| CallFailure::Unreadable)?;
        let data = self.data().ok_or(CallFailure::Unreadable)?;
        let empty = || (!metadata.is_empty()).then(|| MessageData::Text(String::new()));
        Ok(Reply { data: data.or_else(empty), metadata })
    }

    /// The payload, if there is one; `None` for a body that cannot be read. JSON's `null` is no
    /// payload: it is none that a client may be sent.
    fn data(&self) -> Option<Option<MessageData>> {
        if self.status == 204 || self.body.is_empty() {
            return Some(None);
        }
        let text = || str::from_utf8(&self.body).ok();
        let content_type = self.content_type.as_deref().unwrap_or_default();
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        let is = |known: &str| media_type.eq_ignore_ascii_case(known);
        if is("text/plain") {
            Some(Some(MessageData::Text(text()?.to_owned())))
        } else if is("application/json") {
            let text = text()?;
            Json::parse(text)?;
            Some(JsonText::parse(text).ok().map(MessageData::Json))
        } else if is("application/octet-stream") || is("") {
            Some(Some(MessageData::Binary(self.body.clone())))
        } else if is("application/x-protobuf") {
            any(self.body.clone()).ok().map(Some)
        } else {
            None
        }
    }

    fn has_too_long_state(&self) -> bool {
        self.state.as_ref().is_some_and(|state| state.len() > MAX_CONNECTION_STATE_BYTES)
    }
}

/// Why a call came to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallFailure {
    /// The handler's URL is not one that may be called from here.
    NotPublic,
    /// The request cannot be made: the handler's secret is missing, or a header cannot be sent.
    Unsendable,
    /// The handler did not confirm that it wants events of this service.
    NotValidated,
    /// Calls to the URL fail so often that this one was not made.
    BreakerOpen,
    /// The handler could not be reached, or the connection to it broke.
    Network,
    /// There was no whole answer in time.
    TimedOut,
    /// More waits to be told than is kept.
    TooMany,
    /// The answer's body is too large.
    TooLarge,
    /// The answer's status is no success.
    Status(u16),
    /// The answer is a success that cannot be understood.
    Unreadable,
}

impl CallFailure {
    /// Whether the same call may succeed soon.
    ///
    /// Source: `CloudEvents` spec, section 6.5.
    #[must_use]
    pub const fn is_passing(self) -> bool {
        match self {
            Self::Network | Self::TimedOut | Self::Status(408 | 500..=u16::MAX) => true,
            Self::NotPublic
            | Self::Unsendable
            | Self::NotValidated
            | Self::BreakerOpen
            | Self::TooMany
            | Self::TooLarge
            | Self::Status(_)
            | Self::Unreadable => false,
        }
    }

    /// Whether it counts against the handler: after several such in a row it is left alone for a while.
    #[must_use]
    pub const fn counts_against_handler(self) -> bool {
        self.is_passing() || matches!(self, Self::NotValidated)
    }

    /// A word for programs and logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotPublic => "NotPublic",
            Self::Unsendable => "Unsendable",
            Self::NotValidated => "NotValidated",
            Self::BreakerOpen => "BreakerOpen",
            Self::Network => "Network",
            Self::TimedOut => "TimedOut",
            Self::TooMany => "TooMany",
            Self::TooLarge => "TooLarge",
            Self::Status(_) => "Status",
            Self::Unreadable => "Unreadable",
        }
    }
}
