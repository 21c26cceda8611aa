//! What an operator decides about a hub.

mod error;
mod event_handler;
mod reader;

use webpubsub_protocol::event_handler::Event;
use webpubsub_protocol::json::{Json, Writer};
use webpubsub_protocol::name::HubName;

pub use error::SettingsError;
use event_handler::Secrets;
pub use event_handler::{EventHandler, GroupPresence, HandlerAuth, HandlerSecret, SystemEvents};
use reader::{Given, Reader, Source};

/// The settings of every hub, with the names of Azure's resource model.
///
/// Source: docs/spec/cloudevents.md#hub-settings.
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
    /// Its event handlers: each event goes to the first that takes it.
    pub event_handlers: Vec<EventHandler>,
    /// `webSocketKeepAliveIntervalInSeconds`, which is kept and has no effect: no call of the platform
    /// sends a ping frame.
    pub keep_alive_seconds: Option<u8>,
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

impl Settings {
    /// Reads `{"hubs":{"<hub>":{…}}}`, or the settings file of the emulator, in which that stands in
    /// `WebPubSub`. Names of settings may be in any case, and one that is `null` is as if it were left
    /// out.
    ///
    /// # Errors
    /// [`SettingsError`] for the first thing that is not as it should be; unknown names
    /// are wrong too.
    pub fn parse(text: &str) -> Result<Self, SettingsError> {
        // What else the emulator's file has is not for this service, but for the key.
        const ACCESS_KEY: &str = "AccessKey";
        let known = ["hubs", "WebPubSub", "$schema", "AllowedHosts", "Logging", "Urls"];
        let unknown = "left out: settings of hubs are in `hubs`";
        let mut reader = Reader::of(Source::Given);
        let mut hubs = Vec::new();
        let settings = reader.object(Json::parse(text), &known, unknown);
        read_hubs(&mut reader, &settings, &mut hubs);
        if let Some(emulator) = reader.enter_member(&settings, "WebPubSub") {
            let settings = reader.object(Some(emulator), &["hubs", ACCESS_KEY], unknown);
            if settings.get(ACCESS_KEY).is_some() {
                let expected = "left out: the access key is the secret WEBPUBSUB_ACCESS_KEY";
                reader.wrong_at(settings.written(ACCESS_KEY), expected);
            }
            read_hubs(&mut reader, &settings, &mut hubs);
            reader.leave();
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

/// Reads `hubs`: settings, each under its hub's name.
fn read_hubs(reader: &mut Reader, given: &Given<'_>, hubs: &mut Vec<(HubName, HubSettings)>) {
    let Some(named) = reader.enter_member(given, "hubs") else { return };
    for (name, value) in reader.members(Some(named)) {
        reader.enter(&name);
        let settings = HubSettings::read(reader, Some(value));
        match HubName::parse(&name) {
            Err(_) => reader.wrong("named like a hub"),
            Ok(hub) if hubs.iter().any(|(known, _)| *known == hub) => {
                reader.wrong("there once: hub names ignore case");
            }
            Ok(hub) => hubs.push((hub, settings)),
        }
        reader.leave();
    }
    reader.leave();
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

    /// Longest settings of a hub, in bytes of what [`HubSettings::encode`] writes.
    pub const MAX_BYTES: usize = 65_536;

    /// Reads the settings of one hub as an operator gives them: the object of the hub itself, or Azure's
    /// resource, in which that is `properties`.
    ///
    /// # Errors
    /// As [`Settings::parse`].
    pub fn parse(text: &str) -> Result<Self, SettingsError> {
        Self::read_from(text, Source::Given)
    }

    /// Reads what [`HubSettings::encode`] wrote, in an older version too. A handler with the name of a
    /// secret that is not for handlers keeps it, so that it can be seen, and its calls fail; see
    /// [`HandlerSecret::is_for_handlers`].
    ///
    /// # Errors
    /// [`SettingsError`] where it is something else.
    pub fn decode(text: &str) -> Result<Self, SettingsError> {
        Self::read_from(text, Source::Stored)
    }

    fn read_from(text: &str, source: Source) -> Result<Self, SettingsError> {
        let mut reader = Reader::of(source);
        // Editors and shells put a byte order mark there.
        let settings = Self::read(&mut reader, Json::parse(text.trim_start_matches('\u{feff}')));
        reader.finish(settings)
    }

    /// Writes what [`HubSettings::decode`] reads, with secrets.
    #[must_use]
    pub fn encode(&self) -> String {
        self.write(Secrets::Written).finish()
    }

    /// Writes what may be shown, and given back: secrets are [`HandlerSecret::HIDDEN`], and `notes` say
    /// what has no effect.
    #[must_use]
    pub fn show(&self) -> String {
        let mut settings = self.write(Secrets::Hidden);
        if self.keep_alive_seconds.is_some() {
            let note = "webSocketKeepAliveIntervalInSeconds has no effect: the platform sends no ping frames";
            settings.json("notes", &Writer::texts(&[note]));
        }
        settings.finish()
    }

    fn write(&self, secrets: Secrets) -> Writer {
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
        if let Some(seconds) = self.keep_alive_seconds {
            settings.number(KEEP_ALIVE, seconds.into());
        }
        settings
    }

    /// Puts secrets known before in the places of those that are [`HandlerSecret::HIDDEN`]: what the
    /// handler with the same URL template and type of `auth` has.
    ///
    /// # Errors
    /// [`SettingsError`] where there is no such handler, and where the settings are longer than
    /// [`HubSettings::MAX_BYTES`] with it all.
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
        if self.encode().len() > Self::MAX_BYTES {
            return Err(SettingsError { path: String::new(), expected: "at most 65536 bytes a hub" });
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

    /// The event handler of an event, the first that takes it, and its index.
    #[must_use]
    pub fn handler_for(&self, event: &Event) -> Option<(usize, &EventHandler)> {
        self.event_handlers.iter().enumerate().find(|(_, handler)| handler.takes(event))
    }

    /// Reads what is no JSON where it is `None`.
    fn read(reader: &mut Reader, value: Option<Json<'_>>) -> Self {
        let unknown = "left out: it is no setting of a hub";
        let given = reader.object(value, &[SETTINGS, RESOURCE].concat(), unknown);
        let mut settings = Self::default();
        let Some(properties) = reader.enter_member(&given, "properties") else {
            settings.take(reader, &given);
            return settings;
        };
        let inner = reader.object(Some(properties), SETTINGS, unknown);
        settings.take(reader, &inner);
        reader.leave();
        if let Some(name) = SETTINGS.iter().find(|name| given.get(name).is_some()) {
            reader.wrong_at(given.written(name), "in `properties`, with the others");
        }
        settings
    }

    /// Takes the settings that are given.
    fn take(&mut self, reader: &mut Reader, given: &Given<'_>) {
        if let Some(policy) = reader.enter_member(given, "anonymousConnectPolicy") {
            let policy = policy.text().unwrap_or_default();
            if policy.eq_ignore_ascii_case("allow") {
                self.anonymous_connect = AnonymousConnectPolicy::Allow;
            } else if !policy.eq_ignore_ascii_case("deny") {
                reader.wrong("`allow` or `deny`");
            }
            reader.leave();
        }
        if let Some(shards) = reader.enter_member(given, "shards") {
            self.shards = shards.unsigned().and_then(|shards| u16::try_from(shards).ok());
            if !matches!(self.shards, Some(1..=Self::MAX_SHARDS)) {
                reader.wrong("a whole number from 1 to 1024");
            }
            reader.leave();
        }
        if let Some(seconds) = reader.enter_member(given, KEEP_ALIVE) {
            self.keep_alive_seconds = seconds.unsigned().and_then(|seconds| u8::try_from(seconds).ok());
            if !matches!(self.keep_alive_seconds, Some(1..=120)) {
                reader.wrong("a whole number from 1 to 120");
            }
            reader.leave();
        }
        if let Some(listeners) = reader.enter_member(given, "eventListeners") {
            if listeners.elements().is_none_or(|list| !list.is_empty()) {
                reader.wrong("an empty list: there are no listeners here, and `eventHandlers` are called");
            }
            reader.leave();
        }
        if let Some(handlers) = reader.enter_member(given, "eventHandlers") {
            let handlers = handlers.elements().filter(|list| list.len() <= Self::MAX_EVENT_HANDLERS);
            if handlers.is_none() {
                reader.wrong("a list of at most 100");
            }
            for (at, handler) in handlers.unwrap_or_default().into_iter().enumerate() {
                reader.enter(&at.to_string());
                self.event_handlers.extend(EventHandler::read(reader, handler));
                reader.leave();
            }
            reader.leave();
        }
    }
}

const KEEP_ALIVE: &str = "webSocketKeepAliveIntervalInSeconds";

/// The settings of a hub, and the notes that are shown with them.
const SETTINGS: &[&str] =
    &["anonymousConnectPolicy", "eventHandlers", "eventListeners", "notes", "shards", KEEP_ALIVE];

/// What stands beside them in what Azure's tools and templates write of a hub, and says nothing here.
///
/// Source: docs/spec/cloudevents.md#hub-settings.
const RESOURCE: &[&str] = &[
    "properties",
    "apiVersion",
    "comments",
    "dependsOn",
    "id",
    "location",
    "name",
    "resourceGroup",
    "systemData",
    "tags",
    "type",
];

#[cfg(test)]
mod tests;
