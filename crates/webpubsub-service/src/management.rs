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
pub(crate) fn show_hubs(names: &[String]) -> String {
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
mod tests {
    use webpubsub_protocol::json::Members;

    use super::*;

    fn parse(method: &str, path: &str) -> Result<ManagementRequest, Refusal> {
        ManagementRequest::parse(method, &["/management/", path].concat())
    }

    fn hub(name: &str) -> HubName {
        HubName::parse(name).unwrap()
    }

    #[test]
    fn every_request_has_its_path_and_method() {
        use HubRequest::{
            ChangeSettings, Connection, Connections, DeleteSettings, Deliveries, Groups, Settings, Shards,
            TestHandler, Trace,
        };
        let id = ConnectionId::parse("a/b").unwrap();
        assert_eq!(parse("GET", "overview"), Ok(ManagementRequest::Overview));
        assert_eq!(parse("GET", "keys"), Ok(ManagementRequest::Keys));
        assert_eq!(parse("POST", "keys/:rotate"), Ok(ManagementRequest::RotateKeys));
        for (path, role) in [("primary", KeyRole::Primary), ("secondary", KeyRole::Secondary)] {
            let path = format!("keys/{path}/:regenerate");
            assert_eq!(parse("POST", &path), Ok(ManagementRequest::RegenerateKey(role)));
        }
        assert_eq!(parse("GET", "metrics"), Ok(ManagementRequest::Metrics));
        assert_eq!(parse("GET", "metrics/history"), Ok(ManagementRequest::History));
        assert_eq!(parse("GET", "hubs"), Ok(ManagementRequest::Hubs));
        assert_eq!(parse("POST", "sockets/:close"), Ok(ManagementRequest::CloseSockets));
        for (method, path, request) in [
            ("GET", "hubs/Chat", Settings),
            ("PUT", "hubs/chat", ChangeSettings),
            ("DELETE", "hubs/%63hat", DeleteSettings),
            ("GET", "hubs/chat/shards", Shards),
            ("GET", "hubs/chat/connections", Connections),
            ("GET", "hubs/chat/connections/a%2Fb", Connection(id)),
            ("GET", "hubs/chat/groups", Groups),
            ("GET", "hubs/chat/trace", Trace),
            ("GET", "hubs/chat/deliveries", Deliveries),
            ("POST", "hubs/chat/eventHandlers/1/:test", TestHandler(Some(1))),
            ("POST", "hubs/chat/eventHandlers/-1/:test", TestHandler(None)),
        ] {
            let expected = Ok(ManagementRequest::Hub(hub("chat"), request));
            assert_eq!(parse(method, path), expected, "{method} {path}");
        }
    }

    #[test]
    fn another_method_is_answered_with_those_allowed() {
        for (method, path, allow) in [
            ("POST", "metrics", "GET"),
            ("POST", "metrics/history", "GET"),
            ("HEAD", "hubs", "GET"),
            ("GET", "sockets/:close", "POST"),
            ("GET", "keys/:rotate", "POST"),
            ("PUT", "keys/primary/:regenerate", "POST"),
            ("POST", "hubs/chat", "GET, PUT, DELETE"),
            ("PUT", "hubs/chat/shards", "GET"),
            ("POST", "hubs/chat/deliveries", "GET"),
            ("POST", "overview", "GET"),
            ("DELETE", "hubs/chat/connections/c", "GET"),
            ("PUT", "hubs/chat/groups", "GET"),
            ("GET", "hubs/chat/eventHandlers/0/:test", "POST"),
        ] {
            let expected = Err(Refusal::Method { allow: allow.to_owned() });
            assert_eq!(parse(method, path), expected, "{method} {path}");
        }
    }

    #[test]
    fn other_paths_and_names_are_refused() {
        for path in [
            "",
            "metrics/",
            "keys/primary",
            "keys/third/:regenerate",
            "hub",
            "sockets",
            "hubs/chat/",
            "hubs/chat/shards/0",
        ] {
            assert_eq!(parse("GET", path), Err(Refusal::UnknownPath), "{path}");
        }
        for path in ["hubs/", "hubs/1", "hubs/a%2Fb", "hubs/1/shards", "hubs//other"] {
            assert_eq!(parse("GET", path), Err(Refusal::Hub), "{path}");
        }
    }

    #[test]
    fn the_shards_are_shown_with_their_states() {
        let mut map = ShardMap::new(1);
        map.reached = 2;
        map.target = 2;
        let shown =
            r#"{"version":0,"shards":[{"number":0,"state":"active"},{"number":1,"state":"warming"}]}"#;
        assert_eq!(show_shards(&map), shown);
        assert_eq!(show_hubs(&["a".to_owned(), "b".to_owned()]), r#"{"hubs":["a","b"]}"#);
    }

    #[test]
    fn keys_are_shown_by_how_they_begin() {
        let keys = [Some("abcdefgh".to_owned()), None];
        assert_eq!(show_keys(&keys, false), r#"{"primary":{"start":"abcd"},"secondary":null}"#);
        let shown = r#"{"primary":{"start":"abcd","key":"abcdefgh"},"secondary":null}"#;
        assert_eq!(show_keys(&keys, true), shown);
    }

    #[test]
    fn the_metrics_of_one_name_stand_together() {
        let mut text = MetricsText::new();
        let values: Vec<String> = (0..METRICS.len()).map(|value| value.to_string()).collect();
        text.add(&hub("a"), 0, &values.join(","));
        text.add(&hub("a"), 1, "");
        text.add(&hub("b"), 2, "7");
        let text = text.finish();
        let [first, second, ..] = METRICS;
        let expected = format!(
            "# HELP {0} {1}\n# TYPE {0} {2}\n{0}{{hub=\"a\",shard=\"0\"}} 0\n{0}{{hub=\"b\",shard=\"2\"}} 7\n# HELP {3} ",
            first.name,
            first.help,
            first.kind(),
            second.name
        );
        assert!(text.starts_with(&expected), "{text}");
        assert_eq!(text.matches("shard=\"0\"").count(), METRICS.len());
        assert!(!text.contains("shard=\"1\""));
    }

    #[test]
    fn the_document_describes_every_request() {
        let document = webpubsub_protocol::rest::openapi();
        let paths =
            Members::parse(Members::parse(&document).unwrap().get("paths").unwrap().as_str()).unwrap();
        let mut described = 0;
        for (path, methods) in &paths.0 {
            let Some(path) = path.strip_prefix("/management/").filter(|path| *path != "session") else {
                continue;
            };
            let path = path.replace("{hub}", "chat").replace("{index}", "0").replace("{connectionId}", "c");
            for (method, _) in &Members::parse(methods.as_str()).unwrap().0 {
                assert!(parse(&method.to_ascii_uppercase(), &path).is_ok(), "{method} {path}");
                described += 1;
            }
        }
        assert_eq!(described, 19);
    }

    #[test]
    fn an_overview_has_the_sums_over_a_hubs_shards() {
        let mut overview = Overview::new();
        overview.add(&hub("a"), &[Some("1,2".to_owned()), Some("3,4".to_owned())]);
        overview.add(&hub("b"), &[None, Some("5".to_owned())]);
        let text = overview.finish(Timestamp::from_millis(7));
        let [first, second, ..] = METRICS;
        let head = format!(r#"{{"version":"{}","time":7,"isHealthy":false,"#, env!("CARGO_PKG_VERSION"));
        assert!(text.starts_with(&head), "{text}");
        let a = format!(
            r#"{{"hub":"a","shards":2,"silentShards":0,"metrics":{{"{}":4,"{}":6,"#,
            first.name, second.name
        );
        assert!(text.contains(&a), "{text}");
        assert!(text.contains(r#"{"hub":"b","shards":2,"silentShards":1,"metrics":{"#), "{text}");
    }

    #[test]
    fn settings_with_a_private_handler_need_the_switch() {
        let config = |private: &'static str| {
            Config::read(&|name| match name {
                "WEBPUBSUB_ACCESS_KEY" => Some("0123456789abcdef0123456789abcdef".to_owned()),
                "ALLOW_PRIVATE_EVENT_HANDLERS" => Some(private.to_owned()),
                _ => None,
            })
            .map_err(|error| error.to_string())
            .unwrap()
        };
        let body = r#"{"eventHandlers":[{"urlTemplate":"http://localhost:1/","userEventPattern":"*"}]}"#;
        let before = HubSettings::default();
        assert!(read_settings(body, &before, &config("off")).is_err());
        assert!(read_settings(body, &before, &config("on")).is_ok());
        assert!(read_settings("[]", &before, &config("on")).is_err());
    }
}
