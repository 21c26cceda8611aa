//! The variables and secrets by which an operator sets the service up.

use std::sync::Arc;
use std::time::Duration;

use webpubsub_auth::AccessKeyError;
use webpubsub_protocol::limits::DEFAULT_CONNECTION_QUOTA;
use webpubsub_protocol::name::HubName;
use webpubsub_shard::{
    EventPolicy, HubSettings, Limits, Placement, Settings, SettingsError, ShardConfig, ShardId, Sockets,
};

use crate::keys::KeyRing;

/// What the operator of the service has decided.
pub struct Config {
    /// `WEBPUBSUB_ACCESS_KEY`, and `WEBPUBSUB_ACCESS_KEY_SECONDARY` where there is one, unless they were regenerated;
    /// and `PORTAL_SECRET`, where operators sign in. The threads of a process share them.
    pub keys: Arc<KeyRing>,
    /// `SHARDS`: the number of shards of a hub, 1 to 65535.
    shards: u16,
    /// `SHARD_SOFT_LIMIT`: up to how many connections a shard is preferred to fuller ones.
    shard_soft_limit: usize,
    /// `SHARD_HARD_LIMIT`: the most connections that a shard accepts.
    shard_hard_limit: usize,
    /// `RECOVERY_WINDOW_SECONDS`: how long a reliable connection that lost its socket can be recovered.
    recovery_window: Duration,
    /// `DRAIN_SECONDS`: how long a draining shard keeps its reliable connections; `None` for as long as
    /// they stay.
    drain_window: Option<Duration>,
    /// `MAP_TTL_MS`: how long a host caches the view of a hub.
    pub map_ttl: Duration,
    /// `CONNECTION_QUOTA`: the most connections of a hub; 0 for as many as its shards accept.
    connection_quota: u32,
    /// `CLIENT_MESSAGES_PER_SECOND`, `CLIENT_MESSAGE_BURST`, `OUTBOUND_LIMIT_BYTES`, `CLIENT_GROUP_LIMIT`.
    pub limits: Limits,
    /// `EVENT_TIMEOUT_SECONDS`: how long all attempts to deliver one event to its handler may take.
    event_timeout: Duration,
    /// `EVENT_RETRY_SECONDS`: the pauses between those attempts.
    event_retries: Vec<Duration>,
    /// `ALLOW_PRIVATE_EVENT_HANDLERS`: whether event handlers may be at private addresses, and without
    /// TLS.
    pub private_handlers: bool,
    /// `ACCEPTED_HOSTS`: hosts beside the requested one that the audience of a token may name.
    pub accepted_hosts: Vec<String>,
    /// `SERVICE_HOSTS`: the hosts that event handlers validate for clients without a token, where no host
    /// is accepted.
    service_hosts: Vec<String>,
    /// `HUB_SETTINGS`: the settings of hubs as JSON.
    pub settings: Settings,
}

/// A variable or secret that is missing or wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// There is no primary access key.
    #[error("secret WEBPUBSUB_ACCESS_KEY is missing (`wrangler secret put WEBPUBSUB_ACCESS_KEY`)")]
    NoAccessKey,
    /// A key that cannot be used.
    #[error(transparent)]
    AccessKey(#[from] AccessKeyError),
    /// A secret that could be guessed.
    #[error("secret PORTAL_SECRET has fewer than 16 characters")]
    PortalSecret,
    /// Settings that cannot be used.
    #[error("variable HUB_SETTINGS: {0}")]
    Settings(#[from] SettingsError),
    /// A number that is none, or out of bounds.
    #[error("variable {name} is not a whole number from {min} to {max}")]
    Number {
        /// The variable.
        name: &'static str,
        /// Its least value.
        min: u32,
        /// Its greatest value.
        max: u32,
    },
    /// Neither on nor off.
    #[error("variable ALLOW_PRIVATE_EVENT_HANDLERS is neither on nor off")]
    Switch,
    /// Pauses that are no such list.
    #[error("variable EVENT_RETRY_SECONDS is not up to 10 whole numbers from 0 to 600 with commas between")]
    Retries,
    /// Hosts with something else about them, or that are none.
    #[error("variable {name} is not hosts with commas between, without schemes and paths")]
    Hosts {
        /// The variable.
        name: &'static str,
    },
}

/// The part of the configuration that concerns the directory of a hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DirectoryConfig {
    /// The number of shards of a hub whose settings do not say it.
    pub shards: u16,
    /// How long a host caches the view of a hub.
    pub map_ttl: Duration,
}

impl Config {
    /// Reads the configuration from what `text` returns for each variable or secret by its name.
    ///
    /// # Errors
    /// A variable or secret that is missing or wrong.
    pub fn read(text: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let primary = text("WEBPUBSUB_ACCESS_KEY").ok_or(ConfigError::NoAccessKey)?;
        let secondary = text("WEBPUBSUB_ACCESS_KEY_SECONDARY").filter(|key| !key.is_empty());
        let portal = text("PORTAL_SECRET").filter(|secret| !secret.is_empty());
        if portal.as_ref().is_some_and(|secret| secret.chars().count() < MIN_PORTAL_SECRET_CHARS) {
            return Err(ConfigError::PortalSecret);
        }
        let mut numbers = Numbers { text, wrong: None };
        let shards = numbers.within("SHARDS", 1, 1, u32::from(u16::MAX));
        let shard_soft_limit =
            numbers.within("SHARD_SOFT_LIMIT", Placement::DEFAULT_SOFT_LIMIT, 1, ShardConfig::MAX_CAPACITY);
        let shard_hard_limit =
            numbers.within("SHARD_HARD_LIMIT", ShardConfig::DEFAULT_CAPACITY, 1, ShardConfig::MAX_CAPACITY);
        let recovery_seconds =
            numbers.within("RECOVERY_WINDOW_SECONDS", ShardConfig::DEFAULT_RECOVERY_SECONDS, 1, 3600);
        let event_seconds =
            numbers.within("EVENT_TIMEOUT_SECONDS", EventPolicy::DEFAULT_TIMEOUT_SECONDS, 1, 600);
        let map_ttl_millis = numbers.within("MAP_TTL_MS", 5000, 0, 3_600_000);
        let connection_quota = numbers.any("CONNECTION_QUOTA", DEFAULT_CONNECTION_QUOTA);
        let drain_seconds = numbers.any("DRAIN_SECONDS", 0);
        let limits = Limits {
            messages_per_second: numbers
                .any("CLIENT_MESSAGES_PER_SECOND", Limits::DEFAULT.messages_per_second),
            message_burst: numbers.any("CLIENT_MESSAGE_BURST", Limits::DEFAULT.message_burst),
            outbound_bytes: numbers.any("OUTBOUND_LIMIT_BYTES", Limits::DEFAULT.outbound_bytes),
            groups: numbers.any("CLIENT_GROUP_LIMIT", Limits::DEFAULT.groups),
        };
        numbers.check()?;
        let allow_private = text("ALLOW_PRIVATE_EVENT_HANDLERS").unwrap_or_default();
        let private_handlers = is_on(&allow_private).ok_or(ConfigError::Switch)?;
        let settings = match text("HUB_SETTINGS") {
            Some(settings) => Settings::parse(&settings)?,
            None => Settings::default(),
        };
        if !private_handlers {
            settings.check_public()?;
        }
        let hosts = |name| {
            let text = text(name).unwrap_or_default();
            hosts(&text).ok_or(ConfigError::Hosts { name })
        };
        Ok(Self {
            settings,
            event_timeout: Duration::from_secs(event_seconds.into()),
            event_retries: match text("EVENT_RETRY_SECONDS") {
                Some(seconds) => pauses(&seconds).ok_or(ConfigError::Retries)?,
                None => EventPolicy::DEFAULT_RETRY_SECONDS
                    .map(|seconds| Duration::from_secs(seconds.into()))
                    .into(),
            },
            private_handlers,
            keys: Arc::new(KeyRing::new([Some(primary), secondary], portal)?),
            shards: u16::try_from(shards).unwrap_or(u16::MAX),
            shard_soft_limit: shard_soft_limit as usize,
            shard_hard_limit: shard_hard_limit as usize,
            recovery_window: Duration::from_secs(recovery_seconds.into()),
            drain_window: (drain_seconds > 0).then(|| Duration::from_secs(drain_seconds.into())),
            map_ttl: Duration::from_millis(map_ttl_millis.into()),
            connection_quota,
            limits,
            accepted_hosts: hosts("ACCEPTED_HOSTS")?,
            service_hosts: hosts("SERVICE_HOSTS")?,
        })
    }

    /// The number of shards that a hub has until its settings are changed over the API.
    #[must_use]
    pub(crate) fn shards_of(&self, hub: &HubName) -> u16 {
        self.settings.of(hub).shards.unwrap_or(self.shards)
    }

    /// Has shards take as many connections as come, for a host whose platform bounds them by itself.
    pub const fn unbound_shards(&mut self) {
        self.shard_hard_limit = usize::MAX;
    }

    /// Has clients send as fast as their messages are carried out, for a host that reads no more of one that sends
    /// faster.
    pub const fn unbound_rate(&mut self) {
        self.limits.messages_per_second = 0;
    }

    /// What concerns the directory of a hub, or of none yet.
    #[must_use]
    pub fn directory(&self, hub: Option<&HubName>) -> DirectoryConfig {
        let shards = hub.map_or(self.shards, |hub| self.shards_of(hub));
        DirectoryConfig { shards, map_ttl: self.map_ttl }
    }

    /// The number of connections from which on a shard is not preferred, and that from which on it refuses.
    #[must_use]
    pub(crate) const fn connection_limits(&self) -> [usize; 2] {
        [self.shard_soft_limit, self.shard_hard_limit]
    }

    /// The hosts that an event handler validates for a client without a token, separated by commas.
    ///
    /// The operator chooses them, and not the client, since each host is a handshake of its own. Only where
    /// the operator names none they are the host that the client requested.
    #[must_use]
    pub(crate) fn hosts_without_token(&self, requested: &str) -> String {
        let hosts = [&self.accepted_hosts, &self.service_hosts].into_iter().find(|hosts| !hosts.is_empty());
        hosts.map_or_else(|| requested.to_ascii_lowercase(), |hosts| hosts.join(","))
    }

    /// How a hub with these settings delivers events to its handlers.
    #[must_use]
    pub fn policy(&self, hub: &HubName, settings: HubSettings) -> EventPolicy {
        EventPolicy {
            hub: hub.clone(),
            settings,
            timeout: self.event_timeout,
            retries: self.event_retries.clone(),
            private_allowed: self.private_handlers,
        }
    }

    /// What one of the shards of a hub is, and its limits, where sockets outlive the memory.
    #[must_use]
    pub(crate) fn shard_config(&self, hub: &HubName, shard: ShardId) -> ShardConfig {
        ShardConfig {
            shard,
            shards: self.shards_of(hub),
            capacity: self.shard_hard_limit,
            connection_quota: self.connection_quota,
            limits: self.limits,
            recovery_window: self.recovery_window,
            drain_window: self.drain_window,
            sockets: Sockets::OutliveMemory,
        }
    }
}

/// The fewest characters of `PORTAL_SECRET`.
const MIN_PORTAL_SECRET_CHARS: usize = 16;

/// Reads variables that are numbers.
struct Numbers<'a> {
    /// Returns a variable by its name.
    text: &'a dyn Fn(&str) -> Option<String>,
    /// The first of them that is none, or out of bounds: its name, its least and its greatest value.
    wrong: Option<(&'static str, u32, u32)>,
}

impl Numbers<'_> {
    /// A number from `min` to `max`; `default` where it is missing, or wrong.
    fn within(&mut self, name: &'static str, default: u32, min: u32, max: u32) -> u32 {
        let number = (self.text)(name).map_or(Some(default), |value| value.trim().parse().ok());
        number.filter(|number| (min..=max).contains(number)).unwrap_or_else(|| {
            self.wrong.get_or_insert((name, min, max));
            default
        })
    }

    /// Any number, by the same rule.
    fn any(&mut self, name: &'static str, default: u32) -> u32 {
        self.within(name, default, 0, u32::MAX)
    }

    /// Whether all that were read are right.
    const fn check(&self) -> Result<(), ConfigError> {
        match self.wrong {
            Some((name, min, max)) => Err(ConfigError::Number { name, min, max }),
            None => Ok(()),
        }
    }
}

/// Reads pauses in seconds, separated by commas.
fn pauses(text: &str) -> Option<Vec<Duration>> {
    let mut pauses = Vec::new();
    for pause in text.split(',').map(str::trim).filter(|pause| !pause.is_empty()) {
        let seconds = pause.parse().ok().filter(|seconds| *seconds <= 600 && pauses.len() < 10)?;
        pauses.push(Duration::from_secs(seconds));
    }
    Some(pauses)
}

/// Reads a switch; empty is off, and `None` is neither on nor off. `tests/vectors/variables` has the words, which
/// the scripts read too.
fn is_on(text: &str) -> Option<bool> {
    let is_one_of = |words: [&str; 4]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is_one_of(["1", "true", "on", "yes"]) {
        Some(true)
    } else if text.is_empty() || is_one_of(["0", "false", "off", "no"]) {
        Some(false)
    } else {
        None
    }
}

/// Reads hosts, separated by commas; `None` where one has a character that no host and no port has.
fn hosts(text: &str) -> Option<Vec<String>> {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    let hosts = text.split(',').map(str::trim).filter(|host| !host.is_empty());
    hosts.map(|host| host.bytes().all(is_part).then(|| host.to_ascii_lowercase())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: (&str, &str) = ("WEBPUBSUB_ACCESS_KEY", "0123456789abcdef0123456789abcdef");

    fn read(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let all = [&[KEY], variables].concat();
        Config::read(&|name| {
            all.iter().rev().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    fn config(variables: &[(&str, &str)]) -> Config {
        read(variables).map_err(|error| error.to_string()).unwrap()
    }

    fn error(variables: &[(&str, &str)]) -> String {
        read(variables).err().unwrap().to_string()
    }

    fn hub(name: &str) -> HubName {
        HubName::parse(name).unwrap()
    }

    #[test]
    fn a_key_alone_is_a_configuration() {
        let config = config(&[]);
        assert_eq!(config.shards_of(&hub("h")), 1);
        assert_eq!(config.connection_limits(), [5000, 16_000]);
        assert_eq!(config.map_ttl, Duration::from_secs(5));
        assert_eq!(config.limits, Limits::DEFAULT);
        assert!(!config.private_handlers);
        let place = config.shard_config(&hub("h"), ShardId(0));
        assert_eq!(place, ShardConfig { connection_quota: DEFAULT_CONNECTION_QUOTA, ..ShardConfig::only() });
        let (policy, usual) = (config.policy(&hub("h"), HubSettings::default()), EventPolicy::new(hub("h")));
        assert_eq!((policy.timeout, policy.retries), (usual.timeout, usual.retries));
    }

    #[test]
    fn a_host_may_leave_its_shards_unbounded() {
        let mut config = config(&[]);
        config.unbound_shards();
        assert_eq!(config.connection_limits(), [5000, usize::MAX]);
        assert_eq!(config.shard_config(&hub("h"), ShardId(0)).capacity, usize::MAX);
    }

    #[test]
    fn a_host_may_let_clients_send_as_fast_as_it_reads() {
        let mut config = config(&[]);
        config.unbound_rate();
        let limits = config.shard_config(&hub("h"), ShardId(0)).limits;
        assert_eq!(limits, Limits { messages_per_second: 0, ..Limits::DEFAULT });
    }

    #[test]
    fn without_a_usable_key_there_is_none() {
        let error = Config::read(&|_| None).err().unwrap();
        assert_eq!(error, ConfigError::NoAccessKey);
        assert!(matches!(read(&[("WEBPUBSUB_ACCESS_KEY", "")]), Err(ConfigError::AccessKey(_))));
        assert!(read(&[("WEBPUBSUB_ACCESS_KEY_SECONDARY", "")]).is_ok(), "an empty one is none");
    }

    #[test]
    fn operators_sign_in_with_a_secret_that_is_long_enough() {
        assert!(config(&[("PORTAL_SECRET", "")]).keys.get().session.is_none());
        let short = "secret PORTAL_SECRET has fewer than 16 characters";
        assert_eq!(error(&[("PORTAL_SECRET", "123456789012345")]), short);
        assert!(config(&[("PORTAL_SECRET", "1234567890123456")]).keys.get().session.is_some());
    }

    #[test]
    fn numbers_are_held_to_their_bounds() {
        assert_eq!(config(&[("SHARDS", " 7 ")]).shards_of(&hub("h")), 7);
        assert_eq!(config(&[("DRAIN_SECONDS", "0")]).drain_window, None);
        assert_eq!(config(&[("DRAIN_SECONDS", "9")]).drain_window, Some(Duration::from_secs(9)));
        for shards in ["0", "65536", "", "x", "-1", "1.5"] {
            assert_eq!(error(&[("SHARDS", shards)]), "variable SHARDS is not a whole number from 1 to 65535");
        }
        assert_eq!(
            error(&[("MAP_TTL_MS", "x"), ("RECOVERY_WINDOW_SECONDS", "3601")]),
            "variable RECOVERY_WINDOW_SECONDS is not a whole number from 1 to 3600",
            "the first that is wrong"
        );
    }

    #[test]
    fn retries_are_up_to_ten_pauses() {
        let retries = |text| read(&[("EVENT_RETRY_SECONDS", text)]).map(|config| config.event_retries);
        assert_eq!(retries(""), Ok(vec![]));
        assert_eq!(retries("1, 600,"), Ok([1, 600].map(Duration::from_secs).into()));
        for wrong in ["601", "x", "-1", "1;2", "1,1,1,1,1,1,1,1,1,1,1"] {
            assert_eq!(retries(wrong), Err(ConfigError::Retries), "{wrong}");
        }
    }

    #[test]
    fn the_settings_of_a_hub_go_before_the_variables() {
        let settings = r#"{"hubs":{"chat":{"shards":4}}}"#;
        let config = config(&[("SHARDS", "2"), ("HUB_SETTINGS", settings)]);
        assert_eq!((config.shards_of(&hub("chat")), config.shards_of(&hub("news"))), (4, 2));
        assert!(error(&[("HUB_SETTINGS", "[]")]).starts_with("variable HUB_SETTINGS: "));
    }

    #[test]
    fn a_private_handler_needs_the_switch() {
        let handler = r#"{"urlTemplate":"http://localhost:1/","userEventPattern":"*"}"#;
        let settings = format!(r#"{{"hubs":{{"chat":{{"eventHandlers":[{handler}]}}}}}}"#);
        assert!(error(&[("HUB_SETTINGS", &settings)]).starts_with("variable HUB_SETTINGS: hubs.chat."));
        assert!(read(&[("HUB_SETTINGS", &settings), ("ALLOW_PRIVATE_EVENT_HANDLERS", "on")]).is_ok());
    }

    #[test]
    fn hosts_have_no_schemes_and_no_paths() {
        let accepted = |text| read(&[("ACCEPTED_HOSTS", text)]).map(|config| config.accepted_hosts);
        let hosts = ["public.example", "localhost:8443", "[::1]:80", "my_host"].map(str::to_owned);
        assert_eq!(accepted("Public.example, localhost:8443,[::1]:80,,my_host"), Ok(hosts.into()));
        for wrong in
            ["https://a.example", "a.example/", "*.example", "a.example b.example", "a@b", "ä.example"]
        {
            assert_eq!(accepted(wrong), Err(ConfigError::Hosts { name: "ACCEPTED_HOSTS" }), "{wrong}");
        }
        assert_eq!(
            error(&[("SERVICE_HOSTS", "http://a.example")]),
            "variable SERVICE_HOSTS is not hosts with commas between, without schemes and paths"
        );
    }

    #[test]
    fn handlers_validate_hosts_of_the_operator() {
        let hosts = |variables: &[_]| config(variables).hosts_without_token("Asked.example");
        assert_eq!(hosts(&[]), "asked.example");
        assert_eq!(hosts(&[("SERVICE_HOSTS", " A.example , ,b.example")]), "a.example,b.example");
        let both = [("SERVICE_HOSTS", "a.example"), ("ACCEPTED_HOSTS", "c.example")];
        assert_eq!(hosts(&both), "c.example");
    }
}
