//! Which event handler is told what.

mod auth;
mod filter;

use webpubsub_protocol::event_handler::{Event, UrlTemplate};
use webpubsub_protocol::json::{Json, Writer};

pub use auth::{HandlerAuth, HandlerSecret};
pub use filter::{GroupPresence, SystemEvents};

use super::{SettingsError, members, wrong};

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
        let Some(given) = members(value) else { return wrong("", "an object") };
        let mut url = None;
        let mut user_events = String::new();
        let mut system_events = SystemEvents::default();
        let mut presence = None;
        let mut auth = None;
        for (name, value) in &given {
            let read = match &**name {
                "urlTemplate" => match UrlTemplate::parse(&value.text().unwrap_or_default()) {
                    Ok(template) => {
                        url = Some(template);
                        Ok(())
                    }
                    Err(error) => wrong("", error.expected()),
                },
                "userEventPattern" => filter::user_events(*value).map(|read| user_events = read),
                "systemEvents" => SystemEvents::read(*value).map(|read| system_events = read),
                "groupPresenceEvents" => GroupPresence::read(*value).map(|read| presence = Some(read)),
                "auth" => HandlerAuth::read(*value).map(|read| auth = read),
                _ => wrong("", "left out: it is no setting of an event handler"),
            };
            read.map_err(|error| error.under(name))?;
        }
        match url {
            Some(url) => Ok(Self { url, user_events, system_events, presence, auth }),
            None => wrong("urlTemplate", "there: the URL of the event handler"),
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
