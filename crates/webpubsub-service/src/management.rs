//! What an operator asks under `/management/`, and the shapes of the answers.

use webpubsub_protocol::encoding::decode_segment;
use webpubsub_protocol::json::Writer;
use webpubsub_protocol::name::HubName;
use webpubsub_protocol::rest::Refusal;
use webpubsub_shard::{HubSettings, METRICS, SettingsError, ShardId, ShardMap};

use crate::config::Config;

/// A request of an operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ManagementRequest {
    /// Every metric of every shard, in Prometheus' text format.
    Metrics,
    /// The names of all hubs that were ever used.
    Hubs,
    /// Close every socket, since the service is about to stop.
    CloseSockets,
    /// Something about one hub.
    Hub(HubName, HubRequest),
}

/// A request of an operator about one hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HubRequest {
    /// Its settings.
    Settings,
    /// The settings are to be those in the body.
    ChangeSettings,
    /// The settings are to be those of the configuration.
    DeleteSettings,
    /// Its shards.
    Shards,
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
    pub fn parse(method: &str, path: &str) -> Result<Self, Refusal> {
        let path: Vec<&str> = path.split('/').skip(2).collect();
        let (hub, request) = match path[..] {
            ["metrics"] => return only("GET", method, Self::Metrics),
            ["hubs"] => return only("GET", method, Self::Hubs),
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
pub fn read_settings(
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
pub fn show_hubs(names: &[String]) -> String {
    let mut hubs = Writer::object();
    hubs.json("hubs", &Writer::texts(names));
    hubs.finish()
}

/// Writes the shards of a hub as JSON.
#[must_use]
pub fn show_shards(map: &ShardMap) -> String {
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

/// The metrics of all shards, in Prometheus' text format: those of one name together.
#[derive(Debug)]
pub struct MetricsText(Vec<String>);

impl MetricsText {
    /// The media type of the text.
    pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4";

    /// The text of no shard.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "no text is empty")]
    pub fn new() -> Self {
        let head = |name, help, kind| format!("# HELP {name} {help}\n# TYPE {name} {kind}\n");
        Self(METRICS.iter().map(|metric| head(metric.name, metric.help, metric.kind)).collect())
    }

    /// Adds the values of a shard, in the order of [`METRICS`] with commas between; nothing if it gave none.
    pub fn add(&mut self, hub: &HubName, shard: usize, values: &str) {
        if values.is_empty() {
            return;
        }
        for ((group, metric), value) in self.0.iter_mut().zip(METRICS).zip(values.split(',')) {
            group.push_str(&format!("{}{{hub=\"{hub}\",shard=\"{shard}\"}} {value}\n", metric.name));
        }
    }

    /// The whole text.
    #[must_use]
    pub fn finish(self) -> String {
        self.0.concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(method: &str, path: &str) -> Result<ManagementRequest, Refusal> {
        ManagementRequest::parse(method, &["/management/", path].concat())
    }

    fn hub(name: &str) -> HubName {
        HubName::parse(name).unwrap()
    }

    #[test]
    fn every_request_has_its_path_and_method() {
        use HubRequest::{ChangeSettings, DeleteSettings, Deliveries, Settings, Shards, TestHandler};
        assert_eq!(parse("GET", "metrics"), Ok(ManagementRequest::Metrics));
        assert_eq!(parse("GET", "hubs"), Ok(ManagementRequest::Hubs));
        assert_eq!(parse("POST", "sockets/:close"), Ok(ManagementRequest::CloseSockets));
        for (method, path, request) in [
            ("GET", "hubs/Chat", Settings),
            ("PUT", "hubs/chat", ChangeSettings),
            ("DELETE", "hubs/%63hat", DeleteSettings),
            ("GET", "hubs/chat/shards", Shards),
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
            ("HEAD", "hubs", "GET"),
            ("GET", "sockets/:close", "POST"),
            ("POST", "hubs/chat", "GET, PUT, DELETE"),
            ("PUT", "hubs/chat/shards", "GET"),
            ("POST", "hubs/chat/deliveries", "GET"),
            ("GET", "hubs/chat/eventHandlers/0/:test", "POST"),
        ] {
            let expected = Err(Refusal::Method { allow: allow.to_owned() });
            assert_eq!(parse(method, path), expected, "{method} {path}");
        }
    }

    #[test]
    fn other_paths_and_names_are_refused() {
        for path in ["", "metrics/", "hub", "sockets", "hubs/chat/", "hubs/chat/shards/0"] {
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
            first.name, first.help, first.kind, second.name
        );
        assert!(text.starts_with(&expected), "{text}");
        assert_eq!(text.matches("shard=\"0\"").count(), METRICS.len());
        assert!(!text.contains("shard=\"1\""));
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
