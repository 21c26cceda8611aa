//! How the service calls the application's event handler: CloudEvents over HTTP, both directions.
//!
//! Source: docs/spec/cloudevents.md#event-handlers.

pub mod connect;
mod cookie;
mod delivery;
mod failure;
mod mqtt;
mod request;
mod url;
pub mod validation;

pub use cookie::Cookies;
pub use delivery::Delivery;
pub use failure::CallFailure;
pub use mqtt::{
    MqttAdmission, MqttConnect, MqttEnd, MqttRefusal, MqttReply, MqttRequest, NoMediaType, PROPERTY_PREFIX,
    Physical, UserProperties,
};
pub use request::EventRequest;
pub use url::{UrlTemplate, UrlTemplateError, is_public, is_public_address};

use crate::client::protobuf::any;
use crate::data::{JsonText, MessageData, Metadata, last_header_value};
use crate::limits::{MAX_CONNECT_ANSWER_BYTES, MAX_CONNECTION_STATE_BYTES, MAX_HANDLER_ANSWER_BYTES};
use crate::name::{ConnectionId, EventName, GroupName, UserId};

/// What happened to a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A client wants to connect; the body is a [`connect::ConnectBody`].
    Connect {
        /// What the handler receives, as JSON.
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
    /// An MQTT client wants to connect.
    MqttConnect {
        /// What the handler receives, by [`MqttConnect::body`].
        body: String,
    },
    /// The session of an MQTT client is gone for good.
    MqttDisconnected {
        /// What the handler receives, by [`MqttEnd::body`].
        body: String,
    },
    /// An MQTT client sent an event.
    MqttUser(Box<MqttRequest>),
}

impl Event {
    /// The event's own name, as `ce-eventName` has it.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Connect { .. } | Self::MqttConnect { .. } => "connect",
            Self::Connected => "connected",
            Self::Disconnected { .. } | Self::MqttDisconnected { .. } => "disconnected",
            Self::Joined { .. } => "joined",
            Self::Left { .. } => "left",
            Self::User { name, .. } => name.as_str(),
            Self::MqttUser(request) => request.name.as_str(),
        }
    }

    /// What the answer to the event may say.
    #[must_use]
    pub const fn answer_use(&self) -> AnswerUse {
        match self {
            Self::Connect { .. } => AnswerUse::Admission,
            Self::User { .. } => AnswerUse::Reply,
            Self::MqttConnect { .. } => AnswerUse::MqttAdmission,
            Self::MqttUser(_) => AnswerUse::MqttReply,
            Self::Connected
            | Self::Disconnected { .. }
            | Self::MqttDisconnected { .. }
            | Self::Joined { .. }
            | Self::Left { .. } => AnswerUse::Nothing,
        }
    }
}

/// The connection that an event is about, as its handler sees it.
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
    /// The socket of an MQTT client, now or last.
    pub mqtt: Option<Physical>,
}

/// What a handler answered, whatever its status. The body's text is UTF-8: who read it has decoded
/// other charsets.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HandlerAnswer {
    /// The HTTP status.
    pub status: u16,
    /// `Content-Type`, if there was one.
    pub content_type: Option<String>,
    /// `WebHook-Allowed-Origin`, several with commas between, of an answer to the handshake.
    pub allowed_origin: Option<String>,
    /// `ce-connectionState`, the last one if there were several.
    pub state: Option<String>,
    /// Every `Set-Cookie`.
    pub cookies: Vec<String>,
    /// Names (in lower case, without their prefix) and values of `x-webpubsub-metadata-…`.
    pub metadata: Vec<(String, String)>,
    /// Names (in lower case, without their prefix) and values of `mqtt-…`.
    pub mqtt: UserProperties,
    /// The body; at most [`crate::limits::MAX_HANDLER_ANSWER_BYTES`].
    pub body: Vec<u8>,
}

/// What the answer to an event may say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerUse {
    /// As what a client is let in: the answer to `connect`, see [`connect::ConnectAnswer`].
    Admission,
    /// What the client that sent the event receives: the answer to a user event.
    Reply,
    /// As what an MQTT client is let in, or why it is not: see [`MqttAdmission`].
    MqttAdmission,
    /// What the MQTT client that sent the event receives, whatever the status: see [`MqttReply`].
    MqttReply,
    /// Nothing but cookies: the answer to what only happens.
    Nothing,
}

impl AnswerUse {
    /// Whether somebody waits for the answer.
    ///
    /// Source: docs/spec/cloudevents.md#blocking-events.
    #[must_use]
    pub const fn is_awaited(self) -> bool {
        !matches!(self, Self::Nothing)
    }

    /// How much of a successful answer's body is read.
    ///
    /// Source: docs/spec/cloudevents.md#answers; what an answer to `connect` says of a client travels in
    /// a header.
    #[must_use]
    pub const fn max_bytes(self) -> usize {
        match self {
            Self::Admission | Self::MqttAdmission => MAX_CONNECT_ANSWER_BYTES,
            Self::Reply | Self::MqttReply => MAX_HANDLER_ANSWER_BYTES,
            Self::Nothing => 0,
        }
    }
}

/// What a successful answer to a user event has for its client.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reply {
    /// The payload; `None` for an answer without one.
    pub data: Option<MessageData>,
    /// What rides beside it.
    pub metadata: Metadata,
    /// The same for an MQTT client, whatever the status; without the others.
    pub mqtt: Option<Box<MqttReply>>,
}

/// A successful answer to an event of a connection, read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Taken {
    /// What it has for the client.
    pub reply: Reply,
    /// The connection's state from here on, which may be empty; `None` keeps what it is.
    pub state: Option<String>,
    /// Every `Set-Cookie`.
    pub cookies: Vec<String>,
    /// What it says of an MQTT client that wants to connect.
    pub admission: Option<Box<MqttAdmission>>,
}

impl Taken {
    /// Why the handler did not take the event, whose answer goes to an MQTT client all the same.
    #[must_use]
    pub fn failure(&self) -> Option<CallFailure> {
        CallFailure::of_status(self.reply.mqtt.as_ref()?.status)
    }
}

impl HandlerAnswer {
    /// Whether the handler took the event.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        CallFailure::of_status(self.status).is_none()
    }

    /// What the answer to an event of a connection says.
    ///
    /// # Errors
    /// The [`CallFailure`] that the answer amounts to: a status that is no success or, where there is
    /// use for a reply, something that breaks a rule.
    ///
    /// Source: docs/spec/cloudevents.md#requests, docs/spec/cloudevents.md#notifications,
    /// docs/spec/cloudevents.md#answers.
    pub fn taken(self, purpose: AnswerUse) -> Result<Taken, CallFailure> {
        match purpose {
            AnswerUse::MqttAdmission => return self.mqtt_admission(),
            AnswerUse::MqttReply => return self.mqtt_reply(),
            AnswerUse::Admission | AnswerUse::Reply | AnswerUse::Nothing => {}
        }
        if let Some(failure) = CallFailure::of_status(self.status) {
            return Err(failure);
        }
        if purpose != AnswerUse::Reply {
            return Ok(Taken { cookies: self.cookies, ..Taken::default() });
        }
        self.check_state()?;
        let mut metadata: Vec<(String, String)> = Vec::new();
        for (key, value) in self.metadata {
            let key = key.to_ascii_lowercase();
            metadata.retain(|(known, _)| *known != key);
            if !key.is_empty() {
                metadata.push((key, last_header_value(&value).to_owned()));
            }
        }
        let metadata = Metadata::parse(metadata).map_err(|_| CallFailure::InvalidMetadata)?;
        let body = if self.status == 204 { Vec::new() } else { self.body };
        let data = payload(self.content_type.as_deref(), body)?;
        let empty = || (!metadata.is_empty()).then(MessageData::default);
        let reply = Reply { data: data.or_else(empty), metadata, mqtt: None };
        Ok(Taken { reply, state: self.state, cookies: self.cookies, admission: None })
    }

    fn check_state(&self) -> Result<(), CallFailure> {
        let is_too_large = self.state.as_ref().is_some_and(|state| state.len() > MAX_CONNECTION_STATE_BYTES);
        if is_too_large { Err(CallFailure::StateTooLarge) } else { Ok(()) }
    }
}

/// The payload in a body, if there is one. JSON's `null` is no payload: it is none that a client may
/// be sent.
fn payload(content_type: Option<&str>, body: Vec<u8>) -> Result<Option<MessageData>, CallFailure> {
    if body.is_empty() {
        return Ok(None);
    }
    let text = |body| String::from_utf8(body).map_err(|_| CallFailure::NotReadable);
    let media_type = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    let is = |known: &str| media_type.eq_ignore_ascii_case(known);
    Ok(Some(if is("text/plain") {
        MessageData::Text(text(body)?)
    } else if is("application/json") {
        let text = text(body)?;
        if text.trim_matches([' ', '\t', '\n', '\r']) == "null" {
            return Ok(None);
        }
        MessageData::Json(JsonText::parse(text).map_err(|_| CallFailure::NotReadable)?)
    } else if is("application/octet-stream") || is("") {
        MessageData::Binary(body)
    } else if is("application/x-protobuf") {
        any(body).map_err(|_| CallFailure::NotReadable)?
    } else {
        return Err(CallFailure::WrongContentType);
    }))
}
