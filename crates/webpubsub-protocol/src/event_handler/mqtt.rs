//! What events of MQTT clients have that others have not, and what is answered to them.
//!
//! Source: docs/spec/mqtt.md#connect-event, docs/spec/mqtt.md#session-events, docs/spec/mqtt.md#user-events.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::connect::{ConnectAnswer, ConnectBody};
use super::{CallFailure, HandlerAnswer, Reply, Taken};
use crate::client::Subprotocol;
use crate::data::is_token_byte;
use crate::json::{Json, Members, Writer};
use crate::limits::MAX_METADATA_BYTES;
use crate::name::EventName;

/// What the names of headers begin with that are user properties.
pub const PROPERTY_PREFIX: &str = "mqtt-";
/// The user property with the status of a handler's answer.
const STATUS_PROPERTY: &str = "azure-status-code";
/// The most user properties that a message or an answer has.
const MAX_PROPERTIES: usize = 128;

/// Names and values of user properties, in order; a name may be there several times.
pub type UserProperties = Vec<(String, String)>;

/// The socket of an MQTT client, as events name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Physical {
    /// The id of the physical connection.
    pub connection: String,
    /// The id of the session, once there is one.
    pub session: Option<String>,
}

impl Physical {
    /// The id of the session or, before there is one, of the physical connection. No other ever has it, while clients
    /// have the same client id again and again.
    pub(super) fn unique(&self) -> &str {
        self.session.as_deref().unwrap_or(&self.connection)
    }
}

/// What a CONNECT says, for the body of `connect`.
#[derive(Debug, Clone, Copy)]
pub struct MqttConnect<'a> {
    /// The protocol level: 4 or 5.
    pub level: u8,
    /// Clean Start, or Clean Session.
    pub clean_start: bool,
    /// The user name.
    pub user_name: Option<&'a str>,
    /// The password.
    pub password: Option<&'a [u8]>,
    /// The user properties; empty for none.
    pub user_properties: &'a [(String, String)],
}

impl MqttConnect<'_> {
    /// Writes the body of `connect`: what the client's request says, as
    /// [`ConnectBody`] wrote it, with the member `mqtt`. Where `request` is `None`, nothing is known of it.
    #[must_use]
    pub fn body(&self, request: Option<&str>) -> String {
        let nothing = ConnectBody { claims: &[], query: None, headers: &[], offer: Subprotocol::Mqtt.name() };
        let mut body = request.map_or_else(|| nothing.encode(), str::to_owned);
        let mut mqtt = Writer::object();
        mqtt.number("protocolVersion", self.level.into());
        mqtt.json("cleanStart", if self.clean_start { "true" } else { "false" });
        mqtt.text_or_null("username", self.user_name);
        mqtt.text_or_null("password", self.password.map(|password| STANDARD.encode(password)).as_deref());
        let properties = Some(self.user_properties).filter(|properties| !properties.is_empty());
        mqtt.json("userProperties", &properties.map_or("null".to_owned(), write_properties));
        // Both are objects, and the first has members.
        body.pop();
        [&body, ",\"mqtt\":", &mqtt.finish(), "}"].concat()
    }
}

/// How a session ended, for the body of `disconnected`.
#[derive(Debug, Clone, Copy)]
pub struct MqttEnd<'a> {
    /// Why, in words.
    pub reason: Option<&'a str>,
    /// Whether the client sent DISCONNECT.
    pub is_by_client: bool,
    /// The code of the DISCONNECT that either side sent, if one did.
    pub code: Option<u8>,
    /// The user properties of the client's DISCONNECT; empty for none.
    pub user_properties: &'a [(String, String)],
}

impl MqttEnd<'_> {
    /// Writes the body.
    #[must_use]
    pub fn body(&self) -> String {
        let packet = self.code.map(|code| {
            let properties = Some(self.user_properties).filter(|_| self.is_by_client);
            let mut packet = Writer::object();
            packet.number("code", code.into());
            packet.json("userProperties", &properties.map_or("null".to_owned(), write_properties));
            packet.finish()
        });
        let mut mqtt = Writer::object();
        mqtt.json("initiatedByClient", if self.is_by_client { "true" } else { "false" });
        mqtt.json("disconnectPacket", packet.as_deref().unwrap_or("null"));
        let mut body = Writer::object();
        body.text_or_null("reason", self.reason).json("mqtt", &mqtt.finish());
        body.finish()
    }
}

/// An event that an MQTT client published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MqttRequest {
    /// Its name.
    pub name: EventName,
    /// The body.
    pub payload: Vec<u8>,
    /// A media type.
    content_type: String,
    /// As they were sent.
    user_properties: UserProperties,
}

/// The content type is no media type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the content type is no media type")]
pub struct NoMediaType;

impl MqttRequest {
    /// An event with this payload, of a content type and with user properties as the client sent them.
    ///
    /// # Errors
    /// [`NoMediaType`] for a content type that cannot be `Content-Type`.
    pub fn new(
        name: EventName,
        payload: Vec<u8>,
        content_type: Option<&str>,
        user_properties: UserProperties,
    ) -> Result<Self, NoMediaType> {
        let content_type = content_type.unwrap_or("application/octet-stream");
        let (media_type, _) = content_type.split_once(';').unwrap_or((content_type, ""));
        let is_token = |text: &str| !text.is_empty() && text.bytes().all(is_token_byte);
        let is_type = media_type
            .trim_end()
            .split_once('/')
            .is_some_and(|(kind, subtype)| is_token(kind) && is_token(subtype));
        if !is_type || !fits_header(content_type) {
            return Err(NoMediaType);
        }
        Ok(Self { name, payload, content_type: content_type.to_owned(), user_properties })
    }

    /// The value of `Content-Type`.
    #[must_use]
    pub fn content_type(&self) -> &str {
        &self.content_type
    }

    /// How much memory it takes, in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        let properties = self.user_properties.iter().map(|(name, value)| name.len() + value.len());
        self.payload.len() + self.content_type.len() + properties.sum::<usize>()
    }

    /// Names and values of headers for the user properties. Values of one name are joined with commas, as headers
    /// are; what no header can have, and what is above [`MAX_METADATA_BYTES`] in all, is left out.
    pub(super) fn headers(&self) -> UserProperties {
        let mut headers: UserProperties = Vec::new();
        let mut total = 0;
        for (name, value) in &self.user_properties {
            total += name.len() + value.len();
            if total > MAX_METADATA_BYTES {
                break;
            }
            if name.is_empty() || !name.bytes().all(is_token_byte) || !fits_header(value) {
                continue;
            }
            let name = [PROPERTY_PREFIX, name].concat().to_ascii_lowercase();
            match headers.iter_mut().find(|(known, _)| *known == name) {
                Some((_, values)) => *values = [values, ", ", value].concat(),
                None => headers.push((name, value.clone())),
            }
        }
        headers
    }
}

/// Whether a text can be a header's value as it is.
fn fits_header(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\t'))
}

/// What a handler answered to an MQTT client's event: a publish to that client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MqttReply {
    /// The HTTP status.
    pub status: u16,
    /// The content type, if there was one.
    pub content_type: Option<String>,
    /// The headers `mqtt-…` without their prefix, and the status.
    pub user_properties: UserProperties,
    /// The body.
    pub payload: Vec<u8>,
}

impl MqttReply {
    /// Whether the handler took the event.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        CallFailure::of_status(self.status).is_none()
    }

    /// The answer to an event that came to nothing: without a body, and with a status if there was one.
    #[must_use]
    pub fn of_failure(failure: Option<CallFailure>) -> Self {
        let status = failure.and_then(CallFailure::status);
        Self {
            status: status.unwrap_or(500),
            content_type: None,
            user_properties: status.map(status_property).into_iter().collect(),
            payload: Vec::new(),
        }
    }
}

fn status_property(status: u16) -> (String, String) {
    (STATUS_PROPERTY.to_owned(), status.to_string())
}

/// What a handler says of an MQTT client that wants to connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MqttAdmission {
    /// It is let in.
    Admitted {
        /// As what; of use where a session begins.
        answer: ConnectAnswer,
        /// For CONNACK.
        user_properties: UserProperties,
    },
    /// It is not.
    Refused(MqttRefusal),
}

/// Why a handler does not let an MQTT client in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MqttRefusal {
    /// The HTTP status.
    status: u16,
    /// The code that the handler gave, whether CONNACK can have it or not.
    code: Option<u64>,
    /// Why, in words.
    pub reason: Option<String>,
    /// For CONNACK.
    pub user_properties: UserProperties,
}

impl MqttRefusal {
    /// The refusal that a failed call amounts to.
    #[must_use]
    pub fn of_failure(failure: CallFailure) -> Self {
        let status = failure.status().unwrap_or(500);
        Self { status, code: None, reason: None, user_properties: Vec::new() }
    }

    /// The code for CONNACK: a return code for clients of level 4, a reason code for others.
    ///
    /// Source: docs/spec/mqtt.md#connect-event.
    #[must_use]
    pub fn code(&self, level: u8) -> u8 {
        let is_old = level < 5;
        let unspecified = if is_old { 3 } else { 0x80 };
        match (self.code, self.status) {
            (Some(code), _) => {
                let code = u8::try_from(code).ok();
                code.filter(|code| is_connack_failure(*code, is_old)).unwrap_or(unspecified)
            }
            (None, 400) => {
                if is_old {
                    4
                } else {
                    0x86
                }
            }
            (None, 401 | 403) => {
                if is_old {
                    5
                } else {
                    0x87
                }
            }
            (None, _) => unspecified,
        }
    }
}

/// Whether CONNACK can have a code that is no success.
const fn is_connack_failure(code: u8, is_old: bool) -> bool {
    if is_old {
        matches!(code, 1..=5)
    } else {
        matches!(code, 0x80..=0x8a | 0x8c | 0x90 | 0x95 | 0x97 | 0x99..=0x9d | 0x9f)
    }
}

impl HandlerAnswer {
    /// What the answer to `connect` of an MQTT client says. A refusal without the member `mqtt` is a failure like
    /// any other.
    pub(super) fn mqtt_admission(self) -> Result<Taken, CallFailure> {
        let body = str::from_utf8(&self.body).ok().and_then(Members::parse);
        let mqtt = body
            .as_ref()
            .and_then(|body| member(body, "mqtt"))
            .and_then(|mqtt| Members::parse(mqtt.as_str()));
        let get = |name| mqtt.as_ref().and_then(|mqtt| member(mqtt, name));
        let user_properties = get("userProperties").map(read_properties).unwrap_or_default();
        if let Some(failure) = CallFailure::of_status(self.status) {
            if mqtt.is_none() {
                return Err(failure);
            }
            let reason = get("reason").and_then(Json::text).map(std::borrow::Cow::into_owned);
            let code = get("code").map(|code| code.unsigned().unwrap_or(u64::MAX));
            let refusal = MqttRefusal { status: self.status, code, reason, user_properties };
            let admission = Some(Box::new(MqttAdmission::Refused(refusal)));
            return Ok(Taken { admission, ..Taken::default() });
        }
        let answer = ConnectAnswer::parse(&self)?;
        if answer.subprotocol.is_some() && answer.subprotocol.as_deref() != Subprotocol::Mqtt.name() {
            return Err(CallFailure::SubprotocolNotOffered);
        }
        let admission = Some(Box::new(MqttAdmission::Admitted { answer, user_properties }));
        Ok(Taken { admission, state: self.state, cookies: self.cookies, ..Taken::default() })
    }

    /// What the answer to an event of an MQTT client says, whatever its status.
    pub(super) fn mqtt_reply(self) -> Result<Taken, CallFailure> {
        let is_success = self.is_success();
        if is_success {
            self.check_state()?;
        }
        let mut user_properties = self.mqtt;
        // With the status they are no more than are read again from the disk.
        user_properties.truncate(MAX_PROPERTIES - 1);
        user_properties.push(status_property(self.status));
        let reply = MqttReply {
            status: self.status,
            content_type: self.content_type.filter(|_| !self.body.is_empty()),
            user_properties,
            payload: self.body,
        };
        let reply = Reply { mqtt: Some(Box::new(reply)), ..Reply::default() };
        let (state, cookies) = if is_success { (self.state, self.cookies) } else { (None, Vec::new()) };
        Ok(Taken { reply, state, cookies, ..Taken::default() })
    }
}

/// A member that is there and not `null`, found in any case.
fn member<'a>(members: &Members<'a>, name: &str) -> Option<Json<'a>> {
    let named = members.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    named.map(|(_, value)| *value).filter(|value| !value.is_null())
}

/// Reads a list of names and values; what is none is left out.
fn read_properties(list: Json<'_>) -> UserProperties {
    let pair = |pair: Json<'_>| {
        let pair = Members::parse(pair.as_str())?;
        let text = |name| Some(member(&pair, name)?.text()?.into_owned());
        Some((text("name")?, text("value")?))
    };
    let mut properties = Vec::new();
    for given in list.elements().unwrap_or_default().iter().take(MAX_PROPERTIES) {
        properties.extend(pair(*given));
    }
    properties
}

fn write_properties(properties: &[(String, String)]) -> String {
    let mut list = Writer::list();
    for (name, value) in properties {
        let mut pair = Writer::object();
        pair.text("name", name).text("value", value);
        list.element(&pair.finish());
    }
    list.finish()
}

#[cfg(test)]
mod tests;
