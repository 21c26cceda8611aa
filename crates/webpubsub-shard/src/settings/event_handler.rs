//! Which events go to an event handler.

mod auth;
mod filter;

use webpubsub_protocol::event_handler::{Event, UrlTemplate};
use webpubsub_protocol::json::{Json, Writer};

pub use auth::{HandlerAuth, HandlerSecret};
pub use filter::{GroupPresence, SystemEvents};

use super::reader::Reader;

/// One of a hub's event handlers.
///
/// Source: docs/spec/cloudevents.md#hub-settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventHandler {
    /// Where it is.
    pub url: UrlTemplate,
    /// `userEventPattern` as given; empty for no user event.
    pub user_events: String,
    /// Which system events it receives.
    pub system_events: SystemEvents,
    /// Which changes of memberships it receives.
    pub presence: Option<GroupPresence>,
    /// How it knows that the service calls, beside the signature.
    pub auth: Option<HandlerAuth>,
}

/// Whether secrets are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Secrets {
    /// As they are.
    Written,
    /// As [`HandlerSecret::HIDDEN`].
    Hidden,
}

impl EventHandler {
    /// Whether it receives an event.
    ///
    /// Source: docs/spec/cloudevents.md#hub-settings.
    #[must_use]
    pub fn takes(&self, event: &Event) -> bool {
        let presence = self.presence.as_ref();
        match event {
            Event::Connect { .. } | Event::MqttConnect { .. } => self.system_events.connect,
            Event::Connected => self.system_events.connected,
            Event::Disconnected { .. } | Event::MqttDisconnected { .. } => self.system_events.disconnected,
            Event::Joined { group } => {
                presence.is_some_and(|presence| presence.joined && presence.is_about(group))
            }
            Event::Left { group } => {
                presence.is_some_and(|presence| presence.left && presence.is_about(group))
            }
            Event::User { .. } | Event::MqttUser(_) => {
                filter::has_user_event(&self.user_events, event.name())
            }
        }
    }

    /// Reads an event handler; where it gives `None`, the reader has the error.
    pub(super) fn read(reader: &mut Reader, value: Json<'_>) -> Option<Self> {
        let known = ["urlTemplate", "userEventPattern", "systemEvents", "groupPresenceEvents", "auth"];
        let given = reader.object(Some(value), &known, "left out: it is no setting of an event handler");
        let (mut user_events, mut system_events) = (String::new(), SystemEvents::default());
        let (mut presence, mut auth) = (None, None);
        if let Some(value) = reader.enter_member(&given, "userEventPattern") {
            user_events = filter::user_events(reader, value);
            reader.leave();
        }
        if let Some(value) = reader.enter_member(&given, "systemEvents") {
            system_events = SystemEvents::read(reader, value);
            reader.leave();
        }
        if let Some(value) = reader.enter_member(&given, "groupPresenceEvents") {
            presence = Some(GroupPresence::read(reader, value));
            reader.leave();
        }
        if let Some(value) = reader.enter_member(&given, "auth") {
            auth = HandlerAuth::read(reader, value);
            reader.leave();
        }
        match UrlTemplate::parse(&given.get("urlTemplate").and_then(Json::text).unwrap_or_default()) {
            Ok(url) => Some(Self { url, user_events, system_events, presence, auth }),
            Err(error) => {
                reader.wrong_at(given.written("urlTemplate"), error.expected());
                None
            }
        }
    }

    pub(super) fn write(&self, secrets: Secrets) -> String {
        let mut handler = Writer::object();
        handler.text("urlTemplate", self.url.as_str()).text("userEventPattern", &self.user_events);
        handler.json("systemEvents", &self.system_events.write());
        if let Some(presence) = &self.presence {
            handler.json("groupPresenceEvents", &presence.write());
        }
        if let Some(auth) = &self.auth {
            handler.json("auth", &auth.write(secrets));
        }
        handler.finish()
    }
}
