//! What an operator decides about a hub.

mod event_handler;

use std::borrow::Cow;
use std::fmt;

use webpubsub_protocol::json::{Json, Members, Writer};
use webpubsub_protocol::name::HubName;

pub use event_handler::{EventHandler, GroupPresence, HandlerAuth, HandlerSecret, SystemEvents};

/// The settings of every hub, with the names of Azure's resource model.
///
/// Source: CloudEvents spec, section 1.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    hubs: Vec<(HubName, HubSettings)>,
}

/// The settings of one hub.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HubSettings {
    /// Whether clients without a token may connect.
    pub anonymous_connect: AnonymousConnectPolicy,
    /// How many shards it has; `None` for as many as the service gives a hub.
    pub shards: Option<u16>,
    /// Who is told what happens: for each event the first that takes it.
    pub event_handlers: Vec<EventHandler>,
}

/// Whether clients without a token may connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AnonymousConnectPolicy {
    /// They are answered 401.
    #[default]
    Deny,
    /// They may, without a user and without roles.
    Allow,
}

/// What is wrong with settings, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsError {
    /// The way to the value, such as `hubs.chat.anonymousConnectPolicy`; empty for the whole.
    pub path: String,
    /// What it should be.
    pub expected: &'static str,
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "the settings" } else { &self.path };
        write!(f, "{path} should be {}", self.expected)
    }
}

impl std::error::Error for SettingsError {}

impl Settings {
    /// Reads `{"hubs":{"<hub>":{…}}}`.
    ///
    /// # Errors
    /// [`SettingsError`] for the first thing that is not as it should be; names that nobody knows
    /// are wrong too.
    pub fn parse(text: &str) -> Result<Self, SettingsError> {
        let error = |path: &str, expected| SettingsError { path: path.to_owned(), expected };
        let value = Json::parse(text).ok_or(error("", "JSON"))?;
        let Some(settings) = members(value) else { return Err(error("", "an object with `hubs`")) };
        let mut hubs: Vec<(HubName, HubSettings)> = Vec::new();
        for (name, value) in &settings {
            if name != "hubs" {
                return Err(error(name, "left out: the one name known here is `hubs`"));
            }
            let Some(named) = members(*value) else { return Err(error(name, "an object, one hub a name")) };
            for (hub, value) in &named {
                let path = format!("hubs.{hub}");
                let Ok(hub) = HubName::parse(hub) else { return Err(error(&path, "named like a hub")) };
                if hubs.iter().any(|(known, _)| *known == hub) {
                    return Err(error(&path, "there once: hub names ignore case"));
                }
                hubs.push((hub, HubSettings::read(&path, *value)?));
            }
        }
        Ok(Self { hubs })
    }

    /// The settings of a hub; the defaults where none were given.
    #[must_use]
    pub fn of(&self, hub: &HubName) -> HubSettings {
        let of = self.hubs.iter().find(|(known, _)| known == hub);
        of.map(|(_, settings)| settings.clone()).unwrap_or_default()
    }
}

impl AnonymousConnectPolicy {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deny => "deny",
            Self::Allow => "allow",
        }
    }
}

impl HubSettings {
    /// Most shards of a hub: enough for millions of connections.
    pub const MAX_SHARDS: u16 = 1024;

    /// Reads the object of one hub.
    ///
    /// # Errors
    /// As [`Settings::parse`].
    pub fn parse(text: &str) -> Result<Self, SettingsError> {
        let json = Json::parse(text).ok_or(SettingsError { path: String::new(), expected: "JSON" })?;
        Self::read("", json)
    }

    /// Writes what [`HubSettings::parse`] reads.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut settings = Writer::object();
        settings.text("anonymousConnectPolicy", self.anonymous_connect.as_str()).json("eventHandlers", "[]");
        if let Some(shards) = self.shards {
            settings.number("shards", shards.into());
        }
        settings.finish()
    }

    fn read(path: &str, value: Json<'_>) -> Result<Self, SettingsError> {
        let error = |path: String, expected| SettingsError { path, expected };
        let Some(given) = members(value) else { return Err(error(path.to_owned(), "an object")) };
        let mut settings = Self::default();
        for (name, value) in &given {
            let path = if path.is_empty() { name.to_string() } else { format!("{path}.{name}") };
            match &**name {
                "anonymousConnectPolicy" => {
                    let policy = value.text().unwrap_or_default();
                    settings.anonymous_connect = if policy.eq_ignore_ascii_case("allow") {
                        AnonymousConnectPolicy::Allow
                    } else if policy.eq_ignore_ascii_case("deny") {
                        AnonymousConnectPolicy::Deny
                    } else {
                        return Err(error(path, "`allow` or `deny`"));
                    };
                }
                "shards" => {
                    let shards = value.unsigned().and_then(|shards| u16::try_from(shards).ok());
                    let Some(shards @ 1..=Self::MAX_SHARDS) = shards else {
                        return Err(error(path, "a whole number from 1 to 1024"));
                    };
                    settings.shards = Some(shards);
                }
                "eventHandlers" if value.elements().is_some_and(|list| list.is_empty()) => {}
                "eventHandlers" => {
                    return Err(error(path, "an empty list: this version calls no event handlers"));
                }
                _ => return Err(error(path, "left out: it is no setting of a hub")),
            }
        }
        Ok(settings)
    }
}

/// The members of an object; `None` if the value is none.
fn members(value: Json<'_>) -> Option<Vec<(Cow<'_, str>, Json<'_>)>> {
    Members::parse(value.as_str()).map(|Members(members)| members)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hub_has_the_settings_given_and_otherwise_the_defaults() {
        let settings =
            Settings::parse(r#"{"hubs":{"Chat":{"anonymousConnectPolicy":"Allow","eventHandlers":[]}}}"#);
        let settings = settings.unwrap();
        let of = |hub: &str| settings.of(&HubName::parse(hub).unwrap()).anonymous_connect;
        assert_eq!(of("chat"), AnonymousConnectPolicy::Allow);
        assert_eq!(of("other"), AnonymousConnectPolicy::Deny);
        assert_eq!(Settings::parse("{}"), Ok(Settings::default()));
    }

    #[test]
    fn the_settings_of_one_hub_survive_their_way() {
        let settings = HubSettings { anonymous_connect: AnonymousConnectPolicy::Allow, shards: Some(4), event_handlers: Vec::new() };
        assert_eq!(HubSettings::parse(&settings.encode()), Ok(settings));
        assert_eq!(HubSettings::parse(&HubSettings::default().encode()), Ok(HubSettings::default()));
        assert_eq!(HubSettings::parse("[]").unwrap_err().to_string(), "the settings should be an object");
        for shards in ["0", "1025", "-1", "1.5", "\"1\""] {
            let error = HubSettings::parse(&format!(r#"{{"shards":{shards}}}"#)).unwrap_err().to_string();
            assert_eq!(error, "shards should be a whole number from 1 to 1024");
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_where() {
        let cases = [
            ("{", "the settings should be JSON"),
            ("[]", "the settings should be an object with `hubs`"),
            (r#"{"hub":{}}"#, "hub should be left out: the one name known here is `hubs`"),
            (r#"{"hubs":[]}"#, "hubs should be an object, one hub a name"),
            (r#"{"hubs":{"1":{}}}"#, "hubs.1 should be named like a hub"),
            (r#"{"hubs":{"a":{},"A":{}}}"#, "hubs.A should be there once: hub names ignore case"),
            (r#"{"hubs":{"a":1}}"#, "hubs.a should be an object"),
            (
                r#"{"hubs":{"a":{"anonymousConnectPolicy":true}}}"#,
                "hubs.a.anonymousConnectPolicy should be `allow` or `deny`",
            ),
            (r#"{"hubs":{"a":{"x":1}}}"#, "hubs.a.x should be left out: it is no setting of a hub"),
            (
                r#"{"hubs":{"a":{"eventHandlers":[{}]}}}"#,
                "hubs.a.eventHandlers should be an empty list: this version calls no event handlers",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(Settings::parse(text).unwrap_err().to_string(), expected);
        }
    }
}
