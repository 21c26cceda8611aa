//! What operators are shown, and what they may set.

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
    let shown = r#"{"version":0,"shards":[{"number":0,"state":"active"},{"number":1,"state":"warming"}]}"#;
    assert_eq!(show_shards(&map), shown);
    assert_eq!(show_hubs(&[hub("a"), hub("b")]), r#"{"hubs":["a","b"]}"#);
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
    let paths = Members::parse(Members::parse(&document).unwrap().get("paths").unwrap().as_str()).unwrap();
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
