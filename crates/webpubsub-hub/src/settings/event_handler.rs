//! Which event handler is told what.

mod auth;
mod filter;

use webpubsub_protocol::event_handler::{Event, UrlTemplate};
use webpubsub_protocol::json::{Json, Writer};

pub use auth::{HandlerAuth, HandlerSecret};
pub use filter::{GroupPresence, SystemEvents};

use super::{SettingsError, object, wrong};

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

/// Whether secrets are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Secrets {
    /// As they are.
    Written,
    /// As [`HandlerSecret::HIDDEN`].
    Hidden,
}

impl EventHandler {
    /// Whether it is told of an event.
    ///
    /// Source: `CloudEvents` spec, section 1.
    #[must_use]
    pub fn takes(&self, event: &Event) -> bool {
        let presence = self.presence.as_ref();
        match event {
            Event::Connect { .. } => self.system_events.connect,
            Event::Connected => self.system_events.connected,
            Event::Disconnected { .. } => self.system_events.disconnected,
            Event::Joined { group } => presence.is_some_and(|told| told.joined && told.is_about(group)),
            Event::Left { group } => presence.is_some_and(|told| told.left && told.is_about(group)),
            Event::User { name, .. } => filter::has_user_event(&self.user_events, name.as_str()),
        }
    }

    pub(super) fn read(value: Json<'_>) -> Result<Self, SettingsError> {
        let known = ["urlTemplate", "userEventPattern", "systemEvents", "groupPresenceEvents", "auth"];
        let given = object(value, &known, "left out: it is no setting of an event handler")?;
        let [url, user_events, system_events, presence, auth] = known.map(|name| given.get(name));
        let url = url.and_then(Json::text).unwrap_or_default();
        let url = UrlTemplate::parse(&url).map_err(|error| wrong("urlTemplate", error.expected()))?;
        let user_events = user_events.map(filter::user_events).transpose();
        let system_events = system_events.map(SystemEvents::read).transpose();
        let presence = presence.map(GroupPresence::read).transpose();
        let auth = auth.map(HandlerAuth::read).transpose();
        Ok(Self {
            url,
            user_events: user_events.map_err(|error| error.under("userEventPattern"))?.unwrap_or_default(),
            system_events: system_events.map_err(|error| error.under("systemEvents"))?.unwrap_or_default(),
            presence: presence.map_err(|error| error.under("groupPresenceEvents"))?,
            auth: auth.map_err(|error| error.under("auth"))?.flatten(),
        })
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
