//! What an operator decides about a hub.

mod event_handler;
mod reader;

use std::fmt;

use webpubsub_protocol::event_handler::Event;
use webpubsub_protocol::json::{Json, Writer};
use webpubsub_protocol::name::HubName;

use event_handler::Secrets;
pub use event_handler::{EventHandler, GroupPresence, HandlerAuth, HandlerSecret, SystemEvents};
use reader::Reader;

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

impl SettingsError {
    /// The same, of a hub among others.
    fn under_hub(self, hub: &HubName) -> Self {
        Self { path: ["hubs.", hub.as_str(), ".", &self.path].concat(), ..self }
    }
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
        let mut reader = Reader::default();
        let mut hubs: Vec<(HubName, HubSettings)> = Vec::new();
        let known = ["hubs"];
        let settings =
            reader.object(Json::parse(text), &known, "left out: the one name known here is `hubs`");
        if let Some(named) = settings.get("hubs") {
            reader.enter("hubs");
            for (name, value) in reader.members(Some(named)).0 {
                reader.enter(&name);
                let settings = HubSettings::read(&mut reader, Some(value));
                match HubName::parse(&name) {
                    Err(_) => reader.wrong("named like a hub"),
                    Ok(hub) if hubs.iter().any(|(known, _)| *known == hub) => {
                        reader.wrong("there once: hub names ignore case");
                    }
                    Ok(hub) => hubs.push((hub, settings)),
                }
                reader.leave();
            }
        }
        reader.finish(())?;
        for (hub, settings) in &mut hubs {
            let read = std::mem::take(settings).with_secrets_of(&HubSettings::default());
            *settings = read.map_err(|error| error.under_hub(hub))?;
        }
        Ok(Self { hubs })
    }

    /// The settings of a hub; the defaults where none were given.
    #[must_use]
    pub fn of(&self, hub: &HubName) -> HubSettings {
        let of = self.hubs.iter().find(|(known, _)| known == hub);
        of.map(|(_, settings)| settings.clone()).unwrap_or_default()
    }

    /// Checks that every event handler may be called where private ones may not.
    ///
    /// # Errors
    /// As [`HubSettings::check_public`].
    pub fn check_public(&self) -> Result<(), SettingsError> {
        self.hubs
            .iter()
            .try_for_each(|(hub, settings)| settings.check_public().map_err(|error| error.under_hub(hub)))
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

    /// Most event handlers of a hub.
    pub const MAX_EVENT_HANDLERS: usize = 100;

    /// Longest settings of a hub, in bytes.
    pub const MAX_BYTES: usize = 65_536;

    /// Reads the object of one hub.
    ///
    /// # Errors
    /// As [`Settings::parse`].
    pub fn parse(text: &str) -> Result<Self, SettingsError> {
        let mut reader = Reader::default();
        let settings = Self::read(&mut reader, Json::parse(text));
        reader.finish(settings)
    }

    /// Writes what [`HubSettings::parse`] reads, with secrets.
    #[must_use]
    pub fn encode(&self) -> String {
        self.write(Secrets::Written)
    }

    /// Writes what may be shown: secrets are [`HandlerSecret::HIDDEN`].
    #[must_use]
    pub fn show(&self) -> String {
        self.write(Secrets::Hidden)
    }

    fn write(&self, secrets: Secrets) -> String {
        let mut handlers = Writer::list();
        for handler in &self.event_handlers {
            handlers.element(&handler.write(secrets));
        }
        let mut settings = Writer::object();
        settings.text("anonymousConnectPolicy", self.anonymous_connect.as_str());
        settings.json("eventHandlers", &handlers.finish());
        if let Some(shards) = self.shards {
            settings.number("shards", shards.into());
        }
        settings.finish()
    }

    /// Puts secrets known before in the places of those that are [`HandlerSecret::HIDDEN`]: what the
    /// handler with the same URL template and type of `auth` has.
    ///
    /// # Errors
    /// [`SettingsError`] where there is no such handler.
    pub fn with_secrets_of(mut self, known: &Self) -> Result<Self, SettingsError> {
        for (at, handler) in self.event_handlers.iter_mut().enumerate() {
            let Some(auth) = handler.auth.as_mut().filter(|auth| auth.secret.is_hidden()) else { continue };
            // Of several, the one at the same place.
            let place = known.event_handlers.get(at);
            let known = place.into_iter().chain(&known.event_handlers).find_map(|known| {
                let same = known.auth.as_ref().filter(|known| known.is_like(auth));
                same.filter(|_| known.url == handler.url)
            });
            let Some(known) = known else {
                let path = ["eventHandlers.", &at.to_string(), ".auth.", auth.secret_member()].concat();
                let expected = "a secret: none is known of a handler with this URL and type of `auth`";
                return Err(SettingsError { path, expected });
            };
            auth.secret = known.secret.clone();
        }
        Ok(self)
    }

    /// Checks that every event handler may be called where private ones may not.
    ///
    /// # Errors
    /// [`SettingsError`] for the first with another URL than https to a public host.
    pub fn check_public(&self) -> Result<(), SettingsError> {
        match self.event_handlers.iter().position(|handler| !handler.url.is_public()) {
            None => Ok(()),
            Some(at) => {
                let path = ["eventHandlers.", &at.to_string(), ".urlTemplate"].concat();
                let expected = "https to a public host, as ALLOW_PRIVATE_EVENT_HANDLERS is not set";
                Err(SettingsError { path, expected })
            }
        }
    }

    /// The event handler that is told of an event, the first that takes it, and its place.
    #[must_use]
    pub fn handler_for(&self, event: &Event) -> Option<(usize, &EventHandler)> {
        self.event_handlers.iter().enumerate().find(|(_, handler)| handler.takes(event))
    }

    /// Reads what is no JSON where it is `None`.
    fn read(reader: &mut Reader, value: Option<Json<'_>>) -> Self {
        let known = ["anonymousConnectPolicy", "shards", "eventHandlers"];
        let given = reader.object(value, &known, "left out: it is no setting of a hub");
        if value.is_some_and(|value| value.as_str().len() > Self::MAX_BYTES) {
            reader.wrong("at most 65536 bytes a hub");
        }
        let mut settings = Self::default();
        if let Some(policy) = given.get("anonymousConnectPolicy") {
            let policy = policy.text().unwrap_or_default();
            if policy.eq_ignore_ascii_case("allow") {
                settings.anonymous_connect = AnonymousConnectPolicy::Allow;
            } else if !policy.eq_ignore_ascii_case("deny") {
                reader.wrong_at("anonymousConnectPolicy", "`allow` or `deny`");
            }
        }
        if let Some(shards) = given.get("shards") {
            settings.shards = shards.unsigned().and_then(|shards| u16::try_from(shards).ok());
            if !matches!(settings.shards, Some(1..=Self::MAX_SHARDS)) {
                reader.wrong_at("shards", "a whole number from 1 to 1024");
            }
        }
        if let Some(handlers) = given.get("eventHandlers") {
            reader.enter("eventHandlers");
            let handlers = handlers.elements().filter(|list| list.len() <= Self::MAX_EVENT_HANDLERS);
            if handlers.is_none() {
                reader.wrong("a list of at most 100");
            }
            for (at, handler) in handlers.unwrap_or_default().into_iter().enumerate() {
                reader.enter(&at.to_string());
                settings.event_handlers.extend(EventHandler::read(reader, handler));
                reader.leave();
            }
            reader.leave();
        }
        settings
    }
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
        let settings = HubSettings {
            anonymous_connect: AnonymousConnectPolicy::Allow,
            shards: Some(4),
            event_handlers: Vec::new(),
        };
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
            ("[]", "the settings should be an object"),
            (r#"{"hub":{}}"#, "hub should be left out: the one name known here is `hubs`"),
            (r#"{"hubs":[]}"#, "hubs should be an object"),
            (r#"{"hubs":{"1":{}}}"#, "hubs.1 should be named like a hub"),
            (r#"{"hubs":{"a":{},"A":{}}}"#, "hubs.A should be there once: hub names ignore case"),
            (r#"{"hubs":{"a":1}}"#, "hubs.a should be an object"),
            (
                r#"{"hubs":{"a":{"anonymousConnectPolicy":true}}}"#,
                "hubs.a.anonymousConnectPolicy should be `allow` or `deny`",
            ),
            (r#"{"hubs":{"a":{"x":1}}}"#, "hubs.a.x should be left out: it is no setting of a hub"),
        ];
        for (text, expected) in cases {
            assert_eq!(Settings::parse(text).unwrap_err().to_string(), expected);
        }
    }

    const HANDLERS: &str = r#"{"eventHandlers":[
        {"urlTemplate":"https://example.com/{event}?code=c","systemEvents":["Connect","connected"],
         "auth":{"type":"bearer","token":"CANARY 1"}},
        {"urlTemplate":"http://localhost:3000/eventhandler","userEventPattern":" a, Message ",
         "systemEvents":[],"auth":{"type":"HEADER","name":"X-Key","value":"CANARY 2"},
         "groupPresenceEvents":{"eventNames":["Joined"],"groupFilters":["room","room 2"]}},
        {"urlTemplate":"http://localhost:3000/2","userEventPattern":"*","systemEvents":["disconnected"],
         "auth":{"type":"Bearer","token":{"secret":"HANDLER_TOKEN"}},
         "groupPresenceEvents":{"eventNames":["joined","left"]}},
        {"urlTemplate":"http://localhost:3000/3","auth":{"type":"none"}}
    ]}"#;

    fn handlers() -> HubSettings {
        HubSettings::parse(HANDLERS).unwrap()
    }

    #[test]
    fn an_event_is_told_to_the_first_handler_that_takes_it() {
        use webpubsub_protocol::data::{MessageData, Metadata};
        use webpubsub_protocol::name::{EventName, GroupName};

        let settings = handlers();
        let told = |event: &Event| settings.handler_for(event).map(|(at, _)| at);
        let user = |name: &str| {
            let name = EventName::parse(name).unwrap();
            told(&Event::User { name, data: MessageData::default(), metadata: Metadata::default() })
        };
        let group = |name: &str| GroupName::parse(name).unwrap();
        assert_eq!(told(&Event::Connect { body: String::new() }), Some(0));
        assert_eq!(told(&Event::Connected), Some(0));
        assert_eq!(told(&Event::Disconnected { reason: String::new() }), Some(2));
        assert_eq!(
            (user("A"), user("message"), user("b"), user("connected")),
            (Some(1), Some(1), Some(2), Some(2))
        );
        assert_eq!(told(&Event::Joined { group: group("room") }), Some(1));
        assert_eq!(told(&Event::Joined { group: group("Room") }), Some(2));
        assert_eq!(told(&Event::Left { group: group("room") }), Some(2));
        assert_eq!(HubSettings::default().handler_for(&Event::Connected), None);
        let none = HubSettings::parse(r#"{"eventHandlers":[{"urlTemplate":"http://h","userEventPattern":"","groupPresenceEvents":{}}]}"#).unwrap();
        assert_eq!(none.handler_for(&Event::Joined { group: group("room") }), None);
        assert!(!none.event_handlers[0].takes(&Event::User {
            name: EventName::parse("a").unwrap(),
            data: MessageData::default(),
            metadata: Metadata::default(),
        }));
    }

    #[test]
    fn handlers_survive_their_way_and_secrets_are_not_shown() {
        let settings = handlers();
        assert_eq!(HubSettings::parse(&settings.encode()), Ok(settings.clone()));
        let shown = settings.show();
        assert!(!shown.contains("CANARY") && !format!("{settings:?}").contains("CANARY"), "{shown}");
        assert!(shown.contains(r#""auth":{"type":"Bearer","token":"***"}"#), "{shown}");
        assert!(shown.contains(r#""auth":{"type":"Header","name":"X-Key","value":"***"}"#), "{shown}");
        assert!(shown.contains(r#""token":{"secret":"HANDLER_TOKEN"}"#), "{shown}");
        let given_back = HubSettings::parse(&shown).unwrap();
        assert_eq!(given_back.with_secrets_of(&settings), Ok(settings));
    }

    #[test]
    fn a_hidden_secret_is_that_of_the_handler_with_the_same_url_and_type_of_auth() {
        let of = |handlers: &[(&str, &str, &str)]| {
            let handler = |(url, kind, secret): &(&str, &str, &str)| {
                let auth = match *kind {
                    "Bearer" => format!(r#"{{"type":"Bearer","token":"{secret}"}}"#),
                    name => format!(r#"{{"type":"Header","name":"{name}","value":"{secret}"}}"#),
                };
                format!(r#"{{"urlTemplate":"http://{url}","auth":{auth}}}"#)
            };
            let handlers: Vec<_> = handlers.iter().map(handler).collect();
            HubSettings::parse(&format!(r#"{{"eventHandlers":[{}]}}"#, handlers.join(","))).unwrap()
        };
        let known =
            of(&[("a", "Bearer", "1"), ("a", "Bearer", "2"), ("a", "X-A", "3"), ("b", "Bearer", "4")]);
        let kept = |handlers| of(handlers).with_secrets_of(&known);
        assert_eq!(
            kept(&[
                ("b", "Bearer", "***"),
                ("a", "Bearer", "***"),
                ("a", "X-B", "***"),
                ("a", "Bearer", "***")
            ]),
            Ok(of(&[("b", "Bearer", "4"), ("a", "Bearer", "2"), ("a", "X-B", "3"), ("a", "Bearer", "1")]))
        );
        let why = kept(&[("a", "Bearer", "x"), ("b", "X-A", "***")]).unwrap_err().to_string();
        let expected = "a secret: none is known of a handler with this URL and type of `auth`";
        assert_eq!(why, format!("eventHandlers.1.auth.value should be {expected}"));
        assert_eq!(kept(&[("c", "Bearer", "***")]).unwrap_err().path, "eventHandlers.0.auth.token");
        let file = r#"{"hubs":{"a":{"eventHandlers":[{"urlTemplate":"http://a","auth":{"type":"Bearer","token":"***"}}]}}}"#;
        assert_eq!(Settings::parse(file).unwrap_err().path, "hubs.a.eventHandlers.0.auth.token");
    }

    #[test]
    fn private_handlers_are_told_from_public_ones() {
        let expected = "https to a public host, as ALLOW_PRIVATE_EVENT_HANDLERS is not set";
        let why = handlers().check_public().unwrap_err().to_string();
        assert_eq!(why, format!("eventHandlers.1.urlTemplate should be {expected}"));
        let settings = Settings::parse(&format!(r#"{{"hubs":{{"Chat":{HANDLERS}}}}}"#)).unwrap();
        assert_eq!(settings.check_public().unwrap_err().path, "hubs.chat.eventHandlers.1.urlTemplate");
        let public = r#"{"eventHandlers":[{"urlTemplate":"https://example.com/"}]}"#;
        assert_eq!(HubSettings::parse(public).unwrap().check_public(), Ok(()));
    }

    #[test]
    fn what_is_wrong_with_a_handler_is_said_with_where() {
        let long =
            format!(r#"{{"urlTemplate":"http://h","userEventPattern":"{}"}}"#, ["abc"; 20_000].join(","));
        let names = "`*`, a name, or names with commas between: letters, digits and _.- without wildcards";
        let secret = "a string, or {\"secret\":\"NAME\"} with the name of a secret of the worker";
        let kinds = "`None`, `Bearer` or `Header`: there are no managed identities here";
        let cases = [
            ("1", "", "an object"),
            (
                "{}",
                ".urlTemplate",
                "an absolute http or https URL of printable ASCII, without user information, backslash or fragment",
            ),
            (
                r#"{"urlTemplate":1}"#,
                ".urlTemplate",
                "an absolute http or https URL of printable ASCII, without user information, backslash or fragment",
            ),
            (
                r#"{"urlTemplate":"tunnel:///a"}"#,
                ".urlTemplate",
                "an http or https URL: there is no tunnel, and the service calls local handlers itself",
            ),
            (
                r#"{"urlTemplate":"http://h/{x}"}"#,
                ".urlTemplate",
                "without braces but for {hub} and {event}, which are not in the host",
            ),
            (
                r#"{"urltemplate":"http://h"}"#,
                ".urltemplate",
                "left out: it is no setting of an event handler",
            ),
            (r#"{"userEventPattern":1}"#, ".userEventPattern", names),
            (r#"{"userEventPattern":"a*"}"#, ".userEventPattern", names),
            (r#"{"userEventPattern":"*,a"}"#, ".userEventPattern", names),
            (r#"{"userEventPattern":"a,,b"}"#, ".userEventPattern", names),
            (
                r#"{"systemEvents":"connect"}"#,
                ".systemEvents",
                "a list out of `connect`, `connected` and `disconnected`",
            ),
            (
                r#"{"systemEvents":["connect",1]}"#,
                ".systemEvents",
                "a list out of `connect`, `connected` and `disconnected`",
            ),
            (
                r#"{"systemEvents":["connect","joined"]}"#,
                ".systemEvents.1",
                "a list out of `connect`, `connected` and `disconnected`",
            ),
            (r#"{"groupPresenceEvents":[]}"#, ".groupPresenceEvents", "an object"),
            (
                r#"{"groupPresenceEvents":{"eventNames":["x"]}}"#,
                ".groupPresenceEvents.eventNames.0",
                "a list out of `joined` and `left`",
            ),
            (
                r#"{"groupPresenceEvents":{"groupFilters":[1]}}"#,
                ".groupPresenceEvents.groupFilters",
                "a list of strings",
            ),
            (
                r#"{"groupPresenceEvents":{"groupFilters":["a","b*"]}}"#,
                ".groupPresenceEvents.groupFilters.1",
                "`*` or a group's name: wildcards in names are not served",
            ),
            (
                r#"{"groupPresenceEvents":{"groupFilters":[""]}}"#,
                ".groupPresenceEvents.groupFilters.0",
                "`*` or a group's name: wildcards in names are not served",
            ),
            (
                r#"{"groupPresenceEvents":{"x":1}}"#,
                ".groupPresenceEvents.x",
                "left out: it is no setting of group presence",
            ),
            (r#"{"auth":"Bearer"}"#, ".auth", "an object"),
            (r#"{"auth":{}}"#, ".auth.type", kinds),
            (
                r#"{"auth":{"type":"ManagedIdentity","managedIdentity":{"resource":"x"}}}"#,
                ".auth.type",
                kinds,
            ),
            (
                r#"{"auth":{"type":"None","token":"x"}}"#,
                ".auth.token",
                "left out: it is no part of `auth` of this type",
            ),
            (r#"{"auth":{"type":"Bearer"}}"#, ".auth.token", secret),
            (
                r#"{"auth":{"type":"Bearer","token":""}}"#,
                ".auth.token",
                "1 to 4096 characters of printable ASCII, or {\"secret\":\"NAME\"}",
            ),
            (
                r#"{"auth":{"type":"Bearer","token":"a\nb"}}"#,
                ".auth.token",
                "1 to 4096 characters of printable ASCII, or {\"secret\":\"NAME\"}",
            ),
            (
                r#"{"auth":{"type":"Bearer","token":"é"}}"#,
                ".auth.token",
                "1 to 4096 characters of printable ASCII, or {\"secret\":\"NAME\"}",
            ),
            (r#"{"auth":{"type":"Bearer","token":1}}"#, ".auth.token", secret),
            (r#"{"auth":{"type":"Bearer","token":{"secret":"A","b":1}}}"#, ".auth.token", secret),
            (
                r#"{"auth":{"type":"Bearer","token":{"secret":"A-B"}}}"#,
                ".auth.token.secret",
                "the name of a secret of the worker: letters, digits and _",
            ),
            (
                r#"{"auth":{"type":"Bearer","token":{"secret":"WebPubSub_Access_Key"}}}"#,
                ".auth.token.secret",
                "another one: the service's own keys are not for handlers",
            ),
            (
                r#"{"auth":{"type":"Header","value":"x"}}"#,
                ".auth.name",
                "the name of a header that the service does not set itself",
            ),
            (
                r#"{"auth":{"type":"Header","name":"a b","value":"x"}}"#,
                ".auth.name",
                "the name of a header that the service does not set itself",
            ),
            (
                r#"{"auth":{"type":"Header","name":"Ce-Signature","value":"x"}}"#,
                ".auth.name",
                "the name of a header that the service does not set itself",
            ),
            (
                r#"{"auth":{"type":"Header","name":"HOST","value":"x"}}"#,
                ".auth.name",
                "the name of a header that the service does not set itself",
            ),
            (r#"{"auth":{"type":"Header","name":"X-Key"}}"#, ".auth.value", secret),
        ];
        for (handler, path, expected) in cases {
            // What is wrong is wrong beside a URL that is right.
            let handler = handler.replacen("{\"", r#"{"urlTemplate":"http://h",""#, 1);
            let why = HubSettings::parse(&format!(r#"{{"eventHandlers":[{handler}]}}"#)).unwrap_err();
            assert_eq!(why.to_string(), format!("eventHandlers.0{path} should be {expected}"));
        }
        let of = |text: &str| HubSettings::parse(text).unwrap_err().to_string();
        assert_eq!(of(r#"{"eventHandlers":{}}"#), "eventHandlers should be a list of at most 100");
        let many = [r#"{"urlTemplate":"http://h"}"#; 101].join(",");
        assert_eq!(
            of(&format!(r#"{{"eventHandlers":[{many}]}}"#)),
            "eventHandlers should be a list of at most 100"
        );
        assert_eq!(
            of(&format!(r#"{{"eventHandlers":[{long}]}}"#)),
            "the settings should be at most 65536 bytes a hub"
        );
        let one = r#"{"hubs":{"chat":{"eventHandlers":[{"urlTemplate":"ftp://h"}]}}}"#;
        assert_eq!(Settings::parse(one).unwrap_err().path, "hubs.chat.eventHandlers.0.urlTemplate");
    }

    #[test]
    fn settings_that_older_versions_wrote_are_read() {
        let text = r#"{"anonymousConnectPolicy":"allow","eventHandlers":[],"shards":4}"#;
        let settings = HubSettings::parse(text).unwrap();
        assert_eq!((settings.anonymous_connect, settings.shards), (AnonymousConnectPolicy::Allow, Some(4)));
        assert_eq!(settings.event_handlers, []);
    }
}
