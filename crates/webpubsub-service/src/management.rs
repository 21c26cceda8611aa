//! What an operator asks under `/management/`, and the shapes of the answers.

use webpubsub_auth::KeyRole;
use webpubsub_protocol::encoding::decode_segment;
use webpubsub_protocol::json::Writer;
use webpubsub_protocol::name::{ConnectionId, HubName};
use webpubsub_protocol::rest::Refusal;
use webpubsub_protocol::time::Timestamp;
use webpubsub_shard::{HubSettings, METRICS, SettingsError, ShardId, ShardMap};

use crate::config::Config;
use crate::keys::KeyTexts;

/// A request of an operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ManagementRequest {
    /// Every metric of every shard, in Prometheus' text format.
    Metrics,
    /// The last hour of every metric, minute by minute.
    History,
    /// The names of all hubs that were ever used.
    Hubs,
    /// The version, and the metrics of each hub over all its shards.
    Overview,
    /// Which access keys there are.
    Keys,
    /// The primary access key becomes the secondary one, and a new one the primary.
    RotateKeys,
    /// One of the access keys is replaced by a new one.
    RegenerateKey(KeyRole),
    /// Close every socket, since the service is about to stop.
    CloseSockets,
    /// Something about one hub.
    Hub(HubName, HubRequest),
}

/// A request of an operator about one hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HubRequest {
    /// Its settings.
    Settings,
    /// The settings are to be those in the body.
    ChangeSettings,
    /// The settings are to be those of the configuration.
    DeleteSettings,
    /// Its shards.
    Shards,
    /// Its connections, a page at a time.
    Connections,
    /// One of its connections.
    Connection(ConnectionId),
    /// Its groups, a page at a time.
    Groups,
    /// What one of its shards does, as it happens.
    Trace,
    /// What became of the last deliveries to its event handlers.
    Deliveries,
    /// Deliver an event to one of its handlers; `None` for a number that no handler has.
    TestHandler(Option<usize>),
}

impl ManagementRequest {
    /// Reads a request by its method and its path, which begins with `/management/`.
    ///
    /// # Errors
    /// Why there is no such request: the path, the method, or the name of the hub.
    pub(crate) fn parse(method: &str, path: &str) -> Result<Self, Refusal> {
        let path: Vec<&str> = path.split('/').skip(2).collect();
        let (hub, request) = match path[..] {
            ["metrics"] => return only("GET", method, Self::Metrics),
            ["metrics", "history"] => return only("GET", method, Self::History),
            ["hubs"] => return only("GET", method, Self::Hubs),
            ["keys"] => return only("GET", method, Self::Keys),
            ["keys", ":rotate"] => return only("POST", method, Self::RotateKeys),
            ["keys", "primary", ":regenerate"] => {
                return only("POST", method, Self::RegenerateKey(KeyRole::Primary));
            }
            ["keys", "secondary", ":regenerate"] => {
                return only("POST", method, Self::RegenerateKey(KeyRole::Secondary));
            }
            ["overview"] => return only("GET", method, Self::Overview),
            ["sockets", ":close"] => return only("POST", method, Self::CloseSockets),
            ["hubs", hub, ref request @ ..] => (decode_segment(hub), request),
            _ => return Err(Refusal::UnknownPath),
        };
        let hub = hub.and_then(|hub| HubName::parse(&hub).ok()).ok_or(Refusal::Hub)?;
        let request = match (request, method) {
            ([], "GET") => HubRequest::Settings,
            ([], "PUT") => HubRequest::ChangeSettings,
            ([], "DELETE") => HubRequest::DeleteSettings,
            ([], _) => return Err(Refusal::Method { allow: "GET, PUT, DELETE".to_owned() }),
            (["shards"], _) => only("GET", method, HubRequest::Shards)?,
            (["connections"], _) => only("GET", method, HubRequest::Connections)?,
            (["connections", id], _) => {
                let id = decode_segment(id).and_then(|id| ConnectionId::parse(id).ok());
                only("GET", method, HubRequest::Connection(id.ok_or(Refusal::Connection)?))?
            }
            (["groups"], _) => only("GET", method, HubRequest::Groups)?,
            (["trace"], _) => only("GET", method, HubRequest::Trace)?,
            (["deliveries"], _) => only("GET", method, HubRequest::Deliveries)?,
            (["eventHandlers", index, ":test"], _) => {
                only("POST", method, HubRequest::TestHandler(index.parse().ok()))?
            }
            _ => return Err(Refusal::UnknownPath),
        };
        Ok(Self::Hub(hub, request))
    }
}

fn only<T>(allow: &str, method: &str, request: T) -> Result<T, Refusal> {
    if method == allow { Ok(request) } else { Err(Refusal::Method { allow: allow.to_owned() }) }
}

/// Reads the settings that an operator gives a hub, whose secrets stay where they are left out.
///
/// # Errors
/// What is wrong with them.
pub(crate) fn read_settings(
    body: &str,
    before: &HubSettings,
    config: &Config,
) -> Result<HubSettings, SettingsError> {
    let settings = HubSettings::parse(body)?.with_secrets_of(before)?;
    if !config.private_handlers {
        settings.check_public()?;
    }
    Ok(settings)
}

/// Writes the names of hubs as JSON.
#[must_use]
pub(crate) fn show_hubs(names: &[HubName]) -> String {
    let mut hubs = Writer::object();
    hubs.json("hubs", &Writer::texts(names));
    hubs.finish()
}

/// Writes the access keys as JSON: how they begin, or all of them.
#[must_use]
pub(crate) fn show_keys([primary, secondary]: &KeyTexts, reveal: bool) -> String {
    let show = |key: &Option<String>| match key {
        Some(key) => {
            let mut shown = Writer::object();
            shown.text("start", &key.chars().take(4).collect::<String>());
            if reveal {
                shown.text("key", key);
            }
            shown.finish()
        }
        None => "null".to_owned(),
    };
    let mut keys = Writer::object();
    keys.json("primary", &show(primary)).json("secondary", &show(secondary));
    keys.finish()
}

/// Writes the shards of a hub as JSON.
#[must_use]
pub(crate) fn show_shards(map: &ShardMap) -> String {
    let mut shards = Writer::list();
    for number in 0..map.reached {
        let mut shard = Writer::object();
        shard.number("number", number.into()).text("state", map.state(ShardId(number)).as_str());
        shards.element(&shard.finish());
    }
    let mut all = Writer::object();
    all.number("version", map.version).json("shards", &shards.finish());
    all.finish()
}

/// What a start page shows: the version, and the metrics of each hub.
#[derive(Debug)]
pub(crate) struct Overview {
    hubs: Writer,
    is_healthy: bool,
}

impl Overview {
    /// The overview of no hub.
    #[must_use]
    pub(crate) fn new() -> Self {
        Self { hubs: Writer::list(), is_healthy: true }
    }

    /// Adds a hub by what each of its shards says of its metrics, in the order of [`METRICS`] with commas between;
    /// `None` of one that did not answer.
    pub(crate) fn add(&mut self, hub: &HubName, shards: &[Option<String>]) {
        let mut sums = [0_u64; METRICS.len()];
        let mut silent = 0;
        for shard in shards {
            match shard {
                Some(values) => add_up(&mut sums, values),
                None => silent += 1,
            }
        }
        let mut metrics = Writer::object();
        for (metric, sum) in METRICS.iter().zip(sums) {
            metrics.number(metric.name, sum);
        }
        let mut shown = Writer::object();
        shown.text("hub", hub.as_str()).number("shards", shards.len() as u64);
        shown.number("silentShards", silent).json("metrics", &metrics.finish());
        self.hubs.element(&shown.finish());
        self.is_healthy &= silent == 0;
    }

    /// The overview as JSON.
    #[must_use]
    pub(crate) fn finish(self, now: Timestamp) -> String {
        let mut shown = Writer::object();
        shown.text("version", env!("CARGO_PKG_VERSION")).number("time", now.as_millis());
        shown.json("isHealthy", if self.is_healthy { "true" } else { "false" });
        shown.json("hubs", &self.hubs.finish());
        shown.finish()
    }
}

/// Adds to each sum the value in its place, with commas between them.
pub(crate) fn add_up(sums: &mut [u64], values: &str) {
    for (sum, value) in sums.iter_mut().zip(values.split(',')) {
        *sum = sum.saturating_add(value.parse().unwrap_or(0));
    }
}

/// The metrics of all shards, in Prometheus' text format: those of one name together.
#[derive(Debug)]
pub(crate) struct MetricsText(Vec<String>);

impl MetricsText {
    /// The media type of the text.
    pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4";

    /// The text of no shard.
    #[must_use]
    pub(crate) fn new() -> Self {
        let head = |name, help, kind| format!("# HELP {name} {help}\n# TYPE {name} {kind}\n");
        Self(METRICS.iter().map(|metric| head(metric.name, metric.help, metric.kind())).collect())
    }

    /// Adds the values of a shard, in the order of [`METRICS`] with commas between; nothing if it gave none.
    pub(crate) fn add(&mut self, hub: &HubName, shard: usize, values: &str) {
        if values.is_empty() {
            return;
        }
        for ((group, metric), value) in self.0.iter_mut().zip(&METRICS).zip(values.split(',')) {
            group.push_str(&format!("{}{{hub=\"{hub}\",shard=\"{shard}\"}} {value}\n", metric.name));
        }
    }

    /// The whole text.
    #[must_use]
    pub(crate) fn finish(self) -> String {
        self.0.concat()
    }
}

#[cfg(test)]
mod tests;
