//! Variables and secrets, read once an isolate.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use webpubsub_auth::{AccessKeyError, AccessKeys};
use webpubsub_protocol::limits::DEFAULT_CONNECTION_QUOTA;
use webpubsub_protocol::name::HubName;
use webpubsub_shard::{
    EventPolicy, HubSettings, Limits, Offers, Place, Settings, SettingsError, ShardMap, ShardNumber,
};
use worker::Env;

use crate::platform::variable;

/// What the operator decided.
pub(crate) struct Config {
    /// `WEBPUBSUB_ACCESS_KEY`, and `WEBPUBSUB_ACCESS_KEY_SECONDARY` where there is one.
    pub(crate) keys: AccessKeys,
    /// `SHARDS`: how many shards a hub has, 1 to 65535.
    shards: u16,
    /// `SHARD_SOFT_LIMIT`: up to how many connections a shard is taken before others.
    shard_soft_limit: usize,
    /// `SHARD_HARD_LIMIT`: how many connections a shard takes.
    shard_hard_limit: usize,
    /// `RECOVERY_WINDOW_SECONDS`: how long a reliable connection that lost its socket can be
    /// recovered.
    recovery_window: Duration,
    /// `DRAIN_SECONDS`: how long a shard that is to go keeps its reliable connections; 0 for as long as
    /// they stay.
    drain_window: Option<Duration>,
    /// `MAP_TTL_MS`: how long a Worker holds what it knows of a hub.
    pub(crate) map_ttl: Duration,
    /// `CONNECTION_QUOTA`: how many connections a hub may have; 0 for as many as its shards take.
    connection_quota: u32,
    /// `CLIENT_MESSAGES_PER_SECOND`, `CLIENT_MESSAGE_BURST`, `OUTBOUND_LIMIT_BYTES`, `CLIENT_GROUP_LIMIT`.
    pub(crate) limits: Limits,
    /// `EVENT_TIMEOUT_SECONDS`: how long telling an event handler of one event may take.
    event_timeout: Duration,
    /// `EVENT_RETRY_SECONDS`: the pauses between the attempts at that, separated by commas.
    event_retries: Vec<Duration>,
    /// `ALLOW_PRIVATE_EVENT_HANDLERS`: whether event handlers may be at private addresses, and
    /// without TLS.
    pub(crate) private_handlers: bool,
    /// `ACCEPTED_HOSTS`: hosts beside the requested one that a token's audience may name,
    /// separated by commas.
    pub(crate) accepted_hosts: Vec<String>,
    /// `SERVICE_HOSTS`: the hosts that event handlers hear of for clients without a token where no
    /// host is accepted, separated by commas.
    service_hosts: Vec<String>,
    /// `HUB_SETTINGS`: the settings of hubs as JSON; `--settings` sets it.
    pub(crate) settings: Settings,
}

/// A variable or secret is missing or wrong.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    #[error("secret WEBPUBSUB_ACCESS_KEY is missing (`wrangler secret put WEBPUBSUB_ACCESS_KEY`)")]
    NoAccessKey,
    #[error(transparent)]
    AccessKey(#[from] AccessKeyError),
    #[error("variable HUB_SETTINGS: {0}")]
    Settings(#[from] SettingsError),
    #[error("variable {name} is not a whole number from {min} to {max}")]
    Number { name: &'static str, min: u32, max: u32 },
    #[error("variable ALLOW_PRIVATE_EVENT_HANDLERS is neither on nor off")]
    Switch,
    #[error("variable EVENT_RETRY_SECONDS is not up to 10 whole numbers from 0 to 600 with commas between")]
    Retries,
}

/// Reads what turns something on or off.
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

/// Reads hosts, separated by commas.
fn hosts(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|host| !host.is_empty()).map(str::to_ascii_lowercase).collect()
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

thread_local! {
    static CONFIG: RefCell<Option<Rc<Config>>> = const { RefCell::new(None) };
}

impl Config {
    /// The configuration of this isolate, which has one environment as long as it lives.
    pub(crate) fn of(env: &Env) -> Result<Rc<Self>, ConfigError> {
        CONFIG.with_borrow_mut(|known| match known {
            Some(config) => Ok(Rc::clone(config)),
            None => Ok(Rc::clone(known.insert(Rc::new(Self::read(env)?)))),
        })
    }

    fn read(env: &Env) -> Result<Self, ConfigError> {
        let text = |name: &str| variable(env, name);
        let primary = text("WEBPUBSUB_ACCESS_KEY").ok_or(ConfigError::NoAccessKey)?;
        let secondary = text("WEBPUBSUB_ACCESS_KEY_SECONDARY").filter(|key| !key.is_empty());
        let mut wrong = None;
        let mut number = |name: &'static str, default: u32, min: u32, max: u32| {
            let number = text(name).map_or(Some(default), |value| value.trim().parse().ok());
            number.filter(|number| (min..=max).contains(number)).unwrap_or_else(|| {
                wrong.get_or_insert((name, min, max));
                default
            })
        };
        let shards = number("SHARDS", 1, 1, u32::from(u16::MAX));
        let shard_soft_limit = number("SHARD_SOFT_LIMIT", Offers::DEFAULT_SOFT_LIMIT, 1, Place::MAX_CAPACITY);
        let shard_hard_limit = number("SHARD_HARD_LIMIT", Place::DEFAULT_CAPACITY, 1, Place::MAX_CAPACITY);
        let recovery_seconds = number("RECOVERY_WINDOW_SECONDS", Place::DEFAULT_RECOVERY_SECONDS, 1, 3600);
        let event_seconds = number("EVENT_TIMEOUT_SECONDS", EventPolicy::DEFAULT_TIMEOUT_SECONDS, 1, 600);
        let map_ttl = number("MAP_TTL_MS", 5000, 0, 3_600_000);
        let mut up_to = |name: &'static str, default: u32| number(name, default, 0, u32::MAX);
        let connection_quota = up_to("CONNECTION_QUOTA", DEFAULT_CONNECTION_QUOTA);
        let drain_seconds = up_to("DRAIN_SECONDS", 0);
        let limits = Limits {
            messages_per_second: up_to("CLIENT_MESSAGES_PER_SECOND", Limits::DEFAULT.messages_per_second),
            message_burst: up_to("CLIENT_MESSAGE_BURST", Limits::DEFAULT.message_burst),
            outbound_bytes: up_to("OUTBOUND_LIMIT_BYTES", Limits::DEFAULT.outbound_bytes),
            groups: up_to("CLIENT_GROUP_LIMIT", Limits::DEFAULT.groups),
        };
        if let Some((name, min, max)) = wrong {
            return Err(ConfigError::Number { name, min, max });
        }
        let allow_private = text("ALLOW_PRIVATE_EVENT_HANDLERS").unwrap_or_default();
        let private_handlers = is_on(&allow_private).ok_or(ConfigError::Switch)?;
        let settings = match text("HUB_SETTINGS") {
            Some(settings) => Settings::parse(&settings)?,
            None => Settings::default(),
        };
        if !private_handlers {
            settings.check_public()?;
        }
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
            keys: AccessKeys::new(&primary, secondary.as_deref())?,
            shards: u16::try_from(shards).unwrap_or(u16::MAX),
            shard_soft_limit: shard_soft_limit as usize,
            shard_hard_limit: shard_hard_limit as usize,
            recovery_window: Duration::from_secs(recovery_seconds.into()),
            drain_window: (drain_seconds > 0).then(|| Duration::from_secs(drain_seconds.into())),
            map_ttl: Duration::from_millis(map_ttl.into()),
            connection_quota,
            limits,
            accepted_hosts: hosts(&text("ACCEPTED_HOSTS").unwrap_or_default()),
            service_hosts: hosts(&text("SERVICE_HOSTS").unwrap_or_default()),
        })
    }

    /// How many shards a hub has as long as nobody changes that.
    pub(crate) fn shards_of(&self, hub: &HubName) -> u16 {
        self.settings.of(hub).shards.unwrap_or(self.shards)
    }

    /// How many connections a shard holds before others are preferred, and before it refuses.
    pub(crate) const fn connection_limits(&self) -> [usize; 2] {
        [self.shard_soft_limit, self.shard_hard_limit]
    }

    /// The hosts that an event handler is to allow for a client without a token, separated by commas. It is
    /// the operator who chooses them, not the client: each is a handshake of its own. Only where the
    /// operator names none they are the one that the client asked.
    pub(crate) fn hosts_without_token(&self, requested: &str) -> String {
        let hosts = [&self.accepted_hosts, &self.service_hosts].into_iter().find(|hosts| !hosts.is_empty());
        hosts.map_or_else(|| requested.to_ascii_lowercase(), |hosts| hosts.join(","))
    }

    /// How a hub with these settings tells its event handlers of events.
    pub(crate) fn policy(&self, hub: &HubName, settings: HubSettings) -> EventPolicy {
        EventPolicy {
            hub: hub.clone(),
            settings,
            timeout: self.event_timeout,
            retries: self.event_retries.clone(),
            private_allowed: self.private_handlers,
        }
    }

    /// The place of one of the hub's shards.
    pub(crate) fn place(&self, hub: &HubName, shard: ShardNumber) -> Place {
        Place {
            shard,
            shards: self.shards_of(hub),
            capacity: self.shard_hard_limit,
            connection_quota: self.connection_quota,
            limits: self.limits,
            recovery_window: self.recovery_window,
            drain_window: self.drain_window,
        }
    }
}

/// The name of a shard's Durable Object.
pub(crate) fn object_name(hub: &HubName, shard: ShardNumber) -> String {
    format!("{hub}/{shard}")
}

/// The names of all shards that a hub has.
pub(crate) fn shard_names(hub: &HubName, map: &ShardMap) -> Vec<String> {
    (0..map.reached).map(|shard| object_name(hub, ShardNumber(shard))).collect()
}

/// Reads what [`object_name`] wrote.
pub(crate) fn parse_object_name(name: &str) -> Option<(HubName, ShardNumber)> {
    let (hub, shard) = name.split_once('/')?;
    Some((HubName::parse(hub).ok()?, ShardNumber(shard.parse().ok()?)))
}
