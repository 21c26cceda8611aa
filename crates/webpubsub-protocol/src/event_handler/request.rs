//! An event as an HTTP request.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{Event, Physical, Subject};
use crate::client::Frame;
use crate::client::simple;
use crate::data::MessageData;
use crate::encoding::push_hex;
use crate::json::Writer;
use crate::name::HubName;
use crate::rest::METADATA_PREFIX;
use crate::time::Timestamp;

/// A POST to an event handler, without what only the sender knows: the signature and the handler's
/// own credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRequest {
    /// Names and values, none of which can start a new header.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl EventRequest {
    /// Writes an event that happened at `time`. `number` is its `ce-id`, `url` where it goes, for the
    /// cookies.
    ///
    /// Source: docs/spec/cloudevents.md#requests.
    #[must_use]
    pub fn new(
        hub: &HubName,
        subject: &Subject,
        event: &Event,
        number: u64,
        time: Timestamp,
        url: &str,
    ) -> Self {
        let mut headers = Headers(Vec::with_capacity(16));
        let connection = subject.connection.as_str();
        headers.set("WebHook-Request-Origin", &subject.origin);
        headers.set("ce-specversion", "1.0");
        headers.set("ce-awpsversion", "1.0");
        headers.set("ce-type", &[event.kind(), event.name()].concat());
        let mut source = ["/hubs/", hub.as_str(), "/client/", connection].concat();
        if let Some(Physical { connection, .. }) = &subject.mqtt {
            source = [&source, "/", connection].concat();
        }
        headers.set("ce-source", &source);
        headers.set("ce-id", &number.to_string());
        headers.set("ce-time", &time.to_utc());
        if let Some(user) = &subject.user {
            headers.set("ce-userId", user.as_str());
        }
        headers.set("ce-connectionId", connection);
        headers.set("ce-hub", hub.as_str());
        headers.set("ce-eventName", event.name());
        // The body of `connect` says what is offered.
        if let (Some(subprotocol), false) = (&subject.subprotocol, matches!(event, Event::Connect { .. })) {
            headers.set("ce-subprotocol", subprotocol);
        }
        if let Some(Physical { connection, session }) = &subject.mqtt {
            headers.set("ce-physicalConnectionId", connection);
            if let Some(session) = session {
                headers.set("ce-sessionId", session);
            }
        }
        if let Some(state) = &subject.state {
            headers.set("ce-connectionState", state);
        }
        if let Event::User { metadata, .. } = event {
            for (key, value) in metadata.iter() {
                let name = [METADATA_PREFIX, key].concat().to_ascii_lowercase();
                headers.0.retain(|(known, _)| *known != name);
                headers.set(&name, value);
            }
        }
        if let Event::MqttUser(request) = event {
            for (name, value) in request.headers() {
                headers.set(&name, &value);
            }
        }
        if let Some(cookies) = subject.cookies.header(time, url) {
            headers.set("Cookie", &cookies);
        }
        // A session of MQTT has the id of the one before it, and its events have the same numbers.
        let unique = subject.mqtt.as_ref().map_or(connection, Physical::unique);
        headers.set("x-ms-client-request-id", &request_id(unique, number));
        headers.set("Content-Type", event.content_type());
        Self { headers: headers.0, body: event.body() }
    }
}

/// Names and values.
struct Headers(Vec<(String, String)>);

impl Headers {
    /// Adds a header. Control characters, which a name or a payload may have and which could start
    /// another header, become U+FFFD.
    fn set(&mut self, name: &str, value: &str) {
        let is_control = |character: char| character.is_ascii_control() && character != '\t';
        self.0.push((name.to_owned(), value.replace(is_control, "\u{fffd}")));
    }
}

impl Event {
    /// What stands before the name in `ce-type`.
    const fn kind(&self) -> &'static str {
        match self {
            Self::Connect { .. }
            | Self::MqttConnect { .. }
            | Self::Connected
            | Self::Disconnected { .. }
            | Self::MqttDisconnected { .. } => "azure.webpubsub.sys.",
            Self::Joined { .. } | Self::Left { .. } => "azure.webpubsub.gp.",
            Self::User { .. } | Self::MqttUser(_) => "azure.webpubsub.user.",
        }
    }

    /// Source: docs/spec/cloudevents.md#user-events.
    fn content_type(&self) -> &str {
        match self {
            Self::User { data: MessageData::Text(_), .. } => "text/plain; charset=utf-8",
            Self::User { data: MessageData::Json(_), .. } => "application/json",
            Self::User { data: MessageData::Binary(_), .. } => "application/octet-stream",
            Self::User { data: MessageData::Protobuf(_), .. } => "application/x-protobuf",
            Self::MqttUser(request) => request.content_type(),
            Self::Connect { .. }
            | Self::MqttConnect { .. }
            | Self::Connected
            | Self::Disconnected { .. }
            | Self::MqttDisconnected { .. }
            | Self::Joined { .. }
            | Self::Left { .. } => "application/json; charset=utf-8",
        }
    }

    fn body(&self) -> Vec<u8> {
        let object = |name, value| {
            let mut object = Writer::object();
            object.text(name, value);
            object.finish()
        };
        let text = match self {
            Self::Connect { body } | Self::MqttConnect { body } | Self::MqttDisconnected { body } => {
                body.clone()
            }
            Self::MqttUser(request) => return request.payload.clone(),
            Self::Connected => "{}".to_owned(),
            Self::Disconnected { reason } => object("reason", reason),
            Self::Joined { group } | Self::Left { group } => object("group", group.as_str()),
            Self::User { data, .. } => match simple::encode(data) {
                Frame::Text(text) => text,
                Frame::Binary(bytes) => return bytes,
            },
        };
        text.into_bytes()
    }
}

/// A GUID of the random part of an id and the number of an event, so that it is the same on every attempt.
fn request_id(unique: &str, number: u64) -> String {
    let random = URL_SAFE_NO_PAD.decode(unique).unwrap_or_else(|_| unique.into());
    let mut bytes = [number, 0].map(u64::to_be_bytes).concat();
    for (at, byte) in bytes.iter_mut().rev().enumerate() {
        random.iter().rev().skip(at).step_by(16).for_each(|random| *byte ^= random);
    }
    let mut guid = String::with_capacity(36);
    for (at, byte) in bytes.into_iter().enumerate() {
        if let 4 | 6 | 8 | 10 = at {
            guid.push('-');
        }
        push_hex(&mut guid, byte);
    }
    guid
}
